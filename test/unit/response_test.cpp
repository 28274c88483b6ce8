#include "response/response.hpp"

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "response/guc_header.hpp"

namespace pgrst {
namespace {

ResponseContext context() {
  ResponseContext c;
  c.relation = "items";
  c.schema = "api";
  c.media_type = {MediaType::Kind::kJson, ""};
  return c;
}

TransactionResult page(uint64_t rows, uint64_t body_size = 20) {
  TransactionResult r;
  r.result_sets.resize(1);
  r.result_sets[0].rows = r.result_sets[0].total = rows;
  r.result_sets[0].body_size = body_size;
  return r;
}

void add_total(TransactionResult& r, std::string total) {
  ResultSet set;
  set.rows = 1;
  set.body = test::records({{std::move(total)}});
  r.result_sets.push_back(std::move(set));
}

// What EXPLAIN (FORMAT JSON) gives.
void add_plan(TransactionResult& r, const std::string& rows) {
  add_total(
      r, R"([{"Plan": {"Node Type": "Seq Scan", "Plan Rows": )" + rows + R"(, "Plan Width": 4}}])");
}

HttpResponse respond(const ResponseContext& c, const TransactionResult& r) {
  auto response = make_response(c, r, ErrorVerbosity::kVerbose);
  EXPECT_TRUE(response.ok());
  return response.ok() ? std::move(response).value() : HttpResponse{};
}

std::string header(const HttpResponse& r, std::string_view name) {
  const auto* value = find_header(r.headers, name);
  return value == nullptr ? "(none)" : *value;
}

TEST(ReadResponse, Plain) {
  const HttpResponse r = respond(context(), page(3, 99));
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.reason, "");
  EXPECT_TRUE(r.body_is_result);
  EXPECT_EQ(r.result_body_size, 99u);
  EXPECT_EQ(r.body, "");
  EXPECT_EQ(header(r, "Content-Range"), "0-2/*");
  EXPECT_EQ(header(r, "Content-Location"), "/items");
  EXPECT_EQ(header(r, "Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(header(r, "Content-Profile"), "(none)");
  EXPECT_EQ(header(r, "Preference-Applied"), "(none)");
}

TEST(ReadResponse, NoRows) {
  EXPECT_EQ(header(respond(context(), page(0)), "Content-Range"), "*/*");
}

TEST(ReadResponse, LocationProfileAndPreferences) {
  ResponseContext c = context();
  c.canonical_query = "id=eq.1&select=%2A";
  c.negotiated_by_profile = true;
  c.preference_applied = "count=exact, timezone=UTC";
  const HttpResponse r = respond(c, page(1));
  EXPECT_EQ(header(r, "Content-Location"), "/items?id=eq.1&select=%2A");
  EXPECT_EQ(header(r, "Content-Profile"), "api");
  EXPECT_EQ(header(r, "Preference-Applied"), "count=exact, timezone=UTC");
}

TEST(ReadResponse, HeadHasNoBody) {
  ResponseContext c = context();
  c.has_body = false;
  const HttpResponse r = respond(c, page(3));
  EXPECT_FALSE(r.body_is_result);
  EXPECT_EQ(r.body, "");
  EXPECT_EQ(header(r, "Content-Range"), "0-2/*");
}

TEST(ReadResponse, ASingleObjectNeedsOneRow) {
  ResponseContext c = context();
  c.media_type.kind = MediaType::Kind::kSingular;
  const HttpResponse r = respond(c, page(1));
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(header(r, "Content-Type"), "application/vnd.pgrst.object+json; charset=utf-8");
  for (const auto kind : {MediaType::Kind::kSingular, MediaType::Kind::kSingularStripped}) {
    c.media_type.kind = kind;
    c.has_body = kind == MediaType::Kind::kSingular;
    for (const uint64_t rows : {0, 2, 1000}) {
      const auto refused = make_response(c, page(rows), ErrorVerbosity::kVerbose);
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code, "PGRST116");
      EXPECT_EQ(refused.error().status, 406);
      EXPECT_EQ(refused.error().details_json,
                "\"The result contains " + std::to_string(rows) + " rows\"");
    }
  }
}

TEST(ReadResponse, TotalFromThePage) {
  ResponseContext c = context();
  c.counted = true;
  const HttpResponse r = respond(c, page(3));
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(header(r, "Content-Range"), "0-2/3");
  EXPECT_EQ(header(respond(c, page(0)), "Content-Range"), "*/0");
}

TEST(ReadResponse, TotalFromItsOwnResultSet) {
  ResponseContext c = context();
  c.total_at = 1;
  c.range = {10, 5};
  TransactionResult result = page(5);
  add_total(result, "100");
  const HttpResponse r = respond(c, result);
  EXPECT_EQ(r.status, 206);
  EXPECT_EQ(header(r, "Content-Range"), "10-14/100");
  EXPECT_TRUE(r.body_is_result);
}

TEST(ReadResponse, BeyondTheTotal) {
  ResponseContext c = context();
  c.total_at = 1;
  c.range = {10, 5};
  TransactionResult result = page(0);
  add_total(result, "3");
  const HttpResponse r = respond(c, result);
  EXPECT_EQ(r.status, 416);
  EXPECT_EQ(header(r, "Content-Range"), "*/3");
  EXPECT_FALSE(r.body_is_result);
  EXPECT_EQ(
      r.body,
      R"({"code":"PGRST103","details":"An offset of 10 was requested, but there are only 3 rows.","hint":null,"message":"Requested range not satisfiable"})");
  const auto minimal = make_response(c, result, ErrorVerbosity::kMinimal);
  EXPECT_EQ(minimal->body, R"({"code":"PGRST103","message":"Requested range not satisfiable"})");
}

TEST(ReadResponse, AtTheTotal) {
  ResponseContext c = context();
  c.total_at = 1;
  c.range = {3, 5};
  TransactionResult result = page(0);
  add_total(result, "3");
  EXPECT_EQ(respond(c, result).status, 206);
}

TEST(ReadResponse, AnUnreadableTotalIsNone) {
  ResponseContext c = context();
  c.total_at = 1;
  for (const char* total : {"", "x", "-1", "99999999999999999999"}) {
    TransactionResult result = page(2);
    add_total(result, total);
    EXPECT_EQ(header(respond(c, result), "Content-Range"), "0-1/*") << total;
  }
  EXPECT_EQ(header(respond(c, page(2)), "Content-Range"), "0-1/*");  // the set is missing
  TransactionResult damaged = page(2);
  damaged.result_sets.push_back({1, 1, "\x01", 0});
  EXPECT_EQ(header(respond(c, damaged), "Content-Range"), "0-1/*");
  TransactionResult null = page(2);
  null.result_sets.push_back({1, 1, test::records({{std::nullopt}}), 0});
  EXPECT_EQ(header(respond(c, null), "Content-Range"), "0-1/*");
}

TEST(ReadResponse, PlannedTotal) {
  ResponseContext c = context();
  c.planned_at = 1;
  const auto range_of = [&](uint64_t rows, const char* planned) {
    TransactionResult result = page(rows);
    add_plan(result, planned);
    const HttpResponse r = respond(c, result);
    return std::to_string(r.status) + " " + header(r, "Content-Range");
  };
  EXPECT_EQ(range_of(5, "1000"), "206 0-4/1000");
  EXPECT_EQ(range_of(5, "5"), "200 0-4/5");
  // An estimate can be below what is there.
  EXPECT_EQ(range_of(5, "3"), "200 0-4/3");
  EXPECT_EQ(range_of(5, "1"), "200 0-4/1");
  EXPECT_EQ(range_of(0, "0"), "200 */0");
  EXPECT_EQ(range_of(1, "100000000000"), "206 0-0/100000000000");
}

TEST(ReadResponse, PlannedTotalAndAnOffsetBeyondIt) {
  ResponseContext c = context();
  c.planned_at = 1;
  c.range = {10, 5};
  TransactionResult result = page(5);
  add_plan(result, "7");
  const HttpResponse r = respond(c, result);
  EXPECT_EQ(r.status, 416);
  EXPECT_EQ(
      r.body,
      R"({"code":"PGRST103","details":"An offset of 10 was requested, but there are only 7 rows.","hint":null,"message":"Requested range not satisfiable"})");
}

TEST(ReadResponse, EstimatedTotal) {
  ResponseContext c = context();
  c.total_at = 1;
  c.planned_at = 2;
  const auto total_of = [&](const char* counted, const char* planned) {
    TransactionResult result = page(1);
    add_total(result, counted);
    add_plan(result, planned);
    return header(respond(c, result), "Content-Range").substr(4);
  };
  c.max_rows = 50;
  EXPECT_EQ(total_of("51", "900"), "900");
  EXPECT_EQ(total_of("51", "3"), "51");
  // What was counted to its end needs no estimate.
  EXPECT_EQ(total_of("50", "900"), "50");
  EXPECT_EQ(total_of("2", "1"), "2");
  c.max_rows = std::nullopt;
  EXPECT_EQ(total_of("2", "900"), "900");
  EXPECT_EQ(total_of("2", "1"), "2");
}

TEST(ReadResponse, EstimatedTotalFromThePage) {
  ResponseContext c = context();
  c.counted = true;
  c.planned_at = 1;
  TransactionResult result = page(3);
  add_plan(result, "900");
  EXPECT_EQ(header(respond(c, result), "Content-Range"), "0-2/900");
  c.max_rows = 3;
  EXPECT_EQ(header(respond(c, result), "Content-Range"), "0-2/3");
}

TEST(ReadResponse, AnUnreadableEstimateIsNone) {
  ResponseContext c = context();
  c.planned_at = 1;
  for (const char* plan : {"", "[]", "{}", "null", "[{}]", R"([{"Plan": {}}])",
                           R"([{"Plan": {"Plan Rows": "many"}}])", "[{", "\xFF"}) {
    TransactionResult result = page(2);
    add_total(result, plan);
    EXPECT_EQ(header(respond(c, result), "Content-Range"), "0-1/*") << plan;
  }
  EXPECT_EQ(header(respond(c, page(2)), "Content-Range"), "0-1/*");  // the set is missing
  c.total_at = 2;
  TransactionResult counted = page(2);
  add_total(counted, "no plan");
  add_total(counted, "9");
  EXPECT_EQ(header(respond(c, counted), "Content-Range"), "0-1/9");
}

TEST(ReadResponse, WarnsOfDeprecatedForms) {
  ResponseContext c = context();
  EXPECT_EQ(header(respond(c, page(1)), "Warning"), "(none)");
  c.warning = "299 - \"old\"";
  EXPECT_EQ(header(respond(c, page(1)), "Warning"), "299 - \"old\"");
}

TEST(ReadResponse, TypesByFormat) {
  const std::pair<MediaType::Kind, const char*> kTypes[] = {
      {MediaType::Kind::kCsv, "text/csv; charset=utf-8"},
      {MediaType::Kind::kGeoJson, "application/geo+json; charset=utf-8"},
      {MediaType::Kind::kArrayStripped,
       "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"},
      {MediaType::Kind::kSingularStripped,
       "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"},
  };
  for (const auto& [kind, expected] : kTypes) {
    ResponseContext c = context();
    c.media_type.kind = kind;
    EXPECT_EQ(header(respond(c, page(1)), "Content-Type"), expected);
  }
}

TEST(ReadResponse, NoResultSetIsAnInternalError) {
  const auto r = make_response(context(), TransactionResult{}, ErrorVerbosity::kVerbose);
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, "PGRSTX00");
}

TEST(ReadResponse, OverridesAreApplied) {
  TransactionResult result = page(1);
  result.response_status = "202";
  result.response_headers = R"([{"Content-Type":"text/x"},{"X-A":"1"},{"x-a":"2"}])";
  const HttpResponse r = respond(context(), result);
  EXPECT_EQ(r.status, 202);
  EXPECT_EQ(header(r, "Content-Type"), "text/x");
  EXPECT_EQ(header(r, "Content-Range"), "0-0/*");
  EXPECT_EQ(r.headers.size(), 5u);  // both x-a, and no second Content-Type
  result.response_headers = "no json";
  EXPECT_EQ(make_response(context(), result, ErrorVerbosity::kVerbose).error().code, "PGRST111");
  result.response_headers = "";
  result.response_status = "no number";
  EXPECT_EQ(make_response(context(), result, ErrorVerbosity::kVerbose).error().code, "PGRST112");
}

// -- response.headers and response.status --------------------------------------------------------

// The headers afterwards as "name: value" joined by ", "; the code of an error.
std::string apply_headers(std::string_view json, Headers before = {}) {
  HttpResponse r;
  r.headers = std::move(before);
  const auto result = apply_guc_overrides(json, "", r);
  if (!result.ok()) return result.error().code;
  std::string out;
  for (const auto& h : r.headers) out += (out.empty() ? "" : ", ") + h.name + ": " + h.value;
  return out;
}

std::string apply_status(std::string_view status) {
  HttpResponse r;
  const auto result = apply_guc_overrides("", status, r);
  return result.ok() ? std::to_string(r.status) : result.error().code;
}

TEST(GucHeaders, GoBeforeOurs) {
  EXPECT_EQ(apply_headers("", {{"A", "1"}}), "A: 1");
  EXPECT_EQ(apply_headers("[]", {{"A", "1"}}), "A: 1");
  EXPECT_EQ(apply_headers(R"([{"B":"2"},{"C":""}])", {{"A", "1"}}), "B: 2, C: , A: 1");
  EXPECT_EQ(apply_headers(R"([{"Set-Cookie":"a=1"},{"Set-Cookie":"b=2"}])"),
            "Set-Cookie: a=1, Set-Cookie: b=2");
  EXPECT_EQ(apply_headers(R"([{"a":"mine"}])", {{"A", "1"}, {"B", "2"}}), "a: mine, B: 2");
  EXPECT_EQ(apply_headers("[{\"A\":\"\\u00e9\\t;\"}]"), "A: \xC3\xA9\t;");
}

TEST(GucHeaders, OtherShapesAreRefused) {
  for (const char* bad :
       {"{}", "null", "1", "\"a\"", R"({"A":"1"})", R"([{}])", R"([{"A":"1","B":"2"}])",
        R"([{"A":1}])", R"([{"A":null}])", R"([["A","1"]])", R"(["A"])", R"([{"A":"1"})",
        R"([{"A":"1"}] x)", "[", "\xFF", " "}) {
    EXPECT_EQ(apply_headers(bad), "PGRST111") << bad;
  }
  EXPECT_EQ(apply_headers(std::string(100000, '[')), "PGRST111");
}

TEST(GucHeaders, CannotSmuggleInOtherFields) {
  for (const char* bad : {
           R"([{"A":"1\r\nSet-Cookie: x"}])",
           R"([{"A":"1\nB: 2"}])",
           R"([{"A":"1\rB: 2"}])",
           R"([{"A":"1\u0000"}])",
           R"([{"A\r\nB":"1"}])",
           R"([{"A: x":"1"}])",
           R"([{"A B":"1"}])",
           R"([{"":"1"}])",
           R"([{"A\u0000":"1"}])",
           R"([{"\u00e9":"1"}])",
           R"([{"A\u007f":"1"}])",
       }) {
    EXPECT_EQ(apply_headers(bad), "PGRST111") << bad;
  }
}

TEST(GucHeaders, NothingChangesOnError) {
  HttpResponse r;
  r.headers = {{"A", "1"}};
  EXPECT_FALSE(apply_guc_overrides(R"([{"B":"2"},{"C":3}])", "", r).ok());
  EXPECT_EQ(r.headers, (Headers{{"A", "1"}}));
}

TEST(GucStatus, Numbers) {
  EXPECT_EQ(apply_status(""), "200");
  EXPECT_EQ(apply_status("201"), "201");
  EXPECT_EQ(apply_status("418"), "418");
  EXPECT_EQ(apply_status("999"), "999");
  // PostgREST reads the digits in front.
  EXPECT_EQ(apply_status("404abc"), "404");
  EXPECT_EQ(apply_status("0404"), "404");
}

TEST(GucStatus, Refused) {
  for (const char* bad :
       {"x", "-200", "+200", " 200", "99", "100", "199", "1000", "0", "99999999999999999999"}) {
    EXPECT_EQ(apply_status(bad), "PGRST112") << bad;
  }
}

}  // namespace
}  // namespace pgrst
