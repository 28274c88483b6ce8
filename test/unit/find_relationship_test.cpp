// Which relationship an embed means: every way to name it, and the errors of none and of several.
#include "plan/find_relationship.hpp"

#include <gtest/gtest.h>

#include "fixtures.hpp"

namespace pgrst {
namespace {

using test::CatalogRows;
using test::harbour_catalog;

class Finder {
 public:
  explicit Finder(const CatalogRows& rows = harbour_catalog())
      : cache_(test::build(rows).schema_cache) {}

  Result<const Relationship*> operator()(const std::string& origin, const std::string& target,
                                         const std::string& schema = "api") const {
    const size_t mark = target.find('!');
    if (mark == std::string::npos) {
      return find_relationship(cache_, schema, origin, target, std::nullopt);
    }
    return find_relationship(cache_, schema, origin, target.substr(0, mark),
                             target.substr(mark + 1));
  }

  // "cardinality constraint to relation", or the error code.
  std::string show(const std::string& origin, const std::string& target,
                   const std::string& schema = "api") const {
    const auto found = (*this)(origin, target, schema);
    if (!found.ok()) return found.error().code;
    const Relationship& r = **found;
    const std::string to = " to " + r.foreign_table.name;
    switch (r.cardinality) {
      case Cardinality::kOneToMany:
        return "one-to-many " + r.constraint + to;
      case Cardinality::kManyToOne:
        return "many-to-one " + r.constraint + to;
      case Cardinality::kOneToOne:
        return "one-to-one " + r.constraint + to;
      case Cardinality::kManyToMany:
        return "many-to-many " + r.junction.name + to;
      case Cardinality::kComputed:
        break;
    }
    return "computed " + r.function.name + to;
  }

  Error error(const std::string& origin, const std::string& target,
              const std::string& schema = "api") const {
    const auto found = (*this)(origin, target, schema);
    return found.ok() ? Error{} : found.error();
  }

 private:
  SchemaCache cache_;
};

std::string find(const std::string& origin, const std::string& target) {
  static const Finder finder;
  return finder.show(origin, target);
}

Error error(const std::string& origin, const std::string& target) {
  static const Finder finder;
  return finder.error(origin, target);
}

// A harbour where ships have a second port.
CatalogRows with_second_port() {
  CatalogRows rows = harbour_catalog();
  rows.sets[kForeignKeys].push_back({"120", "11", "api", "ships", "10", "api", "ports",
                                     "ships_winter_port_fkey", "f", "6", "winter_port", "1", "id"});
  return rows;
}

// -- by one name ---------------------------------------------------------------------------------

TEST(FindRelationship, ByRelation) {
  EXPECT_EQ(find("ships", "ports"), "many-to-one ships_port_fkey to ports");
  EXPECT_EQ(find("ports", "ships"), "one-to-many ships_port_fkey to ships");
  EXPECT_EQ(find("ships", "papers"), "one-to-one papers_ship_fkey to papers");
  EXPECT_EQ(find("papers", "ships"), "one-to-one papers_ship_fkey to ships");
  EXPECT_EQ(find("ships", "sailors"), "many-to-many crews to sailors");
  EXPECT_EQ(find("sailors", "ships"), "many-to-many crews to ships");
  EXPECT_EQ(find("ships", "crews"), "one-to-many crews_ship_fkey to crews");
  EXPECT_EQ(find("bunks", "cabins"), "many-to-one bunks_cabin_fkey to cabins");
  EXPECT_EQ(find("cabins", "bunks"), "one-to-many bunks_cabin_fkey to bunks");
}

TEST(FindRelationship, ByConstraint) {
  EXPECT_EQ(find("ships", "ships_port_fkey"), "many-to-one ships_port_fkey to ports");
  EXPECT_EQ(find("ports", "ships_port_fkey"), "one-to-many ships_port_fkey to ships");
  EXPECT_EQ(find("papers", "papers_ship_fkey"), "one-to-one papers_ship_fkey to ships");
  EXPECT_EQ(find("ships", "papers_ship_fkey"), "one-to-one papers_ship_fkey to papers");
  EXPECT_EQ(find("bunks", "bunks_cabin_fkey"), "many-to-one bunks_cabin_fkey to cabins");
  EXPECT_EQ(find("voyages", "voyages_to_fkey"), "many-to-one voyages_to_fkey to ports");
  EXPECT_EQ(find("ports", "voyages_to_fkey"), "one-to-many voyages_to_fkey to voyages");
  // A junction's constraint leads to the junction, not through it.
  EXPECT_EQ(find("ships", "crews_ship_fkey"), "one-to-many crews_ship_fkey to crews");
  EXPECT_EQ(find("ships", "crews_sailor_fkey"), "PGRST200");
}

TEST(FindRelationship, ByColumnOfTheOrigin) {
  EXPECT_EQ(find("ships", "port_id"), "many-to-one ships_port_fkey to ports");
  EXPECT_EQ(find("voyages", "from_id"), "many-to-one voyages_from_fkey to ports");
  EXPECT_EQ(find("papers", "ship_id"), "one-to-one papers_ship_fkey to ships");
  // Not by that of the other side, nor by one of several columns.
  EXPECT_EQ(find("ports", "port_id"), "PGRST200");
  EXPECT_EQ(find("bunks", "cabin_ship_id"), "PGRST200");
  EXPECT_EQ(find("bunks", "cabin_deck"), "PGRST200");
}

TEST(FindRelationship, ByFunction) {
  EXPECT_EQ(find("sailors", "home"), "computed home to ports");
  EXPECT_EQ(find("sailors", "fellows"), "computed fellows to sailors");
  EXPECT_EQ(find("ports", "departures"), "computed departures to voyages");
  EXPECT_EQ(find("sailors", "ports"), "PGRST200");
  // A hint says nothing of functions.
  EXPECT_EQ(find("sailors", "home!anything"), "computed home to ports");
}

TEST(FindRelationship, OfViewsByRelationOnly) {
  EXPECT_EQ(find("ship_list", "ports"), "many-to-one ships_port_fkey to ports");
  EXPECT_EQ(find("ports", "ship_list"), "one-to-many ships_port_fkey to ship_list");
  EXPECT_EQ(find("ship_list", "port_list"), "many-to-one ships_port_fkey to port_list");
  EXPECT_EQ(find("ship_list", "sailors"), "many-to-many crews to sailors");
  EXPECT_EQ(find("sailors", "ship_list"), "many-to-many crews to ship_list");
  // By constraint or column a relationship to a table is found, not one to a view.
  EXPECT_EQ(find("ships", "ships_port_fkey"), "many-to-one ships_port_fkey to ports");
  EXPECT_EQ(find("ship_list", "ships_port_fkey"), "many-to-one ships_port_fkey to ports");
  EXPECT_EQ(find("ship_list", "port"), "many-to-one ships_port_fkey to ports");
  EXPECT_EQ(find("ship_list", "port_id"), "PGRST200");
  CatalogRows rows = harbour_catalog();
  for (auto& row : rows.sets[kForeignKeys]) {
    if (row[7] == "ships_port_fkey") row[5] = "private";  // then only the view of ports is exposed
  }
  const Finder hidden(rows);
  EXPECT_EQ(hidden.show("ships", "port_list"), "many-to-one ships_port_fkey to port_list");
  EXPECT_EQ(hidden.show("ships", "ships_port_fkey"), "PGRST200");
  EXPECT_EQ(hidden.show("ships", "port_id"), "PGRST200");
}

// -- of a relation to itself ---------------------------------------------------------------------

TEST(FindRelationship, OfATableToItself) {
  EXPECT_EQ(find("ships", "ships"), "one-to-many ships_flagship_fkey to ships");
  EXPECT_EQ(find("ships", "flagship_id"), "many-to-one ships_flagship_fkey to ships");
  EXPECT_EQ(find("ships", "ships!flagship_id"), "one-to-many ships_flagship_fkey to ships");
  EXPECT_EQ(find("ships", "ships!id"), "PGRST200");
  EXPECT_EQ(find("ships", "ships!ships_flagship_fkey"), "PGRST200");
  EXPECT_EQ(find("ships", "ships_flagship_fkey"), "PGRST200");
}

TEST(FindRelationship, OfATableToItselfInTwoWays) {
  CatalogRows rows = harbour_catalog();
  rows.sets[kForeignKeys].push_back({"120", "11", "api", "ships", "11", "api", "ships",
                                     "ships_tug_fkey", "f", "6", "tug_id", "1", "id"});
  const Finder finder(rows);
  EXPECT_EQ(finder.show("ships", "ships"), "PGRST201");
  EXPECT_EQ(finder.show("ships", "ships!tug_id"), "one-to-many ships_tug_fkey to ships");
  EXPECT_EQ(finder.show("ships", "ships!flagship_id"), "one-to-many ships_flagship_fkey to ships");
  EXPECT_EQ(finder.show("ships", "tug_id"), "many-to-one ships_tug_fkey to ships");
}

// PostgREST does not follow these either.
TEST(FindRelationship, OneToOneAndManyToManyOfATableToItselfAreNotFound) {
  CatalogRows rows = harbour_catalog();
  rows.sets[kForeignKeys].push_back({"120", "14", "api", "sailors", "14", "api", "sailors",
                                     "sailors_spouse_fkey", "t", "3", "spouse_id", "1", "id"});
  EXPECT_EQ(Finder(rows).show("sailors", "sailors"), "PGRST200");
  EXPECT_EQ(Finder(rows).show("sailors", "spouse_id"), "PGRST200");
  rows = harbour_catalog();
  for (auto& row : rows.sets[kForeignKeys]) {
    if (row[7] == "crews_ship_fkey") row[4] = "14", row[6] = "sailors";
  }
  EXPECT_EQ(Finder(rows).show("sailors", "sailors"), "PGRST200");
}

// -- with hints ----------------------------------------------------------------------------------

TEST(FindRelationship, ByHint) {
  // constraint
  EXPECT_EQ(find("voyages", "ports!voyages_from_fkey"), "many-to-one voyages_from_fkey to ports");
  EXPECT_EQ(find("ports", "voyages!voyages_to_fkey"), "one-to-many voyages_to_fkey to voyages");
  EXPECT_EQ(find("ships", "papers!papers_ship_fkey"), "one-to-one papers_ship_fkey to papers");
  EXPECT_EQ(find("bunks", "cabins!bunks_cabin_fkey"), "many-to-one bunks_cabin_fkey to cabins");
  // column of the origin
  EXPECT_EQ(find("voyages", "ports!to_id"), "many-to-one voyages_to_fkey to ports");
  EXPECT_EQ(find("ships", "ports!port_id"), "many-to-one ships_port_fkey to ports");
  // column of the target
  EXPECT_EQ(find("ports", "voyages!from_id"), "one-to-many voyages_from_fkey to voyages");
  EXPECT_EQ(find("ships", "ports!id"), "many-to-one ships_port_fkey to ports");
  EXPECT_EQ(find("ships", "papers!ship_id"), "one-to-one papers_ship_fkey to papers");
  // junction
  EXPECT_EQ(find("ships", "sailors!crews"), "many-to-many crews to sailors");
  // not: one of several columns, the constraints and columns of a junction, any other relation
  EXPECT_EQ(find("bunks", "cabins!cabin_deck"), "PGRST200");
  EXPECT_EQ(find("bunks", "cabins!cabin_ship_id"), "PGRST200");
  EXPECT_EQ(find("bunks", "cabins!deck"), "PGRST200");
  EXPECT_EQ(find("bunks", "cabins!ship_id"), "PGRST200");
  EXPECT_EQ(find("ships", "sailors!crews_ship_fkey"), "PGRST200");
  EXPECT_EQ(find("ships", "sailors!ship_id"), "PGRST200");
  EXPECT_EQ(find("ships", "sailors!id"), "PGRST200");
  EXPECT_EQ(find("ships", "sailors!sailor_id"), "PGRST200");
  EXPECT_EQ(find("ships", "sailors!voyages"), "PGRST200");
  EXPECT_EQ(find("ships", "ports!ports"), "PGRST200");
}

TEST(FindRelationship, ViewsByHint) {
  EXPECT_EQ(find("ship_list", "port_list!ships_port_fkey"),
            "many-to-one ships_port_fkey to port_list");
  EXPECT_EQ(find("ship_list", "port_list!port"), "many-to-one ships_port_fkey to port_list");
  EXPECT_EQ(find("ships", "port_list!id"), "many-to-one ships_port_fkey to port_list");
  EXPECT_EQ(find("ports", "ship_list!port"), "one-to-many ships_port_fkey to ship_list");
}

TEST(FindRelationship, AHintDoesNotReplaceTheTarget) {
  EXPECT_EQ(find("ships", "ships_port_fkey!port_id"), "PGRST200");
  EXPECT_EQ(find("ships", "port_id!ships_port_fkey"), "PGRST200");
}

TEST(FindRelationship, AFunctionTakesThePlaceOfAKey) {
  CatalogRows rows = with_second_port();
  EXPECT_EQ(Finder(rows).show("ships", "ports"), "PGRST201");
  rows.sets[kComputedRelationships].push_back(
      {"api", "ports", "api", "ships", "api", "ports", "t"});
  EXPECT_EQ(Finder(rows).show("ships", "ports"), "computed ports to ports");
}

// -- schemas -------------------------------------------------------------------------------------

TEST(FindRelationship, OnlyWithinTheSchemaOfTheRequest) {
  const Finder finder;
  EXPECT_EQ(finder.show("agents", "ports", "other"), "PGRST200");
  EXPECT_EQ(finder.show("ports", "agents", "api"), "PGRST200");
  EXPECT_EQ(finder.show("ports", "ships", "other"), "PGRST200");
  EXPECT_EQ(finder.show("ships", "secrets", "api"), "PGRST200");
}

// -- PGRST201 ------------------------------------------------------------------------------------

// A member of the array that the details are.
std::string described(const std::string& cardinality, const std::string& embedding,
                      const std::string& relationship) {
  return "{\"cardinality\":\"" + cardinality + "\",\"embedding\":\"" + embedding +
         "\",\"relationship\":\"" + relationship + "\"}";
}

TEST(AmbiguousRelationship, TellsOfEach) {
  const Error e = error("voyages", "ports");
  EXPECT_EQ(e.status, 300);
  EXPECT_EQ(e.code, "PGRST201");
  EXPECT_EQ(e.message,
            "Could not embed because more than one relationship was found for 'voyages' and "
            "'ports'");
  EXPECT_EQ(e.details_json,
            "[" +
                described("many-to-one", "voyages with ports",
                          "voyages_from_fkey using voyages(from_id) and ports(id)") +
                "," +
                described("many-to-one", "voyages with ports",
                          "voyages_to_fkey using voyages(to_id) and ports(id)") +
                "]");
  EXPECT_EQ(e.hint,
            "Try changing 'ports' to one of the following: 'ports!voyages_from_fkey', "
            "'ports!voyages_to_fkey'. Find the desired relationship in the 'details' key.");
}

TEST(AmbiguousRelationship, OfTheWayBack) {
  const Error e = error("ports", "voyages");
  EXPECT_EQ(e.details_json,
            "[" +
                described("one-to-many", "ports with voyages",
                          "voyages_from_fkey using ports(id) and voyages(from_id)") +
                "," +
                described("one-to-many", "ports with voyages",
                          "voyages_to_fkey using ports(id) and voyages(to_id)") +
                "]");
  EXPECT_EQ(e.hint,
            "Try changing 'voyages' to one of the following: 'voyages!voyages_from_fkey', "
            "'voyages!voyages_to_fkey'. Find the desired relationship in the 'details' key.");
}

// Of every cardinality, and in this order.
TEST(AmbiguousRelationship, OfEveryCardinality) {
  CatalogRows rows = harbour_catalog();
  auto& keys = rows.sets[kForeignKeys];
  keys.push_back({"120", "11", "api", "ships", "14", "api", "sailors", "captain_fkey", "f", "6",
                  "captain_id", "1", "id"});
  keys.push_back({"121", "14", "api", "sailors", "11", "api", "ships", "one_fkey", "t", "3",
                  "ship_a", "1", "id"});
  keys.push_back({"122", "14", "api", "sailors", "11", "api", "ships", "two_fkey", "f", "4",
                  "ship_b", "1", "id"});
  keys.push_back({"122", "14", "api", "sailors", "11", "api", "ships", "two_fkey", "f", "5",
                  "name_b", "2", "name"});
  const Error e = Finder(rows).error("ships", "sailors");
  EXPECT_EQ(e.details_json,
            "[" +
                described("one-to-many", "ships with sailors",
                          "two_fkey using ships(id, name) and sailors(ship_b, name_b)") +
                "," +
                described("many-to-one", "ships with sailors",
                          "captain_fkey using ships(captain_id) and sailors(id)") +
                "," +
                described("one-to-one", "ships with sailors",
                          "one_fkey using ships(id) and sailors(ship_a)") +
                "," +
                described("many-to-many", "ships with sailors",
                          "crews using crews_ship_fkey(ship_id) and crews_sailor_fkey(sailor_id)") +
                "]");
  EXPECT_EQ(e.hint,
            "Try changing 'sailors' to one of the following: 'sailors!two_fkey', "
            "'sailors!captain_fkey', 'sailors!one_fkey', 'sailors!crews'. Find the desired "
            "relationship in the 'details' key.");
}

TEST(AmbiguousRelationship, ByAHintThatFitsTwo) {
  EXPECT_EQ(error("voyages", "ports!id").code, "PGRST201");
  EXPECT_EQ(error("ports", "voyages!id").code, "PGRST201");
  EXPECT_EQ(error("voyages", "ports!ship_id").code, "PGRST200");
}

// PostgREST says nothing of functions here.
TEST(AmbiguousRelationship, OfAKeyAndAFunction) {
  CatalogRows rows = harbour_catalog();
  rows.sets[kComputedRelationships].push_back(
      {"api", "port_id", "api", "ships", "api", "ports", "t"});
  const Error e = Finder(rows).error("ships", "port_id");
  EXPECT_EQ(e.details_json, "[" +
                                described("many-to-one", "ships with ports",
                                          "ships_port_fkey using ships(port_id) and ports(id)") +
                                ",{}]");
  EXPECT_EQ(e.hint,
            "Try changing 'port_id' to one of the following: 'ports!ships_port_fkey', . Find the "
            "desired relationship in the 'details' key.");
}

// -- PGRST200 ------------------------------------------------------------------------------------

TEST(NoRelationship, TellsWhatWasSearched) {
  const Error e = error("ships", "loners");
  EXPECT_EQ(e.status, 400);
  EXPECT_EQ(e.code, "PGRST200");
  EXPECT_EQ(e.message,
            "Could not find a relationship between 'ships' and 'loners' in the schema cache");
  EXPECT_EQ(e.details_json,
            "\"Searched for a foreign key relationship between 'ships' and 'loners' in the schema "
            "'api', but no matches were found.\"");
  EXPECT_EQ(error("ships", "ports!nope").details_json,
            "\"Searched for a foreign key relationship between 'ships' and 'ports' using the hint "
            "'nope' in the schema 'api', but no matches were found.\"");
}

TEST(NoRelationship, HintsAtTheNearestTarget) {
  EXPECT_EQ(error("ships", "sailor").hint, "Perhaps you meant 'sailors' instead of 'sailor'.");
  EXPECT_EQ(error("ships", "voyage!x").hint, "Perhaps you meant 'voyages' instead of 'voyage'.");
  EXPECT_EQ(error("ships", "xyzzy").hint, std::nullopt);
  // The target is right, the hint is not.
  EXPECT_EQ(error("papers", "ships!nope").hint, std::nullopt);
  EXPECT_EQ(error("bunks", "cabins!nope").hint, std::nullopt);
}

TEST(NoRelationship, HintsAtTheNearestOriginThatHasRelationships) {
  EXPECT_EQ(error("shipz", "ports").hint, "Perhaps you meant 'ships' instead of 'shipz'.");
  EXPECT_EQ(error("xyzzy", "ports").hint, std::nullopt);
}

TEST(NoRelationship, NoHintOnceAJunctionIsHidden) {
  CatalogRows rows = harbour_catalog();
  rows.sets[kTables] = {{"50", "api", "shops", "r", "28", std::nullopt},
                        {"51", "api", "shop", "r", "28", std::nullopt},
                        {"52", "api", "goods", "r", "28", std::nullopt},
                        {"10", "api", "ports", "r", "28", std::nullopt}};
  rows.sets[kForeignKeys] = {
      {"1", "60", "private", "stock", "50", "api", "shops", "a", "f", "1", "shop", "1", "id"},
      {"2", "60", "private", "stock", "52", "api", "goods", "b", "f", "2", "good", "1", "id"},
      {"3", "51", "api", "shop", "10", "api", "ports", "c", "f", "1", "port", "1", "id"}};
  // Relations that differ from "shops" only by whether they are related at all.
  EXPECT_EQ(Finder(rows).error("shops", "goods").hint,
            "Perhaps you meant 'shop' instead of 'shops'.");
  rows.sets[kPrimaryKeys].push_back({"60", "1", "shop"});
  rows.sets[kPrimaryKeys].push_back({"60", "2", "good"});
  EXPECT_EQ(Finder(rows).error("shops", "goods").hint, std::nullopt);
}

TEST(NoRelationship, NoHintsAmongVeryManyTables) {
  const auto hint = [](size_t count) {
    CatalogRows rows;
    rows.sets[kTables].push_back({"1", "api", "hub", "r", "28", std::nullopt});
    for (size_t i = 2; i <= count; i++) {
      const std::string oid = std::to_string(i), name = "table_" + oid;
      rows.sets[kTables].push_back({oid, "api", name, "r", "28", std::nullopt});
      rows.sets[kForeignKeys].push_back(
          {oid, oid, "api", name, "1", "api", "hub", "key_" + oid, "f", "1", "hub_id", "1", "id"});
    }
    return Finder(rows).error("hubs", "x").hint;
  };
  EXPECT_EQ(hint(499), "Perhaps you meant 'hub' instead of 'hubs'.");
  EXPECT_EQ(hint(500), std::nullopt);
}

}  // namespace
}  // namespace pgrst
