// What OpenAPI 3.1 calls names and types of the database.
#include "response/value_schema.hpp"

#include <gtest/gtest.h>

#include <set>

#include "response/openapi_names.hpp"

namespace pgrst {
namespace {

std::string schema_of(const ValueType& type) {
  std::string out;
  JsonBuilder json(out);
  json.begin_object();
  add_value_schema(json, type);
  json.end_object();
  return out;
}

// -- names ---------------------------------------------------------------------------------------

TEST(OpenApiNames, Words) {
  EXPECT_EQ(to_word("work_orders2"), "work_orders2");
  EXPECT_EQ(to_word("odd name-x.y"), "odd_name_x_y");
  EXPECT_EQ(to_word("gr\xc3\xb6\xc3\x9f"
                    "e"),
            "gru00f6u00dfe");
  EXPECT_EQ(to_word("\xf0\x9f\x98\x80"), "u01f600");
  EXPECT_EQ(to_word(""), "_");
  EXPECT_EQ(to_word("\xc3"), "u00c3") << "ill-formed";
}

TEST(OpenApiNames, AreUnique) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(unique_words({"a", "b"}), (Words{"a", "b"}));
  EXPECT_EQ(unique_words({"a b", "a-b", "a_b", "a.b", "a_b_2"}),
            (Words{"a_b_3", "a_b_4", "a_b", "a_b_5", "a_b_2"}));
  EXPECT_EQ(unique_words({}), Words());
  std::vector<std::string> names;
  for (char c = 1; c < 0x7f; c++) names.push_back(std::string("x") + c + "y");
  const auto words = unique_words({names.begin(), names.end()});
  EXPECT_EQ(std::set<std::string>(words.begin(), words.end()).size(), names.size());
}

// -- values --------------------------------------------------------------------------------------

TEST(ValueSchema, Types) {
  struct Case {
    ValueType type;
    const char* schema;
  };
  const EnumLabels labels = {"a", "b\"c"};
  using enum JsonShape;
  const Case cases[] = {
      {{"integer", false, kByType, nullptr, -1}, R"({"type":"integer","format":"int32"})"},
      {{"bigint", true, kByType, nullptr, -1}, R"({"type":["integer","null"],"format":"int64"})"},
      {{"numeric", false, kByType, nullptr, -1}, R"({"type":"number"})"},
      {{"double precision", false, kByType, nullptr, -1}, R"({"type":"number","format":"double"})"},
      {{"boolean", false, kByType, nullptr, -1}, R"({"type":"boolean"})"},
      {{"timestamp with time zone", false, kByType, nullptr, -1},
       R"({"type":"string","format":"date-time"})"},
      {{"timestamp without time zone", false, kByType, nullptr, -1},
       R"({"type":"string","format":"timestamp without time zone"})"},
      {{"character varying", false, kByType, nullptr, 4}, R"({"type":"string","maxLength":4})"},
      {{"jsonb", true, kByType, nullptr, -1}, "{}"},
      {{"integer[]", true, kByType, nullptr, -1},
       R"({"type":["array","null"],"items":{"type":"integer","format":"int32"}})"},
      {{"json[]", false, kByType, nullptr, -1}, R"({"type":"array","items":{}})"},
      {{"api.pair", true, kObject, nullptr, -1}, R"({"type":["object","null"]})"},
      {{"api.pair[]", false, kObject, nullptr, -1},
       R"({"type":"array","items":{"type":"object"}})"},
      {{"api.span", false, kAny, nullptr, -1}, "{}"},
      {{"api.kind", false, kByType, &labels, -1},
       R"({"type":"string","format":"api.kind","enum":["a","b\"c"]})"},
      {{"api.kind", true, kByType, &labels, -1},
       R"({"type":["string","null"],"format":"api.kind","enum":["a","b\"c",null]})"},
  };
  for (const auto& c : cases) EXPECT_EQ(schema_of(c.type), c.schema) << c.type.sql_type;
}

TEST(ValueSchema, Defaults) {
  struct Case {
    const char* type;
    const char* expression;
    const char* json;
  };
  const Case cases[] = {
      {"integer", "42", "42"},
      {"integer", "'-1'::integer", "-1"},
      {"numeric", "9.90", "9.90"},
      {"integer", "nextval('s'::regclass)", ""},
      {"integer", "NULL::integer", ""},
      {"integer", "(1 + 1)", ""},
      {"numeric", "'NaN'::numeric", ""},
      {"boolean", "true", "true"},
      {"boolean", "1", ""},
      {"boolean", "('a'::text = 'b'::text)", ""},
      {"text", "'abc'::text", "\"abc\""},
      {"text", "''::text", "\"\""},
      {"text", "'it''s'::text", "\"it's\""},
      {"text", "''''::text", "\"'\""},
      {"text", "'a\"b\\'::text", R"("a\"b\\")"},
      {"text", "('a'::text || 'b'::text)", ""},
      {"text", "'a'::text || 'b'::text", ""},
      {"text", "NULL::text", ""},
      {"text", "CURRENT_USER", ""},
      {"text", "'open", ""},
      {"text", "'open''", ""},
      {"text", "", ""},
      {"character", "'x'::bpchar", "\"x\""},
      {"bit", "'101'::\"bit\"", "\"101\""},
      {"date", "'1900-01-01'::date", "\"1900-01-01\""},
      {"date", "CURRENT_DATE", ""},
      {"api.kind", "'saw'::api.kind", "\"saw\""},
      {"api.kind", "'saw'::other.kind", ""},
      {"text[]", "'{}'::text[]", "[]"},
      {"text[]", "'{a}'::text[]", ""},
      {"text[]", "ARRAY[]::text[]", ""},
      {"jsonb", "'{\"a\": [1]}'::jsonb", "{\"a\": [1]}"},
      {"jsonb", "'nonsense'::jsonb", ""},
      {"jsonb", "jsonb_build_object()", ""},
  };
  for (const auto& c : cases) {
    Column column;
    column.base_type = column.nominal_type = c.type;
    column.default_value = c.expression;
    EXPECT_EQ(default_value(column), c.json) << c.type << " " << c.expression;
    column.shape = JsonShape::kAny;
    EXPECT_EQ(default_value(column), "");
  }
  EXPECT_EQ(default_value(Column()), "");
}

TEST(ValueSchema, NamesOfTheCatalog) {
  EXPECT_EQ(sql_type_name("pg_catalog", "int4"), "integer");
  EXPECT_EQ(sql_type_name("pg_catalog", "_int8"), "bigint[]");
  EXPECT_EQ(sql_type_name("pg_catalog", "timestamptz"), "timestamp with time zone");
  EXPECT_EQ(sql_type_name("pg_catalog", "text"), "text");
  for (const char* any : {"anyelement", "anyarray", "record", "_record"}) {
    EXPECT_EQ(sql_type_name("pg_catalog", any), "") << any;
  }
  EXPECT_EQ(sql_type_name("api", "int4"), "");
}

}  // namespace
}  // namespace pgrst
