// Foreign keys, views and functions -> relationships.
#include "schema_cache/relationships.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgrst {
namespace {

using Names = std::vector<std::string>;

QualifiedIdentifier identifier(const std::string& dotted) {
  const size_t dot = dotted.find('.');
  return {dotted.substr(0, dot), dotted.substr(dot + 1)};
}

// A database to derive from. Relations are named "schema.name"; all are exposed but those of the
// schema private.
class Database {
 public:
  Database& table(const std::string& name, const Names& columns, const Names& primary_key = {}) {
    add_relation(name, columns, 'r');
    if (primary_key.empty()) return *this;
    sources_.primary_keys.push_back({oid(name), numbers(name, primary_key)});
    if (is_exposed(name)) tables_[oid(name)].pk_columns = primary_key;
    return *this;
  }

  // Columns are (name, "schema.relation.column" that it shows, or "").
  Database& view(const std::string& name,
                 const std::vector<std::pair<std::string, std::string>>& columns) {
    Names names;
    for (const auto& [column, shown] : columns) names.push_back(column);
    add_relation(name, names, 'v');
    View& view = sources_.views[oid(name)];
    view.id = identifier(name);
    view.is_exposed = is_exposed(name);
    int16_t number = 0;
    for (const auto& [column, shown] : columns) {
      view.columns.emplace_back(++number, column);
      const size_t dot = shown.rfind('.');
      sources_.view_columns.push_back(
          shown.empty() ? ViewColumn{oid(name), number, 0, 0}
                        : ViewColumn{oid(name), number, oid(shown.substr(0, dot)),
                                     numbers(shown.substr(0, dot), {shown.substr(dot + 1)}).at(0)});
    }
    return *this;
  }

  Database& key(const std::string& constraint, const std::string& from, const Names& columns,
                const std::string& to, const Names& foreign_columns = {"id"},
                bool is_unique = false) {
    ForeignKey key;
    key.table_oid = oid(from);
    key.foreign_table_oid = oid(to);
    key.table = identifier(from);
    key.foreign_table = identifier(to);
    key.constraint = constraint;
    key.is_unique = is_unique;
    const auto own = numbers(from, columns), foreign = numbers(to, foreign_columns);
    for (size_t i = 0; i < columns.size(); i++) {
      key.columns.push_back({own[i], foreign[i], columns[i], foreign_columns[i]});
    }
    sources_.foreign_keys.push_back(std::move(key));
    return *this;
  }

  Database& unique_key(const std::string& constraint, const std::string& from, const Names& columns,
                       const std::string& to, const Names& foreign_columns = {"id"}) {
    return key(constraint, from, columns, to, foreign_columns, true);
  }

  Database& function(const std::string& name, const std::string& of, const std::string& to,
                     bool returns_one = false) {
    Relationship r;
    r.cardinality = Cardinality::kComputed;
    r.function = identifier(name);
    r.table = identifier(of);
    r.foreign_table = identifier(to);
    r.returns_one = returns_one;
    sources_.computed.push_back(std::move(r));
    return *this;
  }

  Relationships derive() { return derive_relationships(sources_, tables_); }
  // After derive().
  Names primary_key(const std::string& name) { return tables_.at(oid(name)).pk_columns; }

 private:
  static bool is_exposed(const std::string& name) { return name.rfind("private.", 0) != 0; }

  void add_relation(const std::string& name, const Names& columns, char kind) {
    oids_.emplace(name, static_cast<RelationOid>(oids_.size() + 1));
    columns_[name] = columns;
    if (!is_exposed(name)) return;
    Table table;
    table.id = identifier(name);
    table.kind = kind;
    tables_.emplace(oid(name), std::move(table));
  }
  RelationOid oid(const std::string& name) const { return oids_.at(name); }
  std::vector<int16_t> numbers(const std::string& name, const Names& of) const {
    std::vector<int16_t> out;
    const auto& all = columns_.at(name);
    for (const auto& column : of) {
      const auto at = std::find(all.begin(), all.end(), column);
      EXPECT_NE(at, all.end()) << name << "." << column;
      out.push_back(static_cast<int16_t>(at - all.begin() + 1));
    }
    return out;
  }

  std::map<std::string, RelationOid> oids_;
  std::map<std::string, Names> columns_;
  RelationshipSources sources_;
  TablesByOid tables_;
};

std::string show(const QualifiedIdentifier& id) { return id.schema + "." + id.name; }

std::string show(const ColumnPairs& pairs) {
  std::string out = "(";
  for (const auto& [a, b] : pairs) out += (out.size() > 1 ? ", " : "") + a + " = " + b;
  return out + ")";
}

// "a.x > a.y key (x_col = y_col)", where > is many to one, < one to many, - one to one (-< where
// the key points here), * many to many and f() a function.
std::string show(const Relationship& r) {
  const std::string from = show(r.table) + (r.table_is_view ? " view" : "");
  const std::string to = show(r.foreign_table) + (r.foreign_table_is_view ? " view" : "");
  const std::string self = r.is_self ? " self" : "";
  const std::string by = " " + r.constraint + " " + show(r.columns);
  switch (r.cardinality) {
    case Cardinality::kOneToMany:
      return from + " < " + to + by + self;
    case Cardinality::kManyToOne:
      return from + " > " + to + by + self;
    case Cardinality::kOneToOne:
      return from + (r.is_parent ? " -< " : " - ") + to + by + self;
    case Cardinality::kManyToMany:
      return from + " * " + to + " " + show(r.junction) + by + " " + r.foreign_constraint + " " +
             show(r.foreign_columns) + self;
    case Cardinality::kComputed:
      break;
  }
  return from + " " + show(r.function) + "() " + to + (r.returns_one ? " one" : "");
}

// All relationships, or those between two relations, in their order.
Names derived(Database& database, const std::string& from = "", const std::string& to = "") {
  auto list = database.derive().list;
  std::sort(list.begin(), list.end());
  Names out;
  for (const auto& r : list) {
    if (!from.empty() && show(r.table) != from) continue;
    if (!to.empty() && show(r.foreign_table) != to) continue;
    out.push_back(show(r));
  }
  return out;
}

Database ships_and_ports() {
  Database d;
  d.table("api.ports", {"id", "name"}, {"id"});
  d.table("api.ships", {"id", "name", "port_id"}, {"id"});
  d.key("ships_port_fkey", "api.ships", {"port_id"}, "api.ports");
  return d;
}

// -- foreign keys --------------------------------------------------------------------------------

TEST(Relationships, AForeignKeyIsFollowedBothWays) {
  Database d = ships_and_ports();
  EXPECT_EQ(derived(d), (Names{"api.ports < api.ships ships_port_fkey (id = port_id)",
                               "api.ships > api.ports ships_port_fkey (port_id = id)"}));
}

TEST(Relationships, AUniqueForeignKeyIsOneToOneBothWays) {
  Database d;
  d.table("api.ships", {"id"}, {"id"});
  d.table("api.papers", {"ship_id"}, {"ship_id"});
  d.unique_key("papers_fkey", "api.papers", {"ship_id"}, "api.ships");
  EXPECT_EQ(derived(d), (Names{"api.papers - api.ships papers_fkey (ship_id = id)",
                               "api.ships -< api.papers papers_fkey (id = ship_id)"}));
}

TEST(Relationships, ColumnsStayInTheOrderOfTheKey) {
  Database d;
  d.table("api.cabins", {"ship", "deck", "nr"}, {"nr", "deck", "ship"});
  d.table("api.bunks", {"id", "a_ship", "z_nr", "deck"}, {"id"});
  d.key("bunks_fkey", "api.bunks", {"z_nr", "deck", "a_ship"}, "api.cabins",
        {"nr", "deck", "ship"});
  EXPECT_EQ(derived(d),
            (Names{"api.bunks > api.cabins bunks_fkey (z_nr = nr, deck = deck, a_ship = ship)",
                   "api.cabins < api.bunks bunks_fkey (nr = z_nr, deck = deck, ship = a_ship)"}));
}

TEST(Relationships, ATableCanReferToItself) {
  Database d;
  d.table("api.ships", {"id", "flagship_id"}, {"id"});
  d.key("flagship_fkey", "api.ships", {"flagship_id"}, "api.ships");
  EXPECT_EQ(derived(d), (Names{"api.ships < api.ships flagship_fkey (id = flagship_id) self",
                               "api.ships > api.ships flagship_fkey (flagship_id = id) self"}));
}

TEST(Relationships, SeveralKeysToOneTable) {
  Database d;
  d.table("api.ports", {"id"}, {"id"});
  d.table("api.voyages", {"id", "from_id", "to_id"}, {"id"});
  d.key("from_fkey", "api.voyages", {"from_id"}, "api.ports");
  d.key("to_fkey", "api.voyages", {"to_id"}, "api.ports");
  EXPECT_EQ(derived(d), (Names{"api.ports < api.voyages from_fkey (id = from_id)",
                               "api.ports < api.voyages to_fkey (id = to_id)",
                               "api.voyages > api.ports from_fkey (from_id = id)",
                               "api.voyages > api.ports to_fkey (to_id = id)"}));
}

TEST(Relationships, OfSeveralExposedSchemas) {
  Database d = ships_and_ports();
  d.table("other.agents", {"id", "port_id"}, {"id"});
  d.key("agents_fkey", "other.agents", {"port_id"}, "api.ports");
  EXPECT_EQ(derived(d, "other.agents"),
            (Names{"other.agents > api.ports agents_fkey (port_id = id)"}));
  EXPECT_EQ(derived(d, "api.ports", "other.agents"),
            (Names{"api.ports < other.agents agents_fkey (id = port_id)"}));
}

// -- junctions -----------------------------------------------------------------------------------

Database crews(const Names& primary_key) {
  Database d;
  d.table("api.ships", {"id"}, {"id"});
  d.table("api.sailors", {"id"}, {"id"});
  d.table("api.crews", {"id", "ship_id", "sailor_id"}, primary_key);
  d.key("crew_sailor", "api.crews", {"sailor_id"}, "api.sailors");
  d.key("crew_ship", "api.crews", {"ship_id"}, "api.ships");
  return d;
}

TEST(Junctions, RelateBothWays) {
  Database d = crews({"sailor_id", "ship_id"});
  EXPECT_EQ(derived(d, "api.ships", "api.sailors"),
            (Names{"api.ships * api.sailors api.crews crew_ship (id = ship_id) "
                   "crew_sailor (id = sailor_id)"}));
  EXPECT_EQ(derived(d, "api.sailors", "api.ships"),
            (Names{"api.sailors * api.ships api.crews crew_sailor (id = sailor_id) "
                   "crew_ship (id = ship_id)"}));
  // Beside the relationships of the keys themselves.
  EXPECT_EQ(derived(d).size(), 6u);
}

TEST(Junctions, MayHaveFurtherColumnsInTheirPrimaryKey) {
  Database d = crews({"id", "sailor_id", "ship_id"});
  EXPECT_EQ(derived(d, "api.ships", "api.sailors").size(), 1u);
}

TEST(Junctions, NeedBothKeysWithinThePrimaryKey) {
  for (const Names& primary_key :
       {Names{}, Names{"id"}, Names{"ship_id"}, Names{"sailor_id"}, Names{"id", "ship_id"}}) {
    Database d = crews(primary_key);
    EXPECT_EQ(derived(d, "api.ships", "api.sailors"), Names{});
    EXPECT_EQ(derived(d, "api.sailors", "api.ships"), Names{});
    EXPECT_EQ(derived(d).size(), 4u);
  }
}

TEST(Junctions, NeedEveryColumnOfTheirKeysWithinThePrimaryKey) {
  const auto bunk_users = [](const Names& primary_key) {
    Database d;
    d.table("api.bunks", {"ship", "nr"}, {"nr", "ship"});
    d.table("api.sailors", {"id"}, {"id"});
    d.table("api.users", {"ship", "nr", "sailor_id"}, primary_key);
    d.key("user_bunk", "api.users", {"ship", "nr"}, "api.bunks", {"ship", "nr"});
    d.key("user_sailor", "api.users", {"sailor_id"}, "api.sailors");
    return derived(d, "api.bunks", "api.sailors");
  };
  EXPECT_EQ(bunk_users({"nr", "sailor_id", "ship"}),
            (Names{"api.bunks * api.sailors api.users user_bunk (ship = ship, nr = nr) "
                   "user_sailor (id = sailor_id)"}));
  EXPECT_EQ(bunk_users({"sailor_id", "ship"}), Names{});
}

TEST(Junctions, NeedTwoKeysThatAreNotUnique) {
  Database d;
  d.table("api.ships", {"id"}, {"id"});
  d.table("api.sailors", {"id"}, {"id"});
  d.table("api.captains", {"ship_id", "sailor_id"}, {"ship_id", "sailor_id"});
  d.key("captain_ship", "api.captains", {"ship_id"}, "api.ships");
  d.unique_key("captain_sailor", "api.captains", {"sailor_id"}, "api.sailors");
  EXPECT_EQ(derived(d, "api.ships", "api.sailors"), Names{});
}

TEST(Junctions, OfOneTableWithItself) {
  Database d;
  d.table("api.ports", {"id"}, {"id"});
  d.table("api.routes", {"from_id", "to_id"}, {"from_id", "to_id"});
  d.key("route_from", "api.routes", {"from_id"}, "api.ports");
  d.key("route_to", "api.routes", {"to_id"}, "api.ports");
  EXPECT_EQ(derived(d, "api.ports", "api.ports"),
            (Names{"api.ports * api.ports api.routes route_from (id = from_id) "
                   "route_to (id = to_id) self",
                   "api.ports * api.ports api.routes route_to (id = to_id) "
                   "route_from (id = from_id) self"}));
}

TEST(Junctions, OfThreeRelateEachPair) {
  Database d = crews({"sailor_id", "ship_id", "id"});
  d.table("api.ranks", {"id"}, {"id"});
  d.key("crew_rank", "api.crews", {"id"}, "api.ranks");
  size_t many_to_many = 0;
  for (const auto& r : d.derive().list) many_to_many += r.cardinality == Cardinality::kManyToMany;
  EXPECT_EQ(many_to_many, 6u);
  EXPECT_EQ(derived(d, "api.ranks", "api.sailors").size(), 1u);
}

// Their number would grow with the square of the keys.
TEST(Junctions, OfVeryManyRelateSomePairs) {
  Database d;
  d.table("api.ports", {"id"}, {"id"});
  Names columns;
  for (int i = 0; i < 100; i++) columns.push_back("port" + std::to_string(i));
  d.table("api.wide", columns, columns);
  for (const auto& column : columns) d.key("key_" + column, "api.wide", {column}, "api.ports");
  size_t many_to_many = 0, to_one = 0;
  for (const auto& r : d.derive().list) {
    many_to_many += r.cardinality == Cardinality::kManyToMany;
    to_one += r.cardinality == Cardinality::kManyToOne;
  }
  EXPECT_EQ(many_to_many, 64u * 63u);
  EXPECT_EQ(to_one, 100u);
}

// -- views ---------------------------------------------------------------------------------------

TEST(Views, AtEitherEndAndAtBoth) {
  Database d = ships_and_ports();
  d.view("api.ship_list", {{"nr", "api.ships.id"}, {"port", "api.ships.port_id"}});
  d.view("api.port_list", {{"code", "api.ports.id"}});
  EXPECT_EQ(derived(d),
            (Names{"api.port_list view < api.ship_list view ships_port_fkey (code = port)",
                   "api.port_list view < api.ships ships_port_fkey (code = port_id)",
                   "api.ports < api.ship_list view ships_port_fkey (id = port)",
                   "api.ports < api.ships ships_port_fkey (id = port_id)",
                   "api.ship_list view > api.port_list view ships_port_fkey (port = code)",
                   "api.ship_list view > api.ports ships_port_fkey (port = id)",
                   "api.ships > api.port_list view ships_port_fkey (port_id = code)",
                   "api.ships > api.ports ships_port_fkey (port_id = id)"}));
}

TEST(Views, KeepOneToOne) {
  Database d;
  d.table("api.ships", {"id"}, {"id"});
  d.table("api.papers", {"ship_id"}, {"ship_id"});
  d.unique_key("papers_fkey", "api.papers", {"ship_id"}, "api.ships");
  d.view("api.paper_list", {{"ship", "api.papers.ship_id"}});
  EXPECT_EQ(derived(d, "api.paper_list"),
            (Names{"api.paper_list view - api.ships papers_fkey (ship = id)"}));
  EXPECT_EQ(derived(d, "api.ships", "api.paper_list"),
            (Names{"api.ships -< api.paper_list view papers_fkey (id = ship)"}));
}

TEST(Views, OfHiddenTables) {
  Database d;
  d.table("private.ports", {"id"}, {"id"});
  d.table("private.ships", {"id", "port_id"}, {"id"});
  d.key("ships_port_fkey", "private.ships", {"port_id"}, "private.ports");
  d.view("api.ships", {{"id", "private.ships.id"}, {"port_id", "private.ships.port_id"}});
  d.view("api.ports", {{"id", "private.ports.id"}});
  EXPECT_EQ(derived(d), (Names{"api.ports view < api.ships view ships_port_fkey (id = port_id)",
                               "api.ships view > api.ports view ships_port_fkey (port_id = id)"}));
}

TEST(Views, OnViews) {
  Database d = ships_and_ports();
  d.view("private.one", {{"", ""}, {"one_port", "api.ships.port_id"}});
  d.view("api.two", {{"two_port", "private.one.one_port"}});
  d.view("api.three", {{"a", ""}, {"b", ""}, {"three_port", "api.two.two_port"}});
  EXPECT_EQ(derived(d, "api.three"),
            (Names{"api.three view > api.ports ships_port_fkey (three_port = id)"}));
  EXPECT_EQ(derived(d, "api.two"),
            (Names{"api.two view > api.ports ships_port_fkey (two_port = id)"}));
  EXPECT_EQ(derived(d).size(), 6u);  // the view between is not exposed
}

TEST(Views, OfATableThatRefersToItself) {
  Database d;
  d.table("api.ships", {"id", "flagship_id"}, {"id"});
  d.key("fkey", "api.ships", {"flagship_id"}, "api.ships");
  d.view("api.list", {{"nr", "api.ships.id"}, {"lead", "api.ships.flagship_id"}});
  d.view("api.leads", {{"lead", "api.ships.id"}});
  EXPECT_EQ(derived(d, "api.list"), (Names{"api.list view > api.leads view fkey (lead = lead)",
                                           "api.list view < api.list view fkey (nr = lead) self",
                                           "api.list view > api.list view fkey (lead = nr) self",
                                           "api.list view < api.ships fkey (nr = flagship_id)",
                                           "api.list view > api.ships fkey (lead = id)"}));
}

TEST(Views, ThatShowAKeyTwiceAreRelatedTwice) {
  Database d = ships_and_ports();
  d.view("api.twice", {{"b", "api.ships.port_id"}, {"a", "api.ships.port_id"}});
  EXPECT_EQ(derived(d, "api.twice"),
            (Names{"api.twice view > api.ports ships_port_fkey (a = id)",
                   "api.twice view > api.ports ships_port_fkey (b = id)"}));
  EXPECT_EQ(derived(d, "api.ports", "api.twice").size(), 2u);
}

Database cabins() {
  Database d;
  d.table("api.cabins", {"ship", "deck"}, {"deck", "ship"});
  d.table("api.bunks", {"id", "ship", "deck"}, {"id"});
  d.key("bunk_cabin", "api.bunks", {"ship", "deck"}, "api.cabins", {"ship", "deck"});
  return d;
}

TEST(Views, ThatShowAKeyOfTwoColumnsInOtherPlaces) {
  Database d = cabins();
  d.view("api.v", {{"d", "api.bunks.deck"}, {"x", ""}, {"s", "api.bunks.ship"}});
  EXPECT_EQ(derived(d, "api.v"),
            (Names{"api.v view > api.cabins bunk_cabin (s = ship, d = deck)"}));
}

TEST(Views, ThatShowOneOfTwoColumnsTwice) {
  Database d = cabins();
  d.view("api.v", {{"s", "api.bunks.ship"}, {"d1", "api.bunks.deck"}, {"d2", "api.bunks.deck"}});
  EXPECT_EQ(derived(d, "api.v"),
            (Names{"api.v view > api.cabins bunk_cabin (s = ship, d1 = deck)",
                   "api.v view > api.cabins bunk_cabin (s = ship, d2 = deck)"}));
}

TEST(Views, ThatShowAPartOfAKeyAreNotRelated) {
  Database d = cabins();
  d.view("api.v", {{"ship", "api.bunks.ship"}});
  d.view("api.w", {{"deck", "api.cabins.deck"}});
  EXPECT_EQ(derived(d, "api.v"), Names{});
  EXPECT_EQ(derived(d, "api.w"), Names{});
}

TEST(Views, ThatShowAKeyInVeryManyWaysAreRelatedInSome) {
  Database d = cabins();
  std::vector<std::pair<std::string, std::string>> columns;
  for (int i = 0; i < 30; i++) {
    columns.emplace_back("s" + std::to_string(i), "api.bunks.ship");
    columns.emplace_back("d" + std::to_string(i), "api.bunks.deck");
  }
  d.view("api.v", columns);
  EXPECT_EQ(derived(d, "api.v", "api.cabins").size(), 64u);
}

TEST(Views, WithoutAnOriginOrWithACircularOneAreNotRelated) {
  Database d = ships_and_ports();
  d.view("api.v", {{"port_id", ""}});
  EXPECT_EQ(derived(d, "api.v"), Names{});
  // No server has such views, but its bytes came through shared memory.
  RelationshipSources sources;
  sources.views[1] = {{"api", "a"}, true, {{1, "x"}}};
  sources.views[2] = {{"api", "b"}, true, {{1, "x"}}};
  sources.view_columns = {{1, 1, 2, 1}, {2, 1, 1, 1}, {9, 1, 1, 1}};
  TablesByOid tables;
  EXPECT_TRUE(derive_relationships(sources, tables).list.empty());
}

TEST(Views, AsJunctionsAndBehindThem) {
  Database d = crews({"sailor_id", "ship_id"});
  d.view("api.crew_list", {{"ship", "api.crews.ship_id"}, {"sailor", "api.crews.sailor_id"}});
  d.view("api.names", {{"nr", "api.sailors.id"}});
  EXPECT_EQ(derived(d, "api.ships", "api.names"),
            (Names{"api.ships * api.names view api.crew_list crew_ship (id = ship) "
                   "crew_sailor (nr = sailor)",
                   "api.ships * api.names view api.crews crew_ship (id = ship_id) "
                   "crew_sailor (nr = sailor_id)"}));
  // A view that does not show the whole primary key is no junction.
  d.view("api.half", {{"ship", "api.crews.ship_id"}});
  for (const auto& r : d.derive().list) EXPECT_NE(r.junction.name, "half");
}

// -- primary keys of views -----------------------------------------------------------------------

TEST(PrimaryKeysOfViews, UnderTheNamesOfTheView) {
  Database d = crews({"sailor_id", "ship_id"});
  d.view("api.whole", {{"v", "api.crews.ship_id"}, {"s", "api.crews.sailor_id"}});
  d.view("api.part", {{"s", "api.crews.sailor_id"}});
  d.view("api.twice", {{"z", "api.ships.id"}, {"a", "api.ships.id"}});
  d.view("private.between", {{"b", "api.ships.id"}});
  d.view("api.far", {{"f", "private.between.b"}});
  d.view("api.joined", {{"ship", "api.ships.id"}, {"sailor", "api.sailors.id"}});
  d.derive();
  EXPECT_EQ(d.primary_key("api.whole"), (Names{"s", "v"}));
  EXPECT_EQ(d.primary_key("api.part"), Names{});
  EXPECT_EQ(d.primary_key("api.twice"), (Names{"z"}));  // the first of the view
  EXPECT_EQ(d.primary_key("api.far"), (Names{"f"}));
  EXPECT_EQ(d.primary_key("api.joined"), (Names{"sailor", "ship"}));
  EXPECT_EQ(d.primary_key("api.crews"), (Names{"sailor_id", "ship_id"}));
}

// -- what is not exposed -------------------------------------------------------------------------

TEST(Hidden, TablesAreNotRelated) {
  Database d = ships_and_ports();
  d.table("private.logs", {"id", "ship_id", "port_id"}, {"id"});
  d.key("logs_fkey", "private.logs", {"ship_id"}, "api.ships");
  d.table("private.flags", {"id"}, {"id"});
  d.key("ships_flag", "api.ships", {"id"}, "private.flags");
  EXPECT_EQ(derived(d).size(), 2u);
  EXPECT_TRUE(d.derive().through_hidden.empty());
}

Names through_hidden(Database& d) {
  Names out;
  for (const auto& id : d.derive().through_hidden) out.push_back(show(id));
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Hidden, JunctionsLeaveAMark) {
  Database d;
  d.table("api.ships", {"id"}, {"id"});
  d.table("api.sailors", {"id"}, {"id"});
  d.table("private.crews", {"ship_id", "sailor_id"}, {"sailor_id", "ship_id"});
  d.key("crew_sailor", "private.crews", {"sailor_id"}, "api.sailors");
  d.key("crew_ship", "private.crews", {"ship_id"}, "api.ships");
  EXPECT_EQ(derived(d), Names{});
  EXPECT_EQ(through_hidden(d), (Names{"api.sailors", "api.ships"}));
}

TEST(Hidden, JunctionsLeaveAMarkOnViewsToo) {
  Database d;
  d.table("private.ships", {"id"}, {"id"});
  d.table("private.sailors", {"id"}, {"id"});
  d.table("private.crews", {"ship_id", "sailor_id"}, {"sailor_id", "ship_id"});
  d.key("crew_sailor", "private.crews", {"sailor_id"}, "private.sailors");
  d.key("crew_ship", "private.crews", {"ship_id"}, "private.ships");
  d.view("api.ships", {{"id", "private.ships.id"}});
  d.view("api.sailors", {{"id", "private.sailors.id"}});
  EXPECT_EQ(derived(d), Names{});
  const Names marked = through_hidden(d);
  EXPECT_EQ(std::count(marked.begin(), marked.end(), "api.ships"), 1);
  EXPECT_EQ(std::count(marked.begin(), marked.end(), "api.sailors"), 1);
}

TEST(Hidden, TablesThatAreNoJunctionLeaveNoMark) {
  for (const Names& primary_key : {Names{}, Names{"ship_id"}}) {
    Database d;
    d.table("api.ships", {"id"}, {"id"});
    d.table("api.sailors", {"id"}, {"id"});
    d.table("private.crews", {"ship_id", "sailor_id"}, primary_key);
    d.key("crew_sailor", "private.crews", {"sailor_id"}, "api.sailors");
    d.key("crew_ship", "private.crews", {"ship_id"}, "api.ships");
    EXPECT_EQ(through_hidden(d), Names{});
  }
}

// -- functions -----------------------------------------------------------------------------------

TEST(ComputedRelationships, StandBesideOthers) {
  Database d = ships_and_ports();
  d.function("api.nearest", "api.ships", "api.ports", true);
  EXPECT_EQ(derived(d, "api.ships"), (Names{"api.ships > api.ports ships_port_fkey (port_id = id)",
                                            "api.ships api.nearest() api.ports one"}));
}

TEST(ComputedRelationships, TakeThePlaceOfThoseToTheRelationOfTheirName) {
  Database d = ships_and_ports();
  d.key("second_fkey", "api.ships", {"id"}, "api.ports");
  d.function("api.ports", "api.ships", "api.ships");
  EXPECT_EQ(derived(d, "api.ships"), (Names{"api.ships api.ports() api.ships"}));
  // The way back is another relationship.
  EXPECT_EQ(derived(d, "api.ports").size(), 2u);
}

TEST(ComputedRelationships, OfAnotherSchemaTakeNoPlace) {
  Database d = ships_and_ports();
  d.function("other.ports", "api.ships", "api.ports");
  EXPECT_EQ(derived(d, "api.ships").size(), 2u);
}

TEST(ComputedRelationships, ToAndOfHiddenTablesAreNone) {
  Database d = ships_and_ports();
  d.table("private.logs", {"id"});
  d.function("api.logs", "api.ships", "private.logs");
  d.function("api.ships", "private.logs", "api.ships");
  EXPECT_EQ(derived(d).size(), 2u);
}

// -- order ---------------------------------------------------------------------------------------

TEST(OrderOfRelationships, IsThatOfTheirParts) {
  const auto make = [](const char* to, Cardinality cardinality, const char* constraint,
                       const ColumnPairs& columns) {
    Relationship r;
    r.table = {"api", "a"};
    r.foreign_table = {"api", to};
    r.cardinality = cardinality;
    r.constraint = constraint;
    r.columns = columns;
    return r;
  };
  std::vector<Relationship> ascending = {
      make("b", Cardinality::kOneToMany, "x", {{"a", "a"}}),
      make("b", Cardinality::kOneToMany, "x", {{"a", "b"}}),
      make("b", Cardinality::kOneToMany, "y", {{"a", "a"}}),
      make("b", Cardinality::kManyToOne, "x", {{"a", "a"}}),
      make("b", Cardinality::kOneToOne, "x", {{"a", "a"}}),
      make("b", Cardinality::kOneToOne, "x", {{"a", "a"}}),
      make("b", Cardinality::kManyToMany, "z", {}),
      make("b", Cardinality::kManyToMany, "x", {}),
      make("c", Cardinality::kOneToMany, "x", {}),
      make("0", Cardinality::kComputed, "", {}),
      make("0", Cardinality::kComputed, "", {}),
  };
  ascending[5].is_parent = true;
  ascending[6].junction = {"api", "j"};
  ascending[7].junction = {"api", "k"};  // before the constraint
  ascending[9].function = {"api", "f"};
  ascending[10].function = {"api", "g"};
  for (size_t i = 0; i < ascending.size(); i++) {
    for (size_t j = 0; j < ascending.size(); j++) {
      EXPECT_EQ(ascending[i] < ascending[j], i < j) << i << " " << j;
    }
  }
}

}  // namespace
}  // namespace pgrst
