#include "schema_cache/schema_cache.hpp"

#include <gtest/gtest.h>

#include "fixtures.hpp"

namespace pgrst {
namespace {

using test::build;
using test::example_catalog;

Result<Catalog> build_raw(const std::vector<std::string>& sets) {
  return build_catalog(sets);
}

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

TEST(Builder, RoleSettings) {
  const Catalog catalog = build(example_catalog());
  const RoleSettings* web = catalog.schema_cache.role_settings("web");
  ASSERT_NE(web, nullptr);
  EXPECT_EQ(web->isolation, Isolation::kRepeatableRead);
  ASSERT_EQ(web->settings.size(), 1u);
  EXPECT_EQ(web->settings[0].first, "statement_timeout");
  EXPECT_EQ(web->settings[0].second, "5s");
  const RoleSettings* strict = catalog.schema_cache.role_settings("strict");
  ASSERT_NE(strict, nullptr);
  EXPECT_EQ(strict->isolation, Isolation::kSerializable);
  EXPECT_EQ(catalog.schema_cache.role_settings("anon"), nullptr);
}

TEST(Builder, SettingsInOrderOfStrength) {
  auto rows = example_catalog();
  rows.sets[kSettings] = {{"pgrst.db_max_rows", "1"}, {"app.settings.x", "y"}};
  rows.sets[kConfigTable] = {{"db_max_rows", "2"}, {"pgrst.db_max_rows", "3"}};
  const SettingTexts expected = {
      {"db_max_rows", "1"}, {"app.settings.x", "y"}, {"db_max_rows", "2"}, {"db_max_rows", "3"}};
  EXPECT_EQ(build(rows).settings, expected);
}

TEST(Builder, RowsOfUnknownTablesArePassedOver) {
  auto rows = example_catalog();
  rows.sets[kColumns].push_back({"99", "x", "text", "text", "t", std::nullopt, std::nullopt});
  rows.sets[kPrimaryKeys].push_back({"99", "1", "x"});
  EXPECT_EQ(build(rows).schema_cache.table_count(), 4u);
}

TEST(Builder, NullsWhereTextIsExpected) {
  test::CatalogRows rows;
  rows.sets[kTables] = {
      {std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt}};
  rows.sets[kColumns] = {{std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                          std::nullopt, std::nullopt}};
  rows.sets[kRoleSettings] = {{std::nullopt, std::nullopt, std::nullopt}};
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
  const auto whole = example_catalog().encode();
  for (size_t set = 0; set < whole.size(); set++) {
    size_t legal = 0;
    for (size_t length = 0; length < whole[set].size(); length++) {
      auto sets = whole;
      sets[set].resize(length);
      sets[set].shrink_to_fit();
      if (build_raw(sets).ok()) legal++;
    }
    EXPECT_EQ(legal, example_catalog().sets[set].size()) << set;
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
  return cache;
}

TEST(FindTable, NoHintsInLargeSchemas) {
  EXPECT_TRUE(with_tables(499).find_table("api", "table_numbr_7").error().hint.has_value());
  EXPECT_FALSE(with_tables(500).find_table("api", "table_numbr_7").error().hint.has_value());
  EXPECT_TRUE(with_tables(500).find_table("api", "table_number_7").ok());
}

// -- the queries ---------------------------------------------------------------------------------

TEST(CatalogQueries, OneForEachResultSetBeforeTheConfigTable) {
  for (const int version : {140000, 150000, 180000}) {
    const auto queries = catalog_queries({{"api", "q\"uo\\te,d"}, {}}, version);
    ASSERT_EQ(queries.size(), static_cast<size_t>(kConfigTable));
    EXPECT_EQ(queries[kTables].params, (std::vector<std::string>{R"({"api","q\"uo\\te,d"})"}));
  }
  EXPECT_NE(std::string(catalog_queries({{"a"}, {}}, 140000)[kRoleSettings].sql),
            std::string(catalog_queries({{"a"}, {}}, 150000)[kRoleSettings].sql));
}

}  // namespace
}  // namespace pgrst
