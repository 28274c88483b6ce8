// The answers to writes and calls: the whole pipeline with a canned database.
#include "write_fixtures.hpp"

namespace pgrst {
namespace {

using test::header_of;
using test::request;
using test::shop_refusal;
using test::shop_work;
using test::with_body;

// What the database says of a statement that wrote or gave so many rows.
TransactionResult wrote(uint64_t rows, std::string inserted = "") {
  TransactionResult r;
  r.result_sets.resize(1);
  r.result_sets[0].rows = r.result_sets[0].total = rows;
  r.result_sets[0].body_size = 10;
  r.inserted = std::move(inserted);
  return r;
}

HttpResponse answer(const HttpRequest& r, const TransactionResult& result,
                    const SettingTexts& settings = {}) {
  return finish(shop_work(r, settings).pending, result);
}

HttpResponse answer(const HttpRequest& r, uint64_t rows, std::string inserted = "") {
  return answer(r, wrote(rows, std::move(inserted)));
}

HttpRequest writing(const char* method, const char* target, const char* prefer) {
  return with_body(method, target, R"({"code":"a"})", {{"Prefer", prefer}});
}
HttpRequest post(const char* prefer) { return writing("POST", "/places", prefer); }
HttpRequest put(const char* prefer) { return writing("PUT", "/places?code=eq.a", prefer); }

// "status Content-Range", and "+" if there is a body.
std::string line(const HttpResponse& r) {
  return std::to_string(r.status) + " " + header_of(r, "Content-Range") +
         (r.body_is_result ? " +" : "");
}

constexpr char kFull[] = "return=representation";
constexpr char kMerge[] = "resolution=merge-duplicates";
constexpr char kMergeFull[] = "resolution=merge-duplicates, return=representation";

// -- status and Content-Range --------------------------------------------------------------------

TEST(MutationResponse, Insert) {
  EXPECT_EQ(line(answer(post(""), 1)), "201 */*");
  EXPECT_EQ(line(answer(post("return=minimal"), 3)), "201 */*");
  EXPECT_EQ(line(answer(post(kFull), 3)), "201 */* +");
  EXPECT_EQ(line(answer(post("count=exact"), 3)), "201 */3");
  EXPECT_EQ(line(answer(post("count=estimated"), 3)), "201 */3");
  EXPECT_EQ(line(answer(post("count=planned"), 3)), "201 */*");
  EXPECT_EQ(line(answer(post(""), 0)), "201 */*");
}

// 201 if a row was inserted, 200 if all were there before.
TEST(MutationResponse, Upsert) {
  EXPECT_EQ(answer(post(kMerge), 3, "3").status, 201);
  EXPECT_EQ(answer(post(kMerge), 3, "1").status, 201);
  EXPECT_EQ(answer(post(kMerge), 3, "0").status, 200);
  EXPECT_EQ(line(answer(post(kMergeFull), 1, "0")), "200 */* +");
  EXPECT_EQ(answer(post(kMerge), 0, "").status, 200);
  // Whatever is shown of them: a trigger dropped the row, or an aggregate made one of none.
  EXPECT_EQ(answer(post(kMerge), 0, "1").status, 201);
  EXPECT_EQ(answer(post(kMergeFull), 1, "0").status, 200);
  // Those that are ignored are not written, which is no reason to say so.
  EXPECT_EQ(answer(post("resolution=ignore-duplicates"), 0, "").status, 201);
}

TEST(MutationResponse, Update) {
  const auto patch = [](const char* prefer) {
    return writing("PATCH", "/places?code=eq.a", prefer);
  };
  EXPECT_EQ(line(answer(patch(""), 3)), "204 0-2/*");
  EXPECT_EQ(line(answer(patch("return=minimal"), 1)), "204 0-0/*");
  EXPECT_EQ(line(answer(patch("return=headers-only"), 1)), "204 0-0/*");
  EXPECT_EQ(line(answer(patch(kFull), 2)), "200 0-1/* +");
  EXPECT_EQ(line(answer(patch(""), 0)), "204 */*");
  EXPECT_EQ(line(answer(patch("count=exact"), 0)), "204 */0");
  EXPECT_EQ(line(answer(patch("count=exact"), 3)), "204 0-2/3");
  EXPECT_EQ(line(answer(patch(kFull), 0)), "200 */* +");
}

TEST(MutationResponse, Delete) {
  const auto del = [](const char* prefer) {
    return request("DELETE", "/places?code=eq.a", {{"Prefer", prefer}});
  };
  EXPECT_EQ(line(answer(del(""), 3)), "204 */*");
  EXPECT_EQ(line(answer(del("count=exact"), 3)), "204 */3");
  EXPECT_EQ(line(answer(del(kFull), 3)), "200 */* +");
  EXPECT_EQ(line(answer(del(kFull), 0)), "200 */* +");
}

TEST(MutationResponse, Put) {
  EXPECT_EQ(line(answer(put(""), 1)), "204 (none)");
  EXPECT_EQ(line(answer(put("return=minimal"), 1, "0")), "204 (none)");
  EXPECT_EQ(line(answer(put(kFull), 1, "1")), "201 (none) +");
  EXPECT_EQ(line(answer(put(kFull), 1, "0")), "200 (none) +");
  EXPECT_EQ(line(answer(put("count=exact"), 1)), "204 (none)");
}

// The row of the body is another than the one that the filters name.
TEST(MutationResponse, PutOfAnotherRow) {
  for (const uint64_t rows : {0, 2}) {
    const HttpResponse r = answer(put(""), rows);
    EXPECT_EQ(test::code_of(r), "400 PGRST115");
    EXPECT_EQ(r.body, R"({"code":"PGRST115","details":null,"hint":null,"message":)"
                      R"x("Payload values do not match URL in primary key column(s)"})x");
  }
}

TEST(MutationResponse, NothingOfReads) {
  for (const HttpResponse& r : {answer(post(kFull), 1), answer(put(kFull), 1),
                                answer(request("DELETE", "/log", {{"Prefer", kFull}}), 1)}) {
    EXPECT_EQ(header_of(r, "Content-Location"), "(none)");
    EXPECT_EQ(header_of(r, "Content-Type"), "application/json; charset=utf-8");
    EXPECT_EQ(header_of(r, "Content-Profile"), "api");
    EXPECT_EQ(header_of(r, "Vary"), "Accept, Prefer, Range");
  }
}

TEST(MutationResponse, TypeOnlyWithABody) {
  for (const HttpResponse& r :
       {answer(post(""), 1), answer(put(""), 1), answer(request("DELETE", "/log"), 1)}) {
    EXPECT_EQ(header_of(r, "Content-Type"), "(none)");
    EXPECT_EQ(header_of(r, "Content-Profile"), "(none)");
    EXPECT_EQ(r.body, "");
    EXPECT_FALSE(r.body_is_result);
  }
}

// -- Location ------------------------------------------------------------------------------------

std::string location(const char* target, const char* body, const test::Row& key,
                     uint64_t rows = 1) {
  TransactionResult result = wrote(rows);
  result.result_sets[0].body = test::records(std::vector<test::Row>(rows, key));
  return header_of(
      answer(with_body("POST", target, body, {{"Prefer", "return=headers-only"}}), result),
      "Location");
}

TEST(Location, NamesTheRow) {
  EXPECT_EQ(location("/places", R"({"code":"a"})", {"a"}), "/places?code=eq.a");
  EXPECT_EQ(location("/stock", R"({"place":"a"})", {"a", "7"}), "/stock?place=eq.a&item_id=eq.7");
  EXPECT_EQ(location("/stock?select=count", R"({"place":"a"})", {"7", "a"}),
            "/stock?item_id=eq.7&place=eq.a");
}

TEST(Location, IsPercentEncoded) {
  EXPECT_EQ(location("/places", R"({"code":"a"})", {"a b&c=\xC3\xA9\r\n"}),
            "/places?code=eq.a%20b%26c%3D%C3%A9%0D%0A");
}

TEST(Location, OfNull) {
  EXPECT_EQ(location("/places", R"({"code":"a"})", {std::nullopt}), "/places?code=is.null");
}

TEST(Location, OfOneRowOnly) {
  EXPECT_EQ(location("/places", R"([{"code":"a"},{"code":"b"}])", {"a"}, 2), "(none)");
  EXPECT_EQ(location("/places", "[]", {"a"}, 0), "(none)");
}

TEST(Location, OnlyWhenAskedFor) {
  EXPECT_EQ(header_of(answer(post(""), 1), "Location"), "(none)");
  EXPECT_EQ(header_of(answer(post(kFull), 1), "Location"), "(none)");
  EXPECT_EQ(header_of(answer(put("return=headers-only"), 1), "Location"), "(none)");
  EXPECT_EQ(
      header_of(answer(writing("POST", "/log?columns=line", "return=headers-only"), 1), "Location"),
      "(none)");
}

// -- Preference-Applied --------------------------------------------------------------------------

constexpr char kAll[] =
    "return=minimal, resolution=ignore-duplicates, missing=default, count=exact, tx=commit, "
    "handling=strict, timezone=UTC, max-affected=9";
const SettingTexts kTxOverride = {{"db_tx_end", "rollback-allow-override"}};

std::string applied(const HttpRequest& r) {
  return header_of(answer(r, wrote(1), kTxOverride), "Preference-Applied");
}

TEST(PreferenceApplied, ByAction) {
  EXPECT_EQ(applied(post(kAll)),
            "resolution=ignore-duplicates, missing=default, return=minimal, count=exact, "
            "tx=commit, handling=strict, timezone=UTC");
  EXPECT_EQ(applied(writing("PATCH", "/places", kAll)),
            "missing=default, return=minimal, count=exact, tx=commit, handling=strict, "
            "timezone=UTC, max-affected=9");
  EXPECT_EQ(applied(request("DELETE", "/places", {{"Prefer", kAll}})),
            "return=minimal, count=exact, tx=commit, handling=strict, timezone=UTC, "
            "max-affected=9");
  EXPECT_EQ(applied(put(kAll)),
            "return=minimal, count=exact, tx=commit, handling=strict, timezone=UTC");
  EXPECT_EQ(applied(request("GET", "/rpc/all_items", {{"Prefer", kAll}})),
            "count=exact, tx=commit, handling=strict, timezone=UTC, max-affected=9");
  EXPECT_EQ(applied(request("GET", "/log", {{"Prefer", kAll}})),
            "count=exact, tx=commit, handling=strict, timezone=UTC");
  EXPECT_EQ(applied(post("")), "(none)");
}

// A resolution counts where something can conflict.
TEST(PreferenceApplied, Resolution) {
  EXPECT_EQ(applied(writing("POST", "/log?columns=line", kMerge)), "(none)");
  EXPECT_EQ(applied(writing("POST", "/log?columns=line&on_conflict=line", kMerge)), kMerge);
}

// -- one row, or no more than so many ------------------------------------------------------------

constexpr char kSingular[] = "application/vnd.pgrst.object+json";

TEST(MutationBounds, OneObject) {
  for (const char* method : {"POST", "PATCH", "DELETE"}) {
    for (const char* prefer : {"", kFull}) {
      const HttpRequest r = with_body(method, "/places", R"({"code":"a"})",
                                      {{"Accept", kSingular}, {"Prefer", prefer}});
      EXPECT_LT(answer(r, 1).status, 300) << method;
      for (const uint64_t rows : {0, 2}) {
        const HttpResponse refused = answer(r, rows);
        EXPECT_EQ(test::code_of(refused), "406 PGRST116") << method;
        EXPECT_NE(refused.body.find("The result contains " + std::to_string(rows) + " rows"),
                  std::string::npos);
      }
    }
  }
}

TEST(MutationBounds, MaxAffected) {
  const auto affected = [](const char* method, const char* target, const char* prefer,
                           uint64_t rows) {
    return answer(with_body(method, target, R"({"code":"a"})", {{"Prefer", prefer}}), rows);
  };
  constexpr char kStrict[] = "handling=strict, max-affected=2";
  EXPECT_EQ(affected("PATCH", "/places", kStrict, 2).status, 204);
  const HttpResponse refused = affected("PATCH", "/places", kStrict, 3);
  EXPECT_EQ(test::code_of(refused), "400 PGRST124");
  EXPECT_EQ(refused.body,
            R"({"code":"PGRST124","details":"The query affects 3 rows","hint":null,"message":)"
            R"("Query result exceeds max-affected preference constraint"})");
  EXPECT_EQ(test::code_of(affected("DELETE", "/places", kStrict, 3)), "400 PGRST124");
  EXPECT_EQ(test::code_of(affected("DELETE", "/places", "handling=strict, max-affected=-1", 0)),
            "400 PGRST124");
  EXPECT_EQ(affected("DELETE", "/places", "max-affected=2", 3).status, 204);
  EXPECT_EQ(affected("POST", "/places", kStrict, 3).status, 201);
  EXPECT_EQ(test::code_of(answer(request("GET", "/rpc/all_items", {{"Prefer", kStrict}}), 3)),
            "400 PGRST124");
}

// It bounds what is changed: neither reads nor inserts, be they of one object.
TEST(MutationBounds, MaxAffectedIsNotOfReadsAndInserts) {
  const Headers headers = {{"Accept", kSingular}, {"Prefer", "handling=strict, max-affected=0"}};
  EXPECT_EQ(answer(request("GET", "/log", headers), 1).status, 200);
  EXPECT_EQ(answer(with_body("POST", "/places", R"({"code":"a"})", headers), 1).status, 201);
}

// -- calls ---------------------------------------------------------------------------------------

HttpRequest calling(const char* name, Headers headers = {}, const char* method = "POST") {
  return with_body(method, std::string("/rpc/") + name, "", std::move(headers));
}

TEST(CallResponse, ByResult) {
  EXPECT_EQ(line(answer(calling("now_there"), 1)), "200 0-0/* +");
  EXPECT_EQ(line(answer(calling("words"), 3)), "200 0-2/* +");
  EXPECT_EQ(line(answer(calling("all_items"), 0)), "200 */* +");
  EXPECT_EQ(line(answer(calling("first_item"), 1)), "200 0-0/* +");
  EXPECT_EQ(line(answer(calling("now_there", {}, "HEAD"), 1)), "200 0-0/*");
  EXPECT_EQ(header_of(answer(calling("now_there"), 1), "Content-Type"),
            "application/json; charset=utf-8");
}

TEST(CallResponse, OfVoid) {
  const HttpResponse r = answer(calling("clear"), 1);
  EXPECT_EQ(line(r), "204 0-0/*");
  EXPECT_EQ(header_of(r, "Content-Type"), "(none)");
  EXPECT_EQ(r.body, "");
}

TEST(CallResponse, Counted) {
  const Headers exact = {{"Prefer", "count=exact"}};
  EXPECT_EQ(line(answer(calling("all_items", exact), 3)), "200 0-2/3 +");
  EXPECT_EQ(line(answer(calling("now_there", exact), 1)), "200 0-0/1 +");
  TransactionResult page = wrote(2);
  page.result_sets[0].total = 9;
  const HttpResponse part =
      answer(request("GET", "/rpc/all_items?limit=2&offset=1", {{"Prefer", "count=exact"}}), page);
  EXPECT_EQ(line(part), "206 1-2/9 +");
  TransactionResult beyond = wrote(0);
  beyond.result_sets[0].total = 9;
  const HttpResponse none = answer(
      request("GET", "/rpc/all_items?limit=2&offset=10", {{"Prefer", "count=exact"}}), beyond);
  EXPECT_EQ(line(none), "416 */9");
  EXPECT_NE(none.body.find("PGRST103"), std::string::npos);
}

// What is counted on its own can be none, though the body is null; as for PostgREST.
TEST(CallResponse, CountOfOneRowThatWasFilteredOut) {
  const auto counted = [](const char* query, const char* method = "GET") {
    return request(method, std::string("/rpc/first_item") + query, {{"Prefer", "count=exact"}});
  };
  EXPECT_EQ(line(answer(counted("?id=eq.0"), 0)), "200 0-0/1 +");
  EXPECT_EQ(line(answer(counted("?id=eq.0&limit=5"), 0)), "200 */0 +");
  EXPECT_EQ(line(answer(counted("?id=eq.0&offset=1"), 0)), "416 */0");
  EXPECT_EQ(line(answer(counted("?id=eq.0"), wrote(0), {{"db_max_rows", "5"}})), "200 */0 +");
  EXPECT_EQ(line(answer(counted("?limit=5"), 1)), "200 0-0/1 +");
  EXPECT_EQ(line(answer(counted("?id=eq.0", "HEAD"), 0)), "200 */0");
}

// The page is judged, not all rows that there are.
TEST(CallResponse, BoundsAreOfThePage) {
  TransactionResult page = wrote(1);
  page.result_sets[0].total = 3;
  const auto get = [](const char* query, Headers headers) {
    headers.push_back({"Prefer", "count=exact"});
    return request("GET", std::string("/rpc/all_items") + query, std::move(headers));
  };
  EXPECT_EQ(line(answer(get("?limit=1", {{"Accept", kSingular}}), page)), "206 0-0/3 +");
  const Headers strict = {{"Prefer", "handling=strict, max-affected=1"}};
  EXPECT_EQ(line(answer(get("?limit=1", strict), page)), "206 0-0/3 +");
  page.result_sets[0].rows = 0;
  EXPECT_EQ(test::code_of(answer(get("?limit=0", {{"Accept", kSingular}}), page)), "406 PGRST116");
}

// One row is what a function that returns no set gives, even when it is all null.
TEST(CallResponse, OfOneObject) {
  EXPECT_EQ(answer(calling("first_item", {{"Accept", kSingular}}), 1).status, 200);
  EXPECT_EQ(answer(calling("now_there", {{"Accept", kSingular}}), 1).status, 200);
  EXPECT_EQ(test::code_of(answer(calling("all_items", {{"Accept", kSingular}}), 2)),
            "406 PGRST116");
  EXPECT_EQ(test::code_of(answer(calling("all_items", {{"Accept", kSingular}}), 0)),
            "406 PGRST116");
}

TEST(CallResponse, SqlDecidesStatusAndHeaders) {
  TransactionResult result = wrote(1);
  result.response_status = "202";
  result.response_headers = R"([{"Location":"/x"},{"Content-Type":"text/x"}])";
  for (const HttpResponse& r :
       {answer(calling("now_there"), result), answer(post(kFull), result)}) {
    EXPECT_EQ(r.status, 202);
    EXPECT_EQ(header_of(r, "Location"), "/x");
    EXPECT_EQ(header_of(r, "Content-Type"), "text/x");
    EXPECT_TRUE(r.body_is_result);
  }
  result.response_status = "no number";
  EXPECT_EQ(test::code_of(answer(post(""), result)), "500 PGRST112");
  result.response_headers = "{}";
  result.response_status = "";
  EXPECT_EQ(test::code_of(answer(post(""), result)), "500 PGRST111");
}

// -- OPTIONS -------------------------------------------------------------------------------------

std::string allow(const char* target, Headers headers = {}) {
  const HttpResponse r = shop_refusal(request("OPTIONS", target, std::move(headers)));
  if (r.status != 200) return test::code_of(r);
  EXPECT_EQ(r.body, "");
  EXPECT_EQ(header_of(r, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header_of(r, "Vary"), "Accept, Prefer, Range");
  return header_of(r, "Allow");
}

TEST(Options, OfRelations) {
  EXPECT_EQ(allow("/items"), "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE");
  EXPECT_EQ(allow("/log"), "OPTIONS,GET,HEAD,POST,PATCH,DELETE");  // no key to PUT by
  EXPECT_EQ(allow("/shown"), "OPTIONS,GET,HEAD,POST");
  EXPECT_EQ(allow("/total"), "OPTIONS,GET,HEAD");
  EXPECT_EQ(allow("/nowhere"), "404 PGRST205");
  EXPECT_EQ(allow("/items", {{"Accept-Profile", "other"}}), "404 PGRST205");
}

TEST(Options, OfFunctions) {
  EXPECT_EQ(allow("/rpc/now_there"), "OPTIONS,POST");
  EXPECT_EQ(allow("/rpc/all_items"), "OPTIONS,GET,HEAD,POST");
  EXPECT_EQ(allow("/rpc/table_of"), "OPTIONS,GET,HEAD,POST");
  EXPECT_EQ(allow("/rpc/over"), "OPTIONS,GET,HEAD,POST");
  EXPECT_EQ(allow("/rpc/nope"), "404 PGRST202");
}

// Of a function all is checked that a request for it would be refused for.
TEST(Options, OfFunctionsWithWhatCannotBe) {
  EXPECT_EQ(allow("/rpc/all_items", {{"Accept", "image/gif"}}), "406 PGRST107");
  EXPECT_EQ(allow("/rpc/all_items", {{"Accept", ""}}), "406 PGRST107");
  EXPECT_EQ(allow("/rpc/all_items?select=nope(*)"), "400 PGRST200");
  EXPECT_EQ(allow("/rpc/all_items", {{"Prefer", "handling=strict, nonsense"}}), "400 PGRST122");
  EXPECT_EQ(allow("/rpc/all_items?id=eq.1&limit=1"), "OPTIONS,GET,HEAD,POST");
  EXPECT_EQ(allow("/items", {{"Accept", "image/gif"}}), "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE");
}

TEST(Options, OfTheRoot) { EXPECT_EQ(allow("/"), "OPTIONS,GET,HEAD"); }

}  // namespace
}  // namespace pgrst
