// Plans -> statements.
//
// Input -> output: ReadPlan -> the SELECT of its rows, and the one that counts them. Rows become
// JSON in the executor (pg/json_writer.cpp), and so do embeds: a to-one embed is a column that
// holds a row, a to-many embed one that holds an array of rows. How each part of a request becomes
// SQL, and why, stands in doc/sql.md.
#pragma once

#include "core/before_postgres.hpp"

#include <functional>
#include <optional>

#include "plan/read_plan.hpp"
#include "query/transaction.hpp"

namespace pgrst {

// Takes text and parameters of the builder.
Statement to_statement(SqlBuilder& sql, ResultFormat format);

// How rows become the body.
struct ResultShape {
  ResultFormat format = ResultFormat::kJsonArray;
  const MediaHandler* handler = nullptr;  // of kRaw
  bool one_value = false;                 // the rows are one, of one value
};

// The SELECT of the plan's rows; for kGeoJson of the features that PostGIS makes of them, for kRaw
// of what the handler makes. `source`: as in select_writer.hpp.
void write_result(SqlBuilder& sql, const ReadPlan& plan, const ResultShape& shape,
                  const std::function<void(SqlBuilder&)>& source);

// Whether the SELECT of the plan may leave out rows of its source.
bool leaves_out_rows(const ReadPlan& plan);

// The SELECT of the plan's rows from the WITH query pgrst_source, as CSV. If the source has rows
// and the result has none, its columns are named all the same: the rows have marks (Statement).
void write_marked_rows(SqlBuilder& sql, const ReadPlan& plan);

Statement read_statement(const ReadPlan& plan, const ResultShape& shape);

// count(*) of all rows that the filters let through, without the range; at most `limit` are
// counted.
Statement count_statement(const ReadPlan& plan, std::optional<int64_t> limit = std::nullopt);

// EXPLAIN and its options, to stand before a statement. `type`: MediaType::Kind::kPlan.
std::string explain_options(const MediaType& type);

// EXPLAIN (FORMAT JSON) of what count_statement counts.
Statement explain_count_statement(const ReadPlan& plan);

}  // namespace pgrst
