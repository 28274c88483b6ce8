#include "response/value_schema.hpp"

#include <array>

#include "response/document_parts.hpp"

namespace pgrst {

namespace {

struct Format {
  std::string_view sql;
  std::string_view format;  // empty: the type of JSON says it all
};

// What has a format in the registry of OpenAPI, or needs none; of others it is the type of SQL. A
// timestamp without time zone is no date-time of RFC 3339.
constexpr std::array kFormats = std::to_array<Format>({
    {"boolean", ""},
    {"smallint", "int32"},
    {"integer", "int32"},
    {"bigint", "int64"},
    {"numeric", ""},
    {"real", "float"},
    {"double precision", "double"},
    {"date", "date"},
    {"timestamp with time zone", "date-time"},
    {"uuid", "uuid"},
    {"text", ""},
    {"character varying", ""},
    {"character", ""},
    {"json", ""},
    {"jsonb", ""},
});

std::string_view format_of(std::string_view sql_type) {
  for (const auto& format : kFormats) {
    if (format.sql == sql_type) return format.format;
  }
  return sql_type;
}

void add_type(JsonBuilder& json, std::string_view type, bool nullable) {
  if (type.empty()) return;
  if (nullable) {
    json.key("type").begin_array().string(type).string("null").end_array();
  } else {
    json.member("type", type);
  }
}

void add_single(JsonBuilder& json, std::string_view sql_type, JsonShape shape, bool nullable) {
  switch (shape) {
    case JsonShape::kAny:
      return;
    case JsonShape::kObject:
      return add_type(json, "object", nullable);
    case JsonShape::kByType:
      break;
  }
  add_type(json, json_type(sql_type), nullable);
  const std::string_view format = format_of(sql_type);
  if (!format.empty()) json.member("format", format);
}

// 'it''s' -> it's; what follows it is left in `expression`. False: it begins with no such literal.
bool take_literal(std::string_view& expression, std::string& value) {
  if (!expression.starts_with('\'')) return false;
  for (size_t i = 1; i < expression.size(); i++) {
    if (expression[i] == '\'') {
      const bool doubled = i + 1 < expression.size() && expression[i + 1] == '\'';
      if (!doubled) {
        expression.remove_prefix(i + 1);
        return true;
      }
      i++;
    }
    value += expression[i];
  }
  return false;
}

// Whether this is nothing, or a cast to the type of the column.
bool is_own_cast(std::string_view text, const Column& column) {
  if (text.empty()) return true;
  if (!text.starts_with("::")) return false;
  text.remove_prefix(2);
  return text == column.base_type || text == column.nominal_type ||
         (column.base_type == "character" && text == "bpchar") ||
         (column.base_type == "bit" && text == "\"bit\"");
}

struct CatalogName {
  std::string_view catalog;
  std::string_view sql;
};

constexpr std::array kCatalogNames = std::to_array<CatalogName>({
    {"bool", "boolean"},
    {"int2", "smallint"},
    {"int4", "integer"},
    {"int8", "bigint"},
    {"float4", "real"},
    {"float8", "double precision"},
    {"varchar", "character varying"},
    {"bpchar", "character"},
    {"timestamptz", "timestamp with time zone"},
    {"timestamp", "timestamp without time zone"},
    {"timetz", "time with time zone"},
    {"time", "time without time zone"},
    {"varbit", "bit varying"},
});

// Polymorphic and pseudo types.
bool is_open(std::string_view name) {
  return name.starts_with("any") || name == "record" || name == "_record" || name == "void";
}

}  // namespace

void add_value_schema(JsonBuilder& json, const ValueType& type) {
  if (is_array(type.sql_type)) {
    add_type(json, "array", type.nullable);
    json.key("items").begin_object();
    add_single(json, element_type(type.sql_type), type.shape, false);
    json.end_object();
    return;
  }
  add_single(json, type.sql_type, type.shape, type.nullable);
  if (type.labels != nullptr) {
    json.key("enum").begin_array();
    for (const auto& label : *type.labels) json.string(label);
    if (type.nullable) json.json("null");
    json.end_array();
  }
  if (type.max_length >= 0) json.key("maxLength").number(type.max_length);
}

std::string default_value(const Column& column) {
  if (!column.default_value || column.shape != JsonShape::kByType) return "";
  std::string_view rest = *column.default_value;
  const std::string_view type = json_type(column.base_type);
  std::string literal;
  const bool quoted = take_literal(rest, literal);
  if (quoted && !is_own_cast(rest, column)) return "";
  if (type == "string") return quoted ? json_string(literal) : "";
  if (type == "array") return quoted && literal == "{}" ? "[]" : "";
  const std::string_view value = quoted ? std::string_view(literal) : rest;
  if (type.empty()) return quoted && is_json(value) ? std::string(value) : "";
  const bool is_truth = value == "true" || value == "false";
  const bool is_number = value.find_first_not_of("+-.0123456789eE") == std::string_view::npos;
  const bool fits = type == "boolean" ? is_truth : is_number;
  return fits && is_json(value) ? std::string(value) : "";
}

std::string sql_type_name(std::string_view schema, std::string_view name) {
  if (schema != "pg_catalog" || is_open(name)) return "";
  const bool array = name.starts_with('_');
  if (array) name.remove_prefix(1);
  for (const auto& row : kCatalogNames) {
    if (row.catalog == name) name = row.sql;
  }
  return std::string(name) + (array ? "[]" : "");
}

}  // namespace pgrst
