#include <algorithm>
#include <utility>

#include "response/document_parts.hpp"
#include "response/openapi31_parts.hpp"
#include "response/value_schema.hpp"

namespace pgrst {

namespace {

// -- schemas -------------------------------------------------------------------------------------

// Rows as they are read; as they are inserted: without what the database alone writes, and what has
// a default need not be there; as they are updated: nothing need be there.
enum class RowUse { kRead, kInsert, kUpdate };

bool is_required(const Column& column, RowUse use) {
  switch (use) {
    case RowUse::kRead:
      return !column.nullable;
    case RowUse::kInsert:
      return !column.nullable && !column.default_value;
    case RowUse::kUpdate:
      break;
  }
  return false;
}

std::string column_description(const Table& table, const Column& column,
                               const std::optional<ColumnReference>& reference) {
  std::string out = column.description.value_or("");
  const auto note = [&](const std::string& text) {
    if (!out.empty()) out += "\n\n";
    out += text;
  };
  if (is_primary_key(table, column)) note("Primary key.");
  if (reference) {
    note(std::string("Foreign key to `")
             .append(reference->table)
             .append(".")
             .append(reference->column)
             .append("`."));
  }
  return out;
}

void add_column(JsonBuilder& json, const Table& table, const Column& column, RowUse use,
                const std::optional<ColumnReference>& reference, const SchemaCache& cache) {
  json.key(column.name).begin_object();
  const std::string description = column_description(table, column, reference);
  if (!description.empty()) json.member("description", description);
  ValueType type{column.base_type, column.nullable, column.shape, column.labels.get(),
                 column.max_length};
  // The cast of a domain to json says what it looks like.
  if (cache.representation(column.nominal_type, "json") != nullptr) type.shape = JsonShape::kAny;
  add_value_schema(json, type);
  if (use != RowUse::kUpdate) {
    const std::string value = default_value(column);
    if (!value.empty()) json.key("default").json(value);
  }
  if (use == RowUse::kRead && column.generated) json.key("readOnly").boolean(true);
  json.end_object();
}

void add_row_schema(JsonBuilder& json, const Table& table, RowUse use,
                    const std::vector<std::optional<ColumnReference>>& references,
                    const SchemaCache& cache) {
  const auto has = [use](const Column& column) {
    return use == RowUse::kRead || !column.generated;
  };
  json.begin_object().member("type", "object");
  if (use == RowUse::kRead && table.description) json.member("description", *table.description);
  bool some_required = false;
  for (const auto& column : table.columns) {
    if (!has(column) || !is_required(column, use)) continue;
    if (!some_required) json.key("required").begin_array();
    some_required = true;
    json.string(column.name);
  }
  if (some_required) json.end_array();
  json.key("properties").begin_object();
  for (size_t i = 0; i < table.columns.size(); i++) {
    if (has(table.columns[i])) add_column(json, table, table.columns[i], use, references[i], cache);
  }
  json.end_object().end_object();
}

// -- operations ----------------------------------------------------------------------------------

bool is_puttable(const Table& table) {
  if (!table.insertable || !table.updatable || table.pk_columns.empty()) return false;
  return std::none_of(table.columns.begin(), table.columns.end(), [&](const Column& column) {
    return column.generated && is_primary_key(table, column);
  });
}

// One table and where its operations are written.
struct TableOperations {
  JsonBuilder& json;
  const OpenApi31& document;
  const Table& table;
  const std::string& word;

  void begin(std::string_view method, std::string_view verb, std::string summary) const {
    const std::string_view description =
        table.description ? std::string_view(*table.description) : std::string_view();
    begin_operation(json, {method, std::string(verb).append("_").append(word), table.id.name,
                           std::move(summary), description});
    add_profile(json, document, method == "get" ? "acceptProfile" : "contentProfile");
  }

  void add_rows(std::string_view status) const {
    json.key(status);
    add_component(json, "responses", "rows." + word);
  }

  void add_created() const {
    json.key("201");
    add_component(json, "responses", "created." + word);
  }

  void add_empty() const {
    json.key("204");
    add_component(json, "responses", "postgrest.empty");
  }

  void add_json_body(std::string_view kind) const {
    json.key("requestBody").begin_object().key("required").boolean(true);
    json.key("content").begin_object().key("application/json");
    add_schema_of(json, word + std::string(kind), false);
    json.end_object().end_object();
  }

  void add_get() const {
    begin("get", "list", "Read rows of " + table.id.name);
    add_filters(json, table, word, {});
    add_parameters(json,
                   {"and", "or", "select", "order", "limit", "offset", "range", "preferRead"});
    end_parameters(json);
    begin_responses(json);
    add_rows("200");
    add_rows("206");
    end_operation(json);
  }

  void add_post() const {
    begin("post", "insert", "Insert rows into " + table.id.name);
    add_parameters(json, {"select", "columns", "onConflict", "preferInsert"});
    end_parameters(json);
    json.key("requestBody").begin_object().key("required").boolean(true);
    json.key("content").begin_object();
    json.key("application/json").begin_object().key("schema").begin_object();
    json.key("oneOf").begin_array();
    const std::string schema = word + ".insert";
    add_component(json, "schemas", schema);
    json.begin_object().member("type", "array").key("items");
    add_component(json, "schemas", schema);
    json.end_object().end_array().end_object().end_object();
    json.key("text/csv").json(R"({"schema":{"type":"string"}})");
    json.end_object().end_object();
    begin_responses(json);
    add_rows("200");
    add_created();
    end_operation(json);
  }

  void add_put() const {
    begin("put", "put", "Insert or replace one row of " + table.id.name);
    for (const auto& name : table.pk_columns) {
      if (is_reserved(name)) continue;
      json.begin_object().member("name", name).member("in", "query");
      json.key("required").boolean(true);
      json.key("schema").json(R"({"type":"string","pattern":"^eq\\.","examples":["eq.5"]})");
      json.end_object();
    }
    add_parameters(json, {"select", "columns", "preferPut"});
    end_parameters(json);
    add_json_body(".insert");
    begin_responses(json);
    add_rows("200");
    add_created();
    add_empty();
    end_operation(json);
  }

  void add_patch() const {
    begin("patch", "update", "Update rows of " + table.id.name);
    add_filters(json, table, word, {});
    add_parameters(json, {"and", "or", "select", "columns", "preferUpdate"});
    end_parameters(json);
    add_json_body(".update");
    begin_responses(json);
    add_rows("200");
    add_empty();
    end_operation(json);
  }

  void add_delete() const {
    begin("delete", "delete", "Delete rows of " + table.id.name);
    add_filters(json, table, word, {});
    add_parameters(json, {"and", "or", "select", "preferDelete"});
    end_parameters(json);
    begin_responses(json);
    add_rows("200");
    add_empty();
    end_operation(json);
  }
};

// The rows in each media type that they are given in.
void add_row_content(JsonBuilder& json, const Table& table, const std::string& word,
                     const SchemaCache& cache) {
  json.key("content").begin_object();
  json.key("application/json");
  add_schema_of(json, word, true);
  json.key("application/vnd.pgrst.object+json");
  add_schema_of(json, word, false);
  json.key("text/csv").json(R"({"schema":{"type":"string"}})");
  for (const auto type : cache.media_types(table.id)) {
    if (type != "text/csv" && !type.ends_with("json")) json.key(type).begin_object().end_object();
  }
  json.end_object();
}

void add_header(JsonBuilder& json, std::string_view name, std::string_view component) {
  json.key(name);
  add_component(json, "headers", component);
}

}  // namespace

void add_table_schemas(JsonBuilder& json, const OpenApi31& document, size_t at) {
  const Table& table = *document.api.tables[at];
  const std::string& word = document.names.table(at);
  const SchemaCache& cache = *document.api.cache;
  const auto references = column_references(table, cache);
  json.key(word);
  add_row_schema(json, table, RowUse::kRead, references, cache);
  if (table.insertable) {
    json.key(word + ".insert");
    add_row_schema(json, table, RowUse::kInsert, references, cache);
  }
  if (table.updatable) {
    json.key(word + ".update");
    add_row_schema(json, table, RowUse::kUpdate, references, cache);
  }
}

void add_table_filters(JsonBuilder& json, const OpenApi31& document, size_t at) {
  const Table& table = *document.api.tables[at];
  const auto words = column_words(table);
  for (size_t i = 0; i < table.columns.size(); i++) {
    const Column& column = table.columns[i];
    if (is_reserved(column.name)) continue;
    json.key("filter." + document.names.table(at) + "." + words[i]).begin_object();
    json.member("name", column.name).member("in", "query");
    if (column.description) json.member("description", *column.description);
    json.key("schema");
    add_component(json, "schemas", "postgrest.filter");
    json.end_object();
  }
}

void add_table_response(JsonBuilder& json, const OpenApi31& document, size_t at) {
  const Table& table = *document.api.tables[at];
  const std::string& word = document.names.table(at);
  json.key("rows." + word).begin_object().member("description", "Rows of " + table.id.name);
  json.key("headers").begin_object();
  add_header(json, "Content-Range", "contentRange");
  add_header(json, "Preference-Applied", "preferenceApplied");
  json.end_object();
  add_row_content(json, table, word, *document.api.cache);
  json.end_object();
  if (!table.insertable) return;
  json.key("created." + word).begin_object();
  json.member("description", "Inserted; the rows only with `return=representation`");
  json.key("headers").begin_object();
  add_header(json, "Location", "location");
  add_header(json, "Preference-Applied", "preferenceApplied");
  json.end_object();
  add_row_content(json, table, word, *document.api.cache);
  json.end_object();
}

void add_table_operations(JsonBuilder& json, const OpenApi31& document, size_t at) {
  const Table& table = *document.api.tables[at];
  const TableOperations operations{json, document, table, document.names.table(at)};
  json.key(url_path("/", table.id.name)).begin_object();
  operations.add_get();
  if (table.insertable) operations.add_post();
  if (is_puttable(table)) operations.add_put();
  if (table.updatable) operations.add_patch();
  if (table.deletable) operations.add_delete();
  json.end_object();
}

}  // namespace pgrst
