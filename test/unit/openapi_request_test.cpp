// The description of the API from request to response, and what is kept of those that were written.
#include "app/description_cache.hpp"

#include "openapi_fixtures.hpp"
#include "response/swagger20.hpp"

namespace pgrst {
namespace {

using test::at;
using test::column_row;
using test::keys;
using test::request;
using test::result_of;
using test::Visible;
using test::workshop;

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
  EXPECT_EQ(r.body, test::all_of(write_swagger20(test::describe({}), test::any_server())));
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
  EXPECT_EQ(test::all_of(response.pieces), whole.body);

  // Known from then on is only its size.
  DescriptionCache cache;
  cache.begin(pending.snapshot);
  for (const size_t wanted : {steps, size_t{1}}) {
    Finishing again(pending, result_of(visible), &cache);
    size_t taken = 1;
    while (!again.step(100000)) taken++;
    EXPECT_EQ(taken, wanted);
    const HttpResponse same = again.take();
    ASSERT_TRUE(same.pieces);
    EXPECT_EQ(same.result_body_size, whole.body.size());
    EXPECT_EQ(test::all_of(same.pieces), whole.body);
  }
}

TEST(OpenApiRequest, WhoSeesTheSameGetsTheSame) {
  test::CatalogRows rows;
  for (const std::string oid : {"1001", "1002"}) {
    rows.sets[CatalogResult::kTables].push_back({oid, "api", "t" + oid, "r", "28", std::nullopt});
    rows.sets[kColumns].push_back(column_row(oid, "id", "integer", "integer"));
  }
  Visible one = {{}, {}, {}, {}};
  one.tables.push_back({"t1001"});
  Visible both = one;
  both.tables.push_back({"t1002"});
  const SnapshotPtr first = test::snapshot({}, rows);
  DescriptionCache cache;
  cache.begin(first);
  const auto answer = [&](const SnapshotPtr& snapshot, const Visible& visible,
                          const std::string& accept) {
    auto begun = test::begin_request(request("GET", "/", {{"Accept", accept}}), snapshot);
    Finishing finishing(std::get<DatabaseWork>(begun).pending, result_of(visible), &cache);
    while (!finishing.step(SIZE_MAX)) {
    }
    return finishing.take().body;
  };
  const std::string swagger = "application/openapi+json";
  const std::string seen_by_both = answer(first, both, swagger);
  ASSERT_EQ(keys(seen_by_both, "/definitions").size(), 2u) << seen_by_both;
  const size_t kept = cache.bytes();
  EXPECT_GT(kept, seen_by_both.size());
  EXPECT_EQ(answer(first, both, swagger), seen_by_both);
  EXPECT_EQ(cache.bytes(), kept);
  const std::string seen_by_one = answer(first, one, swagger);
  EXPECT_EQ(keys(seen_by_one, "/definitions").size(), 1u);
  EXPECT_EQ(keys(answer(first, both, swagger), "/definitions").size(), 2u);
  EXPECT_NE(answer(first, both, swagger + ";version=3.1"), seen_by_both);
  // Another snapshot: nothing of the first is left, and nothing more of it is kept.
  const SnapshotPtr second = test::snapshot({{"openapi_security_active", "on"}}, rows);
  cache.begin(second);
  EXPECT_EQ(answer(first, both, swagger), seen_by_both);
  EXPECT_EQ(cache.bytes(), 0u);
  const std::string after = answer(second, both, swagger);
  EXPECT_NE(after, seen_by_both);
  EXPECT_LT(cache.bytes(), kept + after.size());
}

TEST(DescriptionCache, IsBounded) {
  DescriptionCache cache;
  const SnapshotPtr snapshot = test::snapshot({}, {});
  cache.begin(snapshot);
  for (int i = 0; i < 40; i++) {
    cache.insert(snapshot, "key " + std::to_string(i),
                 {std::string(1024 * 1024, 'x'), 1024 * 1024});
  }
  EXPECT_LE(cache.bytes(), DescriptionCache::kMaxBytes);
  EXPECT_EQ(cache.find(snapshot, "key 0"), nullptr);
  ASSERT_NE(cache.find(snapshot, "key 39"), nullptr);
  EXPECT_EQ(cache.find(snapshot, "key 39")->size, 1024u * 1024);
  EXPECT_EQ(cache.find(test::snapshot({}, {}), "key 39"), nullptr);
  const size_t before = cache.bytes();
  cache.insert(snapshot, "too large", {std::string(DescriptionCache::kMaxEntryBytes, 'x'), 1});
  EXPECT_EQ(cache.find(snapshot, "too large"), nullptr);
  EXPECT_EQ(cache.bytes(), before);
}

}  // namespace
}  // namespace pgrst
