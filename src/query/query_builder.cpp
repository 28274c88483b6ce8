#include "query/query_builder.hpp"

#include "query/fragments.hpp"

namespace pgrst {

namespace {

void write_select_list(SqlBuilder& sql, const ReadPlan& plan) {
  if (plan.select.empty()) {
    sql.qualified(plan.from.schema, plan.from.name).raw(".*");
    return;
  }
  for (size_t i = 0; i < plan.select.size(); i++) {
    if (i > 0) sql.raw(", ");
    write_select_item(sql, plan.from, plan.select[i]);
  }
}

Statement finish(SqlBuilder& sql, ResultFormat format) {
  Statement statement;
  statement.text = sql.take_text();
  statement.params = sql.take_params();
  statement.format = format;
  return statement;
}

}  // namespace

Statement read_statement(const ReadPlan& plan, ResultFormat format) {
  SqlBuilder sql;
  sql.raw("SELECT ");
  write_select_list(sql, plan);
  sql.raw(" FROM ").qualified(plan.from.schema, plan.from.name);
  write_where(sql, plan.from, plan.where);
  write_group_by(sql, plan.from, plan.select);
  write_order_by(sql, plan.from, plan.order);
  write_range(sql, plan.range);
  return finish(sql, format);
}

Statement count_statement(const ReadPlan& plan) {
  SqlBuilder sql;
  sql.raw("SELECT pg_catalog.count(*) FROM ").qualified(plan.from.schema, plan.from.name);
  write_where(sql, plan.from, plan.where);
  return finish(sql, ResultFormat::kRecords);
}

}  // namespace pgrst
