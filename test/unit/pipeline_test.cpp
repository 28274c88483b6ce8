// A request from end to end, with a canned database.
#include "app/pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "jwt_signing.hpp"

namespace pgrst {
namespace {

using test::request;
using test::snapshot;

const SettingTexts kSigned = {{"jwt_secret", std::string(test::kSecret)}};

HttpResponse refused(const HttpRequest& r, const SettingTexts& settings = {}) {
  auto result = test::begin_request(r, snapshot(settings));
  EXPECT_TRUE(std::holds_alternative<HttpResponse>(result));
  return result.index() == 0 ? std::get<0>(std::move(result)) : HttpResponse{};
}

DatabaseWork accepted(const HttpRequest& r, const SettingTexts& settings = {}) {
  auto result = test::begin_request(r, snapshot(settings));
  EXPECT_TRUE(std::holds_alternative<DatabaseWork>(result))
      << (result.index() == 0 ? std::get<0>(result).body : "");
  return result.index() == 1 ? std::get<1>(std::move(result)) : DatabaseWork{};
}

TransactionResult page(uint64_t rows) {
  TransactionResult r;
  r.result_sets.resize(1);
  r.result_sets[0].rows = r.result_sets[0].total = rows;
  r.result_sets[0].body_size = 30;
  return r;
}

TransactionResult failure(const char* sqlstate, const char* message) {
  TransactionResult r;
  r.error.emplace();
  r.error->sqlstate = sqlstate;
  r.error->message = message;
  return r;
}

std::string header(const HttpResponse& r, std::string_view name) {
  const auto* value = find_header(r.headers, name);
  return value == nullptr ? "(none)" : *value;
}

TEST(Pipeline, ARead) {
  const DatabaseWork work = accepted(request("GET", "/items?id=eq.1&select=id"));
  EXPECT_FALSE(work.pending.authenticated);
  const HttpResponse r = finish(work.pending, page(1));
  EXPECT_EQ(r.status, 200);
  EXPECT_TRUE(r.body_is_result);
  EXPECT_EQ(header(r, "Content-Range"), "0-0/*");
  EXPECT_EQ(header(r, "Content-Location"), "/items?id=eq.1&select=id");
  EXPECT_EQ(header(r, "Content-Profile"), "api");
  EXPECT_EQ(header(r, "Vary"), "Accept, Prefer, Range");
}

TEST(Pipeline, RangeAndCount) {
  const DatabaseWork work =
      accepted(request("GET", "/items", {{"Range", "2-3"}, {"Prefer", "count=exact"}}));
  ASSERT_EQ(work.transaction.statements.size(), 2u);
  TransactionResult result = page(2);
  result.result_sets.push_back({1, 1, test::records({{"9"}}), 0});
  const HttpResponse r = finish(work.pending, result);
  EXPECT_EQ(r.status, 206);
  EXPECT_EQ(header(r, "Content-Range"), "2-3/9");
  EXPECT_EQ(header(r, "Preference-Applied"), "count=exact");
}

// db_max_rows cuts the page, but what the client asked for is what Content-Range starts from.
TEST(Pipeline, MaxRowsAndCount) {
  const DatabaseWork work =
      accepted(request("GET", "/items", {{"Prefer", "count=exact"}}), {{"db_max_rows", "2"}});
  TransactionResult result = page(2);
  result.result_sets.push_back({1, 1, test::records({{"9"}}), 0});
  const HttpResponse r = finish(work.pending, result);
  EXPECT_EQ(r.status, 206);
  EXPECT_EQ(header(r, "Content-Range"), "0-1/9");
}

TEST(Pipeline, Head) {
  const DatabaseWork work = accepted(request("HEAD", "/items"));
  EXPECT_TRUE(work.pending.headers_only);
  const HttpResponse r = finish(work.pending, page(4));
  EXPECT_FALSE(r.body_is_result);
  EXPECT_EQ(r.body, "");
  EXPECT_EQ(header(r, "Content-Range"), "0-3/*");
}

TEST(Pipeline, TokensChooseTheRole) {
  const std::string bearer = "Bearer " + test::hs256(R"({"role":"web","x":1})");
  const DatabaseWork work =
      accepted(request("GET", "/items", {{"Authorization", bearer}}), kSigned);
  EXPECT_EQ(work.transaction.role, "web");
  EXPECT_TRUE(work.pending.authenticated);
  EXPECT_EQ(work.transaction.isolation, Isolation::kRepeatableRead);
  EXPECT_EQ(work.transaction.settings.at(0).first, "request.jwt.claims");
  EXPECT_NE(work.transaction.settings.at(0).second.find("\"x\":1"), std::string::npos);
}

TEST(Pipeline, BadTokensComeBeforeEverythingElse) {
  const HttpResponse r =
      refused(request("BREW", "/a/b/c", {{"Authorization", "Bearer x"}}), kSigned);
  EXPECT_EQ(r.status, 401);
  EXPECT_EQ(header(r, "Proxy-Status"), "PostgREST; error=PGRST301");
  EXPECT_NE(header(r, "WWW-Authenticate"), "(none)");
  EXPECT_EQ(refused(request("GET", "/items"), {{"db_anon_role", ""}}).status, 401);
}

TEST(Pipeline, ErrorsOfTheRequest) {
  const HttpResponse r = refused(request("GET", "/itemss"));
  EXPECT_EQ(r.status, 404);
  EXPECT_EQ(
      r.body,
      R"({"code":"PGRST205","details":null,"hint":"Perhaps you meant the table 'api.items'","message":"Could not find the table 'api.itemss' in the schema cache"})");
  EXPECT_EQ(header(r, "Vary"), "(none)");
  EXPECT_EQ(
      refused(request("GET", "/itemss"), {{"client_error_verbosity", "minimal"}}).body,
      R"({"code":"PGRST205","message":"Could not find the table 'api.itemss' in the schema cache"})");
}

DatabaseWork begin_with_hint(const char* target) {
  JwtCache cache(8);
  const bool is_embed = std::string_view(target).find("select") != std::string_view::npos;
  const auto s = is_embed ? snapshot({}, test::harbour_catalog()) : snapshot();
  auto begun = begin(request("GET", target), s, cache, test::kNow);
  EXPECT_TRUE(std::holds_alternative<DatabaseWork>(begun))
      << target << (begun.index() == 0 ? std::get<0>(begun).body : "");
  return begun.index() == 1 ? std::get<1>(std::move(begun)) : DatabaseWork{};
}

TEST(Hint, IsReadOnlyByWhoMayUseWhatItNames) {
  for (const char* target : {"/itemss", "/ships?select=voyagess(id)"}) {
    const DatabaseWork work = begin_with_hint(target);
    EXPECT_EQ(work.transaction.role, "anon");
    ASSERT_EQ(work.transaction.statements.size(), 1u);
    const HttpResponse open = test::finish_refusal(work, true);
    const HttpResponse secret = test::finish_refusal(work, false);
    EXPECT_EQ(open.status, secret.status);
    EXPECT_THAT(open.body, testing::HasSubstr(R"("hint":"Perhaps you meant)"));
    EXPECT_THAT(secret.body, testing::HasSubstr(R"("hint":null)"));
    EXPECT_EQ(finish(work.pending, failure("42501", "no")).body, secret.body);
  }
}

TEST(Hint, OfARelationIsAskedForByItsName) {
  const pgrst::Statement s = begin_with_hint("/itemss").transaction.statements[0];
  EXPECT_THAT(s.text, testing::HasSubstr("has_table_privilege"));
  EXPECT_EQ(s.params, (std::vector<SqlParam>{"items", "api"}));
}

TEST(Pipeline, ErrorsOfTheDatabase) {
  const DatabaseWork work = accepted(request("GET", "/items"));
  const HttpResponse denied = finish(work.pending, failure("42501", "permission denied"));
  EXPECT_EQ(denied.status, 401);
  EXPECT_EQ(header(denied, "WWW-Authenticate"), "Bearer");
  EXPECT_FALSE(denied.body_is_result);
  const std::string bearer = "Bearer " + test::hs256(R"({"role":"web"})");
  const DatabaseWork known =
      accepted(request("GET", "/items", {{"Authorization", bearer}}), kSigned);
  EXPECT_EQ(finish(known.pending, failure("42501", "permission denied")).status, 403);
  EXPECT_EQ(finish(work.pending, failure("22P02", "bad")).status, 400);
}

TEST(Pipeline, BadOverridesBecomeErrors) {
  const DatabaseWork work = accepted(request("GET", "/items"));
  TransactionResult result = page(1);
  result.response_headers = "{}";
  const HttpResponse r = finish(work.pending, result);
  EXPECT_EQ(r.status, 500);
  EXPECT_EQ(header(r, "Proxy-Status"), "PostgREST; error=PGRST111");
  EXPECT_FALSE(r.body_is_result);
}

TEST(Pipeline, FailuresOfTheServer) {
  const DatabaseWork work = accepted(request("GET", "/items"));
  EXPECT_EQ(fail(work.pending, errors::acquisition_timeout()).status, 504);
  EXPECT_EQ(fail(PendingRequest{}, errors::no_schema_cache()).status, 503);
}

TEST(Pipeline, TraceHeader) {
  const SettingTexts settings = {{"server_trace_header", "X-Request-Id"}};
  const HttpRequest traced = request("GET", "/items", {{"x-request-id", "abc"}});
  EXPECT_EQ(header(finish(accepted(traced, settings).pending, page(1)), "X-Request-Id"), "abc");
  EXPECT_EQ(
      header(refused(request("GET", "/nope", {{"x-request-id", "abc"}}), settings), "X-Request-Id"),
      "abc");
  EXPECT_EQ(header(finish(accepted(traced).pending, page(1)), "X-Request-Id"), "(none)");
  // Empty where the request has none; and whatever becomes of the request.
  EXPECT_EQ(
      header(finish(accepted(request("GET", "/items"), settings).pending, page(1)), "X-Request-Id"),
      "");
  EXPECT_EQ(header(refused(request("OPTIONS", "/items"), settings), "X-Request-Id"), "");
  EXPECT_EQ(header(refused(request("GET", "/items",
                                   {{"x-request-id", "abc"}, {"Authorization", "Bearer x"}}),
                           settings),
                   "X-Request-Id"),
            "abc");
  EXPECT_EQ(
      header(refuse(traced, snapshot(settings), errors::payload_too_large(1)), "X-Request-Id"),
      "abc");
}

const Header kFromPage = {"Origin", "http://page"};

TEST(Pipeline, CorsStandsAroundEveryResponse) {
  const auto allowed = [](const HttpResponse& r) {
    return header(r, "Access-Control-Allow-Origin") + " " +
           std::to_string(find_header(r.headers, "Access-Control-Expose-Headers") != nullptr);
  };
  EXPECT_EQ(allowed(finish(accepted(request("GET", "/items", {kFromPage})).pending, page(1))),
            "* 1");
  EXPECT_EQ(allowed(refused(request("GET", "/nope", {kFromPage}))), "* 1");
  EXPECT_EQ(allowed(refused(request("GET", "/items", {kFromPage}), {{"db_anon_role", ""}})), "* 1");
  const DatabaseWork work = accepted(request("GET", "/items", {kFromPage}));
  EXPECT_EQ(allowed(finish(work.pending, failure("22P02", "bad"))), "* 1");
  EXPECT_EQ(allowed(fail(work.pending, errors::acquisition_timeout())), "* 1");
  EXPECT_EQ(allowed(refuse(request("POST", "/items", {kFromPage}), snapshot(),
                           errors::payload_too_large(1))),
            "* 1");
  EXPECT_EQ(allowed(finish(accepted(request("GET", "/items")).pending, page(1))), "(none) 0");
}

TEST(Pipeline, PreflightsAreAnsweredAtOnce) {
  const HttpRequest preflight =
      request("OPTIONS", "/no/such/thing?nor=this",
              {kFromPage, {"Access-Control-Request-Method", "GET"}, {"Authorization", "Bearer x"}});
  const HttpResponse r = refused(preflight, {{"server_trace_header", "X-Id"}});
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.body, "");
  EXPECT_EQ(header(r, "Access-Control-Max-Age"), "86400");
  EXPECT_EQ(header(r, "X-Id"), "");
  EXPECT_EQ(header(r, "Vary"), "(none)");
  EXPECT_EQ(refused(preflight, {{"server_cors_allowed_origins", "http://other"}}).status, 401);
}

int64_t ticks = 0;
int64_t ticking_clock() { return ticks += 1000000; }

DatabaseWork timed(const HttpRequest& r, const char* enabled) {
  JwtCache cache(8);
  const auto current = snapshot({{"server_timing_enabled", enabled}});
  return std::get<DatabaseWork>(begin(r, current, cache, test::kNow, &ticking_clock));
}

TEST(Pipeline, ServerTiming) {
  const DatabaseWork work = timed(request("GET", "/items"), "on");
  ticks += 2000000;
  EXPECT_EQ(header(finish(work.pending, page(1)), "Server-Timing"),
            "jwt;dur=1.0, parse;dur=1.0, plan;dur=1.0, transaction;dur=3.0, response;dur=1.0");
  // Errors do not tell.
  EXPECT_EQ(header(finish(work.pending, failure("22P02", "bad")), "Server-Timing"), "(none)");
  EXPECT_EQ(header(fail(work.pending, errors::executor_lost()), "Server-Timing"), "(none)");
  ticks = 0;
  const DatabaseWork untimed = timed(request("GET", "/items"), "off");
  EXPECT_EQ(header(finish(untimed.pending, page(1)), "Server-Timing"), "(none)");
  EXPECT_EQ(ticks, 0);
}

TEST(Pipeline, ServerTimingOfOptions) {
  JwtCache cache(8);
  const auto result =
      begin(request("OPTIONS", "/items"), snapshot({{"server_timing_enabled", "on"}}), cache,
            test::kNow, &ticking_clock);
  EXPECT_EQ(header(std::get<HttpResponse>(result), "Server-Timing"),
            "jwt;dur=1.0, parse;dur=1.0, plan;dur=1.0, transaction;dur=0.0, response;dur=0.0");
}

TEST(Pipeline, Every503SaysWhenToTryAgain) {
  const DatabaseWork work = accepted(request("GET", "/items"));
  EXPECT_EQ(header(fail(work.pending, errors::executor_lost()), "Retry-After"), "1");
  EXPECT_EQ(header(finish(work.pending, failure("PT503", "later")), "Retry-After"), "1");
  EXPECT_EQ(header(finish(work.pending, failure("57P01", "shutdown")), "Retry-After"), "1");
  TransactionResult result = page(1);
  result.response_status = "503";
  EXPECT_EQ(header(finish(work.pending, result), "Retry-After"), "1");
  result.response_headers = R"([{"retry-after":"120"}])";
  EXPECT_EQ(header(finish(work.pending, result), "Retry-After"), "120");
  EXPECT_EQ(header(finish(work.pending, failure("22P02", "bad")), "Retry-After"), "(none)");
}

TEST(Pipeline, SqlCanSetVary) {
  TransactionResult result = page(1);
  result.response_headers = R"([{"vary":"Cookie"}])";
  const HttpResponse r = finish(accepted(request("GET", "/items")).pending, result);
  EXPECT_EQ(header(r, "Vary"), "Cookie");
}

// A request keeps the snapshot it began with.
TEST(Pipeline, SnapshotOutlivesItsReplacement) {
  SnapshotPtr current = snapshot({{"client_error_verbosity", "minimal"}});
  JwtCache cache(8);
  auto result = begin(request("GET", "/items"), current, cache, test::kNow);
  ASSERT_TRUE(std::holds_alternative<DatabaseWork>(result));
  const std::weak_ptr<const Snapshot> watched = current;
  current = snapshot();
  EXPECT_FALSE(watched.expired());
  const HttpResponse r = finish(std::get<DatabaseWork>(result).pending, failure("22P02", "bad"));
  EXPECT_EQ(r.body, R"({"code":"22P02","message":"bad"})");
}

}  // namespace
}  // namespace pgrst
