#include "response/openapi.hpp"

#include <array>
#include <utility>

#include "api_request/json_scanner.hpp"
#include "core/json_builder.hpp"

namespace pgrst {

namespace {

// The release whose document this is.
constexpr std::string_view kVersion = "16.2";
constexpr std::string_view kDocumentation = "https://postgrest.org/en/v16/references/api.html";

constexpr std::string_view kRowTypes =
    R"(["application/json","application/vnd.pgrst.object+json;nulls=stripped",)"
    R"("application/vnd.pgrst.object+json","text/csv"])";
constexpr std::string_view kResultTypes =
    R"(["application/json","application/vnd.pgrst.object+json;nulls=stripped",)"
    R"("application/vnd.pgrst.object+json"])";

// -- types ---------------------------------------------------------------------------------------

struct TypeName {
  std::string_view sql;
  std::string_view swagger;
};

constexpr std::array kTypes = std::to_array<TypeName>({
    {"boolean", "boolean"},
    {"smallint", "integer"},
    {"integer", "integer"},
    {"bigint", "integer"},
    {"numeric", "number"},
    {"real", "number"},
    {"double precision", "number"},
    {"json", ""},
    {"jsonb", ""},
});

constexpr std::string_view kArraySuffix = "[]";

bool is_array(std::string_view type) { return type.ends_with(kArraySuffix); }

std::string_view element_type(std::string_view type) {
  return type.substr(0, type.size() - kArraySuffix.size());
}

bool is_json(std::string_view text) {
  JsonScanner scanner(text);
  while (!scanner.step(SIZE_MAX)) {
  }
  return scanner.valid();
}

void add_type(JsonBuilder& json, std::string_view type) {
  if (!type.empty()) json.member("type", type);
}

// The type of a value in JSON, and of the elements of an array.
void add_value_type(JsonBuilder& json, std::string_view sql_type) {
  json.member("format", swagger_format(sql_type));
  if (is_array(sql_type)) {
    json.key("items").begin_object();
    add_type(json, swagger_type(element_type(sql_type)));
    json.end_object();
  }
  add_type(json, swagger_type(sql_type));
}

// -- tables --------------------------------------------------------------------------------------

void add_reference(JsonBuilder& json, std::string_view kind, std::string_view name) {
  json.begin_object().key("$ref").string(std::string("#/").append(kind).append("/").append(name));
  json.end_object();
}

void add_parameter_references(JsonBuilder& json, std::initializer_list<std::string_view> names) {
  for (const auto name : names) add_reference(json, "parameters", name);
}

bool is_primary_key(const Table& table, const Column& column) {
  for (const auto& name : table.pk_columns) {
    if (name == column.name) return true;
  }
  return false;
}

// The comment, and which keys the column is part of.
std::string column_description(const Table& table, const Column& column,
                               const std::optional<ColumnReference>& reference) {
  std::string notes;
  if (is_primary_key(table, column)) notes += "\nThis is a Primary Key.<pk/>";
  if (reference) {
    notes.append("\nThis is a Foreign Key to `")
        .append(reference->table)
        .append(".")
        .append(reference->column)
        .append("`.<fk table='")
        .append(reference->table)
        .append("' column='")
        .append(reference->column)
        .append("'/>");
  }
  std::string out = column.description.value_or("");
  if (notes.empty()) return out;
  if (column.description) out += "\n\n";
  return out + "Note:" + notes;
}

void add_column(JsonBuilder& json, const Table& table, const Column& column,
                const std::optional<ColumnReference>& reference) {
  json.key(column.name).begin_object();
  const std::string description = column_description(table, column, reference);
  if (!description.empty()) json.member("description", description);
  if (column.default_value) {
    const std::string value = swagger_default(column.base_type, *column.default_value);
    if (!value.empty()) json.key("default").json(value);
  }
  if (column.labels) {
    json.key("enum").begin_array();
    for (const auto& label : *column.labels) json.string(label);
    json.end_array();
  }
  if (column.max_length >= 0) json.key("maxLength").number(column.max_length);
  add_value_type(json, column.base_type);
  json.end_object();
}

void add_definition(JsonBuilder& json, const Table& table, const SchemaCache& cache) {
  json.key(table.id.name).begin_object();
  if (table.description) json.member("description", *table.description);
  bool some_required = false;
  for (const auto& column : table.columns) {
    if (column.nullable) continue;
    if (!some_required) json.key("required").begin_array();
    some_required = true;
    json.string(column.name);
  }
  if (some_required) json.end_array();
  if (!table.columns.empty()) {
    const auto references = column_references(table, cache);
    json.key("properties").begin_object();
    for (size_t i = 0; i < table.columns.size(); i++) {
      add_column(json, table, table.columns[i], references[i]);
    }
    json.end_object();
  }
  json.member("type", "object").end_object();
}

void add_summary(JsonBuilder& json, const std::optional<std::string>& comment) {
  if (!comment) return;
  const Comment parts = split_comment(*comment);
  json.member("summary", parts.summary);
  if (!parts.description.empty()) json.member("description", parts.description);
}

void begin_operation(JsonBuilder& json, std::string_view method, const Table& table) {
  json.key(method).begin_object();
  json.key("tags").begin_array().string(table.id.name).end_array();
  add_summary(json, table.description);
  json.key("parameters").begin_array();
}

// `responses`: JSON.
void end_operation(JsonBuilder& json, std::string_view responses) {
  json.end_array().key("responses").json(responses).end_object();
}

std::string row_responses(const Table& table) {
  std::string out;
  JsonBuilder json(out);
  json.begin_object().key("200").begin_object().member("description", "OK");
  json.key("schema").begin_object().key("items");
  add_reference(json, "definitions", table.id.name);
  json.member("type", "array").end_object().end_object();
  json.key("206").json(R"({"description":"Partial Content"})").end_object();
  return out;
}

void add_table_path(JsonBuilder& json, const Table& table) {
  const std::string prefix = "rowFilter." + table.id.name + ".";
  const std::string body = "body." + table.id.name;
  std::string filters;
  JsonBuilder filter_json(filters);
  for (const auto& column : table.columns) {
    add_reference(filter_json, "parameters", prefix + column.name);
  }
  const auto add_filters = [&] {
    if (!filters.empty()) json.json(filters);
  };
  json.key("/" + table.id.name).begin_object();
  begin_operation(json, "get", table);
  add_filters();
  add_parameter_references(
      json, {"select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"});
  end_operation(json, row_responses(table));
  if (table.insertable || table.updatable || table.deletable) {
    begin_operation(json, "post", table);
    add_parameter_references(json, {body, "select", "preferPost"});
    end_operation(json, R"({"201":{"description":"Created"}})");
    begin_operation(json, "delete", table);
    add_filters();
    add_parameter_references(json, {"preferReturn"});
    end_operation(json, R"({"204":{"description":"No Content"}})");
    begin_operation(json, "patch", table);
    add_filters();
    add_parameter_references(json, {body, "preferReturn"});
    end_operation(json, R"({"204":{"description":"No Content"}})");
  }
  json.end_object();
}

// A parameter beside the name, the description and where it stands: optional text.
void add_text_parameter(JsonBuilder& json, std::string_view name,
                        const std::optional<std::string>& description, std::string_view in) {
  json.member("name", name);
  if (description) json.member("description", *description);
  json.key("required").boolean(false).member("in", in).member("type", "string");
}

void add_table_parameters(JsonBuilder& json, const Table& table) {
  const std::string& name = table.id.name;
  json.key("body." + name).begin_object().member("name", name).member("description", name);
  json.key("required").boolean(false).member("in", "body").key("schema");
  add_reference(json, "definitions", name);
  json.end_object();
  const std::string prefix = "rowFilter." + name + ".";
  for (const auto& column : table.columns) {
    json.key(prefix + column.name).begin_object();
    add_text_parameter(json, column.name, column.description, "query");
    json.end_object();
  }
}

// -- functions -----------------------------------------------------------------------------------

void begin_call(JsonBuilder& json, std::string_view method, const Routine& routine) {
  json.key(method).begin_object();
  json.key("tags").begin_array().string("(rpc) " + routine.id.name).end_array();
  add_summary(json, routine.description);
  json.key("produces").json(kResultTypes);
}

void end_call(JsonBuilder& json) {
  json.key("responses").json(R"({"200":{"description":"OK"}})").end_object();
}

// Arrays are written as text in a query string, but for those that are given as several values.
void add_query_argument(JsonBuilder& json, const RoutineParam& param, std::string_view type) {
  json.begin_object().member("name", param.name).key("required").boolean(param.required);
  json.member("in", "query");
  const std::string_view json_type = swagger_type(type);
  if (!param.variadic) {
    json.member("format", swagger_format(type));
    json.member("type", json_type.empty() || is_array(type) ? "string" : json_type);
  } else {
    const std::string_view element = is_array(type) ? element_type(type) : type;
    json.member("type", json_type.empty() ? "string" : json_type).key("items").begin_object();
    json.member("format", swagger_format(element));
    add_type(json, swagger_type(element));
    json.end_object().member("collectionFormat", "multi");
  }
  json.end_object();
}

void add_get_call(JsonBuilder& json, const Routine& routine, const ApiDescription& api) {
  begin_call(json, "get", routine);
  if (!routine.params.empty()) {
    json.key("parameters").begin_array();
    for (const auto& param : routine.params) {
      add_query_argument(json, param, api.type_name(param.type));
    }
    json.end_array();
  }
  end_call(json);
}

void add_arguments_schema(JsonBuilder& json, const Routine& routine, const ApiDescription& api) {
  json.begin_object();
  if (routine.description) json.member("description", *routine.description);
  bool some_required = false;
  for (const auto& param : routine.params) {
    if (!param.required) continue;
    if (!some_required) json.key("required").begin_array();
    some_required = true;
    json.string(param.name);
  }
  if (some_required) json.end_array();
  if (!routine.params.empty()) {
    json.key("properties").begin_object();
    for (const auto& param : routine.params) {
      json.key(param.name).begin_object();
      add_value_type(json, api.type_name(param.type));
      json.end_object();
    }
    json.end_object();
  }
  json.member("type", "object").end_object();
}

void add_post_call(JsonBuilder& json, const Routine& routine, const ApiDescription& api) {
  begin_call(json, "post", routine);
  json.key("parameters").begin_array();
  json.begin_object().member("name", "args").key("required").boolean(true).member("in", "body");
  json.key("schema");
  add_arguments_schema(json, routine, api);
  json.end_object();
  add_parameter_references(json, {"preferParams"});
  json.end_array();
  end_call(json);
}

void add_routine_path(JsonBuilder& json, const Routine& routine, const ApiDescription& api) {
  json.key("/rpc/" + routine.id.name).begin_object();
  if (routine.volatility != Volatility::kVolatile) add_get_call(json, routine, api);
  add_post_call(json, routine, api);
  json.end_object();
}

// -- what is the same for all --------------------------------------------------------------------

// The special names of PostgREST for any address; those of IPv6 too, as in PostgREST.
std::string host_name(const std::string& host) {
  const bool any = host == "*" || host == "*4" || host == "!4" || host == "*6" || host == "!6";
  return any ? "0.0.0.0" : host;
}

void add_head(JsonBuilder& json, const ApiDescription& api, const ApiServer& server) {
  json.begin_object().member("swagger", "2.0").key("info").begin_object();
  std::string_view title = "PostgREST API";
  std::string_view description = "This is a dynamic API generated by PostgREST";
  if (api.comment) {
    const Comment parts = split_comment(*api.comment);
    title = parts.summary;
    description = parts.description;
  }
  json.member("description", description).member("title", title).member("version", kVersion);
  json.end_object();
  json.member("host", host_name(server.uri.host) + ":" + std::to_string(server.uri.port));
  json.member("basePath", server.uri.path);
  json.key("schemes").begin_array().string(server.uri.scheme).end_array();
  json.key("consumes").json(kRowTypes).key("produces").json(kRowTypes);
  json.key("paths").begin_object().key("/").json(
      R"x({"get":{"tags":["Introspection"],"summary":"OpenAPI description (this document)",)x"
      R"x("produces":["application/openapi+json","application/json"],)x"
      R"x("responses":{"200":{"description":"OK"}}}})x");
}

struct CommonParameter {
  std::string_view key;
  std::string_view name;
  const char* description;
  std::string_view in;
  std::string_view values;         // JSON; empty: any
  std::string_view default_value;  // JSON; empty: none
};

#define PGRST_RETURNS R"("return=representation","return=minimal","return=none")"
#define PGRST_RESOLUTIONS R"("resolution=ignore-duplicates","resolution=merge-duplicates")"

constexpr std::array kCommonParameters = std::to_array<CommonParameter>({
    {"preferParams", "Prefer", "Preference", "header", "", ""},
    {"preferReturn", "Prefer", "Preference", "header", "[" PGRST_RETURNS "]", ""},
    {"preferCount", "Prefer", "Preference", "header", R"(["count=none"])", ""},
    {"preferPost", "Prefer", "Preference", "header", "[" PGRST_RETURNS "," PGRST_RESOLUTIONS "]",
     ""},
    {"select", "select", "Filtering Columns", "query", "", ""},
    {"on_conflict", "on_conflict", "On Conflict", "query", "", ""},
    {"order", "order", "Ordering", "query", "", ""},
    {"range", "Range", "Limiting and Pagination", "header", "", ""},
    {"rangeUnit", "Range-Unit", "Limiting and Pagination", "header", "", R"("items")"},
    {"offset", "offset", "Limiting and Pagination", "query", "", ""},
    {"limit", "limit", "Limiting and Pagination", "query", "", ""},
});

#undef PGRST_RETURNS
#undef PGRST_RESOLUTIONS

void add_common_parameters(JsonBuilder& json) {
  for (const auto& parameter : kCommonParameters) {
    json.key(parameter.key).begin_object();
    add_text_parameter(json, parameter.name, parameter.description, parameter.in);
    if (!parameter.values.empty()) json.key("enum").json(parameter.values);
    if (!parameter.default_value.empty()) json.key("default").json(parameter.default_value);
    json.end_object();
  }
}

void add_tail(JsonBuilder& json, const ApiServer& server) {
  if (server.wants_jwt) {
    json.key("securityDefinitions").begin_object().key("JWT").begin_object();
    json.member("description", "Add the token prepending \"Bearer \" (without quotes) to it");
    json.member("in", "header").member("name", "Authorization").member("type", "apiKey");
    json.end_object().end_object();
    json.key("security").json(R"([{"JWT":[]}])");
  }
  json.key("externalDocs").begin_object().member("description", "PostgREST Documentation");
  json.member("url", kDocumentation).end_object().end_object();
}

// -- the document --------------------------------------------------------------------------------

class OpenApiPieces : public BodyPieces {
 public:
  OpenApiPieces(ApiDescription api, ApiServer server)
      : api_(std::move(api)), server_(std::move(server)) {}

  bool next(std::string& out) override {
    JsonBuilder json(out);
    switch (section_) {
      case Section::kHead:
        add_head(json, api_, server_);
        return enter(Section::kTablePaths);
      case Section::kTablePaths:
        if (at_ == api_.tables.size()) return enter(Section::kRoutinePaths);
        out += ',';
        add_table_path(json, *api_.tables[at_++]);
        return true;
      case Section::kRoutinePaths:
        if (at_ == api_.routines.size()) return begin_definitions(out);
        out += ',';
        add_routine_path(json, *api_.routines[at_++], api_);
        return true;
      case Section::kDefinitions:
        if (at_ == api_.tables.size()) return begin_parameters(out);
        if (at_ > 0) out += ',';
        add_definition(json, *api_.tables[at_++], *api_.cache);
        return true;
      case Section::kParameters:
        if (at_ == api_.tables.size()) return end(out);
        out += ',';
        add_table_parameters(json, *api_.tables[at_++]);
        return true;
      case Section::kEnd:
        break;
    }
    return false;
  }

  void rewind() override { enter(Section::kHead); }

 private:
  enum class Section { kHead, kTablePaths, kRoutinePaths, kDefinitions, kParameters, kEnd };

  bool enter(Section section) {
    section_ = section;
    at_ = 0;
    return true;
  }

  bool begin_definitions(std::string& out) {
    out += api_.tables.empty() ? "}" : "},\"definitions\":{";
    return enter(Section::kDefinitions);
  }

  bool begin_parameters(std::string& out) {
    out += api_.tables.empty() ? ",\"parameters\":{" : "},\"parameters\":{";
    JsonBuilder json(out);
    add_common_parameters(json);
    return enter(Section::kParameters);
  }

  bool end(std::string& out) {
    out += '}';
    JsonBuilder json(out);
    add_tail(json, server_);
    return enter(Section::kEnd);
  }

  ApiDescription api_;
  ApiServer server_;
  Section section_ = Section::kHead;
  size_t at_ = 0;  // in the tables or functions
};

}  // namespace

std::string_view swagger_type(std::string_view sql_type) {
  for (const auto& type : kTypes) {
    if (type.sql == sql_type) return type.swagger;
  }
  return is_array(sql_type) ? "array" : "string";
}

std::string_view swagger_format(std::string_view sql_type) {
  if (sql_type == "smallint" || sql_type == "integer") return "int32";
  return sql_type == "bigint" ? "int64" : sql_type;
}

std::string swagger_default(std::string_view sql_type, std::string_view expression) {
  if (swagger_type(sql_type) != "string") {
    return is_json(expression) ? std::string(expression) : std::string();
  }
  const std::string cast = std::string("::").append(sql_type);
  if (expression.ends_with(cast)) {
    expression.remove_suffix(cast.size());
    while (expression.starts_with('\'')) expression.remove_prefix(1);
    while (expression.ends_with('\'')) expression.remove_suffix(1);
  }
  std::string value = "\"";
  value.append(expression).append("\"");
  const bool plain = plain_json_length(expression) == expression.size();
  return plain || is_json(value) ? value : std::string();
}

ApiServer api_server(const Config& config) {
  ApiServer server;
  server.wants_jwt = config.openapi_security_active;
  const bool has_tls = !config.server_ssl_cert_file.empty() && !config.server_unix_socket;
  server.uri = config.openapi_server_proxy_uri.value_or(
      ProxyUri{has_tls ? "https" : "http", config.server_host, config.server_port, "/"});
  return server;
}

std::unique_ptr<BodyPieces> write_openapi(ApiDescription api, ApiServer server) {
  return std::make_unique<OpenApiPieces>(std::move(api), std::move(server));
}

}  // namespace pgrst
