// Which handler makes the body, and the SQL that calls it.
#include "write_fixtures.hpp"

namespace pgrst {
namespace {

using test::request;
using test::shop_sql;
using test::shop_transaction;
using test::shop_work;
using test::with_body;

HttpRequest get(std::string_view target, std::string accept) {
  return request("GET", target, {{"Accept", std::move(accept)}});
}

HttpRequest deletion(std::string_view target, std::string accept, std::string prefer) {
  return request("DELETE", target, {{"Accept", std::move(accept)}, {"Prefer", std::move(prefer)}});
}

// The Content-Type of the answer.
std::string content_type(const HttpRequest& r) {
  const DatabaseWork work = shop_work(r);
  TransactionResult result;
  result.result_sets.resize(1);
  result.result_sets[0].rows = result.result_sets[0].total = 1;
  return test::header_of(finish(work.pending, result), "Content-Type");
}

ResultFormat format(const HttpRequest& r) { return shop_transaction(r).statements.at(0).format; }

// -- relations -----------------------------------------------------------------------------------

TEST(MediaHandler, OfARelation) {
  const HttpRequest r = get("/items?id=gt.1", "application/x-items+xml");
  EXPECT_EQ(shop_sql(r),
            R"(SELECT pg_catalog.count(*), "api"."items_to_xml"(pgrst_rows::"api"."items") FROM )"
            R"((SELECT "api"."items".* FROM "api"."items" WHERE "api"."items"."id" > $1) )"
            R"(AS pgrst_rows | 1)");
  EXPECT_EQ(format(r), ResultFormat::kRaw);
  EXPECT_EQ(content_type(r), "application/x-items+xml");
}

TEST(MediaHandler, OfAnyRelation) {
  const HttpRequest r = get("/log", "application/yaml");
  EXPECT_EQ(shop_sql(r), R"(SELECT pg_catalog.count(*), "api"."any_to_yaml"(pgrst_rows) FROM )"
                         R"((SELECT "api"."log".* FROM "api"."log") AS pgrst_rows)");
  EXPECT_EQ(content_type(r), "application/yaml");
}

// A relation's own comes before what the server itself makes.
TEST(MediaHandler, OverridesTheServers) {
  EXPECT_EQ(format(get("/items", "text/csv")), ResultFormat::kRaw);
  EXPECT_EQ(content_type(get("/items", "text/csv")), "text/csv; charset=utf-8");
  EXPECT_EQ(format(get("/log", "text/csv")), ResultFormat::kCsv);
  EXPECT_EQ(format(get("/items", "application/json")), ResultFormat::kJsonArray);
}

// Types with parameters of PostgREST's own cannot be overridden.
TEST(MediaHandler, NotOfVendoredTypes) {
  EXPECT_EQ(format(get("/total", "application/vnd.pgrst.object+json")), ResultFormat::kJsonObject);
  EXPECT_EQ(format(get("/total", "application/vnd.pgrst.array+json;nulls=stripped")),
            ResultFormat::kJsonArrayStripped);
}

TEST(MediaHandler, OfEverything) {
  for (const char* accept : {"*/*", "application/json", "text/csv", "image/gif"}) {
    const HttpRequest r = get("/total", accept);
    EXPECT_EQ(shop_sql(r),
              R"(SELECT pg_catalog.count(*), "api"."total_to_all"(pgrst_rows::"api"."total") )"
              R"(FROM (SELECT "api"."total".* FROM "api"."total") AS pgrst_rows)");
    EXPECT_EQ(content_type(r), "application/octet-stream") << accept;
  }
}

// The handler of a relation takes its whole rows; that of any relation takes what is selected.
TEST(MediaHandler, OfARelationNeedsItsWholeRows) {
  EXPECT_EQ(shop_sql(get("/items?select=id", "application/x-items+xml")), "406 PGRST107");
  EXPECT_EQ(shop_sql(get("/items?select=*,stock(*)", "application/x-items+xml")), "406 PGRST107");
  EXPECT_EQ(format(get("/items?select=id", "text/csv")), ResultFormat::kCsv);
  EXPECT_EQ(format(get("/total?select=sum", "application/json")), ResultFormat::kJsonArray);
  EXPECT_EQ(shop_sql(get("/items?select=id", "application/yaml")),
            R"(SELECT pg_catalog.count(*), "api"."any_to_yaml"(pgrst_rows) FROM )"
            R"((SELECT "api"."items"."id" FROM "api"."items") AS pgrst_rows)");
  EXPECT_EQ(shop_sql(get("/items?select=*", "application/x-items+xml")),
            shop_sql(get("/items", "application/x-items+xml")));
}

// What an aggregate takes cannot be rows without a type: embeds are JSON.
TEST(MediaHandler, EmbedsAreJson) {
  EXPECT_EQ(shop_sql(get("/stock?select=count,places(title)", "application/yaml")),
            R"(SELECT pg_catalog.count(*), "api"."any_to_yaml"(pgrst_rows) FROM )"
            R"((SELECT "api"."stock"."count", pg_catalog.to_jsonb("stock_places_1") AS "places" )"
            R"(FROM "api"."stock" LEFT JOIN LATERAL (SELECT "places_1"."title" FROM )"
            R"("api"."places" AS "places_1" WHERE "places_1"."code" = "api"."stock"."place") )"
            R"(AS "stock_places_1" ON TRUE) AS pgrst_rows)");
}

TEST(MediaHandler, TheFirstThatIsAccepted) {
  EXPECT_EQ(content_type(get("/items", "image/gif, application/yaml, text/csv")),
            "application/yaml");
  EXPECT_EQ(content_type(get("/items", "application/yaml;q=0.5, text/csv")),
            "text/csv; charset=utf-8");
  EXPECT_EQ(content_type(get("/items", "application/x-items+xml;q=0.1, */*;q=0.9")),
            "application/json; charset=utf-8");
  EXPECT_EQ(shop_sql(get("/items", "image/png")), "406 PGRST107");
}

TEST(MediaHandler, NothingForHead) {
  const HttpRequest r = request("HEAD", "/items", {{"Accept", "application/x-items+xml"}});
  EXPECT_EQ(format(r), ResultFormat::kCount);
  EXPECT_EQ(content_type(r), "application/x-items+xml");
}

// A count besides tells the total as for other reads.
TEST(MediaHandler, WithACount) {
  const Transaction t = shop_transaction(request(
      "GET", "/items?limit=2", {{"Accept", "application/x-items+xml"}, {"Prefer", "count=exact"}}));
  ASSERT_EQ(t.statements.size(), 2u);
  EXPECT_EQ(test::show(t, t.statements[1]), R"(SELECT pg_catalog.count(*) FROM "api"."items")");
}

// -- writes --------------------------------------------------------------------------------------

TEST(MediaHandler, OfWrittenRows) {
  EXPECT_EQ(shop_sql(deletion("/items", "application/x-items+xml", "return=representation")),
            R"(WITH pgrst_source AS (DELETE FROM "api"."items" RETURNING "api"."items".*) )"
            R"(SELECT pg_catalog.count(*), "api"."items_to_xml"(pgrst_rows::"api"."items") FROM )"
            R"((SELECT "items".* FROM pgrst_source AS "items") AS pgrst_rows)");
  EXPECT_EQ(shop_sql(deletion("/items", "application/x-items+xml", "return=minimal")),
            R"(DELETE FROM "api"."items")");
  EXPECT_EQ(content_type(deletion("/items", "application/x-items+xml", "return=minimal")),
            "(none)");
  EXPECT_EQ(shop_sql(deletion("/items", "image/png", "return=minimal")), "406 PGRST107");
}

// -- functions -----------------------------------------------------------------------------------

TEST(MediaHandler, OfAFunctionsValue) {
  const HttpRequest r = get("/rpc/picture?name=a", "image/png");
  EXPECT_EQ(shop_sql(r),
            R"(SELECT 1::pg_catalog.int8, "types"."image/png"(pgrst_rows.pgrst_scalar) FROM )"
            R"((SELECT "picture".* FROM (SELECT "api"."picture"("name" := $1::text) )"
            R"(AS pgrst_scalar) AS "picture") AS pgrst_rows | a)");
  EXPECT_EQ(format(r), ResultFormat::kRaw);
  EXPECT_EQ(content_type(r), "image/png");
  EXPECT_EQ(format(get("/rpc/picture", "*/*")), ResultFormat::kJsonValue);
  EXPECT_EQ(shop_sql(get("/rpc/now_there", "image/png")), "406 PGRST107");
}

TEST(MediaHandler, OfAFunctionsValueWhateverIsAccepted) {
  for (const char* accept : {"*/*", "application/json", "image/gif"}) {
    EXPECT_EQ(content_type(get("/rpc/anything", accept)), "application/octet-stream") << accept;
  }
}

TEST(MediaHandler, OfAFunctionsRows) {
  EXPECT_EQ(shop_sql(get("/rpc/all_items", "application/x-items+xml")),
            R"(SELECT pg_catalog.count(*), "api"."items_to_xml"(pgrst_rows::"api"."items") FROM )"
            R"((SELECT "items".* FROM "api"."all_items"() AS "items") AS pgrst_rows)");
  EXPECT_EQ(shop_sql(get("/rpc/table_of", "application/yaml")),
            R"(SELECT pg_catalog.count(*), "api"."any_to_yaml"(pgrst_rows) FROM )"
            R"((SELECT "record".* FROM "api"."table_of"() AS "record") AS pgrst_rows)");
}

// The page of a handled result is cut by the statement: the handler sees no rows beyond it.
TEST(MediaHandler, OfAPageOfAFunctionsRows) {
  const Transaction t =
      shop_transaction(request("GET", "/rpc/all_items?limit=2",
                               {{"Accept", "application/x-items+xml"}, {"Prefer", "count=exact"}}));
  EXPECT_EQ(test::show(t, t.statements.at(0)),
            R"(SELECT pg_catalog.count(*), "api"."items_to_xml"(pgrst_rows::"api"."items") FROM )"
            R"((SELECT "items".* FROM "api"."all_items"() AS "items" LIMIT $1) )"
            R"(AS pgrst_rows | 2)");
  EXPECT_EQ(t.statements[0].window.limit, UINT64_MAX);
}

}  // namespace
}  // namespace pgrst
