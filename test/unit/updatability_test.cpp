#include "schema_cache/updatability.hpp"

#include <gtest/gtest.h>

#include "fixtures.hpp"

namespace pgrst {
namespace {

constexpr RelationOid kTable = 1;

TEST(Updatability, WhatIsNotKnownIsATable) {
  Updatability u;
  EXPECT_EQ(u.events(kTable), kCanAll);
  EXPECT_FALSE(u.knows(kTable));
}

TEST(Updatability, AViewCanDoWhatItsRulesAndTriggersDo) {
  Updatability u;
  u.add(2, {0, 0});
  u.add(3, {kCanInsert, 0});
  EXPECT_EQ(u.events(2), 0u);
  EXPECT_EQ(u.events(3), kCanInsert);
}

TEST(Updatability, AViewOnATableNeedsAColumnOfIt) {
  Updatability u;
  u.add(2, {0, kTable});
  u.add(3, {0, kTable});
  u.add(4, {kCanUpdate, kTable});
  u.add_column({2, 1, kTable, 1});
  u.add_column({3, 1, 99, 1});  // of something else: in a subselect, for example
  EXPECT_EQ(u.events(2), kCanAll);
  EXPECT_EQ(u.events(3), kCanDelete);
  EXPECT_EQ(u.events(4), kCanDelete | kCanUpdate);
}

TEST(Updatability, AViewOnAViewCanDoNoMoreThanThat) {
  Updatability u;
  u.add(2, {kCanUpdate, 0});  // a rule on what cannot be updated otherwise
  u.add(3, {0, 2});
  u.add_column({3, 1, 2, 1});
  EXPECT_EQ(u.events(3), kCanUpdate);
}

TEST(Updatability, OnlyTheColumnsThatTheViewAboveShowsCount) {
  Updatability u;
  u.add(2, {0, kTable});
  u.add_column({2, 1, kTable, 1});  // its column 2 is computed
  u.add(3, {0, 2});
  u.add_column({3, 1, 2, 2});
  u.add(4, {0, 2});
  u.add_column({4, 1, 2, 2});
  u.add_column({4, 2, 2, 1});
  EXPECT_EQ(u.events(2), kCanAll);
  EXPECT_EQ(u.events(3), kCanDelete);
  EXPECT_EQ(u.events(4), kCanAll);
}

TEST(Updatability, AForeignTableBelowCounts) {
  Updatability u;
  u.add(2, {kCanInsert, 0});
  u.add(3, {0, 2});
  u.add_column({3, 1, 2, 1});
  EXPECT_EQ(u.events(3), kCanInsert);
}

TEST(Updatability, CirclesEnd) {
  Updatability u;
  u.add(2, {0, 3});
  u.add_column({2, 1, 3, 1});
  u.add(3, {kCanInsert, 2});
  u.add_column({3, 1, 2, 1});
  u.add(4, {kCanDelete, 4});
  u.add_column({4, 1, 4, 1});
  EXPECT_EQ(u.events(2), kCanInsert);
  EXPECT_EQ(u.events(3), kCanInsert);
  EXPECT_EQ(u.events(4), kCanDelete);
}

TEST(Updatability, ThousandsOfViewsOnEachOther) {
  constexpr RelationOid kViews = 20000;
  Updatability u;
  for (RelationOid view = 2; view < kViews; view++) u.add(view, {0, view - 1});
  for (RelationOid view = 2; view < kViews; view++) u.add_column({view, 1, view - 1, 1});
  uint32_t events = kCanAll;
  for (RelationOid view = kViews - 1; view > 1; view--) events &= u.events(view);
  EXPECT_EQ(events, kCanAll);
}

TEST(Updatability, IsWrittenIntoViewsAndForeignTables) {
  test::CatalogRows rows;
  rows.sets[kTables] = {{"1", "api", "t", "r", "28", std::nullopt},
                        {"2", "api", "v", "v", "0", std::nullopt},
                        {"3", "api", "f", "f", "0", std::nullopt},
                        {"4", "api", "m", "m", "0", std::nullopt}};
  // Of tables and materialized views what is written here says nothing.
  rows.sets[kUpdatability] = {{"2", "0", "1"}, {"3", "8", "0"}, {"4", "28", "0"}};
  rows.sets[kViewColumns] = {{"2", "1", "1", "1"}};
  const Catalog catalog = test::build(rows);
  const auto may = [&](const char* name) {
    const Table& table = *catalog.schema_cache.table_or_null("api", name);
    return std::string(table.insertable ? "i" : "") + (table.updatable ? "u" : "") +
           (table.deletable ? "d" : "");
  };
  EXPECT_EQ(may("t"), "iud");
  EXPECT_EQ(may("v"), "iud");
  EXPECT_EQ(may("f"), "i");
  EXPECT_EQ(may("m"), "");
}

TEST(Defaults, FindTheirColumns) {
  test::CatalogRows rows;
  rows.sets[kTables] = {{"1", "api", "t", "r", "28", std::nullopt},
                        {"2", "api", "u", "r", "28", std::nullopt}};
  for (const char* oid : {"1", "2"}) {
    for (const char* name : {"a", "b", "c"}) {
      rows.sets[kColumns].push_back(test::column_row(oid, name, "integer", "integer"));
    }
  }
  rows.sets[kDefaults] = {
      {"1", "a", "1"}, {"1", "gone", "5"}, {"1", "c", "3"}, {"2", "b", "2"}, {"9", "a", "9"}};
  const Catalog catalog = test::build(rows);
  std::string found;
  for (const char* name : {"t", "u"}) {
    for (const auto& column : catalog.schema_cache.table_or_null("api", name)->columns) {
      found += column.default_value.value_or("-");
    }
  }
  EXPECT_EQ(found, "1-3-2-");
}

}  // namespace
}  // namespace pgrst
