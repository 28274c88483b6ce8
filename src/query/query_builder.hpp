// Plans -> statements.
//
// Input -> output: ReadPlan -> the SELECT of its rows, and the one that counts them. Rows become
// JSON in the executor (pg/json_writer.cpp), and so do embeds: a to-one embed is a column that
// holds a row, a to-many embed one that holds an array of rows. How each part of a request becomes
// SQL, and why, stands in doc/sql.md.
#pragma once

#include "core/before_postgres.hpp"

#include "plan/read_plan.hpp"
#include "query/transaction.hpp"

namespace pgrst {

// kGeoJson: the rows as features, made by PostGIS.
Statement read_statement(const ReadPlan& plan, ResultFormat format);

// count(*) of all rows that the filters let through, without the range; at most `limit` are
// counted.
Statement count_statement(const ReadPlan& plan, std::optional<int64_t> limit = std::nullopt);

// EXPLAIN (FORMAT JSON) of what count_statement counts.
Statement explain_count_statement(const ReadPlan& plan);

}  // namespace pgrst
