// ActionPlan -> the statements of its transaction, and what each result set is.
#pragma once

#include "core/before_postgres.hpp"

#include "plan/plan.hpp"
#include "query/transaction.hpp"

namespace pgrst {

struct MainQuery {
  Transaction transaction;  // access mode, rollback and statements; pre_query.hpp fills the rest
  // Index of the result set that holds the total of all rows, if one was asked for and the page
  // does not tell it; the page is result set 0.
  std::optional<size_t> total_at;
  std::optional<size_t> planned_at;     // of the result set that holds the planner's estimate
  std::optional<int64_t> max_affected;  // how many rows the preference allows, where it counts
};

// Takes the payload of the plan.
MainQuery main_query(ActionPlan& plan, const ApiRequest& request, const Config& config);

}  // namespace pgrst
