#include "query/query_builder.hpp"

#include <algorithm>

#include "query/fragments.hpp"
#include "query/select_writer.hpp"

namespace pgrst {

Statement to_statement(SqlBuilder& sql, ResultFormat format) {
  Statement statement;
  statement.text = sql.take_text();
  statement.payload_at = sql.payload_at();
  statement.params = sql.take_params();
  statement.format = format;
  return statement;
}

namespace {

void write_handled(SqlBuilder& sql, const ReadPlan& plan, const ResultShape& shape,
                   const WriteSource& source) {
  const MediaHandler& handler = *shape.handler;
  if (shape.one_value) {
    sql.raw("SELECT 1::pg_catalog.int8, ");
  } else {
    sql.raw("SELECT pg_catalog.count(*), ");
  }
  sql.qualified(handler.function.schema, handler.function.name).raw("(pgrst_rows");
  if (shape.one_value) {
    sql.raw(".pgrst_scalar");
  } else if (handler.target) {
    sql.raw("::").qualified(handler.target->schema, handler.target->name);
  }
  sql.raw(") FROM (");
  write_select(sql, plan, source, EmbedType::kJsonb);
  sql.raw(") AS pgrst_rows");
}

}  // namespace

void write_result(SqlBuilder& sql, const ReadPlan& plan, const ResultShape& shape,
                  const WriteSource& source) {
  if (shape.format == ResultFormat::kRaw) {
    write_handled(sql, plan, shape, source);
    return;
  }
  const bool features = shape.format == ResultFormat::kGeoJson;
  // Where PostGIS is, only the search_path of the request knows.
  if (features) sql.raw("SELECT ST_AsGeoJSON(pgrst_feature)::pg_catalog.json FROM (");
  write_select(sql, plan, source, features ? EmbedType::kJsonb : EmbedType::kRow);
  if (features) sql.raw(") AS pgrst_feature");
}

bool leaves_out_rows(const ReadPlan& plan) {
  return !plan.where.empty() || !plan.range.is_all() ||
         std::any_of(plan.children.begin(), plan.children.end(),
                     [](const ReadPlan& child) { return child.join_type == JoinType::kInner; });
}

void write_marked_rows(SqlBuilder& sql, const ReadPlan& plan) {
  // LATERAL, as only columns of LATERAL subqueries are taken for embeds (pg/embed_columns.hpp).
  sql.raw("SELECT pgrst_rows.* FROM (SELECT FROM pgrst_source LIMIT 1) AS pgrst_any");
  sql.raw(" LEFT JOIN LATERAL (SELECT TRUE AS pgrst_mark, pgrst_result.* FROM LATERAL (");
  write_select(
      sql, plan, [](SqlBuilder& out) { out.raw("pgrst_source"); }, EmbedType::kRow);
  sql.raw(") AS pgrst_result) AS pgrst_rows ON TRUE");
}

Statement read_statement(const ReadPlan& plan, const ResultShape& shape) {
  SqlBuilder sql;
  write_result(sql, plan, shape, {});
  return to_statement(sql, shape.format);
}

Statement count_statement(const ReadPlan& plan, std::optional<int64_t> limit) {
  SqlBuilder sql;
  sql.raw("SELECT pg_catalog.count(*)");
  if (limit) sql.raw(" FROM (SELECT");
  write_rows(sql, plan);
  if (limit) {
    write_range(sql, {0, limit});
    sql.raw(") AS pgrst_counted");
  }
  return to_statement(sql, ResultFormat::kRecords);
}

std::string explain_options(const MediaType& type) {
  SqlBuilder sql;
  sql.raw("EXPLAIN (FORMAT ").raw(type.plan_is_json ? SqlLiteral("JSON") : SqlLiteral("TEXT"));
  for (const auto& option : type.plan_options) {
    if (option == "analyze") sql.raw(", ANALYZE");
    if (option == "verbose") sql.raw(", VERBOSE");
    if (option == "settings") sql.raw(", SETTINGS");
    if (option == "buffers") sql.raw(", BUFFERS");
    if (option == "wal") sql.raw(", WAL");
  }
  sql.raw(") ");
  return sql.take_text();
}

Statement explain_count_statement(const ReadPlan& plan) {
  SqlBuilder sql;
  sql.raw("EXPLAIN (FORMAT JSON) SELECT");
  write_rows(sql, plan);
  return to_statement(sql, ResultFormat::kExplained);
}

}  // namespace pgrst
