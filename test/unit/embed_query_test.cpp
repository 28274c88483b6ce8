// Embedded resources from the request to SQL text and parameters: plan/ and query/ together.
//
// Expected SQL is written with line breaks, and without the quotes of names that need none; what
// names are quoted is read_query_test.cpp's matter. Parameters follow behind bars.
#include <gtest/gtest.h>

#include "core/text.hpp"
#include "fixtures.hpp"

namespace pgrst {
namespace {

using test::CatalogRows;
using test::harbour_catalog;
using test::request;

bool is_plain(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == std::string_view::npos;
}

// Without the quotes of plain names.
std::string bare(std::string_view sql) {
  std::string out;
  while (!sql.empty()) {
    const size_t open = sql.find('"');
    out += sql.substr(0, open);
    if (open == std::string_view::npos) break;
    const size_t close = sql.find('"', open + 1);
    const auto name = sql.substr(open + 1, close - open - 1);
    out += is_plain(name) ? std::string(name) : "\"" + std::string(name) + "\"";
    sql.remove_prefix(close + 1);
  }
  return out;
}

// Every run of blanks is one; none at the ends, nor inside parentheses.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (blank && (out.empty() || out.back() == ' ' || out.back() == '(')) continue;
    if (c == ')' && !out.empty() && out.back() == ' ') out.pop_back();
    out += blank ? ' ' : c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string show(const Statement& s) {
  std::string out = bare(s.text);
  for (const auto& param : s.params) out += " | " + param.value_or("NULL");
  return out;
}

HttpRequest get(std::string_view target, Headers headers = {}) {
  return request("GET", target, std::move(headers));
}

struct Given {
  SettingTexts settings;
  CatalogRows rows = harbour_catalog();
};

std::variant<HttpResponse, DatabaseWork> begin(const HttpRequest& r, const Given& given = {}) {
  return test::begin_request(r, test::snapshot(given.settings, given.rows));
}

// All statements of a request; the body of its refusal.
std::vector<std::string> statements(const HttpRequest& r, const Given& given = {}) {
  const auto result = begin(r, given);
  if (const auto* response = std::get_if<HttpResponse>(&result)) return {response->body};
  std::vector<std::string> out;
  for (const auto& s : std::get<DatabaseWork>(result).transaction.statements) {
    out.push_back(show(s));
  }
  return out;
}

std::string sql(const HttpRequest& r, const Given& given = {}) { return statements(r, given)[0]; }
std::string sql(std::string_view target, const Given& given = {}) {
  return sql(get(target), given);
}

std::string code_of(const HttpResponse& r) {
  const std::string* status = find_header(r.headers, "Proxy-Status");
  return status == nullptr ? "" : status->substr(17);
}

HttpResponse refused(std::string_view target, const Given& given = {}) {
  auto result = begin(get(target), given);
  EXPECT_TRUE(std::holds_alternative<HttpResponse>(result)) << target;
  return result.index() == 0 ? std::get<0>(std::move(result)) : HttpResponse{};
}

#define EXPECT_SQL(target, expected) EXPECT_EQ(sql(target), one_line(expected))

// -- names ---------------------------------------------------------------------------------------

std::string refusal(std::string_view target) {
  const HttpResponse r = refused(target);
  return std::to_string(r.status) + " " + r.body;
}

std::string twice(const std::string& name) {
  return R"(400 {"code":"42712","details":null,"hint":null,"message":"table name \")" + name +
         R"(\" specified more than once"})";
}

// PostgREST joins them under one name, and PostgreSQL refuses that.
TEST(EmbedNames, AreThereOnce) {
  EXPECT_EQ(refusal("/voyages?select=ports!from_id(name),ports!to_id(name)"),
            twice("voyages_ports_1"));
  EXPECT_EQ(refusal("/ports?select=ships(id),ships(name)"), twice("ports_ships_1"));
  EXPECT_EQ(refusal("/ports?select=ships(id),ships()"), twice("ports_ships_1"));
  EXPECT_EQ(refusal("/ships?select=x:ports(id),x:papers(ship_id)"), twice("ships_x_1"));
  EXPECT_EQ(refusal("/sailors?select=home(id),home:ships(id)"), twice("sailors_home_1"));
}

TEST(EmbedNames, OfSpreadsToo) {
  EXPECT_EQ(refusal("/ships?select=...ports(name),...ports(country)"), twice("ships_ports_1"));
  EXPECT_EQ(refusal("/ships?select=...ports(name),ports(country)"), twice("ships_ports_1"));
  EXPECT_EQ(refusal("/ships?select=...ports(name),ports:papers(ship_id)"), twice("ships_ports_1"));
}

TEST(EmbedNames, WithinEmbeds) {
  EXPECT_EQ(refusal("/ports?select=ships(papers(ship_id),papers(ship_id))"),
            twice("ships_papers_2"));
  // The inner ones are found first.
  EXPECT_EQ(refusal("/ports?select=ships(id),ships(papers(ship_id),papers(ship_id))"),
            twice("ships_papers_2"));
}

TEST(EmbedNames, LongOnesAreCutInTheMessage) {
  const std::string ascii(80, 'a');
  EXPECT_EQ(refusal("/ports?select=" + ascii + ":ships(id)," + ascii + ":ships(id)"),
            twice("ports_" + ascii.substr(0, 57)));
  // Between characters.
  std::string umlauts(18, 'a');
  for (int i = 0; i < 20; i++) umlauts += "\xC3\xBC";
  EXPECT_EQ(refusal("/ports?select=" + umlauts + ":ships(id)," + umlauts + ":ships(id)"),
            twice("ports_" + umlauts.substr(0, 56)));
}

// Other names for the same relation, names of columns, and names on other levels are fine.
TEST(EmbedNames, MayBeThoseOfColumns) {
  for (const char* target :
       {"/voyages?select=a:ports!from_id(name),b:ports!to_id(name)",
        "/ships?select=id,id:ports(name)", "/ships?select=ports:name,ports(name)",
        "/ports?select=ships(ports(name)),ports:name",
        "/ports?select=ships(ships:flagship_id(id))"}) {
    EXPECT_TRUE(std::holds_alternative<DatabaseWork>(begin(get(target)))) << target;
  }
}

// The error is the last one to be told.
TEST(EmbedNames, AfterOtherErrors) {
  EXPECT_EQ(code_of(refused("/ports?select=ships(id),ships(id),nope(id)")), "PGRST200");
  const auto result = begin(get("/ports?select=ships(id),ships(id)", {{"Accept", "image/gif"}}));
  EXPECT_EQ(std::get<HttpResponse>(result).status, 406);
}

// -- to one --------------------------------------------------------------------------------------

TEST(EmbedQuery, ToOneIsARowThatIsJoined) {
  EXPECT_SQL("/ships?select=id,ports(name)", R"(
    SELECT api.ships.id, ships_ports_1 AS ports
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE)");
}

TEST(EmbedQuery, NamesAreQuoted) {
  const auto result = begin(get("/ships?select=%22P%22:ports(%22N%22:name)"));
  EXPECT_EQ(std::get<DatabaseWork>(result).transaction.statements[0].text,
            R"(SELECT "ships_P_1" AS "P" FROM "api"."ships" LEFT JOIN LATERAL (SELECT )"
            R"("ports_1"."name" AS "N" FROM "api"."ports" AS "ports_1" WHERE "ports_1"."id" = )"
            R"("api"."ships"."port_id") AS "ships_P_1" ON TRUE)");
}

TEST(EmbedQuery, OneToOneBothWays) {
  EXPECT_SQL("/ships?select=papers(ship_id)", R"(
    SELECT ships_papers_1 AS papers
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT papers_1.ship_id FROM api.papers AS papers_1 WHERE papers_1.ship_id = api.ships.id
      ) AS ships_papers_1 ON TRUE)");
  EXPECT_SQL("/papers?select=ships(name)", R"(
    SELECT papers_ships_1 AS ships
      FROM api.papers
      LEFT JOIN LATERAL (
        SELECT ships_1.name FROM api.ships AS ships_1 WHERE ships_1.id = api.papers.ship_id
      ) AS papers_ships_1 ON TRUE)");
}

TEST(EmbedQuery, AKeyOfTwoColumns) {
  EXPECT_SQL("/bunks?select=id,cabins(deck)", R"(
    SELECT api.bunks.id, bunks_cabins_1 AS cabins
      FROM api.bunks
      LEFT JOIN LATERAL (
        SELECT cabins_1.deck FROM api.cabins AS cabins_1
         WHERE cabins_1.ship_id = api.bunks.cabin_ship_id
           AND cabins_1.deck = api.bunks.cabin_deck
      ) AS bunks_cabins_1 ON TRUE)");
}

// -- to many -------------------------------------------------------------------------------------

TEST(EmbedQuery, ToManyIsAnArrayOfRows) {
  EXPECT_SQL("/ports?select=id,ships(name)", R"(
    SELECT api.ports.id,
           ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.name FROM api.ships AS ships_1 WHERE ships_1.port_id = api.ports.id
           ) AS ports_ships_1) AS ships
      FROM api.ports)");
}

TEST(EmbedQuery, ManyToManyJoinsTheJunction) {
  EXPECT_SQL("/sailors?select=id,ships(name)", R"(
    SELECT api.sailors.id,
           ARRAY(SELECT sailors_ships_1 FROM (
             SELECT ships.name FROM api.ships AS ships, api.crews AS pgrst_junction_1
              WHERE pgrst_junction_1.sailor_id = api.sailors.id
                AND ships.id = pgrst_junction_1.ship_id
           ) AS sailors_ships_1) AS ships
      FROM api.sailors)");
}

TEST(EmbedQuery, OfATableToItself) {
  EXPECT_SQL("/ships?select=id,flagship_id(id),ships(id)", R"(
    SELECT api.ships.id, ships_flagship_id_1 AS flagship_id,
           ARRAY(SELECT ships_ships_1 FROM (
             SELECT ships_1.id FROM api.ships AS ships_1 WHERE ships_1.flagship_id = api.ships.id
           ) AS ships_ships_1) AS ships
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ships_1.id FROM api.ships AS ships_1 WHERE ships_1.id = api.ships.flagship_id
      ) AS ships_flagship_id_1 ON TRUE)");
}

TEST(EmbedQuery, OfViews) {
  EXPECT_SQL("/port_list?select=ship_list(title)", R"(
    SELECT ARRAY(SELECT port_list_ship_list_1 FROM (
             SELECT ship_list_1.title FROM api.ship_list AS ship_list_1
              WHERE ship_list_1.port = api.port_list.id
           ) AS port_list_ship_list_1) AS ship_list
      FROM api.port_list)");
}

// -- within each other ---------------------------------------------------------------------------

TEST(EmbedQuery, Nested) {
  EXPECT_SQL("/ports?select=ships(sailors(name),papers(ship_id,ships(id)))", R"(
    SELECT ARRAY(SELECT ports_ships_1 FROM (
             SELECT ARRAY(SELECT ships_sailors_2 FROM (
                      SELECT sailors.name
                        FROM api.sailors AS sailors, api.crews AS pgrst_junction_2
                       WHERE pgrst_junction_2.ship_id = ships_1.id
                         AND sailors.id = pgrst_junction_2.sailor_id
                    ) AS ships_sailors_2) AS sailors,
                    ships_papers_2 AS papers
               FROM api.ships AS ships_1
               LEFT JOIN LATERAL (
                 SELECT papers_2.ship_id, papers_ships_3 AS ships
                   FROM api.papers AS papers_2
                   LEFT JOIN LATERAL (
                     SELECT ships_3.id FROM api.ships AS ships_3
                      WHERE ships_3.id = papers_2.ship_id
                   ) AS papers_ships_3 ON TRUE
                  WHERE papers_2.ship_id = ships_1.id
               ) AS ships_papers_2 ON TRUE
              WHERE ships_1.port_id = api.ports.id
           ) AS ports_ships_1) AS ships
      FROM api.ports)");
}

TEST(EmbedQuery, StarAndNothing) {
  EXPECT_SQL("/ships?select=*,ports(*)", R"(
    SELECT api.ships.*, ships_ports_1 AS ports
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.* FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE)");
  // An empty embed is not there, nor are empty ones within each other.
  EXPECT_SQL("/ships?select=id,ports()", "SELECT api.ships.id FROM api.ships");
  EXPECT_SQL("/ships?select=id,crews(sailors())", "SELECT api.ships.id FROM api.ships");
  // One that is empty but for what it embeds is.
  EXPECT_SQL("/crews?select=ships(ports(id))", R"(
    SELECT crews_ships_1 AS ships
      FROM api.crews
      LEFT JOIN LATERAL (
        SELECT ships_ports_2 AS ports
          FROM api.ships AS ships_1
          LEFT JOIN LATERAL (
            SELECT ports_2.id FROM api.ports AS ports_2 WHERE ports_2.id = ships_1.port_id
          ) AS ships_ports_2 ON TRUE
         WHERE ships_1.id = api.crews.ship_id
      ) AS crews_ships_1 ON TRUE)");
}

// -- computed relationships ----------------------------------------------------------------------

TEST(EmbedQuery, FunctionsTakeTheRow) {
  EXPECT_SQL("/sailors?select=id,home(name)", R"(
    SELECT api.sailors.id, sailors_home_1 AS home
      FROM api.sailors
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.home(api.sailors.*) AS ports_1
      ) AS sailors_home_1 ON TRUE)");
  EXPECT_SQL("/sailors?select=fellows(name,home(id))&fellows.name=eq.x", R"(
    SELECT ARRAY(SELECT sailors_fellows_1 FROM (
             SELECT sailors_1.name, sailors_home_2 AS home
               FROM api.fellows(api.sailors.*) AS sailors_1
               LEFT JOIN LATERAL (
                 SELECT ports_2.id FROM api.home(sailors_1.*) AS ports_2
               ) AS sailors_home_2 ON TRUE
              WHERE sailors_1.name = $1
           ) AS sailors_fellows_1) AS fellows
      FROM api.sailors | x)");
  EXPECT_SQL("/sailors?select=home!inner(name)", R"(
    SELECT sailors_home_1 AS home
      FROM api.sailors
      JOIN LATERAL (
        SELECT ports_1.name FROM api.home(api.sailors.*) AS ports_1
      ) AS sailors_home_1 ON TRUE)");
}

// -- filters, orders, ranges of embeds -----------------------------------------------------------

TEST(EmbedQuery, FiltersOrdersAndRanges) {
  EXPECT_SQL(
      "/ports?select=ships(name)&ships.id=gt.1&ships.or=(id.eq.2,name.eq.x)&ships.order=id.desc"
      "&ships.limit=3&ships.offset=1&id=eq.9&order=name",
      R"(
    SELECT ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.name FROM api.ships AS ships_1
              WHERE (ships_1.id = $1 OR ships_1.name = $2) AND ships_1.id > $3
                AND ships_1.port_id = api.ports.id
              ORDER BY ships_1.id DESC LIMIT $4 OFFSET $5
           ) AS ports_ships_1) AS ships
      FROM api.ports WHERE api.ports.id = $6
     ORDER BY api.ports.name | 2 | x | 1 | 3 | 1 | 9)");
}

TEST(EmbedQuery, FieldsArePlannedAgainstTheirOwnTable) {
  // data is jsonb of ships, and nothing of ports
  EXPECT_SQL("/ports?select=ships(data-%3Ea)&ships.data-%3Eb=eq.1", R"(
    SELECT ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.data->$1 AS a FROM api.ships AS ships_1
              WHERE ships_1.data->$2 = $3 AND ships_1.port_id = api.ports.id
           ) AS ports_ships_1) AS ships
      FROM api.ports | a | b | 1)");
  EXPECT_SQL("/ships?select=ports(data-%3Ea)", R"(
    SELECT ships_ports_1 AS ports
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT pg_catalog.to_jsonb(ports_1.data)->$1 AS a FROM api.ports AS ports_1
         WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE | a)");
}

TEST(EmbedQuery, RangesOfTheirOwnParentsPage) {
  EXPECT_SQL("/ports?select=ships(id)&ships.limit=0", R"(
    SELECT ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.id FROM api.ships AS ships_1 WHERE ships_1.port_id = api.ports.id
              LIMIT $1
           ) AS ports_ships_1) AS ships
      FROM api.ports | 0)");
  EXPECT_SQL("/ports?select=ships(crews(rank))&ships.crews.limit=1", R"(
    SELECT ARRAY(SELECT ports_ships_1 FROM (
             SELECT ARRAY(SELECT ships_crews_2 FROM (
                      SELECT crews_2.rank FROM api.crews AS crews_2
                       WHERE crews_2.ship_id = ships_1.id LIMIT $1
                    ) AS ships_crews_2) AS crews
               FROM api.ships AS ships_1 WHERE ships_1.port_id = api.ports.id
           ) AS ports_ships_1) AS ships
      FROM api.ports | 1)");
}

TEST(EmbedQuery, TheLastOfSeveralWrongNamesIsTold) {
  for (const char* query : {"one.id=eq.1&two.id=eq.1", "one.order=id&two.order=id",
                            "one.or=(id.eq.1)&two.or=(id.eq.1)"}) {
    EXPECT_EQ(code_of(refused(std::string("/ships?") + query)), "PGRST108");
    EXPECT_NE(refused(std::string("/ships?") + query).body.find("'two'"), std::string::npos);
  }
  // Filters go before orders, orders before logic.
  EXPECT_NE(refused("/ships?a.or=(id.eq.1)&b.order=id&c.id=eq.1").body.find("'c'"),
            std::string::npos);
  EXPECT_NE(refused("/ships?a.or=(id.eq.1)&b.order=id").body.find("'b'"), std::string::npos);
}

// -- inner joins ---------------------------------------------------------------------------------

TEST(EmbedQuery, InnerToOneIsAJoin) {
  EXPECT_SQL("/ships?select=id,ports!inner(name)&ports.name=eq.x", R"(
    SELECT api.ships.id, ships_ports_1 AS ports
      FROM api.ships
      JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1
         WHERE ports_1.name = $1 AND ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE | x)");
  EXPECT_SQL("/ships?select=id,ports!left(name)", R"(
    SELECT api.ships.id, ships_ports_1 AS ports
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE)");
}

TEST(EmbedQuery, InnerToManyIsACondition) {
  EXPECT_SQL("/ports?select=ships!inner(name)&ships.id=eq.1&id=gt.0", R"(
    SELECT ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.name FROM api.ships AS ships_1
              WHERE ships_1.id = $1 AND ships_1.port_id = api.ports.id
           ) AS ports_ships_1) AS ships
      FROM api.ports
     WHERE api.ports.id > $2
       AND EXISTS (SELECT FROM api.ships AS pgrst_exists_1
                    WHERE pgrst_exists_1.id = $3
                      AND pgrst_exists_1.port_id = api.ports.id) | 1 | 0 | 1)");
}

TEST(EmbedQuery, InnerWithinInner) {
  // One that is not joined filters with all that is inner within it.
  EXPECT_SQL("/ports?select=id,ships!inner(papers!inner(),crews!left())", R"(
    SELECT api.ports.id FROM api.ports
     WHERE EXISTS (SELECT FROM api.ships AS ships_1
                    WHERE ships_1.port_id = api.ports.id
                      AND EXISTS (SELECT FROM api.papers AS papers_2
                                   WHERE papers_2.ship_id = ships_1.id)))");
  // An outer one does not pass on what is inner within it.
  EXPECT_SQL("/ports?select=id,ships(id,papers!inner())", R"(
    SELECT api.ports.id,
           ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.id FROM api.ships AS ships_1
              WHERE ships_1.port_id = api.ports.id
                AND EXISTS (SELECT FROM api.papers AS papers_2 WHERE papers_2.ship_id = ships_1.id)
           ) AS ports_ships_1) AS ships
      FROM api.ports)");
}

TEST(EmbedQuery, InnerManyToManyAndFunctionsAsConditions) {
  EXPECT_SQL("/sailors?select=id,ships!inner(),home!inner()", R"(
    SELECT api.sailors.id FROM api.sailors
     WHERE EXISTS (SELECT FROM api.ships AS ships, api.crews AS pgrst_junction_1
                    WHERE pgrst_junction_1.sailor_id = api.sailors.id
                      AND ships.id = pgrst_junction_1.ship_id)
       AND EXISTS (SELECT FROM api.home(api.sailors.*) AS ports_1))");
}

// -- null filters --------------------------------------------------------------------------------

TEST(EmbedQuery, NullFiltersAreConditions) {
  EXPECT_SQL("/ports?select=id,ships()&ships=not.is.null", R"(
    SELECT api.ports.id FROM api.ports
     WHERE EXISTS (SELECT FROM api.ships AS ships_1 WHERE ships_1.port_id = api.ports.id))");
  EXPECT_SQL("/ports?select=id,ships()&ships=is.null&ships.name=eq.x", R"(
    SELECT api.ports.id FROM api.ports
     WHERE NOT EXISTS (SELECT FROM api.ships AS ships_1
                        WHERE ships_1.name = $1 AND ships_1.port_id = api.ports.id) | x)");
}

TEST(EmbedQuery, NullFiltersWithinLogic) {
  EXPECT_SQL(
      "/ships?select=id,ports(),s:sailors()&or=(ports.is.null,not.and(s.not.is.null,id.gt.1))",
      R"(
    SELECT api.ships.id FROM api.ships
     WHERE (NOT EXISTS (SELECT FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id)
        OR NOT (EXISTS (SELECT FROM api.sailors AS sailors, api.crews AS pgrst_junction_1
                         WHERE pgrst_junction_1.ship_id = api.ships.id
                           AND sailors.id = pgrst_junction_1.sailor_id)
                AND api.ships.id > $1)) | 1)");
}

TEST(EmbedQuery, NullFiltersOnEmbedsOfEmbeds) {
  EXPECT_SQL("/ports?select=id,ships(id,papers())&ships.papers=is.null", R"(
    SELECT api.ports.id,
           ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.id FROM api.ships AS ships_1
              WHERE NOT EXISTS (SELECT FROM api.papers AS papers_2
                                 WHERE papers_2.ship_id = ships_1.id)
                AND ships_1.port_id = api.ports.id
           ) AS ports_ships_1) AS ships
      FROM api.ports)");
}

TEST(EmbedQuery, OtherFiltersByTheNameOfAnEmbedAreOnColumns) {
  EXPECT_SQL("/ports?select=id,ships()&ships=eq.1", R"(
    SELECT api.ports.id FROM api.ports WHERE api.ports.ships = $1 | 1)");
  EXPECT_SQL("/ports?select=id,ships()&ships=is.not_null", R"(
    SELECT api.ports.id FROM api.ports WHERE api.ports.ships IS NOT NULL)");
  EXPECT_SQL("/ports?select=id,ships()&ships-%3Ea=is.null", R"(
    SELECT api.ports.id FROM api.ports
     WHERE pg_catalog.to_jsonb(api.ports.ships)->$1 IS NULL | a)");
  // By the name in the result: not by the relation.
  EXPECT_SQL("/ports?select=id,s:ships()&ships=is.null", R"(
    SELECT api.ports.id FROM api.ports WHERE api.ports.ships IS NULL)");
}

// A range may take all rows away; an aggregate has one where there is none.
TEST(EmbedQuery, ConditionsOnEmbedsWithRangesAndAggregates) {
  EXPECT_SQL("/ports?select=id,ships()&ships=not.is.null&ships.offset=2", R"(
    SELECT api.ports.id FROM api.ports
     WHERE EXISTS (SELECT ships_1.* FROM api.ships AS ships_1
                    WHERE ships_1.port_id = api.ports.id OFFSET $1) | 2)");
  EXPECT_SQL("/ports?select=id,ships!inner(count())", R"(
    SELECT api.ports.id,
           ARRAY(SELECT ports_ships_1 FROM (
             SELECT count(ships_1.*) FROM api.ships AS ships_1 WHERE ships_1.port_id = api.ports.id
           ) AS ports_ships_1) AS ships
      FROM api.ports
     WHERE EXISTS (SELECT count(pgrst_exists_1.*) FROM api.ships AS pgrst_exists_1
                    WHERE pgrst_exists_1.port_id = api.ports.id))");
}

// -- order by embeds -----------------------------------------------------------------------------

TEST(EmbedQuery, OrderByAToOneEmbed) {
  EXPECT_SQL("/ships?select=id,ports(name)&order=ports(name).desc.nullslast,id", R"(
    SELECT api.ships.id, ships_ports_1 AS ports
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE
     ORDER BY ships_ports_1.name DESC NULLS LAST, api.ships.id)");
  EXPECT_SQL("/papers?select=s:ships(data)&order=s(data-%3Ea)", R"(
    SELECT papers_s_1 AS s
      FROM api.papers
      LEFT JOIN LATERAL (
        SELECT ships_1.data FROM api.ships AS ships_1 WHERE ships_1.id = api.papers.ship_id
      ) AS papers_s_1 ON TRUE
     ORDER BY papers_s_1.data->$1 | a)");
}

TEST(EmbedQuery, OrderByAnEmptyEmbedJoinsIt) {
  EXPECT_SQL("/ships?select=id,ports()&order=ports(name)", R"(
    SELECT api.ships.id
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.* FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE
     ORDER BY ships_ports_1.name)");
  EXPECT_SQL("/ships?select=id,ports!inner(),papers()&order=ports(name)&limit=1", R"(
    SELECT api.ships.id
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.* FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE
     WHERE EXISTS (SELECT FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id)
     ORDER BY ships_ports_1.name LIMIT $1 | 1)");
}

TEST(EmbedQuery, OrderByWhatIsNotEmbeddedOrNotOne) {
  const HttpResponse to_many = refused("/ports?select=id,s:ships(id)&order=s(id)");
  EXPECT_EQ(to_many.status, 400);
  EXPECT_EQ(
      to_many.body,
      R"({"code":"PGRST118","details":"'ports' and 's' do not form a many-to-one or one-to-one relationship","hint":null,"message":"A related order on 's' is not possible"})");
  EXPECT_EQ(code_of(refused("/sailors?select=ships(id)&order=ships(id)")), "PGRST118");
  EXPECT_EQ(code_of(refused("/ports?select=departures(id)&order=departures(id)")), "PGRST118");
  const HttpResponse absent = refused("/ships?select=id,p:ports(id)&order=ports(id)");
  EXPECT_EQ(
      absent.body,
      R"({"code":"PGRST108","details":null,"hint":"Verify that 'ports' is included in the 'select' query parameter.","message":"'ports' is not an embedded resource in this request"})");
}

// -- pages ---------------------------------------------------------------------------------------

TEST(PagedQuery, ThePageIsCutBeforeToOneEmbedsAreJoined) {
  EXPECT_SQL("/ships?select=id,n:name,ports(name)&order=name.desc,id&limit=20&offset=40&id=gt.5",
             R"(
    SELECT ships.pgrst_1 AS id, ships.pgrst_2 AS n, ships_ports_1 AS ports
      FROM (SELECT api.ships.id AS pgrst_1, api.ships.name AS pgrst_2,
                   api.ships.port_id AS pgrst_key_1,
                   api.ships.name AS pgrst_order_1, api.ships.id AS pgrst_order_2
              FROM api.ships
             WHERE api.ships.id > $1
             ORDER BY pgrst_order_1 DESC, pgrst_order_2
             LIMIT $2 OFFSET $3) AS ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = ships.pgrst_key_1 LIMIT $4
      ) AS ships_ports_1 ON TRUE
     ORDER BY ships.pgrst_order_1 DESC, ships.pgrst_order_2 | 5 | 20 | 40 | 1)");
}

TEST(PagedQuery, AndBeforeToManyEmbedsAreRead) {
  EXPECT_SQL("/ports?select=*,ships(id)&limit=5", R"(
    SELECT ports.pgrst_1 AS id, ports.pgrst_2 AS name, ports.pgrst_3 AS country,
           ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.id FROM api.ships AS ships_1 WHERE ships_1.port_id = ports.pgrst_key_1
           ) AS ports_ships_1) AS ships
      FROM (SELECT api.ports.id AS pgrst_1, api.ports.name AS pgrst_2, api.ports.country AS pgrst_3,
                   api.ports.id AS pgrst_key_1
              FROM api.ports LIMIT $1) AS ports | 5)");
}

TEST(PagedQuery, EachColumnOfAConditionIsTakenOnce) {
  EXPECT_SQL("/bunks?select=cabins(deck)&limit=1", R"(
    SELECT bunks_cabins_1 AS cabins
      FROM (SELECT api.bunks.cabin_ship_id AS pgrst_key_1, api.bunks.cabin_deck AS pgrst_key_2
              FROM api.bunks LIMIT $1) AS bunks
      LEFT JOIN LATERAL (
        SELECT cabins_1.deck FROM api.cabins AS cabins_1
         WHERE cabins_1.ship_id = bunks.pgrst_key_1 AND cabins_1.deck = bunks.pgrst_key_2 LIMIT $2
      ) AS bunks_cabins_1 ON TRUE | 1 | 1)");
  EXPECT_SQL("/ships?select=crews(rank),sailors(id)&limit=1", R"(
    SELECT ARRAY(SELECT ships_crews_1 FROM (
             SELECT crews_1.rank FROM api.crews AS crews_1 WHERE crews_1.ship_id = ships.pgrst_key_1
           ) AS ships_crews_1) AS crews,
           ARRAY(SELECT ships_sailors_1 FROM (
             SELECT sailors.id FROM api.sailors AS sailors, api.crews AS pgrst_junction_1
              WHERE pgrst_junction_1.ship_id = ships.pgrst_key_1
                AND sailors.id = pgrst_junction_1.sailor_id
           ) AS ships_sailors_1) AS sailors
      FROM (SELECT api.ships.id AS pgrst_key_1 FROM api.ships LIMIT $1) AS ships | 1)");
}

TEST(PagedQuery, LongPagesAreJoinedAsAWhole) {
  const auto joined = [](const char* range) {
    return one_line(std::string(R"(
    SELECT ships.pgrst_1 AS id, ships_ports_1 AS ports
      FROM (SELECT api.ships.id AS pgrst_1, api.ships.port_id AS pgrst_key_1
              FROM api.ships )") +
                    range + R"() AS ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = ships.pgrst_key_1)");
  };
  EXPECT_EQ(sql("/ships?select=id,ports(name)&limit=1000"),
            joined("LIMIT $1") + " LIMIT $2) AS ships_ports_1 ON TRUE | 1000 | 1");
  // What should be one row may be several: the whole is limited again.
  EXPECT_EQ(sql("/ships?select=id,ports(name)&limit=1001"),
            joined("LIMIT $1") + ") AS ships_ports_1 ON TRUE LIMIT $2 | 1001 | 1001");
  EXPECT_EQ(sql("/ships?select=id,ports(name)&offset=3"),
            joined("OFFSET $1") + ") AS ships_ports_1 ON TRUE | 3");
}

TEST(PagedQuery, AnEmbedsOwnLimitOfNoneStays) {
  EXPECT_SQL("/ships?select=ports(name)&limit=2&ports.limit=0", R"(
    SELECT ships_ports_1 AS ports
      FROM (SELECT api.ships.port_id AS pgrst_key_1 FROM api.ships LIMIT $1) AS ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = ships.pgrst_key_1 LIMIT $2
      ) AS ships_ports_1 ON TRUE | 2 | 0)");
}

TEST(PagedQuery, InnerJoinsAndNullFiltersAreConditionsOfThePage) {
  EXPECT_SQL("/ships?select=id,ports!inner(name),papers()&papers=is.null&ports.id=eq.7&limit=2", R"(
    SELECT ships.pgrst_1 AS id, ships_ports_1 AS ports
      FROM (SELECT api.ships.id AS pgrst_1, api.ships.port_id AS pgrst_key_1,
                   api.ships.id AS pgrst_key_2
              FROM api.ships
             WHERE NOT EXISTS (SELECT FROM api.papers AS papers_1
                                WHERE papers_1.ship_id = api.ships.id)
               AND EXISTS (SELECT FROM api.ports AS ports_1
                            WHERE ports_1.id = $1 AND ports_1.id = api.ships.port_id)
             LIMIT $2) AS ships
      JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1
         WHERE ports_1.id = $3 AND ports_1.id = ships.pgrst_key_1 LIMIT $4
      ) AS ships_ports_1 ON TRUE | 7 | 2 | 7 | 1)");
}

TEST(PagedQuery, FunctionsTakeTheRowOfThePage) {
  EXPECT_SQL("/sailors?select=id,home(name),ships(id)&order=id&limit=2", R"(
    SELECT sailors.pgrst_1 AS id, sailors_home_1 AS home,
           ARRAY(SELECT sailors_ships_1 FROM (
             SELECT ships.id FROM api.ships AS ships, api.crews AS pgrst_junction_1
              WHERE pgrst_junction_1.sailor_id = sailors.pgrst_key_1
                AND ships.id = pgrst_junction_1.ship_id
           ) AS sailors_ships_1) AS ships
      FROM (SELECT api.sailors.id AS pgrst_1, api.sailors.id AS pgrst_key_1,
                   ROW(api.sailors.*)::api.sailors AS pgrst_row, api.sailors.id AS pgrst_order_1
              FROM api.sailors ORDER BY pgrst_order_1 LIMIT $1) AS sailors
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.home(sailors.pgrst_row) AS ports_1 LIMIT $2
      ) AS sailors_home_1 ON TRUE
     ORDER BY sailors.pgrst_order_1 | 2 | 1)");
}

TEST(PagedQuery, OfEmbedsThatEmbed) {
  EXPECT_SQL("/ports?select=ships(id,papers(ship_id))&ships.order=id&ships.limit=2", R"(
    SELECT ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.pgrst_1 AS id, ships_papers_2 AS papers
               FROM (SELECT ships_1.id AS pgrst_1, ships_1.id AS pgrst_key_1,
                            ships_1.id AS pgrst_order_1
                       FROM api.ships AS ships_1
                      WHERE ships_1.port_id = api.ports.id
                      ORDER BY pgrst_order_1 LIMIT $1) AS ships_1
               LEFT JOIN LATERAL (
                 SELECT papers_2.ship_id FROM api.papers AS papers_2
                  WHERE papers_2.ship_id = ships_1.pgrst_key_1 LIMIT $2
               ) AS ships_papers_2 ON TRUE
              ORDER BY ships_1.pgrst_order_1
           ) AS ports_ships_1) AS ships
      FROM api.ports | 2 | 1)");
}

TEST(PagedQuery, NotCutFirstWithoutAnEmbedOrByTheOrderOfOne) {
  EXPECT_SQL("/ships?select=id,ports()&limit=2", "SELECT api.ships.id FROM api.ships LIMIT $1 | 2");
  EXPECT_SQL("/ships?select=id,ports(name)&order=ports(name)&limit=2", R"(
    SELECT api.ships.id, ships_ports_1 AS ports
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE
     ORDER BY ships_ports_1.name LIMIT $1 | 2)");
}

TEST(PagedQuery, ByMaxRows) {
  const Given max_rows{{{"db_max_rows", "50"}}, harbour_catalog()};
  EXPECT_EQ(sql("/ports?select=ships(id)&ships.limit=100", max_rows), one_line(R"(
    SELECT ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.id FROM api.ships AS ships_1
              WHERE ships_1.port_id = ports.pgrst_key_1 LIMIT $1
           ) AS ports_ships_1) AS ships
      FROM (SELECT api.ports.id AS pgrst_key_1 FROM api.ports LIMIT $2) AS ports | 50 | 50)"));
  EXPECT_EQ(sql("/ports?select=ships(id)&ships.limit=3&limit=2", max_rows),
            sql("/ports?select=ships(id)&ships.limit=3&limit=2"));
}

// -- spreads -------------------------------------------------------------------------------------

TEST(SpreadQuery, ToOneGivesItsColumnsToTheParent) {
  EXPECT_SQL("/ships?select=id,...ports(port:name,country)", R"(
    SELECT api.ships.id, ships_ports_1.port, ships_ports_1.country
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name AS port, ports_1.country FROM api.ports AS ports_1
         WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE)");
  EXPECT_SQL("/ships?select=...ports!inner(*)", R"(
    SELECT ships_ports_1.*
      FROM api.ships
      JOIN LATERAL (
        SELECT ports_1.* FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE)");
}

TEST(SpreadQuery, ToOneWithinToOne) {
  EXPECT_SQL("/crews?select=rank,...ships(ship:name,...ports(port:name),papers(ship_id))", R"(
    SELECT api.crews.rank, crews_ships_1.ship, crews_ships_1.port, crews_ships_1.papers
      FROM api.crews
      LEFT JOIN LATERAL (
        SELECT ships_1.name AS ship, ships_ports_2.port, ships_papers_2 AS papers
          FROM api.ships AS ships_1
          LEFT JOIN LATERAL (
            SELECT ports_2.name AS port FROM api.ports AS ports_2 WHERE ports_2.id = ships_1.port_id
          ) AS ships_ports_2 ON TRUE
          LEFT JOIN LATERAL (
            SELECT papers_2.ship_id FROM api.papers AS papers_2 WHERE papers_2.ship_id = ships_1.id
          ) AS ships_papers_2 ON TRUE
         WHERE ships_1.id = api.crews.ship_id
      ) AS crews_ships_1 ON TRUE)");
}

TEST(SpreadQuery, ToManyGivesAnArrayForEachColumn) {
  EXPECT_SQL("/ports?select=name,...ships(ids:id,name)&ships.order=name.desc,id&ships.id=gt.1", R"(
    SELECT api.ports.name, ports_ships_1.ids, ports_ships_1.name
      FROM api.ports
      LEFT JOIN LATERAL (
        SELECT COALESCE(pg_catalog.jsonb_agg(ports_ships_1.ids
                 ORDER BY ports_ships_1.pgrst_order_1 DESC, ports_ships_1.pgrst_order_2), '[]')
                 AS ids,
               COALESCE(pg_catalog.jsonb_agg(ports_ships_1.name
                 ORDER BY ports_ships_1.pgrst_order_1 DESC, ports_ships_1.pgrst_order_2), '[]')
                 AS name
          FROM (SELECT ships_1.id AS ids, ships_1.name,
                       ships_1.name AS pgrst_order_1, ships_1.id AS pgrst_order_2
                  FROM api.ships AS ships_1
                 WHERE ships_1.id > $1 AND ships_1.port_id = api.ports.id) AS ports_ships_1
      ) AS ports_ships_1 ON TRUE | 1)");
}

TEST(SpreadQuery, ToManyWithARangeIsCutInItsOrder) {
  EXPECT_SQL("/ports?select=...ships(id)&ships.order=name&ships.limit=2", R"(
    SELECT ports_ships_1.id
      FROM api.ports
      LEFT JOIN LATERAL (
        SELECT COALESCE(pg_catalog.jsonb_agg(ports_ships_1.id
                 ORDER BY ports_ships_1.pgrst_order_1), '[]') AS id
          FROM (SELECT ships_1.id, ships_1.name AS pgrst_order_1
                  FROM api.ships AS ships_1
                 WHERE ships_1.port_id = api.ports.id
                 ORDER BY ships_1.name LIMIT $1) AS ports_ships_1
      ) AS ports_ships_1 ON TRUE | 2)");
}

TEST(SpreadQuery, ToManyByTheOrderOfAnEmbed) {
  EXPECT_SQL("/ports?select=...ships(id,papers())&ships.order=papers(length)", R"(
    SELECT ports_ships_1.id
      FROM api.ports
      LEFT JOIN LATERAL (
        SELECT COALESCE(pg_catalog.jsonb_agg(ports_ships_1.id
                 ORDER BY ports_ships_1.pgrst_order_1), '[]') AS id
          FROM (SELECT ships_1.id, ships_papers_2.length AS pgrst_order_1
                  FROM api.ships AS ships_1
                  LEFT JOIN LATERAL (
                    SELECT papers_2.* FROM api.papers AS papers_2
                     WHERE papers_2.ship_id = ships_1.id
                  ) AS ships_papers_2 ON TRUE
                 WHERE ships_1.port_id = api.ports.id) AS ports_ships_1
      ) AS ports_ships_1 ON TRUE)");
}

TEST(SpreadQuery, ToManyInnerIsACondition) {
  EXPECT_SQL("/sailors?select=...ships!inner(id)", R"(
    SELECT sailors_ships_1.id
      FROM api.sailors
      LEFT JOIN LATERAL (
        SELECT COALESCE(pg_catalog.jsonb_agg(sailors_ships_1.id), '[]') AS id
          FROM (SELECT ships.id FROM api.ships AS ships, api.crews AS pgrst_junction_1
                 WHERE pgrst_junction_1.sailor_id = api.sailors.id
                   AND ships.id = pgrst_junction_1.ship_id) AS sailors_ships_1
      ) AS sailors_ships_1 ON TRUE
     WHERE EXISTS (SELECT FROM api.ships AS pgrst_exists_1, api.crews AS pgrst_junction_1
                    WHERE pgrst_junction_1.sailor_id = api.sailors.id
                      AND pgrst_exists_1.id = pgrst_junction_1.ship_id))");
}

// A star has no columns by name, which arrays need.
TEST(SpreadQuery, AStarOfToManyIsItsColumns) {
  EXPECT_SQL("/sailors?select=...crews(*,...ships(*))", R"(
    SELECT sailors_crews_1.ship_id, sailors_crews_1.sailor_id, sailors_crews_1.rank,
           sailors_crews_1.id, sailors_crews_1.name, sailors_crews_1.port_id,
           sailors_crews_1.flagship_id, sailors_crews_1.data
      FROM api.sailors
      LEFT JOIN LATERAL (
        SELECT COALESCE(pg_catalog.jsonb_agg(sailors_crews_1.ship_id), '[]') AS ship_id,
               COALESCE(pg_catalog.jsonb_agg(sailors_crews_1.sailor_id), '[]') AS sailor_id,
               COALESCE(pg_catalog.jsonb_agg(sailors_crews_1.rank), '[]') AS rank,
               COALESCE(pg_catalog.jsonb_agg(sailors_crews_1.id), '[]') AS id,
               COALESCE(pg_catalog.jsonb_agg(sailors_crews_1.name), '[]') AS name,
               COALESCE(pg_catalog.jsonb_agg(sailors_crews_1.port_id), '[]') AS port_id,
               COALESCE(pg_catalog.jsonb_agg(sailors_crews_1.flagship_id), '[]') AS flagship_id,
               COALESCE(pg_catalog.jsonb_agg(sailors_crews_1.data), '[]') AS data
          FROM (SELECT crews_1.ship_id, crews_1.sailor_id, crews_1.rank,
                       crews_ships_2.id, crews_ships_2.name, crews_ships_2.port_id,
                       crews_ships_2.flagship_id, crews_ships_2.data
                  FROM api.crews AS crews_1
                  LEFT JOIN LATERAL (
                    SELECT ships_2.id, ships_2.name, ships_2.port_id, ships_2.flagship_id,
                           ships_2.data
                      FROM api.ships AS ships_2 WHERE ships_2.id = crews_1.ship_id
                  ) AS crews_ships_2 ON TRUE
                 WHERE crews_1.sailor_id = api.sailors.id) AS sailors_crews_1
      ) AS sailors_crews_1 ON TRUE)");
}

TEST(SpreadQuery, EmptyOnesAreNotThere) {
  EXPECT_SQL("/ships?select=id,...ports(),...crews()", "SELECT api.ships.id FROM api.ships");
}

TEST(SpreadQuery, OnAPage) {
  EXPECT_SQL("/ships?select=id,...ports(port:name)&limit=1", R"(
    SELECT ships.pgrst_1 AS id, ships_ports_1.port
      FROM (SELECT api.ships.id AS pgrst_1, api.ships.port_id AS pgrst_key_1
              FROM api.ships LIMIT $1) AS ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name AS port FROM api.ports AS ports_1 WHERE ports_1.id = ships.pgrst_key_1
         LIMIT $2
      ) AS ships_ports_1 ON TRUE | 1 | 1)");
}

// -- aggregates ----------------------------------------------------------------------------------

TEST(AggregateQuery, WithinAnEmbed) {
  EXPECT_SQL("/ports?select=id,ships(name,count(),top:id.max()::text)", R"(
    SELECT api.ports.id,
           ARRAY(SELECT ports_ships_1 FROM (
             SELECT ships_1.name, count(ships_1.*), CAST(max(ships_1.id) AS text) AS top
               FROM api.ships AS ships_1 WHERE ships_1.port_id = api.ports.id GROUP BY 1
           ) AS ports_ships_1) AS ships
      FROM api.ports)");
}

TEST(AggregateQuery, BesideEmbedsGroupsByThem) {
  EXPECT_SQL("/ships?select=name,count(),ports(name),crews(rank)", R"(
    SELECT api.ships.name, count(api.ships.*), pg_catalog.to_jsonb(ships_ports_1) AS ports,
           pg_catalog.to_jsonb(ARRAY(SELECT ships_crews_1 FROM (
             SELECT crews_1.rank FROM api.crews AS crews_1 WHERE crews_1.ship_id = api.ships.id
           ) AS ships_crews_1)) AS crews
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE
     GROUP BY 1, 3, 4)");
  // An embed that is not selected takes no position.
  EXPECT_SQL("/ships?select=count(),ports(),name", R"(
    SELECT count(api.ships.*), api.ships.name FROM api.ships GROUP BY 2)");
}

TEST(AggregateQuery, OfASpreadIsOverTheRowsOfTheParent) {
  EXPECT_SQL("/voyages?select=days,...ships(ship:name,top:id.max()::text,count())", R"(
    SELECT api.voyages.days, voyages_ships_1.ship, CAST(max(voyages_ships_1.top) AS text) AS top,
           count(voyages_ships_1.count) AS count
      FROM api.voyages
      LEFT JOIN LATERAL (
        SELECT ships_1.name AS ship, ships_1.id AS top, ships_1 AS count
          FROM api.ships AS ships_1 WHERE ships_1.id = api.voyages.ship_id
      ) AS voyages_ships_1 ON TRUE
     GROUP BY 1, 2)");
}

TEST(AggregateQuery, OfASpreadWithinASpreadGoesUpTwice) {
  EXPECT_SQL("/voyages?select=...ships(name,...ports(id.sum(),country))", R"(
    SELECT voyages_ships_1.name, sum(voyages_ships_1.sum) AS sum, voyages_ships_1.country
      FROM api.voyages
      LEFT JOIN LATERAL (
        SELECT ships_1.name, ships_ports_2.sum, ships_ports_2.country
          FROM api.ships AS ships_1
          LEFT JOIN LATERAL (
            SELECT ports_2.id AS sum, ports_2.country FROM api.ports AS ports_2
             WHERE ports_2.id = ships_1.port_id
          ) AS ships_ports_2 ON TRUE
         WHERE ships_1.id = api.voyages.ship_id
      ) AS voyages_ships_1 ON TRUE
     GROUP BY 1, 3)");
}

TEST(AggregateQuery, OfASpreadStopsAtAnEmbed) {
  EXPECT_SQL("/ports?select=id,ships(...papers(ship_id.count()))", R"(
    SELECT api.ports.id,
           ARRAY(SELECT ports_ships_1 FROM (
             SELECT count(ships_papers_2.count) AS count
               FROM api.ships AS ships_1
               LEFT JOIN LATERAL (
                 SELECT papers_2.ship_id AS count FROM api.papers AS papers_2
                  WHERE papers_2.ship_id = ships_1.id
               ) AS ships_papers_2 ON TRUE
              WHERE ships_1.port_id = api.ports.id
           ) AS ports_ships_1) AS ships
      FROM api.ports)");
}

TEST(AggregateQuery, AStarBesideTheAggregateOfASpreadIsItsColumns) {
  EXPECT_SQL("/crews?select=*,...ships(count())", R"(
    SELECT api.crews.ship_id, api.crews.sailor_id, api.crews.rank,
           count(crews_ships_1.count) AS count
      FROM api.crews
      LEFT JOIN LATERAL (
        SELECT ships_1 AS count FROM api.ships AS ships_1 WHERE ships_1.id = api.crews.ship_id
      ) AS crews_ships_1 ON TRUE
     GROUP BY 1, 2, 3)");
}

TEST(AggregateQuery, EmbedsWithinASpreadCanBeGroupedBy) {
  EXPECT_SQL("/voyages?select=count(),...ships(ports(name))", R"(
    SELECT count(api.voyages.*), voyages_ships_1.ports
      FROM api.voyages
      LEFT JOIN LATERAL (
        SELECT pg_catalog.to_jsonb(ships_ports_2) AS ports
          FROM api.ships AS ships_1
          LEFT JOIN LATERAL (
            SELECT ports_2.name FROM api.ports AS ports_2 WHERE ports_2.id = ships_1.port_id
          ) AS ships_ports_2 ON TRUE
         WHERE ships_1.id = api.voyages.ship_id
      ) AS voyages_ships_1 ON TRUE
     GROUP BY 2)");
}

// A page that is cut first has one item for count(), not one for each column.
TEST(EmbedQuery, CountOfASpreadThatIsPaged) {
  EXPECT_SQL("/ships?select=id,...ports(n:count(),ships(id))&ports.limit=1", R"(
    SELECT api.ships.id, count(ships_ports_1.n) AS n, ships_ports_1.ships
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.pgrst_1 AS n, pg_catalog.to_jsonb(ARRAY(SELECT ports_ships_2 FROM (
                 SELECT ships_2.id FROM api.ships AS ships_2
                  WHERE ships_2.port_id = ports_1.pgrst_key_1
               ) AS ports_ships_2)) AS ships
          FROM (SELECT ports_1 AS pgrst_1, ports_1.id AS pgrst_key_1
                  FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
                 LIMIT $1) AS ports_1
      ) AS ships_ports_1 ON TRUE
     GROUP BY 1, 3 | 1)");
}

// The groups are those of the column, not of what a representation makes of it: json has no "=".
TEST(EmbedQuery, GroupsByAColumnWithARepresentation) {
  EXPECT_SQL("/papers?select=length,count()", R"(
    SELECT api.metres_to_json(api.papers.length) AS length, count(api.papers.*)
      FROM api.papers GROUP BY api.papers.length)");
  EXPECT_SQL("/papers?select=count(),l:length,ship_id", R"(
    SELECT count(api.papers.*), api.metres_to_json(api.papers.length) AS l, api.papers.ship_id
      FROM api.papers GROUP BY api.papers.length, 3)");
}

TEST(EmbedQuery, GroupsByARepresentationOfASpread) {
  EXPECT_SQL("/ships?select=count(),...papers(length)", R"(
    SELECT count(api.ships.*), ships_papers_1.length
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT pg_catalog.to_jsonb(api.metres_to_json(papers_1.length)) AS length
          FROM api.papers AS papers_1 WHERE papers_1.ship_id = api.ships.id
      ) AS ships_papers_1 ON TRUE
     GROUP BY 2)");
}

// What is ordered by has to be grouped by; without an order it is the cast that makes the groups.
TEST(EmbedQuery, GroupsByACastOrByItsColumn) {
  EXPECT_SQL("/voyages?select=days::text,count()", R"(
    SELECT CAST(api.voyages.days AS text), count(api.voyages.*) FROM api.voyages GROUP BY 1)");
  EXPECT_SQL("/voyages?select=id,days::text,count()&order=days.desc,id", R"(
    SELECT api.voyages.id, CAST(api.voyages.days AS text), count(api.voyages.*)
      FROM api.voyages GROUP BY 1, api.voyages.days
     ORDER BY api.voyages.days DESC, api.voyages.id)");
  // As PostgREST: an alias is that of the cast.
  EXPECT_SQL("/voyages?select=d:days::text,count()&order=days", R"(
    SELECT CAST(api.voyages.days AS text) AS d, count(api.voyages.*)
      FROM api.voyages GROUP BY 1 ORDER BY api.voyages.days)");
}

// Of two casts the second is one of an aggregate that is not there.
TEST(EmbedQuery, TheFirstOfTwoCastsCounts) {
  EXPECT_SQL("/voyages?select=days::int::text",
             "SELECT CAST(api.voyages.days AS int) FROM api.voyages");
  EXPECT_SQL("/voyages?select=days::int.sum()::text", R"(
    SELECT CAST(sum(CAST(api.voyages.days AS int)) AS text) FROM api.voyages)");
}

TEST(AggregateQuery, APageOfGroupsIsCutLast) {
  EXPECT_SQL("/ships?select=count(),ports(name)&order=count&limit=2", R"(
    SELECT count(api.ships.*), pg_catalog.to_jsonb(ships_ports_1) AS ports
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS ships_ports_1 ON TRUE
     GROUP BY 2 ORDER BY api.ships.count LIMIT $1 | 2)");
}

TEST(AggregateQuery, InAToManySpreadThereAreNone) {
  for (const char* target : {"/ports?select=...ships(count())", "/ports?select=...ships(id.max())",
                             "/ports?select=...ships(id,...papers(ship_id.max()))"}) {
    const HttpResponse r = refused(target);
    EXPECT_EQ(r.status, 400);
    EXPECT_EQ(
        r.body,
        R"({"code":"PGRST127","details":"Aggregates are not implemented for one-to-many or many-to-many spreads.","hint":null,"message":"Feature not implemented"})");
  }
}

TEST(AggregateQuery, CanBeForbiddenAtEveryDepth) {
  const Given off{{{"db_aggregates_enabled", "off"}}, harbour_catalog()};
  for (const char* target : {"/ships?select=count()", "/ports?select=ships(count())",
                             "/ships?select=...ports(id.max())"}) {
    EXPECT_EQ(code_of(refused(target, off)), "PGRST123") << target;
  }
}

// -- representations of domains ------------------------------------------------------------------

TEST(RepresentationQuery, IsSelectedThroughTheirFunctions) {
  EXPECT_SQL("/papers?select=length,l:length", R"(
    SELECT api.metres_to_json(api.papers.length) AS length,
           api.metres_to_json(api.papers.length) AS l FROM api.papers)");
  EXPECT_SQL("/papers?length=eq.3&order=length", R"(
    SELECT api.papers.ship_id, api.metres_to_json(api.papers.length) AS length
      FROM api.papers WHERE api.papers.length = api.metres_from_text($1)
     ORDER BY api.papers.length | 3)");
  EXPECT_SQL("/papers?select=ship_id&length=in.(1,2)&length=not.is.null", R"(
    SELECT api.papers.ship_id FROM api.papers
     WHERE api.papers.length =
             ANY(SELECT api.metres_from_text(pg_catalog.unnest($1::pg_catalog.text[])))
       AND NOT api.papers.length IS NULL | {"1","2"})");
}

TEST(RepresentationQuery, OfEmbedsAndPages) {
  EXPECT_SQL("/ships?select=papers(*)&papers.length=gt.5", R"(
    SELECT ships_papers_1 AS papers
      FROM api.ships
      LEFT JOIN LATERAL (
        SELECT papers_1.ship_id, api.metres_to_json(papers_1.length) AS length
          FROM api.papers AS papers_1
         WHERE papers_1.length > api.metres_from_text($1) AND papers_1.ship_id = api.ships.id
      ) AS ships_papers_1 ON TRUE | 5)");
  EXPECT_SQL("/papers?select=*,ships(id)&limit=1", R"(
    SELECT papers.pgrst_1 AS ship_id, papers.pgrst_2 AS length, papers_ships_1 AS ships
      FROM (SELECT api.papers.ship_id AS pgrst_1,
                   api.metres_to_json(api.papers.length) AS pgrst_2,
                   api.papers.ship_id AS pgrst_key_1
              FROM api.papers LIMIT $1) AS papers
      LEFT JOIN LATERAL (
        SELECT ships_1.id FROM api.ships AS ships_1 WHERE ships_1.id = papers.pgrst_key_1 LIMIT $2
      ) AS papers_ships_1 ON TRUE | 1 | 1)");
}

// -- names in SQL --------------------------------------------------------------------------------

// Where PostgreSQL would cut both to the same.
TEST(AliasesInSql, OfTwoEmbedsOfLongNamesDiffer) {
  const std::string name(58, 'x');
  EXPECT_EQ(sql("/ships?select=" + name + "1:ports(id)," + name + "2:ports(name)"),
            one_line("SELECT pgrst_embed_1_2 AS " + name + "1, pgrst_embed_1_3 AS " + name +
                     R"(2 FROM api.ships
      LEFT JOIN LATERAL (
        SELECT ports_1.id FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS pgrst_embed_1_2 ON TRUE
      LEFT JOIN LATERAL (
        SELECT ports_1.name FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id
      ) AS pgrst_embed_1_3 ON TRUE)"));
}

// PostgreSQL cuts names of more than 63 bytes.
TEST(AliasesInSql, AreNeverCut) {
  const std::string long_name(62, 'x'), alias(60, 'y');
  CatalogRows rows = harbour_catalog();
  rows.sets[kTables].push_back({"90", "api", long_name, "r", "28", std::nullopt});
  rows.sets[kForeignKeys].push_back({"130", "11", "api", "ships", "90", "api", long_name,
                                     "long_fkey", "f", "6", "long_id", "1", "id"});
  EXPECT_EQ(
      sql("/ships?select=" + alias + ":" + long_name + "(id)", {{}, rows}),
      one_line("SELECT pgrst_embed_1_2 AS " + alias +
               " FROM api.ships LEFT JOIN LATERAL (SELECT pgrst_1.id FROM api." + long_name +
               " AS pgrst_1 WHERE pgrst_1.id = api.ships.long_id) AS pgrst_embed_1_2 ON TRUE"));
}

// A table that is called like the alias of what it embeds.
TEST(AliasesInSql, DoNotHideTheParent) {
  CatalogRows rows = harbour_catalog();
  rows.sets[kTables].push_back({"90", "api", "ships_1", "r", "28", std::nullopt});
  rows.sets[kColumns].push_back(test::column_row("90", "id", "integer", "integer"));
  rows.sets[kForeignKeys].push_back({"130", "11", "api", "ships", "90", "api", "ships_1",
                                     "one_fkey", "f", "6", "one_id", "1", "id"});
  EXPECT_EQ(sql("/ships_1?select=id,ships(id)&limit=1", {{}, rows}), one_line(R"(
    SELECT ships_1.pgrst_1 AS id,
           ARRAY(SELECT ships_1_ships_1 FROM (
             SELECT pgrst_1.id FROM api.ships AS pgrst_1 WHERE pgrst_1.one_id = ships_1.pgrst_key_1
           ) AS ships_1_ships_1) AS ships
      FROM (SELECT api.ships_1.id AS pgrst_1, api.ships_1.id AS pgrst_key_1
              FROM api.ships_1 LIMIT $1) AS ships_1 | 1)"));
}

// What joins an embed of an embed could be called like the parent of both, with an alias to fit.
TEST(AliasesInSql, OfJoinsDoNotHideTheParentEither) {
  CatalogRows rows = harbour_catalog();
  rows.sets[kTables].push_back({"90", "api", "ships_x_2", "r", "28", std::nullopt});
  rows.sets[kForeignKeys].push_back({"130", "11", "api", "ships", "90", "api", "ships_x_2",
                                     "two_fkey", "f", "6", "two_id", "1", "id"});
  EXPECT_EQ(sql("/ships_x_2?select=ships(x:ports(id))&limit=1", {{}, rows}), one_line(R"(
    SELECT ARRAY(SELECT ships_x_2_ships_1 FROM (
             SELECT pgrst_embed_2_2 AS x
               FROM api.ships AS ships_1
               LEFT JOIN LATERAL (
                 SELECT ports_2.id FROM api.ports AS ports_2 WHERE ports_2.id = ships_1.port_id
               ) AS pgrst_embed_2_2 ON TRUE
              WHERE ships_1.two_id = ships_x_2.pgrst_key_1
           ) AS ships_x_2_ships_1) AS ships
      FROM (SELECT api.ships_x_2.id AS pgrst_key_1 FROM api.ships_x_2 LIMIT $1) AS ships_x_2 | 1)"));
}

// -- counts --------------------------------------------------------------------------------------

TEST(CountQuery, ExactIsTheLengthOfThePageWhereNothingLimitsIt) {
  EXPECT_EQ(statements(get("/ships?select=id,ports!inner(id)", {{"Prefer", "count=exact"}})).size(),
            1u);
}

TEST(CountQuery, ExactCountsWithInnerJoinsAsConditions) {
  const auto all =
      statements(get("/ships?select=id,ports!inner(id),crews(rank),papers()"
                     "&papers=is.null&ports.id=eq.7&id=gt.1&order=id&limit=2",
                     {{"Prefer", "count=exact"}}));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1], one_line(R"(
    SELECT pg_catalog.count(*) FROM api.ships
     WHERE NOT EXISTS (SELECT FROM api.papers AS papers_1 WHERE papers_1.ship_id = api.ships.id)
       AND api.ships.id > $1
       AND EXISTS (SELECT FROM api.ports AS ports_1
                    WHERE ports_1.id = $2 AND ports_1.id = api.ships.port_id) | 1 | 7)"));
}

TEST(CountQuery, OfGroupsCountsRows) {
  const auto all =
      statements(get("/ships?select=name,count()&limit=2", {{"Prefer", "count=exact"}}));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1], "SELECT pg_catalog.count(*) FROM api.ships");
}

TEST(CountQuery, PlannedIsExplained) {
  for (const char* range : {"", "&limit=2"}) {
    const auto result = begin(get(std::string("/ships?select=id,ports!inner(id)&id=gt.1") + range,
                                  {{"Prefer", "count=planned"}}));
    const auto& all = std::get<DatabaseWork>(result).transaction.statements;
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(show(all[1]), one_line(R"(
      EXPLAIN (FORMAT JSON) SELECT FROM api.ships
       WHERE api.ships.id > $1
         AND EXISTS (SELECT FROM api.ports AS ports_1 WHERE ports_1.id = api.ships.port_id) | 1)"));
    EXPECT_EQ(all[1].format, ResultFormat::kExplained);
    const ResponseContext& context = std::get<DatabaseWork>(result).pending.context;
    EXPECT_EQ(context.planned_at, 1u);
    EXPECT_EQ(context.total_at, std::nullopt);
    EXPECT_FALSE(context.counted);
  }
}

TEST(CountQuery, EstimatedCountsUpToMaxRowsAndIsExplained) {
  const Given max_rows{{{"db_max_rows", "50"}}, harbour_catalog()};
  const auto result = begin(get("/ships?id=gt.1", {{"Prefer", "count=estimated"}}), max_rows);
  const auto& all = std::get<DatabaseWork>(result).transaction.statements;
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(show(all[1]), one_line(R"(
    SELECT pg_catalog.count(*) FROM (SELECT FROM api.ships WHERE api.ships.id > $1 LIMIT $2)
           AS pgrst_counted | 1 | 51)"));
  EXPECT_EQ(all[1].format, ResultFormat::kRecords);
  EXPECT_EQ(show(all[2]),
            "EXPLAIN (FORMAT JSON) SELECT FROM api.ships WHERE api.ships.id > $1 | 1");
  const ResponseContext& context = std::get<DatabaseWork>(result).pending.context;
  EXPECT_EQ(context.total_at, 1u);
  EXPECT_EQ(context.planned_at, 2u);
  EXPECT_EQ(context.max_rows, 50);
}

TEST(CountQuery, EstimatedWithoutMaxRows) {
  const Headers estimated = {{"Prefer", "count=estimated"}};
  // The page tells the total, and the estimate may be larger.
  EXPECT_EQ(statements(get("/ships", estimated)),
            (std::vector<std::string>{"SELECT api.ships.* FROM api.ships",
                                      "EXPLAIN (FORMAT JSON) SELECT FROM api.ships"}));
  EXPECT_EQ(statements(get("/ships?limit=2", estimated)),
            (std::vector<std::string>{"SELECT api.ships.* FROM api.ships LIMIT $1 | 2",
                                      "SELECT pg_catalog.count(*) FROM api.ships",
                                      "EXPLAIN (FORMAT JSON) SELECT FROM api.ships"}));
}

// -- formats -------------------------------------------------------------------------------------

TEST(FormatQuery, OnlyFeaturesAreSelectedOtherwise) {
  const auto text = [](const char* accept) {
    return sql(get("/ships?select=id,ports(id)&limit=2", {{"Accept", accept}}));
  };
  EXPECT_EQ(text("text/csv"), text("application/json"));
  EXPECT_EQ(text("application/vnd.pgrst.array+json;nulls=stripped"), text("application/json"));
  EXPECT_EQ(text("application/vnd.pgrst.object+json"), text("application/json"));
  const std::string features = text("application/geo+json");
  std::string rows = text("application/json");
  // PostGIS takes rows whose embeds have a type.
  const std::string embed = "ships_ports_1 AS ports FROM";
  rows.replace(rows.find(embed), embed.size(), "pg_catalog.to_jsonb(ships_ports_1) AS ports FROM");
  const size_t params = rows.find(" | ");
  EXPECT_EQ(features, "SELECT ST_AsGeoJSON(pgrst_feature)::pg_catalog.json FROM (" +
                          rows.substr(0, params) + ") AS pgrst_feature" + rows.substr(params));
}

// -- names that a request should not use any more ------------------------------------------------

std::string warning(std::string_view target, const Given& given = {}) {
  const auto result = begin(get(target), given);
  EXPECT_EQ(result.index(), 1u) << target;
  if (result.index() != 1) return "";
  TransactionResult rows;
  rows.result_sets.resize(1);
  const HttpResponse response = finish(std::get<DatabaseWork>(result).pending, rows);
  const std::string* header = find_header(response.headers, "Warning");
  return header == nullptr ? "" : *header;
}

std::string warning_text(const std::string& names) {
  return "299 PostgRESTv16.2 \"Embedded resource was referenced by relation name even though it "
         "has an alias. This is deprecated and will stop working in a future release. Update " +
         names + " in query string filters, orders or limits.\"";
}

const Given& modern_names() {
  static const Given given{{{"url_use_legacy_target_names", "off"}}, harbour_catalog()};
  return given;
}

TEST(LegacyNames, AreUnderstoodWithAWarning) {
  for (const char* tail : {"ports.id=eq.1", "ports.order=id", "ports.limit=1", "ports.offset=1",
                           "ports.or=(id.eq.1)", "ports.id=eq.1&ports.order=id"}) {
    EXPECT_EQ(warning(std::string("/ships?select=p:ports(id)&") + tail),
              warning_text("`ports` to `p`"))
        << tail;
  }
  EXPECT_EQ(sql("/ships?select=p:ports(id)&ports.id=eq.1"),
            sql("/ships?select=p:ports(id)&p.id=eq.1"));
}

TEST(LegacyNames, EachIsToldOnce) {
  EXPECT_EQ(warning("/ships?select=p:ports(id,v:voyages!from_id(id)),c:crews(rank)"
                    "&ports.id=eq.1&ports.voyages.id=eq.1&crews.rank=eq.x&c.limit=1"),
            warning_text("`crews` to `c`, `ports` to `p`, `voyages` to `v`"));
}

TEST(LegacyNames, NoWarningWithoutThem) {
  EXPECT_EQ(warning("/ships?select=p:ports(id)&p.id=eq.1"), "");
  EXPECT_EQ(warning("/ships?select=ports(id)&ports.id=eq.1"), "");
  EXPECT_EQ(warning("/ships?select=ports:ports(id)&ports.id=eq.1"), "");
  EXPECT_EQ(warning("/ships?select=p:ports(id)&p.id=eq.1", modern_names()), "");
}

TEST(LegacyNames, CanBeSwitchedOff) {
  for (const char* tail :
       {"ports.id=eq.1", "ports.order=id", "ports.limit=1", "ports.or=(id.eq.1)"}) {
    const HttpResponse r =
        refused(std::string("/ships?select=p:ports(id)&") + tail, modern_names());
    EXPECT_EQ(r.status, 400);
    EXPECT_EQ(
        r.body,
        R"({"code":"PGRST108","details":"Target names are not allowed in filters if they have an alias","hint":"Change 'ports' to 'p' in filters, orders or limits.","message":"'ports' is not an embedded resource in this request"})")
        << tail;
  }
  EXPECT_EQ(
      refused("/ships?select=p:ports(id)&nope.id=eq.1", modern_names()).body,
      R"({"code":"PGRST108","details":null,"hint":"Verify that 'nope' is included in the 'select' query parameter.","message":"'nope' is not an embedded resource in this request"})");
}

// One embed is called like the relation of another.
TEST(LegacyNames, TheFirstThatFitsIsMeant) {
  const char* both = "/ships?select=c:crews(rank),crews:sailors(id)&crews.limit=1";
  EXPECT_EQ(warning(both), warning_text("`crews` to `c`"));
  EXPECT_EQ(sql(both, modern_names()), one_line(R"(
    SELECT ARRAY(SELECT ships_crews_1 FROM (
             SELECT sailors.id FROM api.sailors AS sailors, api.crews AS pgrst_junction_1
              WHERE pgrst_junction_1.ship_id = api.ships.id
                AND sailors.id = pgrst_junction_1.sailor_id LIMIT $1
           ) AS ships_crews_1) AS crews,
           ARRAY(SELECT ships_c_1 FROM (
             SELECT crews_1.rank FROM api.crews AS crews_1 WHERE crews_1.ship_id = api.ships.id
           ) AS ships_c_1) AS c
      FROM api.ships | 1)"));
}

// -- the order of members ------------------------------------------------------------------------

// The aliases of a statement's embeds, in order.
std::string embeds_of(const std::string& target) {
  const std::string text = sql(target);
  std::string out;
  for (size_t at = 0; (at = text.find(" AS embed_", at)) != std::string::npos;) {
    at += 10;
    out += text[at];
  }
  return out;
}

TEST(OrderOfMembers, IsThatOfSelectButForWhatIsNamedElsewhere) {
  const std::string select =
      "/ships?select=embed_a:ports(id),embed_b:crews(rank),embed_c:voyages(id)";
  EXPECT_EQ(embeds_of(select), "abc");
  EXPECT_EQ(embeds_of(select + "&id=eq.1&order=id"), "abc");
  EXPECT_EQ(embeds_of(select + "&embed_c.id=eq.1"), "cab");
  EXPECT_EQ(embeds_of(select + "&embed_b.order=rank"), "bac");
  EXPECT_EQ(embeds_of(select + "&embed_b.limit=1"), "bac");
  EXPECT_EQ(embeds_of(select + "&embed_b.or=(rank.eq.a,rank.eq.b)"), "bac");
  // Filters, orders, ranges and logic trees are looked at one after the other, each from the last
  // to the first.
  EXPECT_EQ(embeds_of(select + "&embed_b.rank=eq.a&embed_c.id=eq.1"), "bca");
  EXPECT_EQ(embeds_of(select + "&embed_b.rank=eq.a&embed_c.order=id"), "cba");
  EXPECT_EQ(embeds_of(select + "&embed_b=not.is.null&order=embed_a(id)"), "abc");
}

// -- text does not depend on values --------------------------------------------------------------

TEST(EmbedInjection, TextDoesNotDependOnValues) {
  const auto text = [](const std::string& value) {
    std::string encoded;
    append_percent_encoded(encoded, value);
    const auto result =
        begin(get("/ports?select=id,ships!inner(id,papers(*)),...voyages!from_id(days)&limit=5&"
                  "ships.name=eq." +
                  encoded + "&ships.papers.length=eq." + encoded + "&voyages.days=eq." + encoded));
    EXPECT_EQ(result.index(), 1u);
    return result.index() == 1 ? std::get<1>(result).transaction.statements.at(0).text : "";
  };
  const std::string plain = text("quintessence");
  EXPECT_EQ(plain.find("quintessence"), std::string::npos);
  for (const char* hostile : {"'", "\"", "\\", "$1", "--", "/*", "') OR 1=1; --", "\n", ""}) {
    EXPECT_EQ(text(hostile), plain) << hostile;
  }
}

TEST(EmbedInjection, AliasesAreQuotedIdentifiers) {
  std::string alias;
  append_percent_encoded(alias, "\"a\\\"; DROP TABLE ships; --\"");
  const auto result = begin(get("/ships?select=" + alias + ":ports(id)"));
  ASSERT_EQ(result.index(), 1u);
  const std::string text = std::get<1>(result).transaction.statements.at(0).text;
  EXPECT_EQ(text.substr(0, text.find(" FROM")),
            R"(SELECT "ships_a""; DROP TABLE ships; --_1" AS "a""; DROP TABLE ships; --")");
}

}  // namespace
}  // namespace pgrst
