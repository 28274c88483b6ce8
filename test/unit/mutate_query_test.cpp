// A write from the request to SQL text and parameters: plan/ and query/ together.
#include "write_fixtures.hpp"

namespace pgrst {
namespace {

using test::CatalogRows;
using test::request;
using test::shop_refusal;
using test::shop_sql;
using test::shop_transaction;
using test::ShopCatalog;
using test::with_body;

const Headers kFull = {{"Prefer", "return=representation"}};
const Headers kHeadersOnly = {{"Prefer", "return=headers-only"}};

std::string post(std::string_view target, std::string body, Headers headers = {}) {
  return shop_sql(with_body("POST", target, std::move(body), std::move(headers)));
}
std::string patch(std::string_view target, std::string body, Headers headers = {}) {
  return shop_sql(with_body("PATCH", target, std::move(body), std::move(headers)));
}
std::string put(std::string_view target, std::string body, Headers headers = {}) {
  return shop_sql(with_body("PUT", target, std::move(body), std::move(headers)));
}
std::string del(std::string_view target, Headers headers = {}) {
  return shop_sql(request("DELETE", target, std::move(headers)));
}

// What stands behind the payload and its columns.
std::string behind_columns(const std::string& sql) {
  const size_t at = sql.find("AS pgrst_body(");
  const size_t end = at == std::string::npos ? at : sql.find(')', at);
  return end == std::string::npos ? sql : sql.substr(end + 1);
}

// -- INSERT --------------------------------------------------------------------------------------

TEST(Insert, OfAnObject) {
  EXPECT_EQ(post("/log", R"({"line":"x"})"),
            R"(INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" FROM )"
            R"(pg_catalog.json_to_record($1) AS pgrst_body("line" text) | <{"line":"x"}>)");
}

TEST(Insert, OfAnArray) {
  EXPECT_EQ(post("/log", R"([{"line":"x"},{"line":"y"}])"),
            R"(INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" FROM )"
            R"(pg_catalog.json_to_recordset($1) AS pgrst_body("line" text) )"
            R"(| <[{"line":"x"},{"line":"y"}]>)");
}

// Types are the declared ones: the limits of numeric(10,2) are those of the column.
TEST(Insert, ColumnsAreSortedAndTyped) {
  EXPECT_EQ(post("/items", R"({"price":1,"name":"n","made":"2024-01-01"})"),
            R"(INSERT INTO "api"."items" ("made", "name", "price") )"
            R"(SELECT pgrst_body."made", pgrst_body."name", pgrst_body."price" FROM )"
            R"(pg_catalog.json_to_record($1) AS )"
            R"(pgrst_body("made" date, "name" text, "price" numeric(10,2)) )"
            R"(| <{"price":1,"name":"n","made":"2024-01-01"}>)");
}

TEST(Insert, OfNoColumns) {
  EXPECT_EQ(post("/items", "{}"), R"(INSERT INTO "api"."items" SELECT)");
  EXPECT_EQ(
      post("/items", "[{},{}]"),
      R"(INSERT INTO "api"."items" SELECT FROM pg_catalog.json_array_elements($1) | <[{},{}]>)");
  EXPECT_EQ(post("/items", "[]"),
            R"(INSERT INTO "api"."items" SELECT FROM pg_catalog.json_array_elements($1) | <[]>)");
}

// columns= names what is read of the body, whatever else is in it; the body is not parsed.
TEST(Insert, NamedColumns) {
  EXPECT_EQ(post("/log?columns=line,at", R"([{"line":"x"},{"other":1},{)"),
            R"(INSERT INTO "api"."log" ("at", "line") SELECT pgrst_body."at", pgrst_body."line" )"
            R"(FROM pg_catalog.json_to_recordset($1) AS )"
            R"(pgrst_body("at" timestamp with time zone, "line" text) )"
            R"(| <[{"line":"x"},{"other":1},{>)");
  EXPECT_EQ(post("/log?columns=%22line%22,line", "{}"),
            R"(INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" FROM )"
            R"(pg_catalog.json_to_record($1) AS pgrst_body("line" text) | <{}>)");
}

TEST(Insert, BodiesThatAreRefused) {
  for (const char* body : {"", "[", "{\"line\":}", "nonsense", "[1]"}) {
    EXPECT_EQ(post("/log", body), "400 PGRST102") << body;
  }
  EXPECT_EQ(post("/log", R"([{"line":"x"},{"at":"y"}])"), "400 PGRST102");
  EXPECT_EQ(post("/log", "line", {{"Content-Type", "text/plain"}}), "400 PGRST102");
}

TEST(Insert, OtherBodiesBecomeJson) {
  EXPECT_EQ(post("/log", "line=x%20y", {{"Content-Type", "application/x-www-form-urlencoded"}}),
            R"(INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" FROM )"
            R"(pg_catalog.json_to_record($1) AS pgrst_body("line" text) | <{"line":"x y"}>)");
  EXPECT_EQ(post("/log", "line\nx\nNULL\n", {{"Content-Type", "text/csv"}}),
            R"(INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" FROM )"
            R"(pg_catalog.json_to_recordset($1) AS pgrst_body("line" text) )"
            R"(| <[{"line":"x"},{"line":null}]>)");
}

TEST(Insert, UnknownColumns) {
  const HttpResponse r = shop_refusal(with_body("POST", "/log", R"({"line":1,"nope":1})"));
  EXPECT_EQ(test::code_of(r), "400 PGRST204");
  EXPECT_EQ(r.body, R"({"code":"PGRST204","details":null,"hint":null,"message":)"
                    R"("Could not find the 'nope' column of 'log' in the schema cache"})");
  EXPECT_EQ(post("/log?columns=line,nope", "{}"), "400 PGRST204");
  EXPECT_EQ(patch("/log", R"({"nope":1})"), "400 PGRST204");
  EXPECT_EQ(put("/places?code=eq.a", R"({"code":"a","nope":1})"), "400 PGRST204");
}

// The body is json; a column with a cast from it is read as json and goes through that.
TEST(Insert, RepresentationsOfDomains) {
  EXPECT_EQ(post("/items", R"({"color":"#ff0000","name":"n"})"),
            R"(INSERT INTO "api"."items" ("color", "name") )"
            R"(SELECT "api"."color_from_json"(pgrst_body."color"), pgrst_body."name" FROM )"
            R"(pg_catalog.json_to_record($1) AS )"
            R"(pgrst_body("color" pg_catalog.json, "name" text) )"
            R"(| <{"color":"#ff0000","name":"n"}>)");
}

// From some size on rows are taken apart one by one, which needs less memory.
TEST(Insert, LargeArraysRowByRow) {
  std::string body = "[";
  while (body.size() <= 4 * 1024 * 1024) body += R"({"line":")" + std::string(1000, 'x') + "\"},";
  body += R"({"line":""}])";
  const Transaction t = shop_transaction(with_body("POST", "/log", body));
  EXPECT_EQ(t.statements.at(0).text,
            R"(INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" FROM )"
            R"(pg_catalog.json_array_elements($1) AS pgrst_row(pgrst_value) CROSS JOIN LATERAL )"
            R"(pg_catalog.json_to_record(pgrst_row.pgrst_value) AS pgrst_body("line" text))");
  EXPECT_EQ(t.payload, body);
}

// -- defaults for what is missing ----------------------------------------------------------------

TEST(MissingDefault, OfAnObject) {
  const Headers missing = {{"Prefer", "missing=default"}};
  EXPECT_EQ(post("/items?columns=id,name,made", R"({"name":"n"})", missing),
            R"(INSERT INTO "api"."items" ("id", "made", "name") )"
            R"(SELECT pgrst_body."id", pgrst_body."made", pgrst_body."name" FROM )"
            R"(pg_catalog.jsonb_to_record(pg_catalog.jsonb_build_object()"
            R"($1::pg_catalog.text, nextval('api.items_id_seq'::regclass), )"
            R"($2::pg_catalog.text, CURRENT_DATE) || $3::pg_catalog.jsonb) AS )"
            R"(pgrst_body("id" integer, "made" date, "name" text) | id | made | <{"name":"n"}>)");
}

TEST(MissingDefault, OfAnArray) {
  const Headers missing = {{"Prefer", "missing=default"}};
  EXPECT_EQ(
      post("/stock?columns=place,count", R"([{"place":"a"},{"count":1}])", missing),
      R"(INSERT INTO "api"."stock" ("count", "place") )"
      R"(SELECT pgrst_body."count", pgrst_body."place" FROM )"
      R"(pg_catalog.jsonb_array_elements($1) AS pgrst_row(pgrst_value) CROSS JOIN LATERAL )"
      R"(pg_catalog.jsonb_to_record(pg_catalog.jsonb_build_object($2::pg_catalog.text, 0) || )"
      R"(pgrst_row.pgrst_value) AS pgrst_body("count" integer, "place" text) )"
      R"(| <[{"place":"a"},{"count":1}]> | count)");
}

TEST(MissingDefault, OfColumnsWithoutAny) {
  EXPECT_EQ(post("/log?columns=line", "{}", {{"Prefer", "missing=default"}}),
            R"(INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" FROM )"
            R"(pg_catalog.jsonb_to_record(pg_catalog.jsonb_build_object() || )"
            R"($1::pg_catalog.jsonb) AS pgrst_body("line" text) | <{}>)");
}

TEST(MissingDefault, OfUpdatesToo) {
  EXPECT_EQ(patch("/stock?columns=count", "{}", {{"Prefer", "missing=default"}}),
            R"(UPDATE "api"."stock" SET "count" = pgrst_body."count" FROM )"
            R"(pg_catalog.jsonb_to_record(pg_catalog.jsonb_build_object($1::pg_catalog.text, 0) )"
            R"(|| $2::pg_catalog.jsonb) AS pgrst_body("count" integer) | count | <{}>)");
}

TEST(MissingDefault, NotOfPut) {
  EXPECT_EQ(put("/places?code=eq.a", R"({"code":"a"})", {{"Prefer", "missing=default"}}),
            put("/places?code=eq.a", R"({"code":"a"})"));
}

// -- upsert --------------------------------------------------------------------------------------

const char kOneRow[] =
    " WHERE (SELECT pg_catalog.set_config('response.inserted', '1', true)) IS NOT NULL";
const char kMerged[] =
    R"( WHERE pg_catalog.set_config('response.inserted', (pg_catalog.current_setting()"
    R"('response.inserted')::pg_catalog.int8 - 1)::pg_catalog.text, true) IS NOT NULL)";

TEST(Upsert, Merges) {
  EXPECT_EQ(behind_columns(post("/stock", R"({"place":"a","item_id":1,"count":5})",
                                {{"Prefer", "resolution=merge-duplicates"}})),
            std::string(kOneRow) +
                R"( ON CONFLICT ("item_id", "place") DO UPDATE SET )"
                R"("count" = EXCLUDED."count", "item_id" = EXCLUDED."item_id", )"
                R"("place" = EXCLUDED."place")" +
                kMerged + R"( | <{"place":"a","item_id":1,"count":5}>)");
}

// How many rows there are is asked of the payload, which stays one parameter.
TEST(Upsert, CountsTheRowsOfAnArray) {
  const Headers merge = {{"Prefer", "resolution=merge-duplicates, missing=null"}};
  EXPECT_NE(post("/log", R"([{"line":"a"}])", merge)
                .find("(SELECT pg_catalog.set_config('response.inserted', "
                      "pg_catalog.json_array_length($1)::pg_catalog.text, true)) IS NOT NULL"),
            std::string::npos);
  EXPECT_NE(post("/log", R"([{}])", merge)
                .find("pg_catalog.json_array_elements($1) WHERE (SELECT pg_catalog.set_config("
                      "'response.inserted', pg_catalog.json_array_length($1)"),
            std::string::npos);
  const Headers defaults = {{"Prefer", "resolution=merge-duplicates, missing=default"}};
  EXPECT_NE(post("/log", R"([{"line":"a"}])", defaults).find("pg_catalog.jsonb_array_length($"),
            std::string::npos);
}

TEST(Upsert, Ignores) {
  EXPECT_EQ(behind_columns(
                post("/places", R"({"code":"a"})", {{"Prefer", "resolution=ignore-duplicates"}})),
            R"( ON CONFLICT ("code") DO NOTHING | <{"code":"a"}>)");
}

TEST(Upsert, OnNamedColumns) {
  EXPECT_EQ(behind_columns(post("/places?on_conflict=title", R"({"code":"a"})",
                                {{"Prefer", "resolution=ignore-duplicates"}})),
            R"( ON CONFLICT ("title") DO NOTHING | <{"code":"a"}>)");
  EXPECT_EQ(behind_columns(post("/log?on_conflict=line,at", R"({"line":"a"})",
                                {{"Prefer", "resolution=ignore-duplicates"}})),
            R"( ON CONFLICT ("line", "at") DO NOTHING | <{"line":"a"}>)");
}

// Without a resolution, or without columns that could conflict, it is a plain insert.
TEST(Upsert, PlainInserts) {
  EXPECT_EQ(post("/log", R"({"line":"a"})", {{"Prefer", "resolution=ignore-duplicates"}}),
            post("/log", R"({"line":"a"})"));
  EXPECT_EQ(
      behind_columns(post("/log", R"({"line":"a"})", {{"Prefer", "resolution=merge-duplicates"}})),
      std::string(kOneRow) + R"( | <{"line":"a"}>)");
  EXPECT_EQ(post("/places?on_conflict=title", R"({"code":"a"})"),
            post("/places", R"({"code":"a"})"));
}

TEST(Upsert, OfNoColumnsHasNothingToMerge) {
  EXPECT_EQ(post("/places", "{}", {{"Prefer", "resolution=merge-duplicates"}}),
            std::string(R"(INSERT INTO "api"."places" SELECT)") + kOneRow +
                R"( ON CONFLICT ("code") DO NOTHING)");
}

TEST(Upsert, OnlyOfPost) {
  const Headers merge = {{"Prefer", "resolution=merge-duplicates"}};
  EXPECT_EQ(patch("/places", R"({"title":"a"})", merge), patch("/places", R"({"title":"a"})"));
  EXPECT_EQ(
      put("/places?code=eq.a", R"({"code":"a"})", {{"Prefer", "resolution=ignore-duplicates"}}),
      put("/places?code=eq.a", R"({"code":"a"})"));
}

// -- what is returned ----------------------------------------------------------------------------

std::string returned(std::string_view target) {
  return behind_columns(post(target, R"({"name":"n"})", kFull));
}

// As for PostgREST: nothing is selected, so what is left are the columns of the key, unlike a read.
TEST(Returning, TheKeyWhereNothingIsSelected) {
  for (const char* select : {"", ",id", "::text,*"}) {
    EXPECT_EQ(returned(std::string("/items?select=") + select),
              R"( RETURNING "api"."items"."id" | <{"name":"n"}>)");
  }
  EXPECT_EQ(patch("/stock?select=&order=count.desc", R"({"count":1})", kFull).substr(0, 8),
            "WITH pgr");
  EXPECT_EQ(behind_columns(post("/stock?select=", R"({"count":1})", kFull)),
            R"( RETURNING "api"."stock"."item_id", "api"."stock"."place" | <{"count":1}>)");
  EXPECT_EQ(behind_columns(post("/log?select=", R"({"line":"n"})", kFull)),
            R"( RETURNING 1 | <{"line":"n"}>)");
}

TEST(Returning, SaysWhatIsSelected) {
  EXPECT_EQ(returned("/items"), R"( RETURNING "api"."items".* | <{"name":"n"}>)");
  EXPECT_EQ(returned("/items?select=*"), R"( RETURNING "api"."items".* | <{"name":"n"}>)");
  EXPECT_EQ(returned("/items?select=id,n:name,price::text"),
            R"( RETURNING "api"."items"."id", "api"."items"."name" AS "n", )"
            R"(CAST("api"."items"."price" AS text) | <{"name":"n"}>)");
  EXPECT_EQ(returned("/items?select=unknown"),
            R"( RETURNING "api"."items"."unknown" | <{"name":"n"}>)");
}

TEST(Returning, WithParametersOfItsOwn) {
  EXPECT_EQ(returned("/items?select=name-%3Ea"),
            R"( RETURNING pg_catalog.to_jsonb("api"."items"."name")->$2 AS "a" )"
            R"(| <{"name":"n"}> | a)");
}

TEST(Returning, NothingByDefault) {
  const std::string plain = post("/items", R"({"name":"n"})");
  EXPECT_EQ(plain.find("RETURNING"), std::string::npos);
  EXPECT_EQ(post("/items", R"({"name":"n"})", {{"Prefer", "return=minimal"}}), plain);
  EXPECT_EQ(post("/items?select=id", R"({"name":"n"})"), plain);
}

// The primary key for Location, and as little else as possible.
TEST(Returning, KeysForHeadersOnly) {
  EXPECT_EQ(behind_columns(post("/items", R"({"name":"n"})", kHeadersOnly)),
            R"( RETURNING pg_catalog.to_json("api"."items"."id") #>> '{}' | <{"name":"n"}>)");
  // In the order of the table; in that of the names when columns are selected.
  EXPECT_EQ(behind_columns(post("/stock", R"({"count":1})", kHeadersOnly)),
            R"( RETURNING pg_catalog.to_json("api"."stock"."place") #>> '{}', )"
            R"(pg_catalog.to_json("api"."stock"."item_id") #>> '{}' | <{"count":1}>)");
  EXPECT_EQ(behind_columns(post("/stock?select=count", R"({"count":1})", kHeadersOnly)),
            R"( RETURNING pg_catalog.to_json("api"."stock"."item_id") #>> '{}', )"
            R"(pg_catalog.to_json("api"."stock"."place") #>> '{}' | <{"count":1}>)");
  EXPECT_EQ(post("/log", R"({"line":"n"})", kHeadersOnly), post("/log", R"({"line":"n"})"));
  EXPECT_EQ(patch("/places", R"({"title":"n"})", kHeadersOnly),
            patch("/places", R"({"title":"n"})"));
}

TEST(Returning, ThroughWithForAnOrder) {
  EXPECT_EQ(post("/log?select=line&order=at.desc", R"([{"line":"n"}])", kFull),
            R"(WITH pgrst_source AS (INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" )"
            R"(FROM pg_catalog.json_to_recordset($1) AS pgrst_body("line" text) )"
            R"(RETURNING "api"."log"."at", "api"."log"."line") )"
            R"(SELECT "log"."line" FROM pgrst_source AS "log" ORDER BY "log"."at" DESC )"
            R"(| <[{"line":"n"}]>)");
}

TEST(Returning, ThroughWithForAggregates) {
  EXPECT_EQ(post("/log?select=line,count()", R"([{"line":"n"}])", kFull),
            R"(WITH pgrst_source AS (INSERT INTO "api"."log" ("line") SELECT pgrst_body."line" )"
            R"(FROM pg_catalog.json_to_recordset($1) AS pgrst_body("line" text) )"
            R"(RETURNING "api"."log".*) )"
            R"(SELECT "log"."line", count("log".*) FROM pgrst_source AS "log" GROUP BY 1 )"
            R"(| <[{"line":"n"}]>)");
}

// The column that an embed hangs on is returned although it is not selected.
TEST(Returning, ThroughWithForEmbeds) {
  EXPECT_EQ(post("/stock?select=count,places(title)", R"({"place":"a"})", kFull),
            R"(WITH pgrst_source AS (INSERT INTO "api"."stock" ("place") SELECT )"
            R"(pgrst_body."place" FROM pg_catalog.json_to_record($1) AS pgrst_body("place" text) )"
            R"(RETURNING "api"."stock"."count", "api"."stock"."place") )"
            R"(SELECT "stock"."count", "stock_places_1" AS "places" FROM pgrst_source AS "stock" )"
            R"(LEFT JOIN LATERAL (SELECT "places_1"."title" FROM "api"."places" AS "places_1" )"
            R"(WHERE "places_1"."code" = "stock"."place") AS "stock_places_1" ON TRUE )"
            R"(| <{"place":"a"}>)");
  EXPECT_EQ(
      del("/places?select=title,stock(count)&code=eq.a&stock.count=gt.1", kFull),
      R"(WITH pgrst_source AS (DELETE FROM "api"."places" WHERE "api"."places"."code" = $1 )"
      R"(RETURNING "api"."places"."code", "api"."places"."title") )"
      R"(SELECT "places"."title", ARRAY(SELECT "places_stock_1" FROM (SELECT "stock_1"."count" )"
      R"(FROM "api"."stock" AS "stock_1" WHERE "stock_1"."count" > $2 AND )"
      R"("stock_1"."place" = "places"."code") AS "places_stock_1") AS "stock" )"
      R"(FROM pgrst_source AS "places" | a | 1)");
}

// A function that computes related rows takes a row of the table, which those of a WITH query are
// not unless they are cast.
TEST(Returning, ThroughWithForComputedRelationships) {
  EXPECT_EQ(del("/items?select=id,similar(id)", kFull),
            R"(WITH pgrst_source AS (DELETE FROM "api"."items" RETURNING "api"."items".*) )"
            R"(SELECT "items"."id", ARRAY(SELECT "items_similar_1" FROM (SELECT "items_1"."id" )"
            R"(FROM "api"."similar"(ROW("items".*)::"api"."items") AS "items_1") )"
            R"(AS "items_similar_1") AS "similar" FROM pgrst_source AS "items")");
}

TEST(Returning, FormatByMediaType) {
  const auto format = [](const char* accept, const char* prefer) {
    return shop_transaction(with_body("POST", "/log", R"({"line":"n"})",
                                      {{"Accept", accept}, {"Prefer", prefer}}))
        .statements.at(0)
        .format;
  };
  EXPECT_EQ(format("*/*", "return=representation"), ResultFormat::kJsonArray);
  EXPECT_EQ(format("text/csv", "return=representation"), ResultFormat::kCsv);
  EXPECT_EQ(format("application/vnd.pgrst.object+json", "return=representation"),
            ResultFormat::kJsonObject);
  EXPECT_EQ(format("application/vnd.pgrst.object+json;nulls=stripped", "return=representation"),
            ResultFormat::kJsonObjectStripped);
  EXPECT_EQ(format("application/vnd.pgrst.array+json;nulls=stripped", "return=representation"),
            ResultFormat::kJsonArrayStripped);
  EXPECT_EQ(format("text/csv", "return=minimal"), ResultFormat::kCount);
  EXPECT_EQ(format("*/*", ""), ResultFormat::kCount);
  EXPECT_EQ(format("*/*", "return=headers-only"), ResultFormat::kCount);  // there is no key
  EXPECT_EQ(shop_transaction(with_body("POST", "/items", "{}", kHeadersOnly)).statements[0].format,
            ResultFormat::kRecords);
}

// -- UPDATE --------------------------------------------------------------------------------------

TEST(Update, SetsWhatTheBodyNames) {
  EXPECT_EQ(patch("/items?id=eq.1", R"({"name":"n","color":"#000000"})"),
            R"(UPDATE "api"."items" SET "color" = "api"."color_from_json"(pgrst_body."color"), )"
            R"("name" = pgrst_body."name" FROM pg_catalog.json_to_record($1) AS )"
            R"(pgrst_body("color" pg_catalog.json, "name" text) )"
            R"(WHERE "api"."items"."id" = $2 | <{"name":"n","color":"#000000"}> | 1)");
}

TEST(Update, FiltersAsReadsDo) {
  // Logic goes behind filters, other than in reads.
  EXPECT_EQ(
      behind_columns(
          patch("/items?id=gt.1&or=(name.eq.a,id.in.(1,2))&color=eq.%23000000", R"({"name":"n"})")),
      R"( WHERE "api"."items"."id" > $2 AND "api"."items"."color" = "api"."color_from_text"($3) )"
      R"(AND ("api"."items"."name" = $4 OR "api"."items"."id" = ANY($5)) )"
      R"(| <{"name":"n"}> | 1 | #000000 | a | {"1","2"})");
  EXPECT_EQ(behind_columns(patch("/items?not.and=(id.eq.1,name.is.null)", R"({"name":"n"})")),
            R"( WHERE NOT ("api"."items"."id" = $2 AND "api"."items"."name" IS NULL) )"
            R"(| <{"name":"n"}> | 1)");
}

TEST(Update, OfNoColumnsTouchesNothing) {
  for (const char* body : {"{}", "[]", "[{}]"}) {
    EXPECT_EQ(patch("/items?id=eq.1", body), R"(SELECT FROM "api"."items" WHERE FALSE)") << body;
  }
  EXPECT_EQ(patch("/items?id=eq.1&select=id,n:name", "{}", kFull),
            R"(SELECT "api"."items"."id", "api"."items"."name" AS "n" FROM "api"."items" )"
            R"(WHERE FALSE)");
  EXPECT_EQ(patch("/stock?select=count,places(title)", "{}", kFull),
            R"(WITH pgrst_source AS (SELECT * FROM "api"."stock" WHERE FALSE) )"
            R"(SELECT "stock"."count", "stock_places_1" AS "places" FROM pgrst_source AS "stock" )"
            R"(LEFT JOIN LATERAL (SELECT "places_1"."title" FROM "api"."places" AS "places_1" )"
            R"(WHERE "places_1"."code" = "stock"."place") AS "stock_places_1" ON TRUE)");
}

// Pages are of reads.
TEST(Update, HasNoRange) {
  const std::string whole = patch("/items?id=eq.1", R"({"name":"n"})", kFull);
  EXPECT_EQ(patch("/items?id=eq.1&limit=1&offset=1", R"({"name":"n"})", kFull), whole);
  EXPECT_EQ(shop_sql(with_body("PATCH", "/items?id=eq.1", R"({"name":"n"})", kFull),
                     {{"db_max_rows", "1"}}),
            whole);
  Headers headers = kFull;
  headers.push_back({"Range", "0-0"});
  EXPECT_EQ(patch("/items?id=eq.1", R"({"name":"n"})", headers), whole);
}

// -- PUT -----------------------------------------------------------------------------------------

TEST(Put, InsertsOrReplacesTheRowItNames) {
  EXPECT_EQ(put("/places?code=eq.a", R"({"code":"a","title":"t"})"),
            std::string(R"(INSERT INTO "api"."places" ("code", "title") )"
                        R"(SELECT pgrst_body."code", pgrst_body."title" FROM )"
                        R"(pg_catalog.json_to_record($1) AS )"
                        R"(pgrst_body("code" text, "title" text) )"
                        R"(WHERE "pgrst_body"."code" = $2 AND (SELECT pg_catalog.set_config()"
                        R"('response.inserted', '1', true)) IS NOT NULL )"
                        R"(ON CONFLICT ("code") DO UPDATE SET )"
                        R"("code" = EXCLUDED."code", "title" = EXCLUDED."title")") +
                kMerged + R"( | <{"code":"a","title":"t"}> | a)");
  EXPECT_EQ(put("/stock?place=eq.a&item_id=eq.1", R"([{"place":"a","item_id":1}])", kFull),
            std::string(R"(INSERT INTO "api"."stock" ("item_id", "place") )"
                        R"(SELECT pgrst_body."item_id", pgrst_body."place" FROM )"
                        R"(pg_catalog.json_to_recordset($1) AS )"
                        R"(pgrst_body("item_id" integer, "place" text) )"
                        R"(WHERE "pgrst_body"."place" = $2 AND "pgrst_body"."item_id" = $3 )"
                        R"(AND (SELECT pg_catalog.set_config('response.inserted', '1', true)) )"
                        R"(IS NOT NULL )"
                        R"(ON CONFLICT ("item_id", "place") DO UPDATE SET )"
                        R"("item_id" = EXCLUDED."item_id", "place" = EXCLUDED."place")") +
                kMerged + R"( RETURNING "api"."stock".* | <[{"place":"a","item_id":1}]> | a | 1)");
}

TEST(Put, NamesItsRowByTheWholeKey) {
  const std::string body = R"({"code":"a","item_id":1,"place":"a","line":"l"})";
  for (const char* target : {
           "/places",                           // no filter
           "/places?title=eq.a",                // not the key
           "/places?code=eq.a&title=eq.b",      // more than the key
           "/places?code=gt.a",                 // another operator
           "/places?code=not.eq.a",             //
           "/places?code=eq(any).{a}",          //
           "/places?code=in.(a)",               //
           "/places?code=eq.a&or=(code.eq.b)",  //
           "/places?and=(code.eq.a)",           //
           "/stock?place=eq.a",                 // a part of the key
           "/log?line=eq.l",                    // there is no key
           "/log",                              //
       }) {
    EXPECT_EQ(put(target, body), "405 PGRST105") << target;
  }
}

TEST(Put, TakesNoRange) {
  const std::string body = R"({"code":"a"})";
  EXPECT_EQ(put("/places?code=eq.a&limit=1", body), "400 PGRST114");
  EXPECT_EQ(put("/places?code=eq.a&offset=1", body), "400 PGRST114");
  EXPECT_EQ(put("/places?code=eq.a&limit=0", body), "400 PGRST114");
  // The header is of GET.
  EXPECT_EQ(put("/places?code=eq.a", body, {{"Range", "0-0"}}), put("/places?code=eq.a", body));
}

// PostgreSQL refuses it, since the body has no column of that name.
TEST(Put, OfNoColumns) {
  for (const char* body : {"{}", "[]"}) {
    EXPECT_EQ(put("/places?code=eq.a", body),
              R"(INSERT INTO "api"."places" SELECT FROM (SELECT) AS pgrst_body WHERE )"
              R"("pgrst_body"."code" = $1 AND (SELECT pg_catalog.set_config()"
              R"('response.inserted', '1', true)) IS NOT NULL )"
              R"(ON CONFLICT ("code") DO NOTHING | a)");
  }
}

// columns= is of POST and PATCH.
TEST(Put, ReadsAllOfItsBody) {
  EXPECT_EQ(put("/places?code=eq.a&columns=code", R"({"code":"a","title":"t"})"),
            put("/places?code=eq.a", R"({"code":"a","title":"t"})"));
}

// -- DELETE --------------------------------------------------------------------------------------

TEST(Delete, WithFilters) {
  EXPECT_EQ(del("/log"), R"(DELETE FROM "api"."log")");
  EXPECT_EQ(del("/items?id=eq.1&name=like.a*"),
            R"(DELETE FROM "api"."items" WHERE "api"."items"."id" = $1 AND )"
            R"("api"."items"."name" like $2 | 1 | a%)");
  EXPECT_EQ(del("/items?id=eq.1", kFull),
            R"(DELETE FROM "api"."items" WHERE "api"."items"."id" = $1 )"
            R"(RETURNING "api"."items".* | 1)");
}

// Whatever it is, a body of DELETE is nobody's business.
TEST(Delete, IgnoresItsBody) {
  EXPECT_EQ(shop_sql(with_body("DELETE", "/items?id=eq.1", "{nonsense")), del("/items?id=eq.1"));
}

// -- refusals ------------------------------------------------------------------------------------

TEST(Mutations, Refusals) {
  EXPECT_EQ(post("/nowhere", "{}"), "404 PGRST205");
  EXPECT_EQ(post("/items?select=nope(*)", "{}"), "400 PGRST200");
  EXPECT_EQ(post("/items?nope.id=eq.1", "{}"), "400 PGRST108");
  EXPECT_EQ(post("/items", "{}", {{"Accept", "image/png"}}), "406 PGRST107");
  EXPECT_EQ(post("/items", "{}", {{"Prefer", "handling=strict, nonsense"}}), "400 PGRST122");
}

// Of several faults the one that PostgREST finds first.
TEST(Mutations, FaultsAreReportedInPostgrestsOrder) {
  const Headers bad = {{"Prefer", "handling=strict, nonsense"}, {"Accept", "image/png"}};
  EXPECT_EQ(post("/nowhere?select=nope(*)", "{", bad), "400 PGRST102");
  EXPECT_EQ(post("/nowhere?select=nope(*)", "{}", bad), "404 PGRST205");
  EXPECT_EQ(post("/items?select=nope(*)", R"({"nope":1})", bad), "400 PGRST200");
  EXPECT_EQ(post("/items", R"({"nope":1})", bad), "400 PGRST204");
  EXPECT_EQ(post("/items", "{}", bad), "400 PGRST122");
  EXPECT_EQ(put("/items", R"({"nope":1})", bad), "405 PGRST105");
}

// -- the transaction -----------------------------------------------------------------------------

TEST(MutationTransaction, Writes) {
  const Transaction t = shop_transaction(with_body("POST", "/log", R"({"line":"n"})"));
  EXPECT_EQ(t.access, AccessMode::kReadWrite);
  EXPECT_EQ(t.isolation, Isolation::kReadCommitted);
  EXPECT_FALSE(t.rollback);
  EXPECT_EQ(t.payload, R"({"line":"n"})");
  ASSERT_EQ(t.statements.size(), 1u);
  EXPECT_EQ(t.statements[0].payload_at, 0u);
  EXPECT_EQ(t.min_rows, 0u);
  EXPECT_EQ(t.max_rows, UINT64_MAX);
  EXPECT_EQ(shop_transaction(request("DELETE", "/log")).statements[0].payload_at, std::nullopt);
}

// A count needs no statement of its own.
TEST(MutationTransaction, CountsWhatItWrites) {
  for (const char* count : {"exact", "planned", "estimated"}) {
    EXPECT_EQ(shop_transaction(with_body("POST", "/log", R"({"line":"n"})",
                                         {{"Prefer", std::string("count=") + count}}))
                  .statements.size(),
              1u);
  }
}

TEST(MutationTransaction, RollsBackAsAsked) {
  const auto rolls_back = [](const char* tx_end, const char* prefer) {
    return shop_transaction(request("DELETE", "/log", {{"Prefer", prefer}}),
                            {{"db_tx_end", tx_end}})
        .rollback;
  };
  EXPECT_FALSE(rolls_back("commit", "tx=rollback"));
  EXPECT_TRUE(rolls_back("commit-allow-override", "tx=rollback"));
  EXPECT_TRUE(rolls_back("rollback", "tx=commit"));
  EXPECT_FALSE(rolls_back("rollback-allow-override", "tx=commit"));
}

using Bounds = std::pair<uint64_t, uint64_t>;

Bounds bounds(const HttpRequest& r) {
  const Transaction t = shop_transaction(r);
  return {t.min_rows, t.max_rows};
}

TEST(MutationTransaction, HasToBeOneRow) {
  const Bounds one = {1, 1}, any = {0, UINT64_MAX};
  const Headers singular = {{"Accept", "application/vnd.pgrst.object+json"}};
  EXPECT_EQ(bounds(with_body("POST", "/log", "{}", singular)), one);
  EXPECT_EQ(bounds(with_body("PATCH", "/log", "{}", singular)), one);
  EXPECT_EQ(bounds(request("DELETE", "/log", singular)), one);
  EXPECT_EQ(bounds(request("DELETE", "/log",
                           {{"Accept", "application/vnd.pgrst.object+json;nulls=stripped"}})),
            one);
  EXPECT_EQ(bounds(with_body("PUT", "/places?code=eq.a", R"({"code":"a"})")), one);
  EXPECT_EQ(bounds(with_body("POST", "/log", "{}")), any);
}

TEST(MutationTransaction, MaxAffected) {
  const auto limited = [](const char* method, const char* prefer) {
    const bool put = std::string_view(method) == "PUT";
    return bounds(with_body(method, put ? "/places?code=eq.a" : "/places", R"({"code":"a"})",
                            {{"Prefer", prefer}}));
  };
  const Bounds any = {0, UINT64_MAX};
  EXPECT_EQ(limited("PATCH", "max-affected=5, handling=strict"), (Bounds{0, 5}));
  EXPECT_EQ(limited("DELETE", "max-affected=0, handling=strict"), (Bounds{0, 0}));
  // Never enough.
  EXPECT_EQ(limited("DELETE", "max-affected=-1, handling=strict"), (Bounds{1, 0}));
  EXPECT_EQ(limited("DELETE", "max-affected=5"), any);
  EXPECT_EQ(limited("DELETE", "max-affected=5, handling=lenient"), any);
  EXPECT_EQ(limited("POST", "max-affected=5, handling=strict"), any);
  EXPECT_EQ(limited("PUT", "max-affected=5, handling=strict"), (Bounds{1, 1}));
}

// -- text does not depend on values --------------------------------------------------------------

// The key of a view may come in any order.
TEST(Put, OnAViewOfATableWithACompositeKey) {
  CatalogRows rows = ShopCatalog::rows();
  rows.sets[kTables].push_back({"30", "api", "bins", "v", "28", std::nullopt});
  for (const char* name : {"z", "a"}) {
    rows.sets[kColumns].push_back(test::column_row("30", name, "text", "text"));
  }
  rows.sets[kViews] = {{"30", "api", "bins", "t", "1", "z"}, {"30", "api", "bins", "t", "2", "a"}};
  // z shows item_id, a shows place: as the key is declared they are a, z; by name of the table z,
  // a.
  rows.sets[kViewColumns] = {{"30", "1", "12", "1"}, {"30", "2", "12", "2"}};
  const auto text = [&](const char* query) {
    const auto begun =
        test::begin_request(with_body("PUT", std::string("/bins") + query, R"({"z":"x","a":"1"})"),
                            test::snapshot({}, rows));
    const auto* work = std::get_if<DatabaseWork>(&begun);
    if (work == nullptr) return test::code_of(std::get<HttpResponse>(begun));
    return work->transaction.statements.at(0).text;
  };
  EXPECT_NE(text("?z=eq.x&a=eq.1").find(R"(ON CONFLICT ("a", "z"))"), std::string::npos);
  EXPECT_NE(text("?a=eq.1&z=eq.x").find(R"(ON CONFLICT ("a", "z"))"), std::string::npos);
  EXPECT_EQ(text("?z=eq.x"), "405 PGRST105");
}

TEST(MutationInjection, BodiesAreParameters) {
  const std::string plain =
      shop_transaction(with_body("POST", "/log", R"({"line":"x"})")).statements.at(0).text;
  for (const char* value : {"'", "''", "\\\\", "$1", "; DROP TABLE log; --", "\\u0000", "\\n"}) {
    const std::string body = std::string(R"({"line":")") + value + "\"}";
    const Transaction t = shop_transaction(with_body("POST", "/log", body));
    EXPECT_EQ(t.statements.at(0).text, plain) << value;
    EXPECT_EQ(t.payload, body);
  }
}

// A name in a body has to be one of a column.
TEST(MutationInjection, NamesOfABodyAreColumns) {
  for (const char* name : {"line\\\"", "line;", "\\\"line\\\"", "LINE", " line", "line\\u0000"}) {
    EXPECT_EQ(post("/log", std::string("{\"") + name + R"(":1})"), "400 PGRST204") << name;
  }
}

TEST(MutationInjection, NamesOfConflictsAreQuoted) {
  EXPECT_EQ(behind_columns(post("/log?on_conflict=%22a%5C%22)%20DO%20NOTHING%3B--%22",
                                R"({"line":"a"})", {{"Prefer", "resolution=ignore-duplicates"}})),
            R"( ON CONFLICT ("a"") DO NOTHING;--") DO NOTHING | <{"line":"a"}>)");
}

}  // namespace
}  // namespace pgrst
