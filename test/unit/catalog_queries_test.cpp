// What the catalog queries read is what the fingerprint watches.

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include "schema_cache/catalog_queries.hpp"
#include "schema_cache/catalogs.hpp"

namespace pgrst {
namespace {

bool is_watched(std::string_view catalog) {
  return std::find(std::begin(kWatchedCatalogs), std::end(kWatchedCatalogs), catalog) !=
         std::end(kWatchedCatalogs);
}

bool is_reader(std::string_view name) {
  return std::any_of(std::begin(kCatalogReaders), std::end(kCatalogReaders),
                     [&](const CatalogReader& reader) { return reader.name == name; });
}

std::set<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    found.insert((*it)[1].str());
  }
  return found;
}

std::string all_queries() {
  std::string text;
  for (const int version : {140000, 150000, 190000}) {
    for (const auto& query : catalog_queries({{"api"}, {}, {}, "authenticator"}, version))
      text += query.sql;
  }
  return text;
}

TEST(WatchedCatalogs, HoldEveryCatalogThatAQueryNames) {
  const auto named = matches(all_queries(), R"(\b(pg_[a-z_]+))");
  EXPECT_GE(named.size(), 15u);
  for (const auto& name : named) {
    if (name == "pg_catalog") continue;
    EXPECT_TRUE(is_watched(name) || is_reader(name)) << name;
  }
}

TEST(WatchedCatalogs, HoldWhatTheFunctionsOfTheQueriesRead) {
  // These read nothing.
  const std::set<std::string> pure = {"array",      "coalesce", "format",     "length", "lower",
                                      "row_number", "rows",     "split_part", "strpos", "substr",
                                      "unnest",     "any",      "in",         "exists", "with"};
  for (const auto& name : matches(all_queries(), R"(pg_catalog\.([a-z_]+) ?\()")) {
    EXPECT_TRUE(pure.count(name) != 0 || is_reader(name)) << name;
  }
  for (const auto& name : matches(all_queries(), R"(::pg_catalog\.(reg[a-z]+))")) {
    EXPECT_TRUE(is_reader(name)) << name;
  }
}

TEST(WatchedCatalogs, HoldWhatViewsAndFunctionsStandFor) {
  for (const auto& reader : kCatalogReaders) {
    for (const auto& catalog : matches(std::string(reader.reads), "([a-z_]+)")) {
      EXPECT_TRUE(is_watched(catalog)) << reader.name;
    }
  }
}

TEST(CatalogQueries, NameEverythingWithItsSchema) {
  // The search_path of a session may lead elsewhere.
  for (const auto& name : matches(all_queries(), R"((?:from|join) (pg_[a-z_]+))")) {
    EXPECT_EQ(name, "pg_catalog");
  }
}

TEST(CatalogQueries, FollowNoChainThemselves) {
  // Of n domains above each other, or n views, a recursive query makes n times n rows.
  EXPECT_EQ(all_queries().find("recursive"), std::string::npos);
  // Locks, and waits for locks.
  EXPECT_EQ(all_queries().find("pg_relation_is_updatable"), std::string::npos);
  // With a relation it takes the cube of its columns.
  EXPECT_EQ(all_queries().find("pg_get_expr"), std::string::npos);
}

}  // namespace
}  // namespace pgrst
