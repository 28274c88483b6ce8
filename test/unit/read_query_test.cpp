// A read from the request to SQL text and parameters: plan/ and query/ together.
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "fixtures.hpp"

namespace pgrst {
namespace {

using test::request;

// The main statement as "text | param | param"; "status code" of a refusal.
std::string show(const Statement& s) {
  std::string out = s.text;
  for (const auto& param : s.params) out += " | " + param.value_or("NULL");
  return out;
}

std::string code_of(const HttpResponse& r) {
  const std::string* status = find_header(r.headers, "Proxy-Status");
  return std::to_string(r.status) + (status == nullptr ? "" : " " + status->substr(17));
}

std::string sql(const HttpRequest& r, const SettingTexts& settings = {}) {
  const auto result = test::begin_request(r, test::snapshot(settings));
  if (const auto* response = std::get_if<HttpResponse>(&result)) return code_of(*response);
  return show(std::get<DatabaseWork>(result).transaction.statements.at(0));
}

std::string sql(std::string_view target) { return sql(request("GET", target)); }

// What stands behind SELECT ... FROM "api"."items".
std::string tail(std::string_view query) {
  const std::string whole = sql("/items?" + std::string(query));
  const std::string head = R"(SELECT "api"."items".* FROM "api"."items" )";
  EXPECT_EQ(whole.substr(0, head.size()), head) << query;
  return whole.size() < head.size() ? whole : whole.substr(head.size());
}

// What stands between SELECT and FROM, and behind.
std::string select(std::string_view items) {
  const std::string whole = sql("/items?select=" + std::string(items));
  const std::string from = R"( FROM "api"."items")";
  const size_t at = whole.find(from);
  if (whole.rfind("SELECT ", 0) != 0 || at == std::string::npos) return whole;
  return whole.substr(7, at - 7) + whole.substr(at + from.size());
}

// -- select --------------------------------------------------------------------------------------

TEST(ReadQuery, Everything) {
  EXPECT_EQ(sql("/items"), R"(SELECT "api"."items".* FROM "api"."items")");
  EXPECT_EQ(select("*"), R"("api"."items".*)");
  EXPECT_EQ(sql("/wei%22rd%20table"),
            R"(SELECT "api"."wei""rd table".* FROM "api"."wei""rd table")");
  EXPECT_EQ(sql(request("GET", "/items", {{"Accept-Profile", "other"}})),
            R"(SELECT "other"."items".* FROM "other"."items")");
}

TEST(ReadQuery, EmptySelect) { EXPECT_EQ(select(""), R"("api"."items".*)"); }

TEST(ReadQuery, Columns) {
  EXPECT_EQ(select("id,name"), R"("api"."items"."id", "api"."items"."name")");
  EXPECT_EQ(select("n:name"), R"("api"."items"."name" AS "n")");
  EXPECT_EQ(select("id::text"), R"(CAST("api"."items"."id" AS text))");
  EXPECT_EQ(select("n:id::double%20precision"),
            R"(CAST("api"."items"."id" AS double precision) AS "n")");
  EXPECT_EQ(select("unknown"), R"("api"."items"."unknown")");
  EXPECT_EQ(select("%22a%2Cb%22"), R"("api"."items"."a,b")");
}

TEST(ReadQuery, JsonPaths) {
  EXPECT_EQ(select("data-%3Ea"), R"("api"."items"."data"->$1 AS "a" | a)");
  EXPECT_EQ(select("data-%3E%3Ea"), R"("api"."items"."data"->>$1 AS "a" | a)");
  EXPECT_EQ(select("doc-%3Ea-%3E%3Eb"), R"("api"."items"."doc"->$1->>$2 AS "b" | a | b)");
  EXPECT_EQ(select("data-%3E0"), R"("api"."items"."data"->$1::pg_catalog.int4 AS "data" | +0)");
  EXPECT_EQ(select("data-%3Ea-%3E-1"),
            R"("api"."items"."data"->$1->$2::pg_catalog.int4 AS "a" | a | -1)");
  EXPECT_EQ(select("x:data-%3Ea"), R"("api"."items"."data"->$1 AS "x" | a)");
  // Of columns that are no JSON, and of those that the cache does not know.
  EXPECT_EQ(select("tags-%3E0"),
            R"(pg_catalog.to_jsonb("api"."items"."tags")->$1::pg_catalog.int4 AS "tags" | +0)");
  EXPECT_EQ(select("computed-%3Ea"),
            R"(pg_catalog.to_jsonb("api"."items"."computed")->$1 AS "a" | a)");
}

TEST(ReadQuery, Aggregates) {
  EXPECT_EQ(select("count()"), R"(count("api"."items".*))");
  EXPECT_EQ(select("id.sum()"), R"(sum("api"."items"."id"))");
  EXPECT_EQ(select("a:id.avg()::int,id.max(),id.min(),id.count()"),
            R"(CAST(avg("api"."items"."id") AS int) AS "a", max("api"."items"."id"), )"
            R"(min("api"."items"."id"), count("api"."items"."id"))");
  EXPECT_EQ(select("name,id.sum()"), R"("api"."items"."name", sum("api"."items"."id") GROUP BY 1)");
  EXPECT_EQ(select("n:name,count()"),
            R"("api"."items"."name" AS "n", count("api"."items".*) GROUP BY 1)");
  EXPECT_EQ(select("data-%3Ea::int.sum()"), R"(sum(CAST("api"."items"."data"->$1 AS int)) | a)");
}

TEST(ReadQuery, AStarBesideAnAggregateIsItsColumns) {
  EXPECT_EQ(sql("/wei%22rd%20table?select=*,count()"),
            R"(SELECT "api"."wei""rd table"."a""b", count("api"."wei""rd table".*) )"
            R"(FROM "api"."wei""rd table" GROUP BY 1)");
}

TEST(ReadQuery, AggregatesCanBeForbidden) {
  EXPECT_EQ(sql(request("GET", "/items?select=count()"), {{"db_aggregates_enabled", "off"}}),
            "400 PGRST123");
}

// -- filters -------------------------------------------------------------------------------------

TEST(ReadQuery, Operators) {
  const std::pair<const char*, const char*> kOperators[] = {
      {"eq.1", R"(WHERE "api"."items"."id" = $1 | 1)"},
      {"neq.1", R"(WHERE "api"."items"."id" <> $1 | 1)"},
      {"gt.1", R"(WHERE "api"."items"."id" > $1 | 1)"},
      {"gte.1", R"(WHERE "api"."items"."id" >= $1 | 1)"},
      {"lt.1", R"(WHERE "api"."items"."id" < $1 | 1)"},
      {"lte.1", R"(WHERE "api"."items"."id" <= $1 | 1)"},
      {"like.*a*", R"(WHERE "api"."items"."id" like $1 | %a%)"},
      {"ilike.*a*", R"(WHERE "api"."items"."id" ilike $1 | %a%)"},
      {"match.^a*", R"(WHERE "api"."items"."id" ~ $1 | ^a*)"},
      {"imatch.^a*", R"(WHERE "api"."items"."id" ~* $1 | ^a*)"},
      {"cs.{1}", R"(WHERE "api"."items"."id" @> $1 | {1})"},
      {"cd.{1}", R"(WHERE "api"."items"."id" <@ $1 | {1})"},
      {"ov.{1}", R"(WHERE "api"."items"."id" && $1 | {1})"},
      {"sl.(1,2)", R"(WHERE "api"."items"."id" << $1 | (1,2))"},
      {"sr.(1,2)", R"(WHERE "api"."items"."id" >> $1 | (1,2))"},
      {"nxr.(1,2)", R"(WHERE "api"."items"."id" &< $1 | (1,2))"},
      {"nxl.(1,2)", R"(WHERE "api"."items"."id" &> $1 | (1,2))"},
      {"adj.(1,2)", R"(WHERE "api"."items"."id" -|- $1 | (1,2))"},
      {"isdistinct.1", R"(WHERE "api"."items"."id" IS DISTINCT FROM $1 | 1)"},
      {"is.null", R"(WHERE "api"."items"."id" IS NULL)"},
      {"is.not_null", R"(WHERE "api"."items"."id" IS NOT NULL)"},
      {"is.true", R"(WHERE "api"."items"."id" IS TRUE)"},
      {"is.false", R"(WHERE "api"."items"."id" IS FALSE)"},
      {"is.unknown", R"(WHERE "api"."items"."id" IS UNKNOWN)"},
      {"not.eq.1", R"(WHERE NOT "api"."items"."id" = $1 | 1)"},
      {"not.is.null", R"(WHERE NOT "api"."items"."id" IS NULL)"},
      {"in.(1,2)", R"(WHERE "api"."items"."id" = ANY($1) | {"1","2"})"},
      {"in.()", R"(WHERE "api"."items"."id" = ANY('{}'))"},
      {"not.in.(1)", R"(WHERE NOT "api"."items"."id" = ANY($1) | {"1"})"},
      {"eq(any).{1,2}", R"(WHERE "api"."items"."id" = ANY($1) | {1,2})"},
      {"gt(all).{1,2}", R"(WHERE "api"."items"."id" > ALL($1) | {1,2})"},
      {"like(any).{a*,*b}", R"(WHERE "api"."items"."id" like ANY($1) | {a%,%b})"},
      {"eq.", R"(WHERE "api"."items"."id" = $1 | )"},
  };
  for (const auto& [filter, expected] : kOperators) {
    EXPECT_EQ(tail(std::string("id=") + filter), expected) << filter;
  }
}

TEST(ReadQuery, ListsQuoteTheirElements) {
  EXPECT_EQ(tail("name=in.(%22a,b%22,%22c%5C%22d%22,e%5Cf)"),
            R"(WHERE "api"."items"."name" = ANY($1) | {"a,b","c\"d","e\\f"})");
}

TEST(ReadQuery, FullTextSearch) {
  EXPECT_EQ(tail("vec=fts.cat"), R"(WHERE "api"."items"."vec" @@ pg_catalog.to_tsquery($1) | cat)");
  EXPECT_EQ(tail("vec=plfts(english).cat"),
            R"(WHERE "api"."items"."vec" @@ pg_catalog.plainto_tsquery($1::pg_catalog.regconfig, )"
            R"($2) | english | cat)");
  EXPECT_EQ(tail("vec=phfts.c"),
            R"(WHERE "api"."items"."vec" @@ pg_catalog.phraseto_tsquery($1) | c)");
  EXPECT_EQ(tail("vec=wfts.c"),
            R"(WHERE "api"."items"."vec" @@ pg_catalog.websearch_to_tsquery($1) | c)");
  EXPECT_EQ(tail("name=fts(german).c"),
            R"(WHERE to_tsvector($1::pg_catalog.regconfig, "api"."items"."name") @@ )"
            R"(pg_catalog.to_tsquery($2::pg_catalog.regconfig, $3) | german | german | c)");
  EXPECT_EQ(tail("computed=fts.c"),
            R"(WHERE "api"."items"."computed" @@ pg_catalog.to_tsquery($1) | c)");
}

TEST(ReadQuery, FiltersOnJson) {
  EXPECT_EQ(tail("data-%3E%3Ea=eq.1"), R"(WHERE "api"."items"."data"->>$1 = $2 | a | 1)");
  EXPECT_EQ(
      tail("tags-%3E1=eq.1"),
      R"(WHERE pg_catalog.to_jsonb("api"."items"."tags")->$1::pg_catalog.int4 = $2 | +1 | 1)");
}

TEST(ReadQuery, SeveralFilters) {
  EXPECT_EQ(tail("id=gt.1&id=lt.5&name=eq.x"),
            R"(WHERE "api"."items"."id" > $1 AND "api"."items"."id" < $2 AND )"
            R"("api"."items"."name" = $3 | 1 | 5 | x)");
}

TEST(ReadQuery, LogicTrees) {
  EXPECT_EQ(tail("or=(id.eq.1,name.is.null)"),
            R"(WHERE ("api"."items"."id" = $1 OR "api"."items"."name" IS NULL) | 1)");
  EXPECT_EQ(tail("not.and=(id.eq.1,not.or(id.gt.2,name.not.eq.x))"),
            R"(WHERE NOT ("api"."items"."id" = $1 AND NOT ("api"."items"."id" > $2 OR )"
            R"(NOT "api"."items"."name" = $3)) | 1 | 2 | x)");
  // Logic goes before filters.
  EXPECT_EQ(tail("id=eq.1&and=(id.eq.2)"),
            R"(WHERE ("api"."items"."id" = $1) AND "api"."items"."id" = $2 | 2 | 1)");
}

// -- order and ranges ----------------------------------------------------------------------------

TEST(ReadQuery, Order) {
  EXPECT_EQ(tail("order=id"), R"(ORDER BY "api"."items"."id")");
  EXPECT_EQ(tail("order=id.asc,name.desc.nullsfirst,vec.nullslast"),
            R"(ORDER BY "api"."items"."id" ASC, "api"."items"."name" DESC NULLS FIRST, )"
            R"("api"."items"."vec" NULLS LAST)");
  EXPECT_EQ(tail("order=data-%3E%3Ea.desc"), R"(ORDER BY "api"."items"."data"->>$1 DESC | a)");
  EXPECT_EQ(tail("order=id&order=name"), R"(ORDER BY "api"."items"."id")");  // the first counts
}

TEST(ReadQuery, Ranges) {
  EXPECT_EQ(tail("limit=5"), "LIMIT $1 | 5");
  EXPECT_EQ(tail("offset=3"), "OFFSET $1 | 3");
  EXPECT_EQ(tail("limit=5&offset=3"), "LIMIT $1 OFFSET $2 | 5 | 3");
  EXPECT_EQ(tail("limit=0"), "LIMIT $1 | 0");
  EXPECT_EQ(sql(request("GET", "/items", {{"Range", "10-19"}})),
            R"(SELECT "api"."items".* FROM "api"."items" LIMIT $1 OFFSET $2 | 10 | 10)");
  EXPECT_EQ(sql(request("GET", "/items?limit=50"), {{"db_max_rows", "20"}}),
            R"(SELECT "api"."items".* FROM "api"."items" LIMIT $1 | 20)");
  EXPECT_EQ(sql(request("GET", "/items"), {{"db_max_rows", "20"}}),
            R"(SELECT "api"."items".* FROM "api"."items" LIMIT $1 | 20)");
}

TEST(ReadQuery, ParametersAreNumberedInTheOrderOfTheText) {
  EXPECT_EQ(
      sql("/items?select=data-%3Ea&id=eq.1&order=data-%3Eb&limit=2&offset=3"),
      R"(SELECT "api"."items"."data"->$1 AS "a" FROM "api"."items" WHERE "api"."items"."id" = $2 )"
      R"(ORDER BY "api"."items"."data"->$3 LIMIT $4 OFFSET $5 | a | 1 | b | 2 | 3)");
}

// -- errors --------------------------------------------------------------------------------------

TEST(ReadQuery, Refusals) {
  EXPECT_EQ(sql("/nowhere"), "404 PGRST205");
  EXPECT_EQ(sql("/items?nope.id=eq.1"), "400 PGRST108");
  EXPECT_EQ(sql("/items?nope.order=id"), "400 PGRST108");
  EXPECT_EQ(sql("/items?nope.limit=1"), "400 PGRST108");
  EXPECT_EQ(sql("/items?order=nope(id)"), "400 PGRST108");
  EXPECT_EQ(sql("/items?select=id,nope(*)"), "400 PGRST200");
  EXPECT_EQ(sql(request("GET", "/items", {{"Accept", "text/nonsense"}})), "406 PGRST107");
  EXPECT_EQ(sql(request("GET", "/items", {{"Prefer", "handling=strict, x"}})), "400 PGRST122");
  EXPECT_EQ(sql(request("GET", "/items",
                        {{"Accept", "text/nonsense"}, {"Prefer", "handling=strict, x"}})),
            "406 PGRST107");
}

TEST(ReadQuery, LenientPreferencesPass) {
  EXPECT_EQ(sql(request("GET", "/items", {{"Prefer", "handling=lenient, x"}})), sql("/items"));
}

// -- the transaction around it -------------------------------------------------------------------

Transaction transaction(const HttpRequest& r, const SettingTexts& settings = {}) {
  auto result = test::begin_request(r, test::snapshot(settings));
  EXPECT_TRUE(std::holds_alternative<DatabaseWork>(result));
  if (result.index() == 0) return {};
  return std::move(std::get<DatabaseWork>(result).transaction);
}

TEST(ReadTransaction, IsReadOnlyAndCommits) {
  const Transaction t = transaction(request("GET", "/items"));
  EXPECT_EQ(t.access, AccessMode::kReadOnly);
  EXPECT_EQ(t.isolation, Isolation::kReadCommitted);
  EXPECT_FALSE(t.rollback);
  EXPECT_EQ(t.role, "anon");
  EXPECT_EQ(t.pre_request, "");
  ASSERT_EQ(t.statements.size(), 1u);
  EXPECT_EQ(t.statements[0].format, ResultFormat::kJsonArray);
}

TEST(ReadTransaction, HeadOnlyCounts) {
  EXPECT_EQ(transaction(request("HEAD", "/items")).statements.at(0).format, ResultFormat::kCount);
}

TEST(ReadTransaction, FormatByMediaType) {
  const auto format = [](const char* method, const char* accept) {
    return transaction(request(method, "/items", {{"Accept", accept}})).statements.at(0).format;
  };
  EXPECT_EQ(format("GET", "application/json"), ResultFormat::kJsonArray);
  EXPECT_EQ(format("GET", "text/nonsense, */*"), ResultFormat::kJsonArray);
  EXPECT_EQ(format("GET", "text/csv"), ResultFormat::kCsv);
  EXPECT_EQ(format("GET", "application/geo+json"), ResultFormat::kGeoJson);
  EXPECT_EQ(format("GET", "application/vnd.pgrst.array+json;nulls=stripped"),
            ResultFormat::kJsonArrayStripped);
  EXPECT_EQ(format("GET", "application/vnd.pgrst.object+json;nulls=stripped"),
            ResultFormat::kJsonObjectStripped);
  EXPECT_EQ(format("GET", "application/vnd.pgrst.object+json"), ResultFormat::kJsonObject);
  EXPECT_EQ(format("GET", "application/vnd.pgrst.object, */*;q=0.1"), ResultFormat::kJsonObject);
  EXPECT_EQ(format("HEAD", "application/vnd.pgrst.object+json"), ResultFormat::kCount);
}

TEST(ReadTransaction, RollbackBySettingAndPreference) {
  const auto rolls_back = [](const char* tx_end, const char* prefer) {
    return transaction(request("GET", "/items", {{"Prefer", prefer}}), {{"db_tx_end", tx_end}})
        .rollback;
  };
  EXPECT_FALSE(rolls_back("commit", "tx=rollback"));
  EXPECT_TRUE(rolls_back("commit-allow-override", "tx=rollback"));
  EXPECT_FALSE(rolls_back("commit-allow-override", "tx=commit"));
  EXPECT_TRUE(rolls_back("rollback", "tx=commit"));
  EXPECT_FALSE(rolls_back("rollback-allow-override", "tx=commit"));
  EXPECT_TRUE(rolls_back("rollback-allow-override", ""));
}

TEST(ReadTransaction, ExactCount) {
  const Headers exact = {{"Prefer", "count=exact"}};
  // Everything is read: the page tells the total.
  EXPECT_EQ(transaction(request("GET", "/items?id=eq.1", exact)).statements.size(), 1u);
  const Transaction t = transaction(request("GET", "/items?id=eq.1&limit=2&order=id", exact));
  ASSERT_EQ(t.statements.size(), 2u);
  EXPECT_EQ(show(t.statements[1]),
            R"(SELECT pg_catalog.count(*) FROM "api"."items" WHERE "api"."items"."id" = $1 | 1)");
  EXPECT_EQ(t.statements[1].format, ResultFormat::kRecords);
  EXPECT_EQ(transaction(request("GET", "/items", exact), {{"db_max_rows", "5"}}).statements.size(),
            2u);
}

TEST(ReadTransaction, Settings) {
  const Transaction t = transaction(
      request("GET", "/items?id=eq.1",
              {{"X-A", "1"}, {"x-a", "2"}, {"Cookie", "k=v; k=w"}, {"Prefer", "timezone=UTC"}}),
      {{"db_extra_search_path", "ext, we\"ird"}, {"app.settings.z", "9"}});
  EXPECT_EQ(t.role_settings, (SettingList{{"search_path", R"("api", "ext", "we""ird")"}}));
  const SettingList expected = {
      {"request.jwt.claims", R"({"role":"anon"})"},
      {"request.method", "GET"},
      {"request.path", "/items"},
      {"request.headers", R"({"x-a":"2","prefer":"timezone=UTC"})"},
      {"request.cookies", R"({"k":"w"})"},
      {"timezone", "UTC"},
      {"app.settings.z", "9"},
  };
  EXPECT_EQ(t.settings, expected);
}

TEST(ReadTransaction, HostileHeadersStayJson) {
  const Transaction t = transaction(request("GET", "/items", {{"X", "\"}\\\n\xFF"}}));
  EXPECT_EQ(t.settings.at(3).second, "{\"x\":\"\\\"}\\\\\\n\xEF\xBF\xBD\"}");
}

TEST(ReadTransaction, PreRequest) {
  EXPECT_EQ(transaction(request("GET", "/items"), {{"db_pre_request", "auth.check"}}).pre_request,
            R"(SELECT "auth"."check"())");
  EXPECT_EQ(transaction(request("GET", "/items"), {{"db_pre_request", "check\"me"}}).pre_request,
            R"(SELECT "check""me"())");
}

TEST(ReadTransaction, RoleSettings) {
  const Transaction t = transaction(request("GET", "/items"), {{"db_anon_role", "web"}});
  EXPECT_EQ(t.role, "web");
  EXPECT_EQ(t.isolation, Isolation::kRepeatableRead);
  // A search_path of the role would come last, and count; what the plan decides is not the role's
  // to set.
  EXPECT_EQ(t.role_settings,
            (SettingList{{"search_path", R"("api", "public")"}, {"statement_timeout", "5s"}}));
  EXPECT_EQ(t.access, AccessMode::kReadOnly);
}

// -- text does not depend on values --------------------------------------------------------------

TEST(Injection, TextDoesNotDependOnValues) {
  const std::string hostile[] = {
      "'",
      "''",
      "\"",
      "\\",
      "\\'",
      ";",
      "--",
      "/*",
      "$1",
      "$$",
      "%",
      "*",
      "{}",
      "NULL",
      "1; DROP TABLE items",
      "' OR '1'='1",
      "\xC3\xA9",
      "\xFF",
      std::string("a\0b", 3),
      "\n",
      "",
      std::string(10000, '\''),
  };
  for (const char* shape :
       {"name=eq.", "name=neq.", "name=like.", "name=ilike(any).", "name=match.", "name=cs.",
        "name=isdistinct.", "name=fts.", "name=plfts(english).", "name=not.eq.", "data->>k=eq."}) {
    const auto statement = [&](const std::string& value) {
      std::string target = "/items?" + std::string(shape);
      append_percent_encoded(target, value);
      return transaction(request("GET", target)).statements.at(0);
    };
    const Statement plain = statement("quintessence");
    EXPECT_EQ(plain.text.find("quintessence"), std::string::npos);
    for (const auto& value : hostile) {
      const Statement s = statement(value);
      EXPECT_EQ(s.text, plain.text) << shape << value.substr(0, 30);
      EXPECT_EQ(s.params.size(), plain.params.size());
    }
  }
}

TEST(Injection, ValuesArriveUnchanged) {
  const std::string value = "'\"\\;-- $1 /* \n \xC3\xA9 %";
  std::string target = "/items?name=eq.";
  append_percent_encoded(target, value);
  EXPECT_EQ(transaction(request("GET", target)).statements.at(0).params.at(0), value);
}

TEST(Injection, NamesAreQuotedIdentifiers) {
  std::string target = "/items?";
  append_percent_encoded(target, "\"a\\\"; DROP TABLE items; --\"");
  EXPECT_EQ(sql(target + "=eq.1"), R"(SELECT "api"."items".* FROM "api"."items" WHERE )"
                                   R"("api"."items"."a""; DROP TABLE items; --" = $1 | 1)");
  EXPECT_EQ(select("%22x%5C%22y%22"), R"("api"."items"."x""y")");
  EXPECT_EQ(select("%22a%5C%22b%22:id"), R"("api"."items"."id" AS "a""b")");
}

// What is no type name ends the list of columns, or is refused.
TEST(Injection, CastsAreTypeNames) {
  EXPECT_EQ(select("id::int)%3Bdrop"), R"(CAST("api"."items"."id" AS int))");
  for (const char* cast :
       {"int%27", "a--b", "%22x%22", "%22x%27%3B%22", "a.b", "%28", "", "%00", "int[]"}) {
    EXPECT_EQ(select(std::string("id::") + cast), "400 PGRST100") << cast;
  }
}

TEST(Injection, JsonKeysAreParameters) {
  const std::string got = select("data-%3E%3E%22k'%22");
  EXPECT_EQ(got.substr(0, got.find(" AS ")), R"("api"."items"."data"->>$1)");
}

}  // namespace
}  // namespace pgrst
