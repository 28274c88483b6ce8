// Types of SQL -> JSON Schema (draft 2020-12), as OpenAPI 3.1 takes it.
//
// Input -> output: what is known of a column, parameter or result -> the members of the schema of
// its values as the server writes and reads them in JSON. Pure.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <string_view>

#include "core/json_builder.hpp"
#include "schema_cache/table.hpp"

namespace pgrst {

struct ValueType {
  std::string_view sql_type;  // as format_type() prints it, without a limit
  bool nullable = false;
  JsonShape shape = JsonShape::kByType;
  const EnumLabels* labels = nullptr;
  int max_length = -1;  // -1: none
};

// type, format, items, enum and maxLength, into the object that is open.
void add_value_schema(JsonBuilder& json, const ValueType& type);

// The value of a default, as JSON: of a literal, be it cast to the type of the column. Empty: the
// expression is none, or it is null.
std::string default_value(const Column& column);

// The name as format_type() prints it of a type as pg_type has it: "int4" -> "integer", "_text" ->
// "text[]". Empty: its values may be anything.
std::string sql_type_name(std::string_view schema, std::string_view name);

}  // namespace pgrst
