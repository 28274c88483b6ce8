#include "query/inspect_builder.hpp"

#include "core/text.hpp"
#include "query/query_builder.hpp"

namespace pgrst {

namespace {

// To see is to have any privilege at all. The privilege of the table comes first, because most
// roles have that one if any; columns are asked about only of relations that have privileges of
// columns, as the question reads them all.
constexpr SqlLiteral kIsVisible =
    "(pg_catalog.has_table_privilege(c.oid,"
    " 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
    " OR pg_catalog.pg_has_role(c.relowner, 'USAGE')"
    " OR c.oid IN (SELECT a.attrelid FROM pg_catalog.pg_attribute AS a"
    " WHERE a.attacl IS NOT NULL)"
    " AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))";

Statement visible_tables(const InspectPlan& plan) {
  SqlBuilder sql;
  sql.raw(
      "SELECT c.relname FROM pg_catalog.pg_class AS c"
      " WHERE c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace AS n"
      " WHERE n.nspname = ");
  sql.param(plan.schema)
      .raw(
          ") AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
          " AND NOT c.relispartition");
  if (plan.mode == OpenApiMode::kFollowPrivileges) {
    sql.raw(" AND ").raw(kIsVisible);
  }
  sql.raw(" ORDER BY c.relname");
  return to_statement(sql, ResultFormat::kRecords);
}

Statement visible_routines(const InspectPlan& plan) {
  SqlBuilder sql;
  sql.raw(
      "SELECT p.proname, p.oid FROM pg_catalog.pg_proc AS p"
      " WHERE p.pronamespace = (SELECT n.oid FROM pg_catalog.pg_namespace AS n"
      " WHERE n.nspname = ");
  sql.param(plan.schema).raw(") AND p.prokind = 'f'");
  if (plan.mode == OpenApiMode::kFollowPrivileges) {
    sql.raw(" AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')");
  }
  sql.raw(" ORDER BY p.proname");
  return to_statement(sql, ResultFormat::kRecords);
}

// A document that follows privileges names the types of parameters as the role would, as PostgREST
// does; one that ignores them names them with their schema, and asks for nothing here.
Statement visible_types(const InspectPlan& plan) {
  SqlBuilder sql;
  sql.raw(
      "SELECT pg_catalog.format('%I.%I', n.nspname, coalesce(e.typname, t.typname))"
      " || CASE WHEN e.oid IS NULL THEN '' ELSE '[]' END, pg_catalog.format_type(t.oid, NULL)"
      " FROM pg_catalog.pg_type AS t"
      " JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace"
      " LEFT JOIN pg_catalog.pg_type AS e ON e.typarray = t.oid"
      " WHERE n.nspname <> 'pg_catalog' AND pg_catalog.pg_type_is_visible(coalesce(e.oid, t.oid))"
      " AND t.oid IN (SELECT pg_catalog.unnest(p.proargtypes) FROM pg_catalog.pg_proc AS p"
      " WHERE p.pronamespace = (SELECT s.oid FROM pg_catalog.pg_namespace AS s"
      " WHERE s.nspname = ");
  sql.param(plan.schema).raw("))");
  if (plan.mode != OpenApiMode::kFollowPrivileges) sql.raw(" AND false");
  return to_statement(sql, ResultFormat::kRecords);
}

Statement schema_comment(const InspectPlan& plan) {
  SqlBuilder sql;
  sql.raw(
      "SELECT pg_catalog.obj_description(n.oid, 'pg_namespace')"
      " FROM pg_catalog.pg_namespace AS n WHERE n.nspname = ");
  sql.param(plan.schema);
  return to_statement(sql, ResultFormat::kRecords);
}

}  // namespace

std::vector<Statement> inspect_statements(const InspectPlan& plan) {
  return {visible_tables(plan), visible_routines(plan), visible_types(plan), schema_comment(plan)};
}

Statement may_use_statement(const HintedObject& object) {
  SqlBuilder sql;
  if (object.kind == HintedObject::Kind::kRelation) {
    sql.raw("SELECT FROM pg_catalog.pg_class AS c WHERE c.relname = ").param(object.name);
    sql.raw(
        " AND c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace AS n"
        " WHERE n.nspname = ");
    sql.param(object.schema).raw(") AND ").raw(kIsVisible);
  } else {
    std::vector<std::string> oids;
    oids.reserve(object.routines.size());
    for (const uint32_t oid : object.routines) oids.push_back(std::to_string(oid));
    sql.raw("SELECT FROM pg_catalog.pg_proc AS p WHERE p.oid = ANY (").param(array_literal(oids));
    sql.raw(") AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE') LIMIT 1");
  }
  return to_statement(sql, ResultFormat::kRecords);
}

}  // namespace pgrst
