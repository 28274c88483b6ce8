#include "schema_cache/schema_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "fixtures.hpp"

namespace pgrst {
namespace {

using test::build;
using test::example_catalog;
using test::harbour_catalog;
using test::Row;

Result<Catalog> build_raw(const std::vector<std::string>& sets) { return build_catalog(sets); }

std::string error_of(const std::vector<std::string>& sets) {
  const auto catalog = build_raw(sets);
  return catalog.ok() ? "" : catalog.error().message;
}

// -- building ------------------------------------------------------------------------------------

TEST(Builder, Tables) {
  const Catalog catalog = build(example_catalog());
  const SchemaCache& cache = catalog.schema_cache;
  EXPECT_EQ(cache.table_count(), 4u);
  const Table* items = cache.table_or_null("api", "items");
  ASSERT_NE(items, nullptr);
  EXPECT_EQ(items->id, (QualifiedIdentifier{"api", "items"}));
  EXPECT_EQ(items->description, "Things");
  EXPECT_EQ(items->kind, 'r');
  EXPECT_TRUE(items->insertable && items->updatable && items->deletable);
  EXPECT_FALSE(items->is_view());
  EXPECT_EQ(items->pk_columns, (std::vector<std::string>{"id"}));
  const Table* view = cache.table_or_null("api", "item_view");
  ASSERT_NE(view, nullptr);
  EXPECT_TRUE(view->is_view());
  EXPECT_FALSE(view->insertable || view->updatable || view->deletable);
  EXPECT_FALSE(view->description.has_value());
  EXPECT_TRUE(view->columns.empty());
  const Table* partitioned = cache.table_or_null("api", "wei\"rd table");
  ASSERT_NE(partitioned, nullptr);
  EXPECT_EQ(partitioned->description, "");
  EXPECT_TRUE(partitioned->insertable);
  EXPECT_FALSE(partitioned->updatable || partitioned->deletable);
  EXPECT_NE(cache.table_or_null("other", "items"), items);
  EXPECT_EQ(cache.table_or_null("", "items"), nullptr);
  EXPECT_EQ(cache.table_or_null("api", "ITEMS"), nullptr);
}

TEST(Builder, Columns) {
  const Catalog catalog = build(example_catalog());
  const Table* items = catalog.schema_cache.table_or_null("api", "items");
  ASSERT_NE(items, nullptr);
  ASSERT_EQ(items->columns.size(), 7u);
  EXPECT_EQ(items->columns[0].name, "id");
  EXPECT_FALSE(items->columns[0].nullable);
  EXPECT_EQ(items->columns[0].default_value, "nextval('s'::regclass)");
  EXPECT_EQ(items->columns[0].description, "The key");
  const Column* mail = items->find_column("mail");
  ASSERT_NE(mail, nullptr);
  EXPECT_EQ(mail->base_type, "text");
  EXPECT_EQ(mail->nominal_type, "api.email");
  EXPECT_TRUE(mail->nullable);
  EXPECT_FALSE(mail->default_value.has_value());
  EXPECT_EQ(items->find_column("Mail"), nullptr);
}

TEST(Builder, WhatColumnsAreInJsonAndWhoWritesThem) {
  auto rows = example_catalog();
  rows.sets[kColumns] = {
      test::column_row("1", "plain", "text", "text"),
      test::column_row("1", "object", "api.pair", "api.pair", "t", std::nullopt, std::nullopt,
                       std::nullopt, std::nullopt, "f", "o"),
      test::column_row("1", "any", "api.span", "api.span", "t", std::nullopt, std::nullopt,
                       std::nullopt, std::nullopt, "t", "a"),
  };
  const Catalog catalog = build(rows);
  const auto& columns = catalog.schema_cache.table_or_null("api", "items")->columns;
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_EQ(columns[0].shape, JsonShape::kByType);
  EXPECT_EQ(columns[1].shape, JsonShape::kObject);
  EXPECT_EQ(columns[2].shape, JsonShape::kAny);
  EXPECT_FALSE(columns[1].generated);
  EXPECT_TRUE(columns[2].generated);
}

TEST(Builder, RoleSettings) {
  const Catalog catalog = build(example_catalog());
  const RoleSettings* web = catalog.schema_cache.role_settings("web");
  ASSERT_NE(web, nullptr);
  EXPECT_EQ(web->isolation, Isolation::kRepeatableRead);
  ASSERT_EQ(web->settings.size(), 4u);
  EXPECT_EQ(web->settings[0].first, "statement_timeout");
  EXPECT_EQ(web->settings[0].second, "5s");
  const RoleSettings* strict = catalog.schema_cache.role_settings("strict");
  ASSERT_NE(strict, nullptr);
  EXPECT_EQ(strict->isolation, Isolation::kSerializable);
  EXPECT_EQ(catalog.schema_cache.role_settings("anon"), nullptr);
}

TEST(Builder, Relationships) {
  const Catalog catalog = build(harbour_catalog());
  const SchemaCache& cache = catalog.schema_cache;
  const auto* of_bunks = cache.relationships("api", "bunks");
  ASSERT_NE(of_bunks, nullptr);
  ASSERT_EQ(of_bunks->size(), 1u);
  const Relationship& r = of_bunks->at(0);
  EXPECT_EQ(r.table, (QualifiedIdentifier{"api", "bunks"}));
  EXPECT_EQ(r.foreign_table, (QualifiedIdentifier{"api", "cabins"}));
  EXPECT_EQ(r.cardinality, Cardinality::kManyToOne);
  EXPECT_EQ(r.constraint, "bunks_cabin_fkey");
  EXPECT_EQ(r.columns, (ColumnPairs{{"cabin_ship_id", "ship_id"}, {"cabin_deck", "deck"}}));
  EXPECT_EQ(cache.relationships("api", "papers")->at(0).cardinality, Cardinality::kOneToOne);
  EXPECT_EQ(cache.relationships("api", "loners"), nullptr);
  EXPECT_EQ(cache.relationships("other", "ships"), nullptr);
}

TEST(Builder, ComputedRelationships) {
  const Catalog catalog = build(harbour_catalog());
  const auto* of_sailors = catalog.schema_cache.relationships("api", "sailors");
  ASSERT_NE(of_sailors, nullptr);
  ASSERT_GE(of_sailors->size(), 2u);
  const Relationship &fellows = of_sailors->at(of_sailors->size() - 2), &home = of_sailors->back();
  EXPECT_EQ(fellows.function, (QualifiedIdentifier{"api", "fellows"}));
  EXPECT_TRUE(fellows.is_self);
  EXPECT_FALSE(fellows.returns_one || fellows.is_to_one());
  EXPECT_EQ(home.function, (QualifiedIdentifier{"api", "home"}));
  EXPECT_EQ(home.foreign_table, (QualifiedIdentifier{"api", "ports"}));
  EXPECT_FALSE(home.is_self);
  EXPECT_TRUE(home.returns_one && home.is_to_one());
}

TEST(Builder, Representations) {
  const Catalog catalog = build(harbour_catalog());
  const SchemaCache& cache = catalog.schema_cache;
  const auto* to_json = cache.representation("api.metres", "json");
  ASSERT_NE(to_json, nullptr);
  EXPECT_EQ(*to_json, (QualifiedIdentifier{"api", "metres_to_json"}));
  EXPECT_EQ(cache.representation("json", "api.metres"), nullptr);
  EXPECT_NE(cache.representation("text", "api.metres"), nullptr);
}

TEST(Builder, PrimaryKeysOfViews) {
  const Catalog catalog = build(harbour_catalog());
  EXPECT_EQ(catalog.schema_cache.table_or_null("api", "ship_list")->pk_columns,
            (std::vector<std::string>{"nr"}));
}

TEST(Builder, SettingsInOrderOfStrength) {
  auto rows = example_catalog();
  rows.sets[kSettings] = {{"pgrst.db_max_rows", "1", "database"}, {"app.settings.x", "y", "role"}};
  rows.sets[kConfigTable] = {{"db_max_rows", "2"}, {"pgrst.db_max_rows", "3"}};
  rows.sets[kPreConfig] = {{"db_max_rows", "4"}};
  const std::vector<SourcedSetting> expected = {{"db_max_rows", "1", "database"},
                                                {"app.settings.x", "y", "role"},
                                                {"db_max_rows", "2", "pgrst.config"},
                                                {"db_max_rows", "3", "pgrst.config"},
                                                {"db_max_rows", "4", "db_pre_config"}};
  EXPECT_EQ(build(rows).settings, expected);
}

TEST(Builder, RowsOfUnknownTablesArePassedOver) {
  auto rows = example_catalog();
  rows.sets[kColumns].push_back(test::column_row("99", "x", "text", "text"));
  rows.sets[kPrimaryKeys].push_back({"99", "1", "x"});
  EXPECT_EQ(build(rows).schema_cache.table_count(), 4u);
}

TEST(Builder, NullsWhereTextIsExpected) {
  test::CatalogRows rows;
  rows.sets[kTables] = {Row(6)};
  rows.sets[kEnums] = {Row(2)};
  rows.sets[kColumns] = {Row(11)};
  rows.sets[kPrimaryKeys] = {Row(3)};
  rows.sets[kForeignKeys] = {Row(13)};
  rows.sets[kViews] = {Row(6)};
  rows.sets[kViewColumns] = {Row(4)};
  rows.sets[kUpdatability] = {Row(3)};
  rows.sets[kDefaults] = {Row(3)};
  rows.sets[kComputedRelationships] = {Row(7)};
  rows.sets[kRepresentations] = {Row(4)};
  rows.sets[kRoleSettings] = {Row(3)};
  const Catalog catalog = build(rows);
  const Table* table = catalog.schema_cache.table_or_null("", "");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->kind, 'r');
  EXPECT_EQ(table->columns.size(), 1u);
}

TEST(Builder, NothingAtAll) {
  const Catalog catalog = build(test::CatalogRows{});
  EXPECT_EQ(catalog.schema_cache.table_count(), 0u);
  EXPECT_TRUE(catalog.settings.empty());
}

// -- damage --------------------------------------------------------------------------------------

TEST(Builder, WrongNumberOfResultSets) {
  EXPECT_NE(error_of({}), "");
  EXPECT_NE(error_of(std::vector<std::string>(kCatalogResultCount - 1)), "");
  EXPECT_NE(error_of(std::vector<std::string>(kCatalogResultCount + 1)), "");
}

TEST(Builder, RowsOfAnotherWidth) {
  for (int set = 0; set < kCatalogResultCount; set++) {
    auto sets = example_catalog().encode();
    sets[static_cast<size_t>(set)] = test::records({{"only one"}});
    EXPECT_EQ(error_of(sets), "introspection gave a damaged row") << set;
  }
}

TEST(Builder, EveryTruncationIsAnErrorOrAWholeNumberOfRows) {
  for (const auto& rows : {example_catalog(), harbour_catalog()}) {
    const auto whole = rows.encode();
    for (size_t set = 0; set < whole.size(); set++) {
      size_t legal = 0;
      for (size_t length = 0; length < whole[set].size(); length++) {
        auto sets = whole;
        sets[set].resize(length);
        sets[set].shrink_to_fit();
        if (build_raw(sets).ok()) legal++;
      }
      EXPECT_EQ(legal, rows.sets[set].size()) << set;
    }
  }
}

TEST(Builder, LengthsBeyondTheEnd) {
  for (const int32_t length : {100, 0x7FFFFFFF}) {
    std::string damaged;
    WireWriter out(damaged);
    out.number(uint32_t{6});
    out.number(length);
    damaged += "abc";
    auto sets = example_catalog().encode();
    sets[kTables] = damaged;
    EXPECT_EQ(error_of(sets), "introspection gave a damaged row");
  }
}

// -- finding -------------------------------------------------------------------------------------

TEST(FindTable, HintsAtTheNearestName) {
  const Catalog catalog = build(example_catalog());
  const auto hint = [&](const char* schema, const char* name) {
    const auto found = catalog.schema_cache.find_table(schema, name);
    if (found.ok()) return std::string("found");
    EXPECT_EQ(found.error().code, "PGRST205");
    EXPECT_EQ(found.error().status, 404);
    return found.error().hint.value_or("");
  };
  EXPECT_EQ(hint("api", "items"), "found");
  EXPECT_EQ(hint("api", "itemss"), "Perhaps you meant the table 'api.items'");
  EXPECT_EQ(hint("api", "ITEMS"), "Perhaps you meant the table 'api.items'");
  EXPECT_EQ(hint("api", "item_views"), "Perhaps you meant the table 'api.item_view'");
  EXPECT_EQ(hint("api", "zzzzz"), "");
  EXPECT_EQ(hint("other", "item_view"), "");  // only of the same schema
  EXPECT_EQ(hint("nowhere", "items"), "");
}

SchemaCache with_tables(size_t count) {
  SchemaCache cache;
  for (size_t i = 0; i < count; i++) {
    Table table;
    table.id = {"api", "table_number_" + std::to_string(i)};
    cache.add_table(std::move(table));
  }
  while (!cache.index_names(7)) {
  }
  return cache;
}

TEST(FindTable, NoHintsInLargeSchemas) {
  EXPECT_TRUE(with_tables(499).find_table("api", "table_numbr_7").error().hint.has_value());
  EXPECT_FALSE(with_tables(500).find_table("api", "table_numbr_7").error().hint.has_value());
  EXPECT_TRUE(with_tables(500).find_table("api", "table_number_7").ok());
}

// -- relationships -------------------------------------------------------------------------------

TEST(RelationshipsOfTheCache, OnlyToTheSameSchemaAndInOrder) {
  const Catalog catalog = build(harbour_catalog());
  const auto* of_ports = catalog.schema_cache.relationships("api", "ports");
  ASSERT_NE(of_ports, nullptr);
  std::vector<std::string> found;
  for (const auto& r : *of_ports) {
    found.push_back(r.foreign_table.name + " " + r.constraint + r.function.name);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"ship_list ships_port_fkey", "ships ships_port_fkey",
                                             "voyages voyages_from_fkey", "voyages voyages_to_fkey",
                                             "voyages departures"}));
}

TEST(RelationshipsOfTheCache, NameTheRelatedTables) {
  const Catalog catalog = build(harbour_catalog());
  auto names = catalog.schema_cache.related_tables("api");
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names,
            (std::vector<std::string_view>{"bunks", "cabins", "crews", "papers", "port_list",
                                           "ports", "sailors", "ship_list", "ships", "voyages"}));
  EXPECT_TRUE(catalog.schema_cache.related_tables("other").empty());
}

// -- the queries ---------------------------------------------------------------------------------

TEST(CatalogQueries, OneForEachResultSetBeforeTheConfigTable) {
  for (const int version : {140000, 150000, 180000}) {
    const auto queries = catalog_queries({{"api", "q\"uo\\te,d"}, {}, {}, "auth"}, version);
    ASSERT_EQ(queries.size(), static_cast<size_t>(kConfigTable));
    EXPECT_EQ(queries[kTables].params, (std::vector<std::string>{R"({"api","q\"uo\\te,d"})"}));
  }
  EXPECT_NE(std::string(catalog_queries({{"a"}, {}, {}, {}}, 140000)[kRoleSettings].sql),
            std::string(catalog_queries({{"a"}, {}, {}, {}}, 150000)[kRoleSettings].sql));
}

}  // namespace
}  // namespace pgrst
