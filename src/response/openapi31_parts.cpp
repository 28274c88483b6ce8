#include "response/openapi31_parts.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "response/document_parts.hpp"

namespace pgrst {

namespace {

// What a query says about itself, whatever the columns are called.
constexpr std::string_view kReserved[] = {"select", "order",   "limit",  "offset",      "and",
                                          "or",     "not.and", "not.or", "on_conflict", "columns"};

}  // namespace

void add_component(JsonBuilder& json, std::string_view kind, std::string_view name) {
  add_reference(json, std::string("components/").append(kind), name);
}

void add_parameters(JsonBuilder& json, std::initializer_list<std::string_view> names) {
  for (const auto name : names) add_component(json, "parameters", name);
}

void add_profile(JsonBuilder& json, const OpenApi31& document, std::string_view parameter) {
  if (!document.server.profile.empty()) add_component(json, "parameters", parameter);
}

void add_filters(JsonBuilder& json, const Table& table, const std::string& word,
                 const std::vector<std::string_view>& taken) {
  const auto words = column_words(table);
  for (size_t i = 0; i < table.columns.size(); i++) {
    const std::string_view name = table.columns[i].name;
    if (is_reserved(name) || std::find(taken.begin(), taken.end(), name) != taken.end()) continue;
    add_component(json, "parameters", "filter." + word + "." + words[i]);
  }
}

bool is_reserved(std::string_view name) {
  return std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

std::vector<std::string> column_words(const Table& table) {
  std::vector<std::string_view> names;
  names.reserve(table.columns.size());
  for (const auto& column : table.columns) names.emplace_back(column.name);
  return unique_words(names);
}

void begin_operation(JsonBuilder& json, const Operation& operation) {
  json.key(operation.method).begin_object().member("operationId", operation.id);
  json.key("tags").begin_array().string(operation.tag).end_array();
  if (!operation.summary.empty()) json.member("summary", operation.summary);
  if (!operation.description.empty()) json.member("description", operation.description);
  json.key("parameters").begin_array();
}

void end_parameters(JsonBuilder& json) { json.end_array(); }

void begin_responses(JsonBuilder& json) { json.key("responses").begin_object(); }

void end_operation(JsonBuilder& json) {
  json.key("default");
  add_component(json, "responses", "postgrest.error");
  json.end_object().end_object();
}

void add_schema_of(JsonBuilder& json, const std::string& schema, bool many) {
  json.begin_object().key("schema");
  if (many) json.begin_object().member("type", "array").key("items");
  add_component(json, "schemas", schema);
  if (many) json.end_object();
  json.end_object();
}

std::string url_path(std::string_view prefix, std::string_view name) {
  std::string out(prefix);
  append_percent_encoded(out, name);
  return out;
}

}  // namespace pgrst
