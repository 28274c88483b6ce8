#include "query/mutate_builder.hpp"

#include <algorithm>

#include "query/fragments.hpp"
#include "query/query_builder.hpp"
#include "query/select_writer.hpp"

namespace pgrst {

namespace {

const QualifiedIdentifier kBody{"", "pgrst_body"};

class MutationWriter {
 public:
  MutationWriter(SqlBuilder& sql, const MutatePlan& plan) : sql_(sql), plan_(plan) {}

  // All but RETURNING.
  void write() {
    switch (plan_.mutation) {
      case Mutation::kCreate:
      case Mutation::kSingleUpsert:
        write_insert();
        break;
      case Mutation::kUpdate:
        write_update();
        break;
      case Mutation::kDelete:
        sql_.raw("DELETE FROM ").qualified(table().schema, table().name);
        write_where(sql_, table(), plan_.where);
        break;
    }
  }

 private:
  const QualifiedIdentifier& table() const { return plan_.table->id; }

  // -- INSERT ---

  void write_insert() {
    sql_.raw("INSERT INTO ").qualified(table().schema, table().name);
    if (plan_.columns.empty()) {
      write_rows_of_defaults();
    } else {
      write_column_list();
      sql_.raw(" SELECT ");
      Separator separate(sql_, "", ", ");
      for (const auto& column : plan_.columns) {
        separate();
        write_value(column);
      }
      sql_.raw(" FROM ");
      write_payload();
    }
    // Of a PUT: only a row that its filters name.
    if (plan_.mutation == Mutation::kSingleUpsert) write_where(sql_, kBody, plan_.where);
    if (plan_.counts_inserted) write_count_of_rows();
    if (plan_.on_conflict) write_on_conflict(*plan_.on_conflict);
  }

  // One row for an object without members, or for each that an array has. The filters of a PUT
  // find no column in it, and PostgreSQL says so.
  void write_rows_of_defaults() {
    if (plan_.mutation == Mutation::kSingleUpsert) {
      sql_.raw(" SELECT FROM (SELECT) AS pgrst_body");
    } else if (plan_.payload_is_object) {
      sql_.raw(" SELECT");
    } else {
      sql_.raw(" SELECT FROM pg_catalog.json_array_elements(").payload().raw(")");
    }
  }

  void write_column_list() {
    Separator separate(sql_, " (", ", ");
    for (const auto& column : plan_.columns) {
      separate();
      sql_.ident(column.column->name);
    }
    sql_.raw(")");
  }

  // The setting response.inserted begins with the number of rows, and each that is merged takes one
  // off. A row that a trigger drops counts as inserted, as in PostgREST. It works for views, which
  // have no xmax to ask. Evaluated once, before the first row.
  void write_count_of_rows() {
    if (plan_.mutation == Mutation::kSingleUpsert) {
      sql_.raw(" AND ");
    } else {
      sql_.raw(" WHERE ");
    }
    sql_.raw("(SELECT pg_catalog.set_config('response.inserted', ");
    if (plan_.mutation == Mutation::kSingleUpsert || plan_.payload_is_object) {
      sql_.raw("'1'");
    } else {
      const bool is_jsonb = plan_.missing_is_default && !plan_.columns.empty();
      sql_.raw(is_jsonb ? SqlLiteral("pg_catalog.jsonb_array_length(")
                        : SqlLiteral("pg_catalog.json_array_length("));
      sql_.payload().raw(")::pg_catalog.text");
    }
    sql_.raw(", true)) IS NOT NULL");
  }

  void write_on_conflict(const OnConflict& conflict) {
    Separator target(sql_, " ON CONFLICT (", ", ");
    for (const auto& column : conflict.columns) {
      target();
      sql_.ident(column);
    }
    sql_.raw(")");
    if (conflict.resolution == PreferResolution::kIgnoreDuplicates || plan_.columns.empty()) {
      sql_.raw(" DO NOTHING");
      return;
    }
    Separator separate(sql_, " DO UPDATE SET ", ", ");
    for (const auto& column : plan_.columns) {
      separate();
      sql_.ident(column.column->name).raw(" = EXCLUDED.").ident(column.column->name);
    }
    if (!plan_.counts_inserted) return;
    sql_.raw(
        " WHERE pg_catalog.set_config('response.inserted', (pg_catalog.current_setting("
        "'response.inserted')::pg_catalog.int8 - 1)::pg_catalog.text, true) IS NOT NULL");
  }

  // -- UPDATE ---

  void write_update() {
    sql_.raw("UPDATE ").qualified(table().schema, table().name);
    Separator separate(sql_, " SET ", ", ");
    for (const auto& column : plan_.columns) {
      separate();
      sql_.ident(column.column->name).raw(" = ");
      write_value(column);
    }
    sql_.raw(" FROM ");
    write_payload();
    write_where(sql_, table(), plan_.where);
  }

  // -- the payload as rows ---

  // json_to_recordset keeps what it takes a row apart into until the end: some ten times the
  // payload. From this size on rows are taken apart one by one, which is a third slower.
  static constexpr size_t kLargePayload = 4 * 1024 * 1024;

  void write_value(const MutateColumn& column) {
    if (column.parser != nullptr) {
      sql_.qualified(column.parser->schema, column.parser->name).raw("(");
    }
    sql_.raw("pgrst_body.").ident(column.column->name);
    if (column.parser != nullptr) sql_.raw(")");
  }

  void write_payload() {
    if (plan_.missing_is_default) {
      write_payload_over_defaults();
    } else if (plan_.payload_is_object) {
      sql_.raw("pg_catalog.json_to_record(").payload().raw(")");
    } else if (plan_.payload.size() <= kLargePayload) {
      sql_.raw("pg_catalog.json_to_recordset(").payload().raw(")");
    } else {
      sql_.raw("pg_catalog.json_array_elements(").payload();
      sql_.raw(") AS pgrst_row(pgrst_value) CROSS JOIN LATERAL pg_catalog.json_to_record(");
      sql_.raw("pgrst_row.pgrst_value)");
    }
    write_payload_columns();
  }

  void write_payload_columns() {
    Separator separate(sql_, " AS pgrst_body(", ", ");
    for (const auto& column : plan_.columns) {
      separate();
      sql_.ident(column.column->name).raw(" ");
      if (column.parser != nullptr) {
        sql_.raw("pg_catalog.json");
      } else {
        sql_.catalog_sql(column.column->nominal_type);
      }
    }
    sql_.raw(")");
  }

  void write_payload_over_defaults() {
    if (plan_.payload_is_object) {
      sql_.raw("pg_catalog.jsonb_to_record(");
      write_defaults();
      sql_.raw(" || ").payload().raw("::pg_catalog.jsonb)");
      return;
    }
    sql_.raw("pg_catalog.jsonb_array_elements(").payload();
    sql_.raw(") AS pgrst_row(pgrst_value) CROSS JOIN LATERAL pg_catalog.jsonb_to_record(");
    write_defaults();
    sql_.raw(" || pgrst_row.pgrst_value)");
  }

  void write_defaults() {
    sql_.raw("pg_catalog.jsonb_build_object(");
    Separator separate(sql_, "", ", ");
    for (const auto& column : plan_.columns) {
      if (!column.column->default_value) continue;
      separate();
      sql_.param(column.column->name).raw("::pg_catalog.text, ");
      sql_.catalog_sql(*column.column->default_value);
    }
    sql_.raw(")");
  }

  SqlBuilder& sql_;
  const MutatePlan& plan_;
};

// An UPDATE of no columns writes nothing and returns nothing.
bool updates_nothing(const MutatePlan& plan) {
  return plan.mutation == Mutation::kUpdate && plan.columns.empty();
}

void write_returning(SqlBuilder& sql, const QualifiedIdentifier& table,
                     const std::vector<std::string>& columns) {
  Separator separate(sql, " RETURNING ", ", ");
  for (const auto& column : columns) {
    separate();
    write_column(sql, table, column);
  }
}

// Values as JSON writes them, but for the quotes: what filters of a Location have to look like,
// whatever DateStyle is.
void write_returning_texts(SqlBuilder& sql, const QualifiedIdentifier& table,
                           const std::vector<std::string>& columns) {
  Separator separate(sql, " RETURNING ", ", ");
  for (const auto& column : columns) {
    separate();
    sql.raw("pg_catalog.to_json(").qualified(table.schema, table.name).raw(".").ident(column);
    sql.raw(") #>> '{}'");
  }
}

bool returning_says_it_all(const ReadPlan& read, ResultFormat format) {
  return read.children.empty() && !read.grouped && read.order.empty() &&
         format != ResultFormat::kGeoJson && format != ResultFormat::kRaw;
}

void write_nothing(SqlBuilder& sql, const QualifiedIdentifier& table) {
  sql.raw(" FROM ").qualified(table.schema, table.name).raw(" WHERE FALSE");
}

}  // namespace

std::vector<std::string> location_columns(const ReadPlan& read, const MutatePlan& mutation) {
  const auto& key = mutation.table->pk_columns;
  const auto is_key = [&](const std::string& name) {
    return std::find(key.begin(), key.end(), name) != key.end();
  };
  const auto selected = columns_read(read);
  if (selected.front() != "*") return key;
  std::vector<std::string> columns;
  for (const auto& column : mutation.table->columns) {
    if (is_key(column.name)) columns.push_back(column.name);
  }
  return columns;
}

Statement mutation_statement(const ReadPlan& read, const MutatePlan& mutation,
                             const ResultShape& shape) {
  const ResultFormat format = shape.format;
  const QualifiedIdentifier& table = mutation.table->id;
  SqlBuilder sql;
  MutationWriter writer(sql, mutation);
  if (format == ResultFormat::kCount) {
    if (updates_nothing(mutation)) {
      sql.raw("SELECT");
      write_nothing(sql, table);
    } else {
      writer.write();
    }
  } else if (format == ResultFormat::kRecords) {
    writer.write();
    write_returning_texts(sql, table, location_columns(read, mutation));
  } else if (returning_says_it_all(read, format)) {
    if (updates_nothing(mutation)) {
      sql.raw("SELECT ");
      write_select_items(sql, table, read);
      write_nothing(sql, table);
    } else {
      writer.write();
      sql.raw(" RETURNING ");
      write_select_items(sql, table, read);
    }
  } else {
    sql.raw("WITH pgrst_source AS (");
    if (updates_nothing(mutation)) {
      sql.raw("SELECT *");
      write_nothing(sql, table);
    } else {
      writer.write();
      write_returning(sql, table, columns_read(read));
    }
    sql.raw(") ");
    const ReadPlan over_source = plan_over_source(read);
    if (format == ResultFormat::kCsv && leaves_out_rows(read)) {
      write_marked_rows(sql, over_source);
      Statement statement = to_statement(sql, format);
      statement.has_marks = true;
      return statement;
    }
    write_result(sql, over_source, shape, [](SqlBuilder& out) { out.raw("pgrst_source"); });
  }
  return to_statement(sql, format);
}

}  // namespace pgrst
