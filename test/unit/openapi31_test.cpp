// The OpenAPI 3.1 document: its parts, as JSON, and who gets it.
#include "response/openapi31.hpp"

#include <algorithm>
#include <set>

#include "openapi_fixtures.hpp"
#include "response/openapi_names.hpp"
#include "response/value_schema.hpp"

namespace pgrst {
namespace {

using test::at;
using test::column_row;
using test::describe;
using test::keys;
using test::request;
using test::result_of;
using test::Row;
using test::Visible;
using test::workshop;

const ApiServer kServer = test::any_server();

std::string write(const Visible& visible = {}, const ApiServer& server = kServer,
                  const test::CatalogRows& rows = workshop()) {
  std::string out;
  const auto pieces = write_openapi31(describe(visible, rows), server);
  while (pieces->next(out)) {
  }
  return out;
}

// The document of a schema that has one table only, with these columns.
std::string write_table(const std::string& name, std::vector<Row> columns,
                        const char* updatable = "28", std::vector<Row> primary_keys = {}) {
  test::CatalogRows rows;
  rows.sets[kTables] = {{"1", "api", name, "r", updatable, std::nullopt}};
  rows.sets[kColumns] = std::move(columns);
  rows.sets[kPrimaryKeys] = std::move(primary_keys);
  Visible visible = {{{name}}, {}};
  return write(visible, kServer, rows);
}

std::string schema_of(const ValueType& type) {
  std::string out;
  JsonBuilder json(out);
  json.begin_object();
  add_value_schema(json, type);
  json.end_object();
  return out;
}

// Names of the parameters that a list of them refers to.
std::vector<std::string> references(const std::string& document, const std::string& pointer) {
  std::vector<std::string> out;
  const std::string kPrefix = "\"#/components/parameters/";
  for (size_t i = 0;; i++) {
    const std::string found = at(document, pointer + "/" + std::to_string(i) + "/$ref");
    if (!found.starts_with(kPrefix)) return out;
    out.push_back(found.substr(kPrefix.size(), found.size() - kPrefix.size() - 1));
  }
}

// -- names ---------------------------------------------------------------------------------------

TEST(OpenApiNames, Words) {
  EXPECT_EQ(to_word("work_orders2"), "work_orders2");
  EXPECT_EQ(to_word("odd name-x.y"), "odd_name_x_y");
  EXPECT_EQ(to_word("gr\xc3\xb6\xc3\x9f"
                    "e"),
            "gru00f6u00dfe");
  EXPECT_EQ(to_word("\xf0\x9f\x98\x80"), "u01f600");
  EXPECT_EQ(to_word(""), "_");
  EXPECT_EQ(to_word("\xc3"), "u00c3") << "ill-formed";
}

TEST(OpenApiNames, AreUnique) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(unique_words({"a", "b"}), (Words{"a", "b"}));
  EXPECT_EQ(unique_words({"a b", "a-b", "a_b", "a.b", "a_b_2"}),
            (Words{"a_b_3", "a_b_4", "a_b", "a_b_5", "a_b_2"}));
  EXPECT_EQ(unique_words({}), Words());
  std::vector<std::string> names;
  for (char c = 1; c < 0x7f; c++) names.push_back(std::string("x") + c + "y");
  const auto words = unique_words({names.begin(), names.end()});
  EXPECT_EQ(std::set<std::string>(words.begin(), words.end()).size(), names.size());
}

// -- values --------------------------------------------------------------------------------------

TEST(ValueSchema, Types) {
  struct Case {
    ValueType type;
    const char* schema;
  };
  const EnumLabels labels = {"a", "b\"c"};
  using enum JsonShape;
  const Case cases[] = {
      {{"integer", false, kByType, nullptr, -1}, R"({"type":"integer","format":"int32"})"},
      {{"bigint", true, kByType, nullptr, -1}, R"({"type":["integer","null"],"format":"int64"})"},
      {{"numeric", false, kByType, nullptr, -1}, R"({"type":"number"})"},
      {{"double precision", false, kByType, nullptr, -1}, R"({"type":"number","format":"double"})"},
      {{"boolean", false, kByType, nullptr, -1}, R"({"type":"boolean"})"},
      {{"timestamp with time zone", false, kByType, nullptr, -1},
       R"({"type":"string","format":"date-time"})"},
      {{"timestamp without time zone", false, kByType, nullptr, -1},
       R"({"type":"string","format":"timestamp without time zone"})"},
      {{"character varying", false, kByType, nullptr, 4}, R"({"type":"string","maxLength":4})"},
      {{"jsonb", true, kByType, nullptr, -1}, "{}"},
      {{"integer[]", true, kByType, nullptr, -1},
       R"({"type":["array","null"],"items":{"type":"integer","format":"int32"}})"},
      {{"json[]", false, kByType, nullptr, -1}, R"({"type":"array","items":{}})"},
      {{"api.pair", true, kObject, nullptr, -1}, R"({"type":["object","null"]})"},
      {{"api.pair[]", false, kObject, nullptr, -1},
       R"({"type":"array","items":{"type":"object"}})"},
      {{"api.span", false, kAny, nullptr, -1}, "{}"},
      {{"api.kind", false, kByType, &labels, -1},
       R"({"type":"string","format":"api.kind","enum":["a","b\"c"]})"},
      {{"api.kind", true, kByType, &labels, -1},
       R"({"type":["string","null"],"format":"api.kind","enum":["a","b\"c",null]})"},
  };
  for (const auto& c : cases) EXPECT_EQ(schema_of(c.type), c.schema) << c.type.sql_type;
}

TEST(ValueSchema, Defaults) {
  struct Case {
    const char* type;
    const char* expression;
    const char* json;
  };
  const Case cases[] = {
      {"integer", "42", "42"},
      {"integer", "'-1'::integer", "-1"},
      {"numeric", "9.90", "9.90"},
      {"integer", "nextval('s'::regclass)", ""},
      {"integer", "NULL::integer", ""},
      {"integer", "(1 + 1)", ""},
      {"numeric", "'NaN'::numeric", ""},
      {"boolean", "true", "true"},
      {"boolean", "1", ""},
      {"boolean", "('a'::text = 'b'::text)", ""},
      {"text", "'abc'::text", "\"abc\""},
      {"text", "''::text", "\"\""},
      {"text", "'it''s'::text", "\"it's\""},
      {"text", "''''::text", "\"'\""},
      {"text", "'a\"b\\'::text", R"("a\"b\\")"},
      {"text", "('a'::text || 'b'::text)", ""},
      {"text", "'a'::text || 'b'::text", ""},
      {"text", "NULL::text", ""},
      {"text", "CURRENT_USER", ""},
      {"text", "'open", ""},
      {"text", "'open''", ""},
      {"text", "", ""},
      {"character", "'x'::bpchar", "\"x\""},
      {"bit", "'101'::\"bit\"", "\"101\""},
      {"date", "'1900-01-01'::date", "\"1900-01-01\""},
      {"date", "CURRENT_DATE", ""},
      {"api.kind", "'saw'::api.kind", "\"saw\""},
      {"api.kind", "'saw'::other.kind", ""},
      {"text[]", "'{}'::text[]", "[]"},
      {"text[]", "'{a}'::text[]", ""},
      {"text[]", "ARRAY[]::text[]", ""},
      {"jsonb", "'{\"a\": [1]}'::jsonb", "{\"a\": [1]}"},
      {"jsonb", "'nonsense'::jsonb", ""},
      {"jsonb", "jsonb_build_object()", ""},
  };
  for (const auto& c : cases) {
    Column column;
    column.base_type = column.nominal_type = c.type;
    column.default_value = c.expression;
    EXPECT_EQ(default_value(column), c.json) << c.type << " " << c.expression;
    column.shape = JsonShape::kAny;
    EXPECT_EQ(default_value(column), "");
  }
  EXPECT_EQ(default_value(Column()), "");
}

TEST(ValueSchema, NamesOfTheCatalog) {
  EXPECT_EQ(sql_type_name("pg_catalog", "int4"), "integer");
  EXPECT_EQ(sql_type_name("pg_catalog", "_int8"), "bigint[]");
  EXPECT_EQ(sql_type_name("pg_catalog", "timestamptz"), "timestamp with time zone");
  EXPECT_EQ(sql_type_name("pg_catalog", "text"), "text");
  for (const char* any : {"anyelement", "anyarray", "record", "_record"}) {
    EXPECT_EQ(sql_type_name("pg_catalog", any), "") << any;
  }
  EXPECT_EQ(sql_type_name("api", "int4"), "");
}

// -- the frame -----------------------------------------------------------------------------------

TEST(OpenApi31Frame, Info) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/openapi"), "\"3.1.0\"");
  EXPECT_EQ(
      at(document, "/info"),
      R"({"title":"PostgREST API","description":"This is a dynamic API generated by PostgREST",)"
      R"("version":"16.2"})");
  EXPECT_EQ(at(document, "/tags/0"), R"({"name":"Introspection"})");
  EXPECT_EQ(at(document, "/tags/1"), R"({"name":"rpc","description":"Functions"})");
  EXPECT_EQ(at(document, "/tags/2"), R"({"name":"empty"})");
  EXPECT_EQ(at(document, "/paths/~1/get/operationId"), "\"describe_api\"");
  EXPECT_EQ(at(document, "/security"), "(nothing)");
  EXPECT_EQ(at(document, "/components/securitySchemes"), "(nothing)");
  Visible visible;
  visible.comment = {{"Workshop"}};
  EXPECT_EQ(at(write(visible), "/info"), R"({"title":"Workshop","version":"16.2"})");
}

TEST(OpenApi31Frame, WithoutAnything) {
  const std::string document = write({{}, {}, {}, {{std::nullopt}}});
  EXPECT_EQ(at(document, "/tags"), R"([{"name":"Introspection"}])");
  EXPECT_EQ(keys(document, "/paths"), std::vector<std::string>{"/"});
  EXPECT_EQ(keys(document, "/components/schemas").size(), 2u);
}

TEST(OpenApi31Frame, TablesCalledLikeOurOwn) {
  const std::string document = write_table("rpc", {});
  EXPECT_EQ(at(document, "/tags"), R"([{"name":"Introspection"}])");
  EXPECT_EQ(at(write_table("postgrest", {}), "/components/schemas/postgrest/type"), "\"object\"");
}

TEST(OpenApi31Frame, Server) {
  const auto url = [](const SettingTexts& texts) {
    const Config config = std::get<Config>(make_config(texts));
    return at(write({}, api_server(config, "public")), "/servers");
  };
  EXPECT_EQ(url({}), R"([{"url":"/"}])") << "any address";
  EXPECT_EQ(url({{"server_host", "*"}}), R"([{"url":"/"}])");
  EXPECT_EQ(url({{"server_host", "localhost"}}), R"([{"url":"http://localhost:3000"}])");
  EXPECT_EQ(url({{"server_host", "localhost"}, {"server_unix_socket", "/tmp/x"}}),
            R"([{"url":"/"}])");
  EXPECT_EQ(url({{"server_host", "::1"}, {"server_port", "80"}}), R"([{"url":"http://[::1]"}])");
  EXPECT_EQ(url({{"openapi_server_proxy_uri", "https://example.com/v1/"}}),
            R"([{"url":"https://example.com/v1"}])");
  EXPECT_EQ(url({{"openapi_server_proxy_uri", "https://example.com:8443"}}),
            R"([{"url":"https://example.com:8443"}])");
}

TEST(OpenApi31Frame, Security) {
  ApiServer server = kServer;
  server.wants_jwt = true;
  EXPECT_EQ(at(write({}, server), "/security"), R"([{"JWT":[]}])");
  EXPECT_EQ(at(write({}, server), "/components/securitySchemes/JWT"),
            R"({"type":"http","scheme":"bearer","bearerFormat":"JWT"})");
  server.serves_anyone = true;
  EXPECT_EQ(at(write({}, server), "/security"), R"([{"JWT":[]},{}])");
}

TEST(OpenApi31Frame, Preferences) {
  const std::string pointer = "/components/parameters/preferRead/schema/items/enum";
  EXPECT_EQ(at(write(), pointer),
            R"(["count=exact","count=planned","count=estimated","handling=lenient",)"
            R"("handling=strict"])");
  ApiServer server = kServer;
  server.tx_override = true;
  EXPECT_EQ(at(write({}, server), pointer + "/6"), "\"tx=rollback\"");
}

TEST(OpenApi31Frame, ASchemaThatIsNotTheFirstHasToBeAskedFor) {
  const Config config = std::get<Config>(make_config({{"db_schemas", "api,other"}}));
  const std::string first = write({}, api_server(config, "api"));
  EXPECT_EQ(at(first, "/components/parameters/acceptProfile"), "(nothing)");
  const std::string other = write({}, api_server(config, "other"));
  EXPECT_EQ(at(other, "/components/parameters/acceptProfile"),
            R"({"name":"Accept-Profile","in":"header","description":"The schema","required":true,)"
            R"("schema":{"type":"string","enum":["other"]}})");
  EXPECT_EQ(references(other, "/paths/~1empty/get/parameters")[0], "acceptProfile");
  EXPECT_EQ(references(other, "/paths/~1rpc~1take/post/parameters")[0], "contentProfile");
}

// -- tables --------------------------------------------------------------------------------------

TEST(OpenApi31Tables, RowSchema) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/components/schemas/makers"),
            R"({"type":"object","description":"Makers\n\n\nWho makes tools.\nAnd where.",)"
            R"("required":["id","name"],"properties":{)"
            R"("id":{"description":"The key\n\nPrimary key.","type":"integer","format":"int32"},)"
            R"("name":{"description":"As on the label","type":"string","maxLength":40},)"
            R"("since":{"type":["string","null"],"format":"date"}}})");
  EXPECT_EQ(at(document, "/components/schemas/tools/properties/maker_id"),
            R"({"description":"Who made it\n\nForeign key to `makers.id`.",)"
            R"("type":["integer","null"],"format":"int32"})");
  EXPECT_EQ(at(document, "/components/schemas/tools/properties/kind"),
            R"({"type":["string","null"],"format":"api.kind","enum":["saw","a \"plane\"",null],)"
            R"("default":"saw"})");
  EXPECT_EQ(at(document, "/components/schemas/empty"), R"({"type":"object","properties":{}})");
}

TEST(OpenApi31Tables, WhatIsWrittenHasSchemasOfItsOwn) {
  const std::string document =
      write_table("t", {column_row("1", "id", "integer", "integer", "f", std::nullopt, std::nullopt,
                                   std::nullopt, std::nullopt, "t"),
                        column_row("1", "name", "text", "text", "f"),
                        column_row("1", "size", "integer", "integer", "f", "5")});
  EXPECT_EQ(at(document, "/components/schemas/t/required"), R"(["id","name","size"])");
  EXPECT_EQ(at(document, "/components/schemas/t/properties/id/readOnly"), "true");
  EXPECT_EQ(at(document, "/components/schemas/t.insert"),
            R"({"type":"object","required":["name"],"properties":{"name":{"type":"string"},)"
            R"("size":{"type":"integer","format":"int32","default":5}}})");
  EXPECT_EQ(at(document, "/components/schemas/t.update"),
            R"({"type":"object","properties":{"name":{"type":"string"},)"
            R"("size":{"type":"integer","format":"int32"}}})");
}

TEST(OpenApi31Tables, OperationsAreWhatTheRelationTakes) {
  using Methods = std::vector<std::string>;
  const std::string document = write();
  EXPECT_EQ(keys(document, "/paths/~1makers"), (Methods{"get", "post", "put", "patch", "delete"}));
  EXPECT_EQ(keys(document, "/paths/~1tool_list"), Methods{"get"});
  EXPECT_EQ(keys(document, "/paths/~1empty"), (Methods{"get", "post"})) << "insertable only";
  EXPECT_EQ(at(document, "/components/schemas/tool_list.insert"), "(nothing)");
  EXPECT_EQ(at(document, "/components/schemas/empty.update"), "(nothing)");
  EXPECT_EQ(at(document, "/components/responses/created.tool_list"), "(nothing)");
  const Row id = column_row("1", "id", "integer", "integer", "f");
  Row given = id;
  given[9] = "t";
  EXPECT_EQ(keys(write_table("t", {id}), "/paths/~1t").size(), 4u) << "no key";
  EXPECT_EQ(keys(write_table("t", {id}, "28", {{"1", "1", "id"}}), "/paths/~1t").size(), 5u);
  EXPECT_EQ(keys(write_table("t", {given}, "28", {{"1", "1", "id"}}), "/paths/~1t").size(), 4u)
      << "nobody can put a key that is always given";
}

TEST(OpenApi31Tables, Get) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/paths/~1makers/get/operationId"), "\"list_makers\"");
  EXPECT_EQ(at(document, "/paths/~1makers/get/tags"), R"(["makers"])");
  EXPECT_EQ(references(document, "/paths/~1makers/get/parameters"),
            (std::vector<std::string>{"filter.makers.id", "filter.makers.name",
                                      "filter.makers.since", "and", "or", "select", "order",
                                      "limit", "offset", "range", "preferRead"}));
  EXPECT_EQ(at(document, "/paths/~1makers/get/responses"),
            R"({"200":{"$ref":"#/components/responses/rows.makers"},)"
            R"("206":{"$ref":"#/components/responses/rows.makers"},)"
            R"("default":{"$ref":"#/components/responses/postgrest.error"}})");
  EXPECT_EQ(at(document, "/components/responses/rows.makers/content"),
            R"({"application/json":{"schema":{"type":"array","items":)"
            R"({"$ref":"#/components/schemas/makers"}}},"application/vnd.pgrst.object+json":)"
            R"({"schema":{"$ref":"#/components/schemas/makers"}},)"
            R"("text/csv":{"schema":{"type":"string"}}})");
  EXPECT_EQ(at(document, "/components/parameters/filter.makers.name"),
            R"({"name":"name","in":"query","description":"As on the label",)"
            R"("schema":{"$ref":"#/components/schemas/postgrest.filter"}})");
}

TEST(OpenApi31Tables, Writes) {
  const std::string document = write();
  EXPECT_EQ(references(document, "/paths/~1makers/post/parameters"),
            (std::vector<std::string>{"select", "columns", "onConflict", "preferInsert"}));
  EXPECT_EQ(at(document, "/paths/~1makers/post/requestBody/content/application~1json/schema"),
            R"({"oneOf":[{"$ref":"#/components/schemas/makers.insert"},)"
            R"({"type":"array","items":{"$ref":"#/components/schemas/makers.insert"}}]})");
  EXPECT_EQ(at(document, "/paths/~1makers/put/parameters/0"),
            R"({"name":"id","in":"query","required":true,)"
            R"("schema":{"type":"string","pattern":"^eq\\.","examples":["eq.5"]}})");
  EXPECT_EQ(at(document, "/paths/~1makers/patch/requestBody"),
            R"({"required":true,"content":{"application/json":)"
            R"({"schema":{"$ref":"#/components/schemas/makers.update"}}}})");
  EXPECT_EQ(keys(document, "/paths/~1makers/delete/responses"),
            (std::vector<std::string>{"200", "204", "default"}));
  EXPECT_EQ(keys(document, "/components/responses/created.makers/headers")[0], "Location");
}

TEST(OpenApi31Tables, OddNames) {
  const std::string document =
      write_table("odd \"name\"/{x}",
                  {column_row("1", "a b", "text", "text"), column_row("1", "a-b", "text", "text"),
                   column_row("1", "limit", "text", "text")});
  EXPECT_EQ(keys(document, "/paths")[1], "/odd%20%22name%22%2F%7Bx%7D");
  const std::string path = "/paths/~1odd%20%22name%22%2F%7Bx%7D";
  EXPECT_EQ(at(document, path + "/get/operationId"), "\"list_odd__name___x_\"");
  EXPECT_EQ(at(document, path + "/get/tags"), R"(["odd \"name\"/{x}"])");
  const auto parameters = references(document, path + "/get/parameters");
  EXPECT_EQ(parameters[0], "filter.odd__name___x_.a_b");
  EXPECT_EQ(parameters[1], "filter.odd__name___x_.a_b_2");
  EXPECT_EQ(std::count(parameters.begin(), parameters.end(), "limit"), 1) << "it is no filter";
  EXPECT_EQ(at(document, "/components/parameters/filter.odd__name___x_.a_b_2/name"), "\"a-b\"");
  EXPECT_EQ(keys(document, "/components/schemas/odd__name___x_/properties"),
            (std::vector<std::string>{"a b", "a-b", "limit"}));
}

TEST(OpenApi31Tables, MediaTypesOfTheDatabase) {
  auto rows = workshop();
  rows.sets[kMediaHandlers] = {{"api", "f", "api", "makers", "text/calendar"},
                               {"api", "g", "api", "makers", "text/csv"},
                               {"api", "h", "pg_catalog", "anyelement", "text/any"}};
  EXPECT_EQ(keys(write({}, kServer, rows), "/components/responses/rows.makers/content"),
            (std::vector<std::string>{"application/json", "application/vnd.pgrst.object+json",
                                      "text/csv", "text/calendar"}));
}

TEST(OpenApi31Tables, ADomainWithACastToJson) {
  auto rows = workshop();
  rows.sets[kColumns].push_back(column_row("10", "color", "integer", "api.color"));
  EXPECT_EQ(at(write({}, kServer, rows), "/components/schemas/makers/properties/color"),
            R"({"type":["integer","null"],"format":"int32"})");
  rows.sets[kRepresentations] = {{"api.color", "json", "api", "to_json"}};
  EXPECT_EQ(at(write({}, kServer, rows), "/components/schemas/makers/properties/color"), "{}");
}

// -- functions -----------------------------------------------------------------------------------

// A function that returns what these columns of kRoutines say.
std::string write_routine(const char* type_schema, const char* type, const char* set,
                          const char* rows, std::vector<Row> columns = {}) {
  auto catalog = workshop();
  catalog.sets[kRoutines] = {{"300", "api", "f", std::nullopt, type_schema, type, set, rows, "s"}};
  catalog.sets[kRoutineParams].clear();
  catalog.sets[kRoutineColumns] = std::move(columns);
  Visible visible;
  visible.routines = {{"f", "300"}};
  return write(visible, kServer, catalog);
}

TEST(OpenApi31Routines, MethodsByVolatility) {
  using Methods = std::vector<std::string>;
  const std::string document = write();
  EXPECT_EQ(keys(document, "/paths/~1rpc~1sharpen"), Methods{"post"});
  EXPECT_EQ(keys(document, "/paths/~1rpc~1find"), (Methods{"get", "post"}));
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/operationId"), "\"get_find\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/post/operationId"), "\"call_find\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/post/tags"), R"(["rpc"])");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/summary"), "\"Finds\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/description"), "\"A tool.\"");
}

TEST(OpenApi31Routines, Arguments) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters/0"),
            R"({"name":"kind","in":"query","required":true,)"
            R"("schema":{"type":"string","format":"api.kind"}})");
  EXPECT_EQ(
      at(document, "/paths/~1rpc~1find/get/parameters/1"),
      R"({"name":"kinds","in":"query","required":true,)"
      R"("description":"The text of a PostgreSQL array, `{...}`","schema":{"type":"string"}})");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters/2"),
            R"({"name":"extra","in":"query","required":false,"description":"JSON",)"
            R"("schema":{"type":"string"}})");
  EXPECT_EQ(at(document, "/paths/~1rpc~1sum_of/get/parameters/0/schema"),
            R"({"type":"array","items":{"type":"integer","format":"int32"}})");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/post/requestBody"),
            R"({"required":true,"content":{"application/json":{"schema":{"type":"object",)"
            R"("required":["kind","kinds"],"properties":{)"
            R"("kind":{"type":["string","null"],"format":"api.kind"},)"
            R"("kinds":{"type":["array","null"],"items":{"type":"string","format":"api.kind"}},)"
            R"("extra":{},"limit":{"type":["integer","null"],"format":"int64"}}}}}})");
  EXPECT_EQ(at(document, "/paths/~1rpc~1sum_of/post/requestBody/required"), "false");
  EXPECT_EQ(at(document, "/paths/~1rpc~1sharpen/post/requestBody"), "(nothing)");
}

TEST(OpenApi31Routines, AnArgumentThatIsTheWholeBody) {
  EXPECT_EQ(at(write(), "/paths/~1rpc~1take/post/requestBody"),
            R"({"required":true,"content":{"application/json":{"schema":{}}}})");
  const auto body = [](const char* type) {
    auto rows = workshop();
    rows.sets[kRoutines] = {
        {"206", "api", "take", std::nullopt, "pg_catalog", "int4", "f", "f", "i"}};
    rows.sets[kRoutineParams] = {{"206", "", type, type, "t", "f"}};
    const std::string document = write({}, kServer, rows);
    EXPECT_EQ(keys(document, "/paths/~1rpc~1take"), std::vector<std::string>{"post"});
    return keys(document, "/paths/~1rpc~1take/post/requestBody/content")[0];
  };
  EXPECT_EQ(body("bytea"), "application/octet-stream");
  EXPECT_EQ(body("text"), "text/plain");
  EXPECT_EQ(body("xml"), "text/xml");
  EXPECT_EQ(body("json"), "application/json");
}

TEST(OpenApi31Routines, Results) {
  const std::string pointer = "/paths/~1rpc~1f/get/responses/200";
  const std::string schema = pointer + "/content/application~1json/schema";
  EXPECT_EQ(at(write_routine("pg_catalog", "int4", "f", "f"), schema),
            R"({"type":["integer","null"],"format":"int32"})");
  EXPECT_EQ(at(write_routine("pg_catalog", "_text", "f", "f"), schema),
            R"({"type":["array","null"],"items":{"type":"string"}})");
  EXPECT_EQ(at(write_routine("pg_catalog", "bool", "t", "f"), schema),
            R"({"type":"array","items":{"type":["boolean","null"]}})");
  EXPECT_EQ(at(write_routine("api", "kind", "f", "f"), schema), "{}");
  EXPECT_EQ(at(write_routine("api", "makers", "t", "t"), pointer),
            R"({"$ref":"#/components/responses/rows.makers"})");
  EXPECT_EQ(at(write_routine("api", "makers", "f", "t"), schema),
            R"({"$ref":"#/components/schemas/makers"})");
  EXPECT_EQ(at(write_routine("other", "makers", "f", "t"), schema), R"({"type":"object"})")
      << "a table that the document does not have";
  EXPECT_EQ(at(write_routine("pg_catalog", "record", "t", "t",
                             {{"300", "a", "integer"}, {"300", "b", "text[]"}}),
               schema),
            R"({"type":"array","items":{"type":"object","properties":{)"
            R"("a":{"type":["integer","null"],"format":"int32"},)"
            R"("b":{"type":["array","null"],"items":{"type":"string"}}}}})");
  const std::string nothing = write_routine("pg_catalog", "void", "f", "f");
  EXPECT_EQ(keys(nothing, "/paths/~1rpc~1f/post/responses"),
            (std::vector<std::string>{"204", "default"}));
}

TEST(OpenApi31Routines, RowsAreFilteredAndOrdered) {
  using Names = std::vector<std::string>;
  const auto parameters = [](const std::string& document) {
    return references(document, "/paths/~1rpc~1f/post/parameters");
  };
  EXPECT_EQ(parameters(write_routine("pg_catalog", "int4", "f", "f")), Names{"preferCall"});
  EXPECT_EQ(parameters(write_routine("pg_catalog", "int4", "t", "f")),
            (Names{"order", "limit", "offset", "preferCall"}));
  EXPECT_EQ(parameters(write_routine("api", "makers", "t", "t")),
            (Names{"filter.makers.id", "filter.makers.name", "filter.makers.since", "and", "or",
                   "select", "order", "limit", "offset", "preferCall"}));
}

TEST(OpenApi31Routines, ArgumentsTakeTheNamesOfFilters) {
  auto rows = workshop();
  rows.sets[kRoutines] = {{"201", "api", "find", std::nullopt, "api", "makers", "t", "t", "s"}};
  rows.sets[kRoutineParams] = {{"201", "name", "text", "text", "t", "f"},
                               {"201", "limit", "integer", "integer", "t", "f"}};
  const std::string document = write({}, kServer, rows);
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters/0/name"), "\"name\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters/1/name"), "\"limit\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters/2/$ref"),
            "\"#/components/parameters/filter.makers.id\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters/3/$ref"),
            "\"#/components/parameters/filter.makers.since\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters").find("parameters/limit"),
            std::string::npos);
  EXPECT_EQ(references(document, "/paths/~1rpc~1find/post/parameters").size(), 10u)
      << "in a body they take none";
}

// -- the whole -----------------------------------------------------------------------------------

TEST(OpenApi31Document, NoOperationIsThereTwice) {
  const std::string document = write();
  std::set<std::string> ids;
  size_t operations = 0;
  for (size_t i = document.find("\"operationId\":"); i != std::string::npos;
       i = document.find("\"operationId\":", i + 1)) {
    ids.insert(document.substr(i, document.find(',', i) - i));
    operations++;
  }
  EXPECT_EQ(operations, 22u);
  EXPECT_EQ(ids.size(), operations);
}

TEST(OpenApi31Document, EveryReferenceLeadsSomewhere) {
  const std::string document = write();
  constexpr std::string_view kReference = "\"$ref\":\"#";
  size_t references = 0;
  for (size_t i = document.find(kReference); i != std::string::npos;
       i = document.find(kReference, i + 1)) {
    const size_t begin = i + kReference.size();
    const std::string pointer = document.substr(begin, document.find('"', begin) - begin);
    EXPECT_NE(at(document, pointer), "(nothing)") << pointer;
    references++;
  }
  EXPECT_GT(references, 100u);
}

TEST(OpenApi31Document, PiecesAreTheSameWhateverTheyAreAppendedTo) {
  auto rows = workshop();
  rows.sets[kTables].push_back({"15", "api", "bare", "r", "28", std::nullopt});
  Visible visible;
  visible.tables.insert(visible.tables.begin(), {"bare"});
  const auto pieces = write_openapi31(describe(visible, rows), kServer);
  std::string together, one_by_one, piece;
  while (pieces->next(together)) {
  }
  pieces->rewind();
  while (pieces->next(piece)) {
    one_by_one += piece;
    piece.clear();
  }
  EXPECT_EQ(one_by_one, together);
  EXPECT_EQ(at(together, "/components/schemas/bare/type"), "\"object\"");
}

// -- from request to response --------------------------------------------------------------------

HttpResponse answer(const SettingTexts& settings, const std::optional<std::string>& accept,
                    const char* method = "GET") {
  HttpRequest r = request(method, "/");
  if (accept) r.headers.push_back({"Accept", *accept});
  auto begun = test::begin_request(r, test::snapshot(settings, workshop()));
  if (auto* refused = std::get_if<HttpResponse>(&begun)) return std::move(*refused);
  return finish(std::get<DatabaseWork>(begun).pending, result_of({}));
}

TEST(OpenApi31Request, Versions) {
  constexpr const char* k20 = "application/openapi+json; charset=utf-8";
  constexpr const char* k31 = "application/openapi+json; version=3.1; charset=utf-8";
  struct Case {
    const char* setting;
    std::optional<std::string> accept;
    const char* content_type;
  };
  const Case cases[] = {
      {"2.0", std::nullopt, k20},
      {"2.0", "application/openapi+json", k20},
      {"2.0", "application/openapi+json;version=3.1", k31},
      {"2.0", "application/openapi+json; version=\"3.1\"; q=0.5", k31},
      {"2.0", "application/openapi+json;version=3", k31},
      {"2.0", "application/openapi+json;version=9, application/json;q=0.1", k20},
      {"3.1", std::nullopt, k31},
      {"3.1", "*/*", k31},
      {"3.1", "application/json", k31},
      {"3.1", "application/openapi+json", k31},
      {"3.1", "application/openapi+json;version=2.0", k20},
      {"3.1", "application/openapi+json;version=2", k20},
  };
  for (const auto& c : cases) {
    const HttpResponse r = answer({{"openapi_version", c.setting}}, c.accept);
    const std::string accept = c.accept.value_or("(none)");
    ASSERT_NE(find_header(r.headers, "Content-Type"), nullptr) << accept;
    EXPECT_EQ(*find_header(r.headers, "Content-Type"), c.content_type) << accept;
    EXPECT_EQ(at(r.body, "/openapi") == "\"3.1.0\"", c.content_type == k31) << accept;
    EXPECT_EQ(at(r.body, "/swagger") == "\"2.0\"", c.content_type == k20) << accept;
  }
  const HttpResponse head = answer({}, "application/openapi+json;version=3.1", "HEAD");
  EXPECT_EQ(*find_header(head.headers, "Content-Type"), k31);
  EXPECT_EQ(head.body, "");
}

TEST(OpenApi31Request, OtherVersionsAreNotAcceptable) {
  for (const char* version : {"3.0", "3.1.0", "1.2", "4", "\"\xc3\xbc\r\n\"", "2.0 "}) {
    const HttpResponse r = answer({{"openapi_version", "3.1"}},
                                  std::string("application/openapi+json;version=") + version);
    if (std::string_view(version) == "2.0 ") {
      EXPECT_EQ(r.status, 200);
      continue;
    }
    EXPECT_EQ(r.status, 406) << version;
    EXPECT_EQ(at(r.body, "/code"), "\"PGRST107\"");
  }
  EXPECT_EQ(at(answer({}, "application/openapi+json;version=3.0").body, "/message"),
            R"("None of these media types are available: application/openapi+json;version=3.0")");
}

}  // namespace
}  // namespace pgrst
