// Plans -> statements.
//
// Input -> output: ReadPlan -> the SELECT of its rows, and the one that counts them. The SELECT is
// plain: no CTE, no aggregate on top, since rows become JSON in the executor (pg/json_writer.cpp).
#pragma once

#include "core/before_postgres.hpp"

#include "plan/read_plan.hpp"
#include "query/transaction.hpp"

namespace pgrst {

Statement read_statement(const ReadPlan& plan, ResultFormat format);

// count(*) of all rows that the filters let through, without the range.
Statement count_statement(const ReadPlan& plan);

}  // namespace pgrst
