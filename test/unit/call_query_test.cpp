// A function call from the request to SQL text and parameters: plan/ and query/ together.
#include "write_fixtures.hpp"

namespace pgrst {
namespace {

using test::request;
using test::shop_refusal;
using test::shop_sql;
using test::shop_transaction;
using test::with_body;

std::string get(std::string_view target, Headers headers = {}) {
  return shop_sql(request("GET", target, std::move(headers)));
}
std::string post(std::string_view target, std::string body, Headers headers = {}) {
  return shop_sql(with_body("POST", target, std::move(body), std::move(headers)));
}
std::string post_as(std::string_view type, std::string_view target, std::string body) {
  return post(target, std::move(body), {{"Content-Type", std::string(type)}});
}

constexpr char kForm[] = "application/x-www-form-urlencoded";
constexpr char kBytes[] = "application/octet-stream";

// The call itself: what stands between FROM (SELECT and AS pgrst_scalar; the parameters behind.
std::string call(const std::string& sql) {
  const std::string from = "FROM (SELECT ", as = " AS pgrst_scalar";
  const size_t begin = sql.find(from);
  const size_t end = sql.find(as);
  if (begin == std::string::npos || end == std::string::npos) return sql;
  const size_t params = sql.find(" | ");
  return sql.substr(begin + from.size(), end - begin - from.size()) +
         (params == std::string::npos ? "" : sql.substr(params));
}

// -- arguments of the query ----------------------------------------------------------------------

TEST(CallArguments, OfTheQuery) {
  EXPECT_EQ(get("/rpc/add_up?b=2&a=1"),
            R"(SELECT "add_up".* FROM (SELECT "api"."add_up"("a" := $1::integer, )"
            R"("b" := $2::integer) AS pgrst_scalar) AS "add_up" | 1 | 2)");
  EXPECT_EQ(call(get("/rpc/now_there")), R"("api"."now_there"())");
  EXPECT_EQ(call(get("/rpc/odd%20%22name%22?%22odd%20%5C%22one%5C%22%22=1")),
            R"("api"."odd ""name"""("odd ""one""" := $1::integer) | 1)");
}

TEST(CallArguments, MayBeLeftOutWithDefaults) {
  EXPECT_EQ(call(get("/rpc/greet?name=a")), R"("api"."greet"("name" := $1::text) | a)");
  EXPECT_EQ(call(get("/rpc/greet?name=a&loud=true")),
            R"("api"."greet"("name" := $1::text, "loud" := $2::boolean) | a | true)");
  EXPECT_EQ(get("/rpc/greet?loud=true"), "404 PGRST202");
  EXPECT_EQ(call(get("/rpc/may_be")), R"("api"."may_be"())");
  EXPECT_EQ(call(get("/rpc/may_be?y=1")), R"("api"."may_be"("y" := $1::text) | 1)");
  EXPECT_EQ(get("/rpc/may_be?z=1"), "404 PGRST202");
}

TEST(CallArguments, TheLastOfSeveralCounts) {
  EXPECT_EQ(call(get("/rpc/add_up?a=1&b=2&a=3")),
            R"("api"."add_up"("a" := $1::integer, "b" := $2::integer) | 3 | 2)");
}

TEST(CallArguments, VariadicTakesAll) {
  EXPECT_EQ(call(get("/rpc/sum_of?base=1&v=2&v=3&base=4")),
            R"("api"."sum_of"("base" := $1::integer, VARIADIC "v" := $2::integer[]) )"
            R"(| 4 | {"2","3"})");
  EXPECT_EQ(call(get("/rpc/sum_of?base=1")), R"("api"."sum_of"("base" := $1::integer) | 1)");
  EXPECT_EQ(call(post("/rpc/sum_of", R"({"base":1,"v":[2,3]})")),
            R"("api"."sum_of"("base" := pgrst_body."base", VARIADIC "v" := pgrst_body."v") )"
            R"(| <{"base":1,"v":[2,3]}>)");
}

// bit means bit(1) in a cast, but the parameter takes any length.
TEST(CallArguments, CastsHaveNoLengths) {
  EXPECT_EQ(call(get("/rpc/bits?b=101")), R"("api"."bits"("b" := $1::bit varying) | 101)");
}

// Names of arguments are names of parameters; only what is left of the query is for reading.
TEST(CallArguments, FiltersAreNoArguments) {
  EXPECT_EQ(get("/rpc/items_of?kind=a&id=gt.1&select=name&order=id&limit=2&offset=1"),
            R"(SELECT "items"."name" FROM "api"."items_of"("kind" := $1::text) AS "items" )"
            R"(WHERE "items"."id" > $2 ORDER BY "items"."id" LIMIT $3 OFFSET $4 )"
            R"(| a | 1 | 2 | 1)");
}

// -- arguments of the body -----------------------------------------------------------------------

TEST(CallBody, AnObject) {
  EXPECT_EQ(post("/rpc/add_up", R"({"a":1,"b":2})"),
            R"(SELECT "add_up".* FROM (SELECT "api"."add_up"("a" := pgrst_body."a", )"
            R"("b" := pgrst_body."b") AS pgrst_scalar FROM pg_catalog.json_to_record($1) AS )"
            R"(pgrst_body("a" integer, "b" integer)) AS "add_up" | <{"a":1,"b":2}>)");
  EXPECT_EQ(post("/rpc/bits", R"({"b":"101"})"),
            R"(SELECT "bits".* FROM (SELECT "api"."bits"("b" := pgrst_body."b") AS pgrst_scalar )"
            R"(FROM pg_catalog.json_to_record($1) AS pgrst_body("b" bit varying)) AS "bits" )"
            R"(| <{"b":"101"}>)");
}

TEST(CallBody, OfRows) {
  EXPECT_EQ(post("/rpc/items_of", R"({"kind":"a"})"),
            R"(SELECT "items".* FROM pg_catalog.json_to_record($1) AS pgrst_body("kind" text) )"
            R"(CROSS JOIN LATERAL "api"."items_of"("kind" := pgrst_body."kind") AS "items" )"
            R"(| <{"kind":"a"}>)");
}

// One call, of the first object.
TEST(CallBody, AnArray) {
  EXPECT_EQ(post("/rpc/add_up", R"([{"a":1,"b":2},{"a":3,"b":4}])"),
            R"(SELECT "add_up".* FROM (SELECT "api"."add_up"("a" := pgrst_body."a", )"
            R"("b" := pgrst_body."b") AS pgrst_scalar FROM (SELECT * FROM )"
            R"(pg_catalog.json_to_recordset($1) AS pgrst_body("a" integer, "b" integer) LIMIT 1) )"
            R"(AS pgrst_body) AS "add_up" | <[{"a":1,"b":2},{"a":3,"b":4}]>)");
}

TEST(CallBody, NoArguments) {
  for (const char* body : {"", "{}", "[]"}) {
    EXPECT_EQ(call(post("/rpc/now_there", body)), R"("api"."now_there"())") << body;
    EXPECT_EQ(call(post("/rpc/may_be", body)), R"("api"."may_be"())") << body;
  }
  EXPECT_EQ(post("/rpc/now_there", R"({"a":1})"), "404 PGRST202");
}

// columns= chooses the arguments of a body that is not parsed.
TEST(CallBody, NamedColumns) {
  EXPECT_EQ(call(post("/rpc/add_up?columns=a,b", R"({"a":1,"b":2,"c":3})")),
            R"("api"."add_up"("a" := pgrst_body."a", "b" := pgrst_body."b") )"
            R"(| <{"a":1,"b":2,"c":3}>)");
  EXPECT_EQ(post("/rpc/add_up?columns=a", R"({"a":1,"b":2})"), "404 PGRST202");
}

TEST(CallBody, AForm) {
  EXPECT_EQ(call(post_as(kForm, "/rpc/add_up", "a=1&b=2&a=3")),
            R"("api"."add_up"("a" := $1::integer, "b" := $2::integer) | 3 | 2)");
  EXPECT_EQ(call(post_as(kForm, "/rpc/sum_of", "base=1&v=2&v=3")),
            R"("api"."sum_of"("base" := $1::integer, VARIADIC "v" := $2::integer[]) )"
            R"(| 1 | {"2","3"})");
  EXPECT_EQ(call(post_as(kForm, "/rpc/greet", "name=a%20b+c")),
            R"("api"."greet"("name" := $1::text) | a b c)");
}

TEST(CallBody, ALineOfCsv) {
  EXPECT_EQ(call(post_as("text/csv", "/rpc/add_up", "a,b\n1,2\n")),
            R"("api"."add_up"("a" := pgrst_body."a", "b" := pgrst_body."b") )"
            R"(| <[{"a":"1","b":"2"}]>)");
}

// Arguments of POST are in the body alone.
TEST(CallBody, TheQueryIsForReading) {
  EXPECT_EQ(post("/rpc/items_of?name=eq.x&kind=eq.y", R"({"kind":"a"})"),
            R"(SELECT "items".* FROM pg_catalog.json_to_record($1) AS pgrst_body("kind" text) )"
            R"(CROSS JOIN LATERAL "api"."items_of"("kind" := pgrst_body."kind") AS "items" )"
            R"(WHERE "items"."name" = $2 AND "items"."kind" = $3 | <{"kind":"a"}> | x | y)");
}

TEST(CallBody, Refused) {
  EXPECT_EQ(post("/rpc/add_up", "nonsense"), "400 PGRST102");
  EXPECT_EQ(post_as("image/png", "/rpc/add_up", "x"), "400 PGRST102");
  EXPECT_EQ(post("/rpc/add_up", R"([{"a":1},{"b":2}])"), "400 PGRST102");
}

// -- the whole body ------------------------------------------------------------------------------

TEST(CallWholeBody, ByItsType) {
  EXPECT_EQ(call(post("/rpc/take_json", R"({"x":1})")),
            R"("api"."take_json"($1::json) | <{"x":1}>)");
  EXPECT_EQ(call(post("/rpc/take_jsonb", R"([{"x":1}])")),
            R"("api"."take_jsonb"($1::jsonb) | <[{"x":1}]>)");
  EXPECT_EQ(call(post_as("text/plain", "/rpc/take_text", "any text")),
            R"("api"."take_text"($1::text) | <any text>)");
  EXPECT_EQ(call(post_as("text/xml", "/rpc/take_xml", "<a/>")),
            R"("api"."take_xml"($1::xml) | <<a/>>)");
  EXPECT_EQ(call(post_as(kBytes, "/rpc/take_bytes", std::string("\0\xFF\"a", 4))),
            R"("api"."take_bytes"($1::bytea) | <\x00ff2261>)");
  EXPECT_EQ(call(post_as(kBytes, "/rpc/take_bytes", "")),
            R"("api"."take_bytes"($1::bytea) | <\x>)");
}

TEST(CallWholeBody, OfNoOtherType) {
  EXPECT_EQ(post_as("text/plain", "/rpc/take_json", "{}"), "404 PGRST202");
  EXPECT_EQ(post("/rpc/take_text", "{}"), "404 PGRST202");
  EXPECT_EQ(post_as(kBytes, "/rpc/take_text", "x"), "404 PGRST202");
  EXPECT_EQ(post_as(kForm, "/rpc/take_json", "a=1"), "404 PGRST202");
  EXPECT_EQ(post_as("text/csv", "/rpc/take_json", "a\n1\n"), "404 PGRST202");
  EXPECT_EQ(get("/rpc/take_json"), "404 PGRST202");
  EXPECT_EQ(get("/rpc/take_json?a=1"), "404 PGRST202");
}

// What stands for no body of a function without parameters is no body.
TEST(CallWholeBody, NotOfFunctionsWithoutParameters) {
  EXPECT_EQ(post_as("text/plain", "/rpc/now_there", ""), "404 PGRST202");
  EXPECT_EQ(post_as(kBytes, "/rpc/now_there", "x"), "404 PGRST202");
}

// -- which function ------------------------------------------------------------------------------

TEST(CallOverload, ByTheNamesOfArguments) {
  EXPECT_EQ(call(get("/rpc/over")), R"("api"."over"())");
  EXPECT_EQ(call(get("/rpc/over?a=1")), R"("api"."over"("a" := $1::integer) | 1)");
  EXPECT_EQ(call(get("/rpc/over?a=1&b=2")),
            R"("api"."over"("a" := $1::integer, "b" := $2::integer) | 1 | 2)");
  EXPECT_EQ(get("/rpc/over?b=2"), "404 PGRST202");
  EXPECT_EQ(get("/rpc/over?a=1&b=2&c=3"), "404 PGRST202");
}

// Arguments first, and only when none takes them the whole body.
TEST(CallOverload, ByTheBody) {
  EXPECT_EQ(call(post("/rpc/take_either", R"({"a":1})")),
            R"("api"."take_either"("a" := pgrst_body."a") | <{"a":1}>)");
  EXPECT_EQ(call(post("/rpc/take_either", R"({"x":1})")),
            R"("api"."take_either"($1::json) | <{"x":1}>)");
  EXPECT_EQ(call(post_as("text/plain", "/rpc/take_either", "x")),
            R"("api"."take_either"($1::text) | <x>)");
  EXPECT_EQ(post_as(kBytes, "/rpc/take_either", "x"), "404 PGRST202");
}

TEST(CallOverload, Ambiguous) {
  const HttpResponse r = shop_refusal(request("GET", "/rpc/twice?a=1"));
  EXPECT_EQ(test::code_of(r), "300 PGRST203");
  EXPECT_EQ(r.body,
            R"({"code":"PGRST203","details":null,"hint":"Try renaming the parameters or the )"
            R"(function itself in the database so function overloading can be resolved",)"
            R"("message":"Could not choose the best candidate function between: )"
            R"x(api.twice(a => integer), api.twice(a => text)"})x");
  const HttpResponse whole = shop_refusal(with_body("POST", "/rpc/take_both", "{}"));
  EXPECT_EQ(test::code_of(whole), "300 PGRST203");
  EXPECT_NE(whole.body.find("api.take_both( => json), api.take_both( => jsonb)"), std::string::npos)
      << whole.body;
}

TEST(CallOverload, FunctionsThatCannotBeCalled) {
  EXPECT_EQ(get("/rpc/not_callable"), "404 PGRST202");
  EXPECT_EQ(post("/rpc/not_callable", "{}"), "404 PGRST202");
}

TEST(CallOverload, OfTheSchemaOfTheRequest) {
  EXPECT_EQ(get("/rpc/now_there", {{"Accept-Profile", "other"}}), "404 PGRST202");
  EXPECT_EQ(post("/rpc/now_there", "", {{"Content-Profile", "other"}}), "404 PGRST202");
}

// -- PGRST202 ------------------------------------------------------------------------------------

struct NotFound {
  std::string message, details, hint;
};

std::string not_found(const HttpRequest& r) {
  const HttpResponse response = shop_refusal(r);
  EXPECT_EQ(test::code_of(response), "404 PGRST202");
  return response.body;
}

std::string body_202(const NotFound& e) {
  return R"({"code":"PGRST202","details":"Searched for the function api.)" + e.details +
         R"(, but no matches were found in the schema cache.","hint":)" +
         (e.hint.empty() ? "null"
                         : "\"Perhaps you meant to call the function api." + e.hint + "\"") +
         R"(,"message":"Could not find the function api.)" + e.message +
         R"( in the schema cache"})";
}

TEST(CallNotFound, ByGet) {
  EXPECT_EQ(not_found(request("GET", "/rpc/zzz")),
            body_202({"zzz without parameters", "zzz without parameters", ""}));
  EXPECT_EQ(not_found(request("GET", "/rpc/zzz?b=1")),
            body_202({"zzz(b)", "zzz with parameter b", ""}));
  EXPECT_EQ(not_found(request("GET", "/rpc/zzz?b=1&a=2")),
            body_202({"zzz(a, b)", "zzz with parameters a, b", ""}));
}

TEST(CallNotFound, ByJson) {
  const std::string or_whole = " or with a single unnamed json/jsonb parameter";
  EXPECT_EQ(not_found(with_body("POST", "/rpc/zzz", "")),
            body_202({"zzz without parameters", "zzz without parameters" + or_whole, ""}));
  EXPECT_EQ(not_found(with_body("POST", "/rpc/zzz", R"({"a":1})")),
            body_202({"zzz(a)", "zzz with parameter a" + or_whole, ""}));
}

TEST(CallNotFound, ByAForm) {
  EXPECT_EQ(not_found(with_body("POST", "/rpc/zzz", "a=1", {{"Content-Type", kForm}})),
            body_202({"zzz(a)", "zzz with parameter a", ""}));
}

// Without a hint, even where the name is nearly right.
TEST(CallNotFound, ByOtherBodies) {
  for (const auto& [type, param] :
       {std::pair("text/plain", "text"), {"text/xml", "xml"}, {kBytes, "bytea"}}) {
    EXPECT_EQ(
        not_found(with_body("POST", "/rpc/now_ther", "x", {{"Content-Type", type}})),
        body_202({"now_ther", std::string("now_ther with a single unnamed ") + param + " parameter",
                  ""}));
  }
}

TEST(CallNotFound, HintsAtTheName) {
  EXPECT_EQ(not_found(request("GET", "/rpc/all_item?a=1")),
            body_202({"all_item(a)", "all_item with parameter a", "all_items"}));
}

// The name is right: at the parameters, which stand sorted.
TEST(CallNotFound, HintsAtTheParameters) {
  EXPECT_EQ(not_found(request("GET", "/rpc/greet?nam=a")),
            body_202({"greet(nam)", "greet with parameter nam", "greet(loud, name)"}));
  EXPECT_EQ(not_found(request("GET", "/rpc/add_up?a=1")),
            body_202({"add_up(a)", "add_up with parameter a", "add_up(a, b)"}));
  EXPECT_EQ(not_found(request("GET", "/rpc/add_up?something=1")),
            body_202({"add_up(something)", "add_up with parameter something", ""}));
}

// -- results -------------------------------------------------------------------------------------

ResultFormat format(const HttpRequest& r) { return shop_transaction(r).statements.at(0).format; }

ResultFormat format(const char* name, const char* accept = "*/*") {
  return format(request("GET", std::string("/rpc/") + name, {{"Accept", accept}}));
}

TEST(CallResult, ByWhatTheFunctionReturns) {
  EXPECT_EQ(format("now_there"), ResultFormat::kJsonValue);
  EXPECT_EQ(format("clear"), ResultFormat::kCount);
  EXPECT_EQ(format("words"), ResultFormat::kJsonValues);
  EXPECT_EQ(format("first_item"), ResultFormat::kJsonObject);
  EXPECT_EQ(format("all_items"), ResultFormat::kJsonArray);
  EXPECT_EQ(format("table_of"), ResultFormat::kJsonArray);
}

TEST(CallResult, ByMediaType) {
  const char* singular = "application/vnd.pgrst.object+json";
  const char* singular_stripped = "application/vnd.pgrst.object+json;nulls=stripped";
  const char* stripped = "application/vnd.pgrst.array+json;nulls=stripped";
  EXPECT_EQ(format("now_there", singular), ResultFormat::kJsonValue);
  EXPECT_EQ(format("now_there", singular_stripped), ResultFormat::kJsonValueStripped);
  EXPECT_EQ(format("now_there", stripped), ResultFormat::kJsonValueStripped);
  EXPECT_EQ(format("words", singular), ResultFormat::kJsonObject);
  EXPECT_EQ(format("words", stripped), ResultFormat::kJsonValuesStripped);
  EXPECT_EQ(format("first_item", singular), ResultFormat::kJsonObject);
  EXPECT_EQ(format("first_item", stripped), ResultFormat::kJsonObjectStripped);
  EXPECT_EQ(format("all_items", singular), ResultFormat::kJsonObject);
  EXPECT_EQ(format("all_items", singular_stripped), ResultFormat::kJsonObjectStripped);
  EXPECT_EQ(format("all_items", stripped), ResultFormat::kJsonArrayStripped);
  EXPECT_EQ(format("all_items", "text/csv"), ResultFormat::kRaw);  // has a handler of its own
  EXPECT_EQ(format("table_of", "text/csv"), ResultFormat::kCsv);
  EXPECT_EQ(format("clear", "text/csv"), ResultFormat::kCount);
}

// The names are due where the function gave rows of which none is left.
TEST(CallResult, CsvOfWhatMayBeLeftOut) {
  const auto statement = [](const char* path, const char* accept = "text/csv") {
    return shop_transaction(request("GET", path, {{"Accept", accept}})).statements.at(0);
  };
  EXPECT_FALSE(statement("/rpc/table_of").has_marks);
  EXPECT_FALSE(statement("/rpc/table_of?order=i").has_marks);
  EXPECT_FALSE(statement("/rpc/table_of?i=eq.1", "application/json").has_marks);
  EXPECT_TRUE(statement("/rpc/table_of?limit=1").has_marks);
  const Statement filtered = statement("/rpc/table_of?select=x:i&i=eq.1");
  EXPECT_TRUE(filtered.has_marks);
  EXPECT_EQ(filtered.text,
            R"(WITH pgrst_source AS MATERIALIZED (SELECT "record"."i" FROM "api"."table_of"() )"
            R"(AS "record") SELECT pgrst_rows.* FROM (SELECT FROM pgrst_source LIMIT 1) )"
            R"(AS pgrst_any LEFT JOIN LATERAL (SELECT TRUE AS pgrst_mark, pgrst_result.* FROM )"
            R"(LATERAL (SELECT "record"."i" AS "x" FROM pgrst_source AS "record" WHERE )"
            R"("record"."i" = $1) AS pgrst_result) AS pgrst_rows ON TRUE)");
}

TEST(CallResult, OfALimitedSize) {
  const auto max_bytes = [](const char* path, const SettingTexts& settings = {}) {
    return shop_transaction(request("GET", path), settings).max_bytes;
  };
  EXPECT_EQ(max_bytes("/items"), uint64_t{1} << 30);
  EXPECT_EQ(max_bytes("/rpc/words", {{"server_max_response_size", "5"}}), 5U);
  EXPECT_EQ(max_bytes("/items", {{"server_max_response_size", "0"}}), UINT64_MAX);
  EXPECT_EQ(max_bytes("/"), UINT64_MAX);  // not the rows that the API is described from
}

TEST(CallResult, HeadOnlyCounts) {
  for (const char* name : {"now_there", "words", "all_items"}) {
    EXPECT_EQ(format(request("HEAD", std::string("/rpc/") + name)), ResultFormat::kCount) << name;
  }
}

TEST(CallResult, RowsOfARelationHaveItsRelationships) {
  EXPECT_EQ(get("/rpc/all_items?select=id,stock(count)"),
            R"(SELECT "items"."id", ARRAY(SELECT "items_stock_1" FROM (SELECT "stock_1"."count" )"
            R"(FROM "api"."stock" AS "stock_1" WHERE "stock_1"."item_id" = "items"."id") AS )"
            R"("items_stock_1") AS "stock" FROM "api"."all_items"() AS "items")");
  EXPECT_EQ(get("/rpc/all_items?select=similar(id)"),
            R"(SELECT ARRAY(SELECT "items_similar_1" FROM (SELECT "items_1"."id" FROM )"
            R"("api"."similar"("items".*) AS "items_1") AS "items_similar_1") AS "similar" )"
            R"(FROM "api"."all_items"() AS "items")");
  EXPECT_EQ(get("/rpc/table_of?select=stock(count)"), "400 PGRST200");
}

// -- the transaction -----------------------------------------------------------------------------

TEST(CallTransaction, ReadsUnlessAVolatileFunctionIsPosted) {
  const auto access = [](const char* method, const char* name) {
    return shop_transaction(with_body(method, std::string("/rpc/") + name, "")).access;
  };
  EXPECT_EQ(access("POST", "now_there"), AccessMode::kReadWrite);
  EXPECT_EQ(access("GET", "now_there"), AccessMode::kReadOnly);
  EXPECT_EQ(access("HEAD", "now_there"), AccessMode::kReadOnly);
  EXPECT_EQ(access("POST", "all_items"), AccessMode::kReadOnly);
  EXPECT_EQ(access("POST", "table_of"), AccessMode::kReadOnly);
}

TEST(CallTransaction, SettingsOfTheFunction) {
  const auto settings = [](const Transaction& t) {
    std::string out;
    for (const auto& [name, value] : t.settings) {
      if (name != "search_path" && name.rfind("request.", 0) != 0) out += name + "=" + value + " ";
    }
    return out;
  };
  const HttpRequest r = with_body("POST", "/rpc/careful", "", {{"Prefer", "timezone=Asia/Tokyo"}});
  const Transaction t = shop_transaction(r, {{"app.settings.a", "b"}});
  EXPECT_EQ(t.isolation, Isolation::kSerializable);
  EXPECT_EQ(settings(t), "timezone=Asia/Tokyo statement_timeout=2s app.settings.a=b ");
  EXPECT_EQ(settings(shop_transaction(r, {{"db_hoisted_tx_settings", "work_mem, other"}})),
            "timezone=Asia/Tokyo work_mem=8MB ");
  EXPECT_EQ(settings(shop_transaction(r, {{"db_hoisted_tx_settings", ""}})),
            "timezone=Asia/Tokyo ");
}

// The function's isolation wins over the role's.
TEST(CallTransaction, Isolation) {
  auto rows = test::ShopCatalog::rows();
  rows.sets[kRoleSettings] = {{"anon", "default_transaction_isolation", "repeatable read"}};
  const auto snapshot = test::snapshot({}, rows);
  const auto isolation = [&](const char* path) {
    auto begun = test::begin_request(request("GET", path), snapshot);
    return std::get<DatabaseWork>(begun).transaction.isolation;
  };
  EXPECT_EQ(isolation("/rpc/now_there"), Isolation::kRepeatableRead);
  EXPECT_EQ(isolation("/rpc/careful"), Isolation::kSerializable);
}

// -- pages and counts ----------------------------------------------------------------------------

std::string paged(const HttpRequest& r, const SettingTexts& settings = {}) {
  const Transaction t = shop_transaction(r, settings);
  EXPECT_EQ(t.statements.size(), 1u);
  const RowWindow& window = t.statements.at(0).window;
  std::string out = test::show(t, t.statements[0]);
  out = out.substr(std::min(out.size(), out.find("AS \"items\"")));
  if (window.offset == 0 && window.limit == UINT64_MAX) return out;
  return out + " [" + std::to_string(window.offset) + "," +
         (window.limit == UINT64_MAX ? "" : std::to_string(window.limit)) + "]";
}

// With a count the function gives all rows, and the page is cut out of them: it is called once.
TEST(CallPage, WithACount) {
  const char* target = "/rpc/all_items?limit=2&offset=3";
  const auto counted = [&](const char* count) {
    return paged(request("GET", target, {{"Prefer", std::string("count=") + count}}));
  };
  EXPECT_EQ(paged(request("GET", target)), R"(AS "items" LIMIT $1 OFFSET $2 | 2 | 3)");
  EXPECT_EQ(counted("planned"), R"(AS "items" LIMIT $1 OFFSET $2 | 2 | 3)");
  EXPECT_EQ(counted("exact"), R"(AS "items" [3,2])");
  EXPECT_EQ(counted("estimated"), R"(AS "items" [3,2])");
}

TEST(CallPage, WithoutARange) {
  const Headers count = {{"Prefer", "count=exact"}};
  EXPECT_EQ(paged(request("GET", "/rpc/all_items", count)), R"(AS "items")");
  EXPECT_EQ(paged(request("GET", "/rpc/all_items", count), {{"db_max_rows", "5"}}),
            R"(AS "items" [0,5])");
  EXPECT_EQ(paged(request("GET", "/rpc/all_items"), {{"db_max_rows", "5"}}),
            R"(AS "items" LIMIT $1 | 5)");
  EXPECT_EQ(paged(request("GET", "/rpc/all_items?offset=2", count)), R"(AS "items" [2,])");
}

TEST(CallPage, ByTheRangeHeader) {
  EXPECT_EQ(paged(request("GET", "/rpc/all_items", {{"Range", "2-4"}})),
            R"(AS "items" LIMIT $1 OFFSET $2 | 3 | 2)");
  EXPECT_EQ(paged(with_body("POST", "/rpc/all_items", "", {{"Range", "2-4"}})), R"(AS "items")");
  EXPECT_EQ(paged(with_body("POST", "/rpc/all_items?limit=1", "")), R"(AS "items" LIMIT $1 | 1)");
}

// -- bounds --------------------------------------------------------------------------------------

using Bounds = std::pair<uint64_t, uint64_t>;

Bounds bounds(const char* name, Headers headers) {
  const Transaction t =
      shop_transaction(with_body("POST", std::string("/rpc/") + name, "", std::move(headers)));
  return {t.min_rows, t.max_rows};
}

TEST(CallBounds, OneRow) {
  const Headers singular = {{"Accept", "application/vnd.pgrst.object+json"}};
  EXPECT_EQ(bounds("all_items", singular), (Bounds{1, 1}));
  EXPECT_EQ(bounds("words", singular), (Bounds{1, 1}));
  // What returns one anyway need not.
  EXPECT_EQ(bounds("first_item", singular), (Bounds{0, UINT64_MAX}));
  EXPECT_EQ(bounds("now_there", singular), (Bounds{0, UINT64_MAX}));
}

TEST(CallBounds, MaxAffected) {
  const Headers strict = {{"Prefer", "handling=strict, max-affected=3"}};
  EXPECT_EQ(bounds("all_items", strict), (Bounds{0, 3}));
  EXPECT_EQ(bounds("table_of", strict), (Bounds{0, 3}));
  EXPECT_EQ(bounds("all_items", {{"Prefer", "max-affected=3"}}), (Bounds{0, UINT64_MAX}));
  for (const char* name : {"now_there", "first_item", "clear"}) {
    EXPECT_EQ(post(std::string("/rpc/") + name, "", strict), "400 PGRST128") << name;
  }
  EXPECT_EQ(bounds("now_there", {{"Prefer", "max-affected=3"}}), (Bounds{0, UINT64_MAX}));
}

// -- other refusals ------------------------------------------------------------------------------

TEST(CallRefusals, InPostgrestsOrder) {
  const Headers bad = {{"Prefer", "handling=strict, nonsense, max-affected=1"},
                       {"Accept", "image/gif"}};
  EXPECT_EQ(post("/rpc/nope?select=nope(*)", "", bad), "404 PGRST202");
  EXPECT_EQ(post("/rpc/first_item?select=nope(*)", "", bad), "400 PGRST200");
  EXPECT_EQ(post("/rpc/first_item", "", bad), "406 PGRST107");
  EXPECT_EQ(post("/rpc/first_item", "", {bad[0]}), "400 PGRST122");
}

TEST(CallRefusals, ArgumentsWithoutAName) {
  const auto body = [](const char* json) {
    return shop_refusal(with_body("POST", "/rpc/nowhere_at_all", json)).body;
  };
  EXPECT_NE(body(R"({"":1})").find("nowhere_at_all() in the schema cache"), std::string::npos);
  const std::string two = body(R"({"":1,"a":2})");
  EXPECT_NE(two.find("nowhere_at_all(, a) in the schema cache"), std::string::npos);
  EXPECT_NE(two.find("with parameters , a or with"), std::string::npos);
}

// Rows of a call and of a write are called as in PostgREST's SQL.
TEST(CallRefusals, RelatedOrderOfMany) {
  for (const char* target : {"/rpc/all_items?select=id,stock(count)&order=stock(count)"}) {
    EXPECT_NE(shop_refusal(request("GET", target)).body.find("'pgrst_source' and 'stock'"),
              std::string::npos);
  }
}

// Two embeds of one name: PostgREST joins them under one alias.
TEST(CallRefusals, TwoEmbedsOfOneName) {
  const auto code = [](const char* method, const char* target, Headers headers = {}) {
    return test::code_of(shop_refusal(with_body(method, target, "{}", std::move(headers))));
  };
  const char* both = "?select=id,stock(count),stock(place)";
  EXPECT_EQ(code("POST", (std::string("/rpc/all_items") + both).c_str()), "400 42712");
  EXPECT_EQ(code("GET", (std::string("/rpc/all_items") + both).c_str()), "400 42712");
  EXPECT_EQ(
      code("POST", (std::string("/items") + both).c_str(), {{"Prefer", "return=representation"}}),
      "400 42712");
  // Nothing is shown of them.
  EXPECT_EQ(shop_sql(with_body("POST", std::string("/items") + both, "{}")),
            shop_sql(with_body("POST", "/items", "{}")));
}

TEST(CallInjection, ValuesAreParameters) {
  for (const char* value : {"1);DROP TABLE x;--", "'", "%00", "$1"}) {
    const std::string target = std::string("/rpc/may_be?x=") + value;
    EXPECT_EQ(shop_transaction(request("GET", target)).statements.at(0).text,
              shop_transaction(request("GET", "/rpc/may_be?x=1")).statements.at(0).text);
  }
}

}  // namespace
}  // namespace pgrst
