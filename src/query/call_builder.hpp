// CallPlan -> the statement that calls the function.
//
// Input -> output: plan -> SELECT ... FROM function(arguments). The function stands in FROM as it
// is, so that PostgreSQL can inline one that is written in SQL. Where the total of rows is wanted
// besides a page, the statement gives all rows and the page is taken from them (Statement::window):
// a second call could do its work twice.
#pragma once

#include "core/before_postgres.hpp"

#include "plan/plan.hpp"
#include "query/query_builder.hpp"

namespace pgrst {

Statement call_statement(const ReadPlan& read, const CallPlan& call, const ResultShape& shape);

}  // namespace pgrst
