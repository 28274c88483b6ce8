// The pieces of a SELECT: fields, casts, filters, orders, ranges.
//
// Input -> output: planned values -> SQL through a SqlBuilder. `table` is what columns are
// qualified with.
#pragma once

#include "core/before_postgres.hpp"

#include "plan/types.hpp"
#include "query/sql_builder.hpp"
#include "schema_cache/identifiers.hpp"

namespace pgrst {

void write_field(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedField& field);
// With its casts and aggregate, without its alias.
void write_select_value(SqlBuilder& sql, const QualifiedIdentifier& table,
                        const PlannedSelect& item);
// What stands before and behind the operand of an aggregate; nothing if there is none.
void write_aggregate_head(SqlBuilder& sql, const std::optional<AggregateFunction>& aggregate,
                          const std::optional<Cast>& cast);
void write_aggregate_tail(SqlBuilder& sql, const std::optional<AggregateFunction>& aggregate,
                          const std::optional<Cast>& cast);
void write_filter(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedFilter& filter);
// ASC or DESC, and where nulls stand.
void write_direction(SqlBuilder& sql, const PlannedOrder& term);
// LIMIT and OFFSET.
void write_range(SqlBuilder& sql, const NonnegRange& range);

}  // namespace pgrst
