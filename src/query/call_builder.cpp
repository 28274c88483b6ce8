#include "query/call_builder.hpp"

#include "core/text.hpp"
#include "query/query_builder.hpp"
#include "query/select_writer.hpp"

namespace pgrst {

namespace {

class CallWriter {
 public:
  CallWriter(SqlBuilder& sql, const CallPlan& plan) : sql_(sql), plan_(plan) {}

  // What stands behind FROM; an alias follows it.
  void write_source() {
    const auto* json = std::get_if<JsonArguments>(&plan_.arguments);
    const bool from_json = json != nullptr && !json->params.empty();
    const Routine& routine = *plan_.routine;
    if (routine.returns_composite) {
      if (from_json) {
        write_json_row(*json);
        sql_.raw(" CROSS JOIN LATERAL ");
      }
      write_call();
      return;
    }
    sql_.raw("(SELECT ");
    write_call();
    sql_.raw(" AS pgrst_scalar");
    if (from_json) {
      sql_.raw(" FROM ");
      write_json_row(*json);
    }
    sql_.raw(")");
  }

 private:
  void write_call() {
    const Routine& routine = *plan_.routine;
    sql_.qualified(routine.id.schema, routine.id.name).raw("(");
    std::visit([this](const auto& arguments) { write(arguments); }, plan_.arguments);
    sql_.raw(")");
  }

  void write_name(const RoutineParam& param, Separator& separate) {
    separate();
    if (param.variadic) sql_.raw("VARIADIC ");
    sql_.ident(param.name).raw(" := ");
  }

  void write(const DirectArguments& arguments) {
    Separator separate(sql_, "", ", ");
    for (const auto& argument : arguments) {
      const RoutineParam& param = *argument.param;
      write_name(param, separate);
      sql_.param(param.variadic ? array_literal(argument.values) : argument.values.back());
      sql_.raw("::").catalog_sql(param.cast_type);
    }
  }

  void write(const JsonArguments& arguments) {
    Separator separate(sql_, "", ", ");
    for (const auto* param : arguments.params) {
      write_name(*param, separate);
      sql_.raw("pgrst_body.").ident(param->name);
    }
  }

  void write(const BodyArgument& argument) {
    sql_.payload().raw("::").catalog_sql(argument.param->type);
  }

  // The members of the body as columns of one row; of an array its first object counts.
  void write_json_row(const JsonArguments& arguments) {
    if (arguments.is_object) {
      sql_.raw("pg_catalog.json_to_record(").payload().raw(")");
    } else {
      sql_.raw("(SELECT * FROM pg_catalog.json_to_recordset(").payload().raw(")");
    }
    Separator separate(sql_, " AS pgrst_body(", ", ");
    for (const auto* param : arguments.params) {
      separate();
      sql_.ident(param->name).raw(" ").catalog_sql(param->cast_type);
    }
    sql_.raw(")");
    if (!arguments.is_object) sql_.raw(" LIMIT 1) AS pgrst_body");
  }

  SqlBuilder& sql_;
  const CallPlan& plan_;
};

// What the function returns first: whether that is anything has to be known beside the result.
void write_marked_call(SqlBuilder& sql, const ReadPlan& read, const CallPlan& call) {
  sql.raw("WITH pgrst_source AS MATERIALIZED (");
  Separator separate(sql, "SELECT ", ", ");
  for (const auto& column : columns_read(read)) {
    separate();
    write_column(sql, {"", read.alias}, column);
  }
  sql.raw(" FROM ");
  CallWriter(sql, call).write_source();
  sql.raw(" AS ").ident(read.alias).raw(") ");
  write_marked_rows(sql, plan_over_source(read));
}

}  // namespace

Statement call_statement(const ReadPlan& read, const CallPlan& call, const ResultShape& shape) {
  SqlBuilder sql;
  if (shape.format == ResultFormat::kCsv && leaves_out_rows(read)) {
    write_marked_call(sql, read, call);
    Statement statement = to_statement(sql, shape.format);
    statement.has_marks = true;
    return statement;
  }
  write_result(sql, read, shape, [&](SqlBuilder& out) { CallWriter(out, call).write_source(); });
  return to_statement(sql, shape.format);
}

}  // namespace pgrst
