#include "api_request/api_request.hpp"

#include <gtest/gtest.h>

#include "fixtures.hpp"

namespace pgrst {
namespace {

using test::request;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Config two_schemas() {
  Config c;
  c.db_schemas = {"api", "other"};
  return c;
}

// Without the body, which the caller has to read.
Result<ApiRequest> make(HttpRequest r, const Config& c) {
  std::unique_ptr<PayloadReader> body;
  return make_api_request(r, c, body);
}

ApiRequest parse(const HttpRequest& r, const Config& c = two_schemas()) {
  auto result = make(r, c);
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return result.ok() ? std::move(result).value() : ApiRequest{};
}

std::string code(const HttpRequest& r, const Config& c = two_schemas()) {
  const auto result = make(r, c);
  return result.ok() ? "ok" : result.error().code;
}

std::string relation(std::string_view path) {
  const auto result = make(request("GET", path), two_schemas());
  if (!result.ok()) return result.error().code;
  const auto* read = std::get_if<RelationRead>(&result->action);
  return read == nullptr ? "no relation" : read->relation;
}

std::string routine(std::string_view path) {
  const auto result = make(request("GET", path), two_schemas());
  if (!result.ok()) return result.error().code;
  const auto* call = std::get_if<RoutineCall>(&result->action);
  return call == nullptr ? "no routine" : call->routine;
}

// -- paths and methods ---------------------------------------------------------------------------

TEST(ApiRequest, Relations) {
  EXPECT_EQ(relation("/items"), "items");
  EXPECT_EQ(relation("/wei%22rd%20table"), "wei\"rd table");
  EXPECT_EQ(relation("/a+b"), "a+b");
  EXPECT_EQ(relation("/%C3%A9"), "\xC3\xA9");
  EXPECT_EQ(relation("/a%FFb"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(relation("/a%2Fb"), "a/b");
  EXPECT_EQ(relation("/rpc"), "rpc");
  EXPECT_EQ(relation("/.."), "..");
}

TEST(ApiRequest, Routines) {
  EXPECT_EQ(routine("/rpc/add"), "add");
  EXPECT_EQ(routine("/rpc/a%20b"), "a b");
  EXPECT_EQ(routine("/%72pc/add"), "add");
  EXPECT_EQ(routine("/items"), "no routine");
}

TEST(ApiRequest, OtherPathsAreRefused) {
  for (const char* path : {"/a/b", "/rpc/a/b", "/items/1", "//items", "/RPC/add"}) {
    EXPECT_EQ(code(request("GET", path)), "PGRST125") << path;
  }
}

TEST(ApiRequest, Methods) {
  const auto action = [](const char* method, const char* path) {
    return parse(request(method, path)).action;
  };
  EXPECT_FALSE(std::get<RelationRead>(action("GET", "/a")).headers_only);
  EXPECT_TRUE(std::get<RelationRead>(action("HEAD", "/a")).headers_only);
  EXPECT_EQ(std::get<RelationMutation>(action("POST", "/a")).mutation, Mutation::kCreate);
  EXPECT_EQ(std::get<RelationMutation>(action("PUT", "/a")).mutation, Mutation::kSingleUpsert);
  EXPECT_EQ(std::get<RelationMutation>(action("PATCH", "/a")).mutation, Mutation::kUpdate);
  EXPECT_EQ(std::get<RelationMutation>(action("DELETE", "/a")).mutation, Mutation::kDelete);
  EXPECT_TRUE(std::holds_alternative<Info>(action("OPTIONS", "/a")));
  EXPECT_EQ(std::get<RoutineCall>(action("GET", "/rpc/f")).method, InvokeMethod::kGet);
  EXPECT_EQ(std::get<RoutineCall>(action("HEAD", "/rpc/f")).method, InvokeMethod::kHead);
  EXPECT_EQ(std::get<RoutineCall>(action("POST", "/rpc/f")).method, InvokeMethod::kPost);
  EXPECT_TRUE(std::holds_alternative<Info>(action("OPTIONS", "/rpc/f")));
  EXPECT_FALSE(std::get<SchemaRead>(action("GET", "/")).headers_only);
  EXPECT_TRUE(std::get<SchemaRead>(action("HEAD", "/")).headers_only);
  EXPECT_TRUE(std::holds_alternative<Info>(action("OPTIONS", "/")));
}

TEST(ApiRequest, MethodsThatDoNotExist) {
  EXPECT_EQ(code(request("TRACE", "/a")), "PGRST117");
  EXPECT_EQ(code(request("get", "/a")), "PGRST117");
  EXPECT_EQ(code(request("", "/a")), "PGRST117");
  EXPECT_EQ(code(request("PUT", "/rpc/f")), "PGRST101");
  EXPECT_EQ(code(request("DELETE", "/rpc/f")), "PGRST101");
  EXPECT_EQ(code(request("POST", "/")), "PGRST117");
}

TEST(ApiRequest, RootCanBeDisabled) {
  Config c = two_schemas();
  c.openapi_mode = OpenApiMode::kDisabled;
  EXPECT_EQ(code(request("GET", "/"), c), "PGRST126");
  EXPECT_EQ(code(request("POST", "/"), c), "PGRST126");
  EXPECT_EQ(code(request("GET", "/a"), c), "ok");
}

TEST(ApiRequest, WhoseBodyIsRead) {
  const auto reads = [](const char* method, const char* path) {
    HttpRequest r = request(method, path);
    std::unique_ptr<PayloadReader> body;
    EXPECT_TRUE(make_api_request(r, two_schemas(), body).ok()) << method << path;
    return body != nullptr;
  };
  for (const char* method : {"POST", "PUT", "PATCH"}) EXPECT_TRUE(reads(method, "/a")) << method;
  for (const char* method : {"GET", "HEAD", "DELETE", "OPTIONS"}) {
    EXPECT_FALSE(reads(method, "/a")) << method;
  }
  EXPECT_TRUE(reads("POST", "/rpc/f"));
  for (const char* method : {"GET", "HEAD", "OPTIONS"}) EXPECT_FALSE(reads(method, "/rpc/f"));
}

// -- profiles ------------------------------------------------------------------------------------

TEST(ApiRequest, SchemaByProfile) {
  const auto schema = [](const char* method, Headers headers) {
    const ApiRequest r = parse(request(method, "/a", std::move(headers)));
    return r.schema + (r.negotiated_by_profile ? "!" : "");
  };
  EXPECT_EQ(schema("GET", {}), "api!");
  EXPECT_EQ(schema("GET", {{"accept-profile", "other"}}), "other!");
  EXPECT_EQ(schema("GET", {{"Content-Profile", "other"}}), "api!");
  EXPECT_EQ(schema("HEAD", {{"Accept-Profile", "other"}}), "other!");
  EXPECT_EQ(schema("OPTIONS", {{"Accept-Profile", "other"}}), "other!");
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(schema(method, {{"Content-Profile", "other"}}), "other!") << method;
    EXPECT_EQ(schema(method, {{"Accept-Profile", "other"}}), "api!") << method;
  }
}

TEST(ApiRequest, ASingleSchemaIsNotNegotiated) {
  Config c;
  c.db_schemas = {"api"};
  EXPECT_FALSE(parse(request("GET", "/a"), c).negotiated_by_profile);
  EXPECT_TRUE(parse(request("GET", "/a", {{"Accept-Profile", "api"}}), c).negotiated_by_profile);
}

TEST(ApiRequest, UnknownProfiles) {
  for (const char* profile : {"nope", "", "API", "api "}) {
    const auto result = make(request("GET", "/a", {{"Accept-Profile", profile}}), two_schemas());
    ASSERT_FALSE(result.ok()) << profile;
    EXPECT_EQ(result.error().code, "PGRST106");
    EXPECT_EQ(result.error().hint, "Only the following schemas are exposed: api, other");
  }
}

// -- which error comes first ---------------------------------------------------------------------

TEST(ApiRequest, FaultsAreReportedInPostgrestsOrder) {
  const Headers bad_profile = {{"Accept-Profile", "nope"}, {"Range", "5-1"}};
  EXPECT_EQ(code(request("GET", "/a/b?id=nonsense.1", bad_profile)), "PGRST125");
  EXPECT_EQ(code(request("GET", "/a?id=nonsense.1", bad_profile)), "PGRST106");
  EXPECT_EQ(code(request("GET", "/a?id=nonsense.1", {{"Range", "5-1"}})), "PGRST100");
  EXPECT_EQ(code(request("GET", "/a?select=id", {{"Range", "5-1"}})), "PGRST103");
}

// -- the rest ------------------------------------------------------------------------------------

TEST(ApiRequest, RangesOfHeaderAndQuery) {
  const auto range = [](const char* method, const char* target, Headers headers) {
    return parse(request(method, target, std::move(headers))).top_level_range;
  };
  EXPECT_EQ(range("GET", "/a?limit=5&offset=2", {}), (NonnegRange{2, 5}));
  EXPECT_EQ(range("GET", "/a?limit=50", {{"range", "0-9"}}), (NonnegRange{0, 10}));
  EXPECT_EQ(range("HEAD", "/a", {{"Range", "0-9"}}), (NonnegRange{0, std::nullopt}));
  EXPECT_EQ(code(request("GET", "/a?limit=-1")), "PGRST103");
  EXPECT_EQ(code(request("GET", "/a", {{"Range", "1-0"}})), "PGRST103");
}

TEST(ApiRequest, RpcReadsTakeParameters) {
  EXPECT_EQ(parse(request("GET", "/rpc/f?a=1&b=2")).query_params.rpc_params,
            (Pairs{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(code(request("GET", "/items?a=1")), "PGRST100");
}

TEST(ApiRequest, HeadersAndCookies) {
  const ApiRequest r = parse(request("GET", "/a",
                                     {{"X-One", "1"},
                                      {"Cookie", "a=1; b=\"2\";c ; ;d=e=f;\"e\"=\"; "},
                                      {"x-one", "2"},
                                      {"COOKIE", "z=9"}}));
  EXPECT_EQ(r.headers, (Pairs{{"x-one", "1"}, {"x-one", "2"}}));
  EXPECT_EQ(
      r.cookies,
      (Pairs{
          {"a", "1"}, {"b", "2"}, {"c ", ""}, {"", ""}, {"d", "e=f"}, {"\"e\"", "\""}, {"", ""}}));
}

TEST(ApiRequest, Accept) {
  EXPECT_EQ(parse(request("GET", "/a")).accept,
            (std::vector<MediaType>{{MediaType::Kind::kAny, "", false, {}}}));
  EXPECT_EQ(parse(request("GET", "/a", {{"accept", "text/csv, text/xml;q=2"}})).accept,
            (std::vector<MediaType>{{MediaType::Kind::kXml, "", false, {}},
                                    {MediaType::Kind::kCsv, "", false, {}}}));
}

TEST(ApiRequest, Preferences) {
  Config c = two_schemas();
  const HttpRequest r = request("GET", "/a", {{"Prefer", "tx=rollback, count=exact"}});
  EXPECT_EQ(parse(r, c).preferences.count, PreferCount::kExact);
  EXPECT_FALSE(parse(r, c).preferences.transaction.has_value());
  c.db_tx_allow_override = true;
  EXPECT_EQ(parse(r, c).preferences.transaction, PreferTransaction::kRollback);
}

TEST(ApiRequest, KeepsPathAndMethodAsSent) {
  const ApiRequest r = parse(request("GET", "/%69tems?select=id"));
  EXPECT_EQ(r.path, "/%69tems");
  EXPECT_EQ(r.method, "GET");
}

}  // namespace
}  // namespace pgrst
