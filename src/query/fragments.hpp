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
void write_select_item(SqlBuilder& sql, const QualifiedIdentifier& table,
                       const PlannedSelect& item);
void write_logic(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedLogic& logic);
void write_where(SqlBuilder& sql, const QualifiedIdentifier& table,
                 const std::vector<PlannedLogic>& where);
// GROUP BY the items that are no aggregates; nothing when there are no aggregates.
void write_group_by(SqlBuilder& sql, const QualifiedIdentifier& table,
                    const std::vector<PlannedSelect>& select);
void write_order_by(SqlBuilder& sql, const QualifiedIdentifier& table,
                    const std::vector<PlannedOrder>& order);
void write_range(SqlBuilder& sql, const NonnegRange& range);

}  // namespace pgrst
