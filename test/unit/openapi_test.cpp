// The Swagger document: its parts, as JSON, and how it is written.
#include "response/openapi.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>

#include "fixtures.hpp"
#include "query/inspect_builder.hpp"

namespace pgrst {
namespace {

using test::column_row;
using test::request;
using test::Row;

// Schema api: makers of tools, and functions about them.
test::CatalogRows workshop() {
  test::CatalogRows c;
  c.sets[kTables] = {
      {"10", "api", "makers", "r", "28", "Makers\n\n\nWho makes tools.\nAnd where."},
      {"11", "api", "tools", "r", "28", std::nullopt},
      {"12", "api", "tool_list", "v", "0", "One line"},
      {"13", "api", "empty", "r", "8", std::nullopt},
      {"14", "other", "makers", "r", "28", "Of the other schema"},
  };
  c.sets[kEnums] = {{"90", "saw"}, {"90", "a \"plane\""}, {"91", "x"}};
  c.sets[kColumns] = {
      column_row("10", "id", "integer", "integer", "f", "nextval('api.s'::regclass)", "The key"),
      column_row("10", "name", "character varying", "character varying(40)", "f", std::nullopt,
                 "As on the label", "40"),
      column_row("10", "since", "date", "date", "t", "CURRENT_DATE"),
      column_row("11", "id", "bigint", "bigint", "f"),
      column_row("11", "maker_id", "integer", "integer", "t", std::nullopt, "Who made it"),
      column_row("11", "kind", "api.kind", "api.kind", "t", "'saw'::api.kind", std::nullopt,
                 std::nullopt, "90"),
      column_row("11", "tags", "text[]", "text[]", "t", "'{}'::text[]"),
      column_row("11", "extra", "jsonb", "jsonb"),
      column_row("12", "id", "bigint", "bigint"),
      column_row("12", "maker_id", "integer", "integer"),
      column_row("14", "id", "integer", "integer"),
  };
  c.sets[kPrimaryKeys] = {{"10", "1", "id"}, {"11", "1", "id"}};
  c.sets[kForeignKeys] = {{"100", "11", "api", "tools", "10", "api", "makers", "tools_maker_fkey",
                           "f", "2", "maker_id", "1", "id"}};
  c.sets[kViews] = {{"12", "api", "tool_list", "t", "1", "id"},
                    {"12", "api", "tool_list", "t", "2", "maker_id"}};
  c.sets[kViewColumns] = {{"12", "1", "11", "1"}, {"12", "2", "11", "2"}};
  const auto routine = [&](const char* oid, const char* name, const char* volatility,
                           std::optional<std::string> description = std::nullopt) {
    c.sets[kRoutines].push_back(
        {oid, "api", name, std::move(description), "pg_catalog", "int4", "f", "f", volatility});
  };
  routine("200", "sharpen", "v");
  routine("201", "find", "s", "Finds\n\nA tool.");
  routine("202", "sum_of", "i");
  routine("203", "over", "s");
  routine("204", "over", "s");
  routine("205", "over", "s");
  routine("206", "take", "v");
  c.sets[kRoutineParams] = {
      {"201", "kind", "api.kind", "api.kind", "t", "f"},
      {"201", "kinds", "api.kind[]", "api.kind[]", "t", "f"},
      {"201", "extra", "json", "json", "f", "f"},
      {"201", "limit", "bigint", "bigint", "f", "f"},
      {"202", "numbers", "integer[]", "integer[]", "f", "t"},
      {"204", "a", "integer", "integer", "t", "f"},
      {"205", "a", "integer", "integer", "t", "f"},
      {"205", "b", "integer", "integer", "t", "f"},
      {"206", "", "jsonb", "jsonb", "t", "f"},
  };
  return c;
}

struct Visible {
  std::vector<Row> tables = {{"empty"}, {"makers"}, {"tool_list"}, {"tools"}};
  std::vector<Row> routines = {{"find", "201"},  {"over", "203"}, {"over", "205"},
                               {"over", "204"},  {"take", "206"}, {"sharpen", "200"},
                               {"sum_of", "202"}};
  std::vector<Row> types = {};
  std::vector<Row> comment = {{std::nullopt}};

  std::vector<ResultSet> sets() const {
    std::vector<ResultSet> out;
    for (const auto* rows : {&tables, &routines, &types, &comment}) {
      ResultSet set;
      set.body = test::records(*rows);
      set.rows = set.total = rows->size();
      set.body_size = set.body.size();
      out.push_back(std::move(set));
    }
    return out;
  }
};

ApiDescription describe(const Visible& visible, const test::CatalogRows& rows = workshop()) {
  auto cache = std::make_shared<SchemaCache>(test::build(rows).schema_cache);
  return describe_api(visible.sets(), "api", cache).value();
}

const ApiServer kServer = {{"http", "!4", 3000, "/"}, false};

std::string write(const Visible& visible = {}, const ApiServer& server = kServer) {
  std::string out;
  const auto pieces = write_openapi(describe(visible), server);
  while (pieces->next(out)) {
  }
  return out;
}

// What stands at a JSON pointer, without blanks; "(nothing)" if there is nothing.
std::string at(const std::string& document, std::string_view pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(document).get(root) != simdjson::SUCCESS) return "(no JSON)";
  simdjson::dom::element found;
  if (root.at_pointer(pointer).get(found) != simdjson::SUCCESS) return "(nothing)";
  return simdjson::minify(found);
}

std::vector<std::string> keys(const std::string& document, std::string_view pointer) {
  simdjson::dom::parser parser;
  std::vector<std::string> out;
  const simdjson::dom::object object = parser.parse(document).at_pointer(pointer);
  for (const auto member : object) {
    out.emplace_back(member.key);
  }
  return out;
}

// -- parts ---------------------------------------------------------------------------------------

TEST(OpenApiTypes, OfValues) {
  struct Case {
    const char* sql;
    const char* type;
    const char* format;
  };
  const Case cases[] = {
      {"text", "string", "text"},
      {"character varying", "string", "character varying"},
      {"boolean", "boolean", "boolean"},
      {"smallint", "integer", "int32"},
      {"integer", "integer", "int32"},
      {"bigint", "integer", "int64"},
      {"numeric", "number", "numeric"},
      {"real", "number", "real"},
      {"double precision", "number", "double precision"},
      {"json", "", "json"},
      {"jsonb", "", "jsonb"},
      {"uuid", "string", "uuid"},
      {"api.kind", "string", "api.kind"},
      {"integer[]", "array", "integer[]"},
      {"api.kind[]", "array", "api.kind[]"},
      {"[]", "array", "[]"},
      {"", "string", ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(swagger_type(c.sql), c.type) << c.sql;
    EXPECT_EQ(swagger_format(c.sql), c.format) << c.sql;
  }
}

TEST(OpenApiTypes, Defaults) {
  struct Case {
    const char* type;
    const char* expression;
    const char* json;
  };
  const Case cases[] = {
      {"integer", "42", "42"},
      {"numeric", "42.20", "42.20"},
      {"numeric", "123456789012345678901234567890", "123456789012345678901234567890"},
      {"boolean", "false", "false"},
      {"integer", "'-1'::integer", ""},
      {"integer", "nextval('s'::regclass)", ""},
      {"integer", "NULL::integer", ""},
      {"text[]", "'{}'::text[]", ""},
      {"jsonb", "'{}'::jsonb", ""},
      {"text", "'abc'::text", "\"abc\""},
      {"text", "''::text", "\"\""},
      {"text", "'it''s'::text", "\"it''s\""},
      {"text", "NULL::text", "\"NULL\""},
      {"text", "'a\"b'::text", ""},
      {"text", "'a\\b'::text", "\"a\\b\""},
      {"text", "'a\\x'::text", ""},
      {"text", "'a\nb'::text", ""},
      {"text", "'\xc3\xbc'::text", "\"\xc3\xbc\""},
      {"character", "'a'::bpchar", "\"'a'::bpchar\""},
      {"timestamp with time zone", "now()", "\"now()\""},
      {"date", "'1900-01-01'::date", "\"1900-01-01\""},
      {"api.kind", "'saw'::api.kind", "\"saw\""},
  };
  for (const auto& c : cases) EXPECT_EQ(swagger_default(c.type, c.expression), c.json) << c.type;
}

TEST(OpenApiComment, FirstLineAndTheRest) {
  struct Case {
    const char* text;
    const char* summary;
    const char* description;
  };
  const Case cases[] = {
      {"", "", ""},
      {"one", "one", ""},
      {"one\n", "one", ""},
      {"one\n\n", "one", ""},
      {"one\ntwo", "one", "two"},
      {"one\n\n\ntwo\n\nthree\n", "one", "two\n\nthree\n"},
      {"\ntwo", "", "two"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(split_comment(c.text).summary, c.summary) << c.text;
    EXPECT_EQ(split_comment(c.text).description, c.description) << c.text;
  }
}

// -- the frame -----------------------------------------------------------------------------------

TEST(OpenApiFrame, WithoutComment) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/swagger"), "\"2.0\"");
  EXPECT_EQ(at(document, "/info"),
            R"({"description":"This is a dynamic API generated by PostgREST",)"
            R"("title":"PostgREST API","version":"16.2"})");
  EXPECT_EQ(at(document, "/host"), "\"0.0.0.0:3000\"");
  EXPECT_EQ(at(document, "/basePath"), "\"/\"");
  EXPECT_EQ(at(document, "/schemes"), R"(["http"])");
  EXPECT_EQ(at(document, "/consumes"), at(document, "/produces"));
  EXPECT_EQ(at(document, "/produces"),
            R"(["application/json","application/vnd.pgrst.object+json;nulls=stripped",)"
            R"("application/vnd.pgrst.object+json","text/csv"])");
  EXPECT_EQ(at(document, "/externalDocs"),
            R"({"description":"PostgREST Documentation",)"
            R"("url":"https://postgrest.org/en/v16/references/api.html"})");
  EXPECT_EQ(at(document, "/paths/~1/get/tags/0"), "\"Introspection\"");
  EXPECT_EQ(at(document, "/security"), "(nothing)");
  EXPECT_EQ(at(document, "/securityDefinitions"), "(nothing)");
}

TEST(OpenApiFrame, TheCommentOfTheSchemaIsTitleAndDescription) {
  Visible visible;
  visible.comment = {{"Workshop\n\nAll about \"tools\"."}};
  EXPECT_EQ(at(write(visible), "/info"),
            R"({"description":"All about \"tools\".","title":"Workshop","version":"16.2"})");
  visible.comment = {{"Workshop"}};
  EXPECT_EQ(at(write(visible), "/info"),
            R"({"description":"","title":"Workshop","version":"16.2"})");
}

TEST(OpenApiFrame, Server) {
  const auto server = [](const SettingTexts& texts) {
    return api_server(std::get<Config>(make_config(texts)));
  };
  EXPECT_EQ(at(write({}, server({{"server_host", "localhost"}, {"server_port", "1"}})), "/host"),
            "\"localhost:1\"");
  for (const char* any : {"*", "*4", "!4", "*6", "!6"}) {
    EXPECT_EQ(at(write({}, server({{"server_host", any}})), "/host"), "\"0.0.0.0:3000\"");
  }
  const std::string behind_proxy =
      write({}, server({{"openapi_server_proxy_uri", "https://example.com/v1/x"}}));
  EXPECT_EQ(at(behind_proxy, "/host"), "\"example.com:443\"");
  EXPECT_EQ(at(behind_proxy, "/basePath"), "\"/v1/x\"");
  EXPECT_EQ(at(behind_proxy, "/schemes"), R"(["https"])");
  const SettingTexts tls = {{"server_ssl_cert_file", "a"}, {"server_ssl_key_file", "b"}};
  EXPECT_EQ(at(write({}, server({})), "/schemes"), R"(["http"])");
  EXPECT_EQ(at(write({}, server(tls)), "/schemes"), R"(["https"])");
  SettingTexts tls_on_file = tls;
  tls_on_file.emplace_back("server_unix_socket", "/tmp/api.sock");
  EXPECT_EQ(at(write({}, server(tls_on_file)), "/schemes"), R"(["http"])");
  const std::string secure = write({}, server({{"openapi_security_active", "on"}}));
  EXPECT_EQ(at(secure, "/security"), R"([{"JWT":[]}])");
  EXPECT_EQ(at(secure, "/securityDefinitions/JWT"),
            R"({"description":"Add the token prepending \"Bearer \" (without quotes) to it",)"
            R"("in":"header","name":"Authorization","type":"apiKey"})");
}

TEST(OpenApiFrame, NothingToSee) {
  const std::string document = write({{}, {}, {}, {}});
  EXPECT_EQ(keys(document, "/paths"), std::vector<std::string>{"/"});
  EXPECT_EQ(at(document, "/definitions"), "(nothing)");
  EXPECT_EQ(keys(document, "/parameters").size(), 11u);
}

TEST(OpenApiFrame, CommonParameters) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/parameters/preferParams"),
            R"({"name":"Prefer","description":"Preference","required":false,"in":"header",)"
            R"("type":"string"})");
  EXPECT_EQ(at(document, "/parameters/preferPost/enum"),
            R"(["return=representation","return=minimal","return=none",)"
            R"("resolution=ignore-duplicates","resolution=merge-duplicates"])");
  EXPECT_EQ(at(document, "/parameters/preferReturn/enum"),
            R"(["return=representation","return=minimal","return=none"])");
  EXPECT_EQ(at(document, "/parameters/preferCount/enum"), R"(["count=none"])");
  EXPECT_EQ(at(document, "/parameters/rangeUnit/default"), "\"items\"");
  EXPECT_EQ(at(document, "/parameters/on_conflict/in"), "\"query\"");
}

// -- tables --------------------------------------------------------------------------------------

TEST(OpenApiTables, OnlyThoseThatMayBeSeen) {
  Visible visible;
  visible.tables = {{"gone"}, {"tools"}};
  const std::string document = write(visible);
  EXPECT_EQ(keys(document, "/definitions"), std::vector<std::string>{"tools"});
  EXPECT_EQ(at(document, "/paths/~1makers"), "(nothing)");
  EXPECT_EQ(at(document, "/parameters/body.makers"), "(nothing)");
}

TEST(OpenApiTables, Definitions) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/definitions/makers"),
            R"({"description":"Makers\n\n\nWho makes tools.\nAnd where.","required":["id","name"],)"
            R"("properties":{)"
            R"("id":{"description":"The key\n\nNote:\nThis is a Primary Key.<pk/>",)"
            R"("format":"int32","type":"integer"},)"
            R"("name":{"description":"As on the label","maxLength":40,)"
            R"("format":"character varying","type":"string"},)"
            R"("since":{"default":"CURRENT_DATE","format":"date","type":"string"}},)"
            R"("type":"object"})");
  EXPECT_EQ(at(document, "/definitions/empty"), R"({"type":"object"})");
}

TEST(OpenApiTables, Keys) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/definitions/tools/properties/maker_id/description"),
            R"("Who made it\n\nNote:\nThis is a Foreign Key to `makers.id`.)"
            R"(<fk table='makers' column='id'/>")");
  EXPECT_EQ(at(document, "/definitions/tool_list/properties/id/description"),
            R"("Note:\nThis is a Primary Key.<pk/>")");
  EXPECT_EQ(at(document, "/definitions/tool_list/properties/maker_id/description"),
            R"("Note:\nThis is a Foreign Key to `makers.id`.<fk table='makers' column='id'/>")");
}

TEST(OpenApiTables, BothKeysOfOneColumn) {
  test::CatalogRows rows = workshop();
  rows.sets[kForeignKeys].push_back(
      {"101", "10", "api", "makers", "11", "api", "tools", "back", "t", "1", "id", "1", "id"});
  std::string document;
  const auto pieces = write_openapi(describe({}, rows), kServer);
  while (pieces->next(document)) {
  }
  EXPECT_EQ(at(document, "/definitions/makers/properties/id/description"),
            R"("The key\n\nNote:\nThis is a Primary Key.<pk/>\n)"
            R"(This is a Foreign Key to `tools.id`.<fk table='tools' column='id'/>")");
}

TEST(OpenApiTables, Types) {
  const std::string document = write();
  EXPECT_EQ(
      at(document, "/definitions/tools/properties/kind"),
      R"({"default":"saw","enum":["saw","a \"plane\""],"format":"api.kind","type":"string"})");
  EXPECT_EQ(at(document, "/definitions/tools/properties/tags"),
            R"({"format":"text[]","items":{"type":"string"},"type":"array"})");
  EXPECT_EQ(at(document, "/definitions/tools/properties/extra"), R"({"format":"jsonb"})");
}

TEST(OpenApiTables, Paths) {
  const std::string document = write();
  EXPECT_EQ(keys(document, "/paths/~1makers"),
            (std::vector<std::string>{"get", "post", "delete", "patch"}));
  EXPECT_EQ(keys(document, "/paths/~1tool_list"), std::vector<std::string>{"get"});
  EXPECT_EQ(keys(document, "/paths/~1empty").size(), 4u) << "one of the rights to write is enough";
  EXPECT_EQ(at(document, "/paths/~1tool_list/get"),
            R"({"tags":["tool_list"],"summary":"One line","parameters":[)"
            R"({"$ref":"#/parameters/rowFilter.tool_list.id"},)"
            R"({"$ref":"#/parameters/rowFilter.tool_list.maker_id"},)"
            R"({"$ref":"#/parameters/select"},{"$ref":"#/parameters/order"},)"
            R"({"$ref":"#/parameters/range"},{"$ref":"#/parameters/rangeUnit"},)"
            R"({"$ref":"#/parameters/offset"},{"$ref":"#/parameters/limit"},)"
            R"({"$ref":"#/parameters/preferCount"}],"responses":{)"
            R"("200":{"description":"OK","schema":{"items":{"$ref":"#/definitions/tool_list"},)"
            R"("type":"array"}},"206":{"description":"Partial Content"}}})");
  EXPECT_EQ(at(document, "/paths/~1empty/post"),
            R"({"tags":["empty"],"parameters":[{"$ref":"#/parameters/body.empty"},)"
            R"({"$ref":"#/parameters/select"},{"$ref":"#/parameters/preferPost"}],)"
            R"("responses":{"201":{"description":"Created"}}})");
  EXPECT_EQ(at(document, "/paths/~1empty/patch/parameters"),
            R"([{"$ref":"#/parameters/body.empty"},{"$ref":"#/parameters/preferReturn"}])");
  EXPECT_EQ(at(document, "/paths/~1tools/delete/parameters/5"),
            R"({"$ref":"#/parameters/preferReturn"})");
  EXPECT_EQ(at(document, "/paths/~1tools/delete/responses"),
            R"({"204":{"description":"No Content"}})");
  EXPECT_EQ(at(document, "/paths/~1makers/patch/summary"), "\"Makers\"");
  EXPECT_EQ(at(document, "/paths/~1makers/patch/description"), R"("Who makes tools.\nAnd where.")");
}

TEST(OpenApiTables, Parameters) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/parameters/body.makers"),
            R"({"name":"makers","description":"makers","required":false,"in":"body",)"
            R"("schema":{"$ref":"#/definitions/makers"}})");
  EXPECT_EQ(at(document, "/parameters/rowFilter.makers.name"),
            R"({"name":"name","description":"As on the label","required":false,"in":"query",)"
            R"("type":"string"})");
  EXPECT_EQ(at(document, "/parameters/rowFilter.tools.kind"),
            R"({"name":"kind","required":false,"in":"query","type":"string"})");
}

TEST(OpenApiTables, NamesAreEscaped) {
  test::CatalogRows rows;
  rows.sets[kTables] = {{"1", "api", "a\"b\\c", "r", "28", std::nullopt}};
  rows.sets[kColumns] = {column_row("1", "x\ty", "text", "text")};
  Visible visible;
  visible.tables = {{"a\"b\\c"}};
  std::string document;
  const auto pieces = write_openapi(describe(visible, rows), kServer);
  while (pieces->next(document)) {
  }
  EXPECT_EQ(at(document, "/paths/~1a\"b\\c/get/parameters/0"),
            R"({"$ref":"#/parameters/rowFilter.a\"b\\c.x\ty"})");
  EXPECT_EQ(at(document, "/parameters/rowFilter.a\"b\\c.x\ty/name"), R"("x\ty")");
}

// -- functions -----------------------------------------------------------------------------------

TEST(OpenApiRoutines, MethodsByVolatility) {
  const std::string document = write();
  EXPECT_EQ(keys(document, "/paths/~1rpc~1sharpen"), std::vector<std::string>{"post"});
  EXPECT_EQ(keys(document, "/paths/~1rpc~1find"), (std::vector<std::string>{"get", "post"}));
  EXPECT_EQ(keys(document, "/paths/~1rpc~1sum_of"), (std::vector<std::string>{"get", "post"}));
}

TEST(OpenApiRoutines, WithoutParameters) {
  EXPECT_EQ(at(write(), "/paths/~1rpc~1sharpen/post"),
            R"({"tags":["(rpc) sharpen"],"produces":["application/json",)"
            R"("application/vnd.pgrst.object+json;nulls=stripped",)"
            R"("application/vnd.pgrst.object+json"],"parameters":[{"name":"args","required":true,)"
            R"("in":"body","schema":{"type":"object"}},{"$ref":"#/parameters/preferParams"}],)"
            R"("responses":{"200":{"description":"OK"}}})");
  Visible visible;
  visible.routines = {{"over", "203"}};
  EXPECT_EQ(at(write(visible), "/paths/~1rpc~1over/get/parameters"), "(nothing)");
}

TEST(OpenApiRoutines, Parameters) {
  const std::string document = write();
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/summary"), "\"Finds\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/description"), "\"A tool.\"");
  EXPECT_EQ(
      at(document, "/paths/~1rpc~1find/get/parameters"),
      R"([{"name":"kind","required":true,"in":"query","format":"api.kind","type":"string"},)"
      R"({"name":"kinds","required":true,"in":"query","format":"api.kind[]","type":"string"},)"
      R"({"name":"extra","required":false,"in":"query","format":"json","type":"string"},)"
      R"({"name":"limit","required":false,"in":"query","format":"int64","type":"integer"}])");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/post/parameters/0/schema"),
            R"({"description":"Finds\n\nA tool.","required":["kind","kinds"],"properties":{)"
            R"("kind":{"format":"api.kind","type":"string"},)"
            R"("kinds":{"format":"api.kind[]","items":{"type":"string"},"type":"array"},)"
            R"("extra":{"format":"json"},"limit":{"format":"int64","type":"integer"}},)"
            R"("type":"object"})");
}

TEST(OpenApiRoutines, TypesAsTheRoleNamesThem) {
  Visible visible;
  visible.types = {{"api.kind", "kind"}, {"api.kind[]", "kind[]"}};
  const std::string document = write(visible);
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters/0/format"), "\"kind\"");
  EXPECT_EQ(at(document, "/paths/~1rpc~1find/get/parameters/1/format"), "\"kind[]\"");
  EXPECT_EQ(at(document, "/definitions/tools/properties/kind/format"), "\"api.kind\"");
}

TEST(OpenApiRoutines, VariadicParametersAreGivenSeveralTimes) {
  EXPECT_EQ(at(write(), "/paths/~1rpc~1sum_of/get/parameters/0"),
            R"({"name":"numbers","required":false,"in":"query","type":"array",)"
            R"("items":{"format":"int32","type":"integer"},"collectionFormat":"multi"})");
}

TEST(OpenApiRoutines, AParameterWithoutName) {
  EXPECT_EQ(at(write(), "/paths/~1rpc~1take/post/parameters/0/schema"),
            R"({"required":[""],"properties":{"":{"format":"jsonb"}},"type":"object"})");
}

TEST(OpenApiRoutines, OfOverloadsTheOneWithMostParametersThatMayBeSeen) {
  const auto shown = [](std::vector<Row> routines) {
    Visible visible;
    visible.routines = std::move(routines);
    return at(write(visible), "/paths/~1rpc~1over/post/parameters/0/schema/required");
  };
  EXPECT_EQ(shown({{"over", "203"}, {"over", "205"}, {"over", "204"}}), R"(["a","b"])");
  EXPECT_EQ(shown({{"over", "204"}, {"over", "203"}}), R"(["a"])");
  EXPECT_EQ(shown({{"over", "203"}}), "(nothing)");
  EXPECT_EQ(shown({{"over", "299"}}), "(nothing)");
}

// -- how it is written ---------------------------------------------------------------------------

TEST(OpenApiPieces, AreTheSameWhateverTheyAreAppendedTo) {
  const auto pieces = write_openapi(describe({}), kServer);
  std::string together, one_by_one, piece;
  size_t longest = 0;
  while (pieces->next(together)) {
  }
  pieces->rewind();
  while (pieces->next(piece)) {
    longest = std::max(longest, piece.size());
    one_by_one += piece;
    piece.clear();
  }
  EXPECT_EQ(one_by_one, together);
  EXPECT_LT(longest, together.size() / 2);
  EXPECT_FALSE(pieces->next(piece));
}

TEST(ApiDescription, DamagedResults) {
  const auto cache = std::make_shared<SchemaCache>(test::build(workshop()).schema_cache);
  for (size_t set = 0; set < 4; set++) {
    auto sets = Visible().sets();
    sets[set].body = test::records({{"one", "two", "three"}});
    EXPECT_FALSE(describe_api(sets, "api", cache).ok()) << set;
    sets = Visible().sets();
    if (sets[set].body.empty()) continue;
    sets[set].body.pop_back();
    EXPECT_FALSE(describe_api(sets, "api", cache).ok()) << set;
  }
  EXPECT_FALSE(describe_api({}, "api", cache).ok());
}

// -- from request to response --------------------------------------------------------------------

BeginResult begin(const HttpRequest& r, const SettingTexts& settings = {}) {
  return test::begin_request(r, test::snapshot(settings, workshop()));
}

DatabaseWork accepted(const HttpRequest& r, const SettingTexts& settings = {}) {
  auto begun = begin(r, settings);
  EXPECT_TRUE(std::holds_alternative<DatabaseWork>(begun));
  return begun.index() == 1 ? std::get<1>(std::move(begun)) : DatabaseWork{};
}

HttpResponse refused(const HttpRequest& r, const SettingTexts& settings = {}) {
  auto begun = begin(r, settings);
  EXPECT_TRUE(std::holds_alternative<HttpResponse>(begun));
  return begun.index() == 0 ? std::get<0>(std::move(begun)) : HttpResponse{};
}

TransactionResult result_of(const Visible& visible) {
  TransactionResult result;
  result.result_sets = visible.sets();
  return result;
}

std::string header(const HttpResponse& r, std::string_view name) {
  const auto* value = find_header(r.headers, name);
  return value == nullptr ? "(none)" : *value;
}

TEST(OpenApiRequest, Get) {
  const DatabaseWork work = accepted(request("GET", "/"), {{"db_schemas", "api"}});
  EXPECT_EQ(work.transaction.access, AccessMode::kReadOnly);
  EXPECT_EQ(work.transaction.role, "anon");
  ASSERT_EQ(work.transaction.statements.size(), 4u);
  TransactionResult result = result_of({});
  result.response_status = "418";
  result.response_headers = R"([{"X-Own": "1"}])";
  const HttpResponse r = finish(work.pending, result);
  EXPECT_EQ(r.status, 200) << "the settings of responses do not count here";
  EXPECT_EQ(header(r, "X-Own"), "(none)");
  EXPECT_EQ(header(r, "Content-Type"), "application/openapi+json; charset=utf-8");
  EXPECT_EQ(header(r, "Content-Profile"), "(none)");
  EXPECT_EQ(header(r, "Vary"), "Accept, Prefer, Range");
  EXPECT_EQ(r.body, write());
}

TEST(OpenApiRequest, Head) {
  const DatabaseWork work = accepted(request("HEAD", "/"));
  EXPECT_TRUE(work.transaction.statements.empty());
  const HttpResponse r = finish(work.pending, {});
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(header(r, "Content-Type"), "application/openapi+json; charset=utf-8");
  EXPECT_EQ(r.body, "");
}

TEST(OpenApiRequest, Accept) {
  for (const char* accept :
       {"*/*", "application/json", "application/openapi+json", "text/csv, application/json;q=0.1",
        "application/openapi+json;version=2"}) {
    const DatabaseWork work = accepted(request("GET", "/", {{"Accept", accept}}));
    EXPECT_EQ(header(finish(work.pending, result_of({})), "Content-Type"),
              "application/openapi+json; charset=utf-8")
        << accept;
  }
  for (const char* accept : {"text/csv", "text/*", "application/vnd.pgrst.object+json"}) {
    const HttpResponse r = refused(request("GET", "/", {{"Accept", accept}}));
    EXPECT_EQ(r.status, 406) << accept;
    EXPECT_EQ(at(r.body, "/code"), "\"PGRST107\"");
  }
}

TEST(OpenApiRequest, Profile) {
  const DatabaseWork work = accepted(request("GET", "/", {{"Accept-Profile", "other"}}));
  EXPECT_EQ(work.transaction.statements[0].params.at(0), "other");
  Visible visible;
  visible.tables = {{"makers"}};
  visible.routines = {};
  const HttpResponse r = finish(work.pending, result_of(visible));
  EXPECT_EQ(header(r, "Content-Profile"), "other");
  EXPECT_EQ(at(r.body, "/definitions/makers/description"), "\"Of the other schema\"");
  EXPECT_EQ(refused(request("GET", "/", {{"Accept-Profile", "nope"}})).status, 406);
}

TEST(OpenApiRequest, Modes) {
  const auto asks_for_privileges = [](const DatabaseWork& work) {
    const auto& statements = work.transaction.statements;
    return std::any_of(statements.begin(), statements.end(), [](const Statement& statement) {
      return statement.text.find("privilege") != std::string::npos;
    });
  };
  EXPECT_TRUE(asks_for_privileges(accepted(request("GET", "/"))));
  EXPECT_FALSE(
      asks_for_privileges(accepted(request("GET", "/"), {{"openapi_mode", "ignore-privileges"}})));
  const HttpResponse r = refused(request("GET", "/"), {{"openapi_mode", "disabled"}});
  EXPECT_EQ(r.status, 404);
  EXPECT_EQ(at(r.body, "/code"), "\"PGRST126\"");
}

TEST(OpenApiRequest, OtherMethods) {
  const HttpResponse options = refused(request("OPTIONS", "/"));
  EXPECT_EQ(options.status, 200);
  EXPECT_EQ(header(options, "Allow"), "OPTIONS,GET,HEAD");
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(refused(request(method, "/")).status, 405) << method;
  }
}

TEST(OpenApiRequest, Errors) {
  const DatabaseWork work = accepted(request("GET", "/"));
  TransactionResult result;
  result.error.emplace();
  result.error->sqlstate = "42501";
  EXPECT_EQ(finish(work.pending, result).status, 401);
  EXPECT_EQ(finish(work.pending, {}).status, 500);
}

// A body that is too large to hold is measured, and written again from its pieces.
TEST(OpenApiRequest, InSteps) {
  constexpr int kTables = 2000;
  test::CatalogRows rows;
  Visible visible = {{}, {}, {}, {}};
  for (int i = 0; i < kTables; i++) {
    const std::string oid = std::to_string(1000 + i), name = "t" + oid;
    rows.sets[CatalogResult::kTables].push_back({oid, "api", name, "r", "28", std::nullopt});
    rows.sets[kColumns].push_back(column_row(oid, "id", "integer", "integer"));
    visible.tables.push_back({name});
  }
  auto begun = test::begin_request(request("GET", "/"), test::snapshot({}, rows));
  const PendingRequest& pending = std::get<DatabaseWork>(begun).pending;
  const HttpResponse whole = finish(pending, result_of(visible));
  EXPECT_FALSE(whole.pieces);
  ASSERT_GT(whole.body.size(), Finishing::kMaxHeldBody);
  EXPECT_EQ(keys(whole.body, "/definitions").size(), static_cast<size_t>(kTables));

  Finishing finishing(pending, result_of(visible));
  size_t steps = 1;
  while (!finishing.step(100000)) steps++;
  EXPECT_GT(steps, whole.body.size() / 110000);
  const HttpResponse response = finishing.take();
  EXPECT_EQ(response.body, "");
  ASSERT_TRUE(response.pieces);
  EXPECT_EQ(response.result_body_size, whole.body.size());
  std::string body;
  while (response.pieces->next(body)) {
  }
  EXPECT_EQ(body, whole.body);
}

}  // namespace
}  // namespace pgrst
