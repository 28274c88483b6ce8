// Functions in the schema cache: from catalog rows to what a call finds.
#include "schema_cache/routine.hpp"

#include "write_fixtures.hpp"

namespace pgrst {
namespace {

using test::CatalogRows;
using test::ShopCatalog;

const SchemaCache& shop() {
  static const auto& cache = *new SchemaCache(test::build(ShopCatalog::rows()).schema_cache);
  return cache;
}

const Routine& routine(const char* name, size_t i = 0) {
  const auto* overloads = shop().routines("api", name);
  EXPECT_TRUE(overloads != nullptr && i < overloads->size()) << name;
  return overloads->at(i);
}

TEST(RoutineCache, Results) {
  EXPECT_TRUE(routine("now_there").returns_scalar());
  EXPECT_TRUE(routine("now_there").returns_single());
  EXPECT_FALSE(routine("now_there").returns_void());
  EXPECT_TRUE(routine("clear").returns_void());
  EXPECT_TRUE(routine("words").returns_set_of_scalar());
  EXPECT_FALSE(routine("words").returns_single());
  EXPECT_TRUE(routine("first_item").returns_single_composite());
  EXPECT_TRUE(routine("all_items").returns_set && routine("all_items").returns_composite);
  EXPECT_EQ(routine("all_items").return_type, (QualifiedIdentifier{"api", "items"}));
}

TEST(RoutineCache, Volatility) {
  EXPECT_EQ(routine("now_there").volatility, Volatility::kVolatile);
  EXPECT_EQ(routine("all_items").volatility, Volatility::kStable);
  EXPECT_EQ(routine("table_of").volatility, Volatility::kImmutable);
}

TEST(RoutineCache, Parameters) {
  const auto& params = routine("sum_of").params;
  ASSERT_EQ(params.size(), 2u);
  EXPECT_EQ(params[0].name, "base");
  EXPECT_EQ(params[0].type, "integer");
  EXPECT_TRUE(params[0].required);
  EXPECT_FALSE(params[0].variadic);
  EXPECT_FALSE(params[1].required);
  EXPECT_TRUE(params[1].variadic);
  EXPECT_TRUE(routine("sum_of").has_variadic);
  EXPECT_FALSE(routine("add_up").has_variadic);
  EXPECT_EQ(routine("bits").params.at(0).cast_type, "bit varying");
}

TEST(RoutineCache, Settings) {
  using Settings = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(routine("careful").isolation, Isolation::kSerializable);
  EXPECT_EQ(routine("careful").settings,
            (Settings{{"statement_timeout", "2s"}, {"work_mem", "8MB"}}));
  EXPECT_EQ(routine("now_there").isolation, std::nullopt);
}

// PGRST203 lists them in this order.
TEST(RoutineCache, OverloadsWithFewerParametersComeFirst) {
  EXPECT_EQ(routine("over", 0).params.size(), 0u);
  EXPECT_EQ(routine("over", 1).params.size(), 1u);
  EXPECT_EQ(routine("over", 2).params.size(), 2u);
  EXPECT_EQ(routine("twice", 0).params.at(0).type, "integer");
  EXPECT_EQ(routine("twice", 1).params.at(0).type, "text");
}

TEST(RoutineCache, Names) {
  EXPECT_EQ(shop().routines("api", "not_callable"), nullptr);
  EXPECT_EQ(shop().routines("other", "now_there"), nullptr);
  EXPECT_EQ(shop().routines("api", "NOW_THERE"), nullptr);
  EXPECT_TRUE(shop().routine_names("other").empty());
  const auto names = shop().routine_names("api");
  EXPECT_EQ(std::count(names.begin(), names.end(), "over"), 1);
}

TEST(RoutineCache, ParametersOfOthersAreSkipped) {
  CatalogRows rows;
  rows.sets[kRoutineParams] = {{"77", "a", "integer", "integer", "t", "f"}};
  rows.sets[kRoutineSettings] = {{"77", "work_mem", "1MB"}};
  EXPECT_TRUE(test::build(rows).schema_cache.routine_names("api").empty());
}

// As in PostgREST's list: one name is enough, be it that of an output parameter.
TEST(RoutineCache, AFewNamesAreEnough) {
  CatalogRows rows;
  for (const char* oid : {"70", "71", "72", "73"}) {
    rows.sets[kRoutines].push_back(
        {oid, "api", std::string("f") + oid, std::nullopt, "pg_catalog", "int4", "f", "f", "v"});
    rows.sets[kRoutineParams].push_back({oid, "", "integer", "integer", "t", "f"});
  }
  rows.sets[kRoutineParams].insert(rows.sets[kRoutineParams].begin() + 1,
                                   {"70", "b", "integer", "integer", "t", "f"});
  rows.sets[kRoutineColumns] = {{"71", "x", "integer"}, {"72", "", "integer"}};
  const SchemaCache cache = test::build(rows).schema_cache;
  for (const char* name : {"f70", "f71"}) {
    ASSERT_NE(cache.routines("api", name), nullptr) << name;
    EXPECT_FALSE(cache.routines("api", name)->at(0).can_be_called()) << name;
  }
  EXPECT_EQ(cache.routines("api", "f72"), nullptr);
  EXPECT_EQ(cache.routines("api", "f73"), nullptr);
  for (const char* name : {"take_json", "take_bytes", "add_up", "now_there"}) {
    EXPECT_TRUE(routine(name).can_be_called()) << name;
  }
}

TEST(RoutineCache, ColumnsOfItsRows) {
  CatalogRows rows;
  rows.sets[kRoutines] = {{"77", "api", "f", std::nullopt, "pg_catalog", "record", "t", "t", "s"}};
  rows.sets[kRoutineColumns] = {{"77", "a", "integer"}, {"77", "", "text[]"}, {"78", "x", "text"}};
  const Catalog catalog = test::build(rows);
  const auto& columns = catalog.schema_cache.routines("api", "f")->at(0).columns;
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].name, "a");
  EXPECT_EQ(columns[0].type, "integer");
  EXPECT_EQ(columns[1].type, "text[]");
}

TEST(RoutineCache, DamagedRows) {
  for (const auto set : {kRoutines, kRoutineParams, kRoutineSettings, kMediaHandlers}) {
    CatalogRows rows = ShopCatalog::rows();
    rows.sets[set][0].pop_back();
    const auto encoded = rows.encode();
    EXPECT_FALSE(build_catalog({encoded.begin(), encoded.end()}).ok()) << set;
  }
}

// -- handlers ------------------------------------------------------------------------------------

TEST(MediaHandlerCache, ByTarget) {
  const QualifiedIdentifier items{"api", "items"}, log{"api", "log"};
  const MediaHandler* handler = shop().media_handler(&items, "text/csv");
  ASSERT_NE(handler, nullptr);
  EXPECT_EQ(handler->function, (QualifiedIdentifier{"api", "items_to_csv"}));
  EXPECT_EQ(handler->target, items);
  EXPECT_EQ(shop().media_handler(&log, "text/csv"), nullptr);
  EXPECT_EQ(shop().media_handler(nullptr, "text/csv"), nullptr);
  using Types = std::vector<std::string_view>;
  EXPECT_EQ(shop().media_types(items), (Types{"application/x-items+xml", "text/csv"}));
  EXPECT_EQ(shop().media_types(log), Types());
  handler = shop().media_handler(nullptr, "application/yaml");
  ASSERT_NE(handler, nullptr);
  EXPECT_EQ(handler->target, std::nullopt);
}

TEST(MediaHandlerCache, OfEverythingMakesBytes) {
  const QualifiedIdentifier total{"api", "total"};
  const MediaHandler* handler = shop().media_handler(&total, "*/*");
  ASSERT_NE(handler, nullptr);
  EXPECT_EQ(handler->media_type, "application/octet-stream");
}

TEST(MediaHandlerCache, TypesAreFoundInLowerCase) {
  CatalogRows rows;
  rows.sets[kMediaHandlers] = {{"api", "f", "api", "t", "Text/X-Y"}};
  const SchemaCache cache = test::build(rows).schema_cache;
  const QualifiedIdentifier t{"api", "t"};
  ASSERT_NE(cache.media_handler(&t, "text/x-y"), nullptr);
  EXPECT_EQ(cache.media_handler(&t, "text/x-y")->media_type, "Text/X-Y");
}

}  // namespace
}  // namespace pgrst
