#include <algorithm>

#include "response/document_parts.hpp"
#include "response/openapi31_parts.hpp"
#include "response/value_schema.hpp"

namespace pgrst {

namespace {

using Names = std::vector<std::string_view>;

// -- arguments -----------------------------------------------------------------------------------

bool takes_whole_body(const Routine& routine) {
  return routine.params.size() == 1 && routine.params[0].name.empty();
}

// Arrays are written as text in a query string, but for those that are given as several values.
void add_query_argument(JsonBuilder& json, const RoutineParam& param, std::string_view type) {
  json.begin_object().member("name", param.name).member("in", "query");
  json.key("required").boolean(param.required);
  if (!param.variadic && is_array(type)) {
    json.member("description", "The text of a PostgreSQL array, `{...}`");
  } else if (json_type(type).empty()) {
    json.member("description", "JSON");
  }
  json.key("schema").begin_object();
  if (param.variadic || !(is_array(type) || json_type(type).empty())) {
    add_value_schema(json, {type});
  } else {
    json.member("type", "string");
  }
  json.end_object().end_object();
}

void add_arguments_schema(JsonBuilder& json, const Routine& routine, const ApiDescription& api) {
  json.begin_object().member("type", "object");
  const auto is_required = [](const RoutineParam& param) { return param.required; };
  if (std::any_of(routine.params.begin(), routine.params.end(), is_required)) {
    json.key("required").begin_array();
    for (const auto& param : routine.params) {
      if (param.required) json.string(param.name);
    }
    json.end_array();
  }
  json.key("properties").begin_object();
  for (const auto& param : routine.params) {
    json.key(param.name).begin_object();
    add_value_schema(json, {api.type_name(param.type), true});
    json.end_object();
  }
  json.end_object().end_object();
}

// The one parameter that has no name: its type says what bodies are.
void add_whole_body(JsonBuilder& json, std::string_view type) {
  if (type == "bytea") {
    json.key("application/octet-stream").begin_object().end_object();
  } else if (type == "text" || type == "xml") {
    json.key(type == "text" ? "text/plain" : "text/xml").json(R"({"schema":{"type":"string"}})");
  } else {
    json.key("application/json").json(R"({"schema":{}})");
  }
}

void add_body(JsonBuilder& json, const Routine& routine, const ApiDescription& api) {
  if (routine.params.empty()) return;
  const auto is_required = [](const RoutineParam& param) { return param.required; };
  json.key("requestBody").begin_object();
  json.key("required")
      .boolean(std::any_of(routine.params.begin(), routine.params.end(), is_required));
  json.key("content").begin_object();
  if (takes_whole_body(routine)) {
    add_whole_body(json, routine.params[0].type);
  } else {
    json.key("application/json").begin_object().key("schema");
    add_arguments_schema(json, routine, api);
    json.end_object();
  }
  json.end_object().end_object();
}

// -- results -------------------------------------------------------------------------------------

// The table whose rows the function returns, by its place among the described; null: none of them.
const Table* returned_table(const Routine& routine, const OpenApi31& document) {
  if (!routine.returns_composite) return nullptr;
  const auto& type = routine.return_type;
  return document.api.cache->table_or_null(type.schema, type.name);
}

// A value, or a row of what is no table of the document.
void add_result_schema(JsonBuilder& json, const Routine& routine) {
  json.begin_object();
  if (!routine.returns_composite) {
    const auto& type = routine.return_type;
    const std::string name = sql_type_name(type.schema, type.name);
    if (!name.empty()) add_value_schema(json, {name, true});
  } else {
    json.member("type", "object");
    if (!routine.columns.empty()) {
      json.key("properties").begin_object();
      for (const auto& column : routine.columns) {
        json.key(column.name).begin_object();
        add_value_schema(json, {column.type, true});
        json.end_object();
      }
      json.end_object();
    }
  }
  json.end_object();
}

void add_result_content(JsonBuilder& json, const Routine& routine, const std::string* table,
                        const SchemaCache& cache) {
  const auto add = [&](std::string_view media_type, bool many) {
    json.key(media_type);
    if (table != nullptr) return add_schema_of(json, *table, many);
    json.begin_object().key("schema");
    if (many) json.begin_object().member("type", "array").key("items");
    add_result_schema(json, routine);
    if (many) json.end_object();
    json.end_object();
  };
  json.key("content").begin_object();
  add("application/json", routine.returns_set);
  if (routine.returns_set) add("application/vnd.pgrst.object+json", false);
  if (routine.returns_composite) json.key("text/csv").json(R"({"schema":{"type":"string"}})");
  for (const auto type : cache.media_types(routine.id)) {
    if (type != "text/csv" && !type.ends_with("json")) json.key(type).begin_object().end_object();
  }
  json.end_object();
}

void add_result(JsonBuilder& json, std::string_view status, const Routine& routine,
                const std::string* table, const SchemaCache& cache) {
  json.key(status);
  if (table != nullptr && routine.returns_set) {
    return add_component(json, "responses", "rows." + *table);
  }
  json.begin_object().member("description", "The result");
  add_result_content(json, routine, table, cache);
  json.end_object();
}

// -- operations ----------------------------------------------------------------------------------

struct RoutineOperations {
  JsonBuilder& json;
  const OpenApi31& document;
  const Routine& routine;
  const std::string& word;
  const Table* table;             // of what it returns; null: none
  const std::string* table_word;  // of that table; null: the document does not have it

  void begin(std::string_view method, std::string_view verb) const {
    Comment comment;
    if (routine.description) comment = split_comment(*routine.description);
    const std::string id = std::string(verb).append("_").append(word);
    begin_operation(json,
                    {method, id, kRoutineTag, std::string(comment.summary), comment.description});
    add_profile(json, document, method == "get" ? "acceptProfile" : "contentProfile");
  }

  // What is done to the rows that it returns. In a query string names of arguments come first.
  void add_row_parameters(const Names& arguments, bool filters) const {
    const auto add = [&](std::string_view name) {
      const bool taken = std::find(arguments.begin(), arguments.end(), name) != arguments.end();
      if (!taken) add_component(json, "parameters", name);
    };
    if (routine.returns_composite) {
      if (filters && table_word != nullptr) add_filters(json, *table, *table_word, arguments);
      for (const auto name : {"and", "or", "select"}) add(name);
    }
    if (routine.returns_set) {
      for (const auto name : {"order", "limit", "offset"}) add(name);
    }
    add_component(json, "parameters", "preferCall");
  }

  void add_responses() const {
    begin_responses(json);
    if (routine.returns_void()) {
      json.key("204");
      add_component(json, "responses", "postgrest.empty");
    } else {
      add_result(json, "200", routine, table_word, *document.api.cache);
      if (routine.returns_set) {
        add_result(json, "206", routine, table_word, *document.api.cache);
      }
    }
    end_operation(json);
  }

  void add_get() const {
    begin("get", "get");
    Names arguments;
    for (const auto& param : routine.params) {
      arguments.emplace_back(param.name);
      add_query_argument(json, param, document.api.type_name(param.type));
    }
    add_row_parameters(arguments, true);
    end_parameters(json);
    add_responses();
  }

  void add_post() const {
    begin("post", "call");
    add_row_parameters({}, true);
    end_parameters(json);
    add_body(json, routine, document.api);
    add_responses();
  }
};

}  // namespace

void add_routine_operations(JsonBuilder& json, const OpenApi31& document, size_t at) {
  const Routine& routine = *document.api.routines[at];
  const Table* table = returned_table(routine, document);
  const RoutineOperations operations{
      json,    document,
      routine, document.names.routine(at),
      table,   table == nullptr ? nullptr : document.names.find(table)};
  json.key(url_path("/rpc/", routine.id.name)).begin_object();
  if (routine.volatility != Volatility::kVolatile && !takes_whole_body(routine)) {
    operations.add_get();
  }
  operations.add_post();
  json.end_object();
}

}  // namespace pgrst
