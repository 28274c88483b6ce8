// Writes the SELECT of a read plan. Internal to query/: query_builder.cpp, mutate_builder.cpp and
// call_builder.cpp put statements together from it.
#pragma once

#include "core/before_postgres.hpp"

#include <functional>
#include <string>
#include <vector>

#include "plan/read_plan.hpp"
#include "query/sql_builder.hpp"

namespace pgrst {

// Writes a list with something between its members.
class Separator {
 public:
  Separator(SqlBuilder& sql, SqlLiteral first, SqlLiteral next)
      : sql_(sql), first_(first), next_(next) {}
  void operator()() {
    sql_.raw(written_ ? next_ : first_);
    written_ = true;
  }

 private:
  SqlBuilder& sql_;
  SqlLiteral first_, next_;
  bool written_ = false;
};

// What the rows of a root come from that is no relation: written behind FROM, before AS alias.
using WriteSource = std::function<void(SqlBuilder&)>;

enum class EmbedType {
  kRow,   // a row or an array of rows, as the row writers take them
  kJsonb  // for functions that take the rows, and for GROUP BY
};

// The SELECT of the plan's rows.
void write_select(SqlBuilder& sql, const ReadPlan& plan, const WriteSource& source,
                  EmbedType embeds);

// FROM and WHERE of it, with embeds as conditions: the rows without what is selected of them.
void write_rows(SqlBuilder& sql, const ReadPlan& plan);

// Filters joined by AND behind WHERE, on columns of `table`; nothing if there are none. They must
// not be filters of embeds.
void write_where(SqlBuilder& sql, const QualifiedIdentifier& table,
                 const std::vector<PlannedLogic>& where);

// What is selected of the root itself, separated by commas, its columns qualified with `table`.
void write_select_items(SqlBuilder& sql, const QualifiedIdentifier& table, const ReadPlan& plan);

// The columns of the root that the SELECT reads: what a source has to give. "*", which stands
// first, means all; computed columns may follow it.
std::vector<std::string> columns_read(const ReadPlan& plan);

// The plan, to be read from a WITH query that gives columns_read(plan): all columns are by name
// where the query's "*" would hold computed columns too.
ReadPlan plan_over_source(const ReadPlan& plan);

// table.column or table.*
void write_column(SqlBuilder& sql, const QualifiedIdentifier& table, const std::string& column);

}  // namespace pgrst
