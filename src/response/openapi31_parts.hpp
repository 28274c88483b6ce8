// The parts of the OpenAPI 3.1 document that are written once for each table or function.
//
// Input -> output: the document and the place of a table or function in it -> members of the object
// that is open. Keys of components hold a dot where they are not the word of a table alone, so that
// no table can take them: "machines", "machines.insert", "postgrest.error".
#pragma once

#include "core/before_postgres.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_builder.hpp"
#include "response/openapi.hpp"
#include "response/openapi_names.hpp"

namespace pgrst {

struct OpenApi31 {
  ApiDescription api;
  ApiServer server;
  OpenApiNames names;
};

// -- tables --------------------------------------------------------------------------------------

void add_table_schemas(JsonBuilder& json, const OpenApi31& document, size_t at);
void add_table_filters(JsonBuilder& json, const OpenApi31& document, size_t at);
void add_table_response(JsonBuilder& json, const OpenApi31& document, size_t at);
void add_table_operations(JsonBuilder& json, const OpenApi31& document, size_t at);

// -- functions -----------------------------------------------------------------------------------

void add_routine_operations(JsonBuilder& json, const OpenApi31& document, size_t at);

// -- what both are made of -----------------------------------------------------------------------

inline constexpr std::string_view kRoutineTag = "rpc";

void add_component(JsonBuilder& json, std::string_view kind, std::string_view name);
void add_parameters(JsonBuilder& json, std::initializer_list<std::string_view> names);

// The header by which a request names the schema, if it has to.
void add_profile(JsonBuilder& json, const OpenApi31& document, std::string_view parameter);

// Whether a parameter of that name is no filter.
bool is_reserved(std::string_view name);
// The words by which the columns stand in keys of components.
std::vector<std::string> column_words(const Table& table);
// References to the filters of a table, but for those whose names are taken.
void add_filters(JsonBuilder& json, const Table& table, const std::string& word,
                 const std::vector<std::string_view>& taken);

struct Operation {
  std::string_view method;
  std::string id;
  std::string_view tag;
  std::string summary;  // empty: none
  std::string_view description;
};
// What comes next are its parameters, as elements of an array.
void begin_operation(JsonBuilder& json, const Operation& operation);
void end_parameters(JsonBuilder& json);
// What comes next are its responses, beside those for errors.
void begin_responses(JsonBuilder& json);
void end_operation(JsonBuilder& json);

// {"schema": {"$ref": ...}}; many: of an array of it.
void add_schema_of(JsonBuilder& json, const std::string& schema, bool many);

// "/name", as it stands in a URL.
std::string url_path(std::string_view prefix, std::string_view name);

}  // namespace pgrst
