// How much a read may ask for, as far as PostgreSQL would take long to refuse it, or would not.
//
// Input -> output: what is selected -> nothing, or an error: 400 PGRST100 for too many embeds; for
// a list that is too long the error that PostgreSQL itself would give.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <vector>

#include "api_request/types.hpp"
#include "core/config.hpp"
#include "core/result.hpp"
#include "plan/read_plan.hpp"

namespace pgrst {

// Of all levels together: PostgreSQL plans joins in far more than linear time. An inner embed
// counts as four.
Result<void> check_embeds(const std::vector<SelectItem>& select, const Config& config);

// How many columns an item stands for.
size_t columns_of(const SelectField& item, const Table* table);

// Of a node and those below, with what spreads add.
Result<void> check_columns(const ReadPlan& plan);

}  // namespace pgrst
