// The explorer of the API that the admin server serves.
#include "app/docs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "fixtures.hpp"
#include "jwt_signing.hpp"

namespace pgrst {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const SettingTexts kPlans = {{"db_plan_enabled", "on"}, {"jwt_secret", std::string(test::kSecret)}};

AdminState state_with(const SettingTexts& settings = {}) {
  AdminState state;
  state.accepting = true;
  state.snapshot = test::snapshot(settings);
  state.api_port = 3000;
  state.plan = [snapshot = state.snapshot](HttpRequest request) {
    JwtCache cache(0);
    return begin(std::move(request), snapshot, cache, test::kNow);
  };
  return state;
}

HttpResponse get(const AdminState& state, const std::string& path, Headers headers = {}) {
  return admin_response(test::request("GET", path, std::move(headers)), state);
}

std::string header(const HttpResponse& response, std::string_view name) {
  const auto* value = find_header(response.headers, name);
  return value == nullptr ? "(none)" : *value;
}

HttpResponse ask_sql(const AdminState& state, std::string body,
                     const std::string& type = "application/json") {
  HttpRequest request = test::request("POST", "/docs/sql", {{"Content-Type", type}});
  request.body = std::move(body);
  return admin_response(request, state);
}

std::string connect_to(const SettingTexts& settings, const std::string& host) {
  const std::string policy =
      header(get(state_with(settings), "/docs", {{"Host", host}}), "Content-Security-Policy");
  const size_t from = policy.find("connect-src 'self'") + 18;
  return policy.substr(from, policy.find(';', from) - from);
}

std::string url_of(const AdminState& state, Headers headers) {
  const HttpResponse response = get(state, "/docs/api.json", std::move(headers));
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  EXPECT_EQ(parser.parse(response.body).get(document), simdjson::SUCCESS) << response.body;
  std::string_view url = "(none)";
  if (document["url"].get(url) != simdjson::SUCCESS) {
    EXPECT_TRUE(document["url"].is_null());
  }
  return std::string(url);
}

TEST(DocsHostName, NamesAndAddresses) {
  EXPECT_EQ(host_name("example.org"), "example.org");
  EXPECT_EQ(host_name("db-1.example.org:3001"), "db-1.example.org");
  EXPECT_EQ(host_name("127.0.0.1:3001"), "127.0.0.1");
  EXPECT_EQ(host_name("[::1]:3001"), "[::1]");
  EXPECT_EQ(host_name("[fe80::1]"), "[fe80::1]");
  EXPECT_EQ(host_name("localhost:"), "localhost");
}

TEST(DocsHostName, NothingElse) {
  for (const char* text :
       {"",          ":3001", "a b",          "a;b",  "a,b",    "a'b",      "a\"b",
        "a/b",       "a@b",   "user@host:1",  "*",    "*.org",  "a:b",      "a:1:2",
        "a:-1",      "[",     "[]",           "[::1", "[::1]x", "[::1;]",   "[g::]",
        "a\r\nX: y", "a%20",  "\xC3\xA4.org", "a?b",  "a#b",    "https://a"}) {
    EXPECT_EQ(host_name(text), "") << text;
  }
  EXPECT_EQ(host_name(std::string("a\0b", 3)), "");
  EXPECT_EQ(host_name(std::string(255, 'a')).size(), 255u);
  EXPECT_EQ(host_name(std::string(256, 'a')), "");
}

TEST(Docs, ItsFiles) {
  const AdminState state = state_with();
  const HttpResponse page = get(state, "/docs", {{"Host", "localhost:3001"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(header(page, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(header(page, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header(page, "Referrer-Policy"), "no-referrer");
  EXPECT_EQ(header(page, "Access-Control-Allow-Origin"), "(none)");
  EXPECT_THAT(page.body, ::testing::StartsWith("<!doctype html>"));
  EXPECT_THAT(page.body, ::testing::EndsWith("</html>\n"));
  const HttpResponse script = get(state, "/docs/docs.js");
  EXPECT_EQ(header(script, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(header(get(state, "/docs/docs.css"), "Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(header(get(state, "/docs/icon.svg"), "Content-Type"), "image/svg+xml");
  EXPECT_EQ(get(state, "/docs/").status, 404);
  EXPECT_EQ(get(state, "/docs/../config").status, 404);
  EXPECT_EQ(get(state, "/docsx").status, 404);
}

// Every module that one of them imports is there.
TEST(Docs, ItsModulesAreThere) {
  const AdminState state = state_with();
  int imports = 0;
  for (const char* name : {"docs", "dom", "model", "request", "form", "columns", "answer", "sql"}) {
    const std::string text = get(state, std::string("/docs/") + name + ".js").body;
    for (size_t at = 0; (at = text.find("from \"./", at)) != std::string::npos; at++) {
      const std::string file = text.substr(at + 8, text.find('"', at + 8) - at - 8);
      EXPECT_EQ(get(state, "/docs/" + file).status, 200) << file;
      imports++;
    }
  }
  EXPECT_GT(imports, 6);
}

TEST(Docs, UnchangedFilesAreNotSentAgain) {
  const AdminState state = state_with();
  const std::string etag = header(get(state, "/docs/docs.js"), "ETag");
  EXPECT_EQ(etag.front(), '"');
  EXPECT_NE(etag, header(get(state, "/docs/docs.css"), "ETag"));
  const HttpResponse again = get(state, "/docs/docs.js", {{"If-None-Match", etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(get(state, "/docs/docs.js", {{"If-None-Match", "\"1\""}}).status, 200);
}

TEST(Docs, ThePolicyNamesTheApi) {
  EXPECT_EQ(connect_to({}, "localhost:3001"), " http://localhost:3000");
  EXPECT_EQ(connect_to({}, "[::1]:3001"), " http:");
  EXPECT_EQ(connect_to({}, "[::1; script-src *]"), "");
  EXPECT_EQ(connect_to({{"openapi_server_proxy_uri", "https://api.example.org/v1"}}, "10.0.0.1"),
            " https://api.example.org");
  EXPECT_EQ(connect_to({{"openapi_server_proxy_uri", "https://a;b/"}}, "localhost"), "");
  const HttpResponse page = get(state_with(), "/docs", {{"Host", "localhost"}});
  EXPECT_THAT(header(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(header(page, "Content-Security-Policy"), Not(HasSubstr("unsafe")));
}

TEST(Docs, WhereTheApiIs) {
  AdminState state = state_with();
  EXPECT_EQ(get(state, "/docs/api.json", {{"Host", "localhost:3001"}}).body,
            R"({"url":"http://localhost:3000","schemas":["api","other"],"sql":false})");
  EXPECT_EQ(url_of(state, {{"Host", "[::1]:3001"}}), "http://[::1]:3000");
  EXPECT_EQ(get(state, "/docs/api.json", {{"Host", "evil.org/x"}}).status, 421);
  EXPECT_EQ(get(state, "/docs/api.json", {{"Host", "evil.org"}}).status, 421);
  EXPECT_EQ(url_of(state, {}), "(none)");
  state.api_scheme = "https";
  EXPECT_EQ(url_of(state, {{"Host", "localhost"}}), "https://localhost:3000");
  state.api_port = 443;
  EXPECT_EQ(url_of(state, {{"Host", "localhost"}}), "https://localhost");
  state.api_port = 0;
  EXPECT_EQ(url_of(state, {{"Host", "localhost"}}), "(none)");
  state = state_with({{"openapi_server_proxy_uri", "https://api.example.org:8443/v1/"}});
  EXPECT_EQ(url_of(state, {{"Host", "10.0.0.1"}}), "https://api.example.org:8443/v1");
  state.snapshot = nullptr;
  EXPECT_EQ(get(state, "/docs/api.json").status, 503);
  EXPECT_EQ(get(state, "/docs").status, 200);
}

TEST(Docs, OnlyItsMethods) {
  const AdminState state = state_with(kPlans);
  const auto allow = [&](const char* method, const char* path) {
    return header(admin_response(test::request(method, path), state), "Allow");
  };
  EXPECT_EQ(allow("POST", "/docs"), "GET, HEAD");
  EXPECT_EQ(allow("OPTIONS", "/docs/api.json"), "GET, HEAD");
  EXPECT_EQ(allow("GET", "/docs/sql"), "POST");
  EXPECT_EQ(allow("OPTIONS", "/docs/sql"), "POST");
  EXPECT_EQ(admin_response(test::request("HEAD", "/docs"), state).status, 200);
}

TEST(DocsSql, WhatWouldBeRun) {
  const HttpResponse r = ask_sql(
      state_with(kPlans),
      R"({"method":"GET","path":"/items?id=eq.1","headers":{"Accept":"text/csv"},"body":""})");
  ASSERT_EQ(r.status, 200) << r.body;
  EXPECT_EQ(header(r, "Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(header(r, "Access-Control-Allow-Origin"), "(none)");
  simdjson::dom::parser parser;
  const simdjson::dom::element plan = parser.parse(r.body);
  EXPECT_EQ(std::string_view(plan["role"]), "anon");
  EXPECT_EQ(std::string_view(plan["access_mode"]), "read only");
  EXPECT_THAT(std::string(std::string_view(plan["statements"].at(0)["sql"])),
              HasSubstr("\"items\""));
  EXPECT_EQ(std::string_view(plan["statements"].at(0)["params"].at(0)), "1");
}

TEST(DocsSql, OnlyWhereItIsAllowed) {
  const std::string good = R"({"method":"GET","path":"/items"})";
  EXPECT_EQ(ask_sql(state_with(), good).status, 403);
  EXPECT_EQ(ask_sql(state_with(kPlans), good).status, 200);
  AdminState state = state_with(kPlans);
  state.plan = nullptr;
  EXPECT_EQ(ask_sql(state, good).status, 503);
}

// What a page of another origin can send without asking is refused.
TEST(DocsSql, OnlyJson) {
  const AdminState state = state_with(kPlans);
  const std::string good = R"({"method":"GET","path":"/items"})";
  EXPECT_EQ(ask_sql(state, good, "application/json; charset=utf-8").status, 200);
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "", "text/plain; application/json", "application/jsonx"}) {
    EXPECT_EQ(ask_sql(state, good, type).status, 415) << type;
  }
  EXPECT_EQ(admin_response(test::request("POST", "/docs/sql"), state).status, 415);
}

TEST(DocsSql, WhatIsNoRequest) {
  const AdminState state = state_with(kPlans);
  for (const char* body : {"", "[]", "{}", "{\"method\":\"GET\"}", R"({"path":"/items"})",
                           R"({"method":1,"path":"/items"})", R"({"method":"GET","path":"items"})",
                           R"({"method":"GET","path":"/items","headers":[]})",
                           R"({"method":"GET","path":"/items","headers":{"a":1}})",
                           R"({"method":"GET","path":"/items","headers":{"a b":"1"}})",
                           R"({"method":"GET","path":"/items","headers":{"a":"1\r\nb: 2"}})",
                           R"({"method":"GET","path":"/items","more":"1"})",
                           "{\"method\":\"GET\",\"path\":\"/items\""}) {
    EXPECT_EQ(ask_sql(state, body).status, 400) << body;
  }
}

TEST(DocsSql, TokensAreVerified) {
  const AdminState state = state_with(kPlans);
  const std::string bad =
      ask_sql(state,
              R"({"method":"GET","path":"/items","headers":{"Authorization":"Bearer a.b.c"}})")
          .body;
  EXPECT_THAT(bad, HasSubstr("\"status\": 401"));
  EXPECT_THAT(bad, HasSubstr("PGRST301"));
  EXPECT_THAT(bad, Not(HasSubstr("statements")));
}

TEST(DocsSql, HintsAreNotShown) {
  const AdminState state = state_with(kPlans);
  const std::string body = ask_sql(state, R"({"method":"GET","path":"/item"})").body;
  EXPECT_THAT(body, HasSubstr("PGRST205"));
  EXPECT_THAT(body, HasSubstr("\"hint\":null"));
  EXPECT_THAT(body, Not(HasSubstr("items")));
}

TEST(DocsSql, ARequestWithoutSql) {
  const std::string body =
      ask_sql(state_with(kPlans), R"({"method":"OPTIONS","path":"/items"})").body;
  EXPECT_EQ(body, R"({"status": 200, "error": null})");
}

}  // namespace
}  // namespace pgrst
