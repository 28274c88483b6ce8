// MutatePlan -> the statement that writes.
//
// Input -> output: plan -> INSERT, UPDATE or DELETE. Its rows are returned only as far as the
// answer wants them, by RETURNING itself where that can say what is selected; where embeds,
// aggregates or an order are wanted the write is a WITH query that the SELECT reads. The payload is
// one parameter, and json_to_recordset makes rows of it.
#pragma once

#include "core/before_postgres.hpp"

#include "plan/plan.hpp"
#include "query/query_builder.hpp"

namespace pgrst {

// kCount: nothing is returned, the rows written are counted.
// kRecords: of an INSERT, the primary key's columns as text (location_columns).
// Any other: what the answer shows.
Statement mutation_statement(const ReadPlan& read, const MutatePlan& mutation,
                             const ResultShape& shape);

// The columns of a Location header, in its order; empty: there is none.
std::vector<std::string> location_columns(const ReadPlan& read, const MutatePlan& mutation);

}  // namespace pgrst
