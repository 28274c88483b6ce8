// What the tests of both descriptions of the API are about: a schema, what a role sees of it, and
// how a document is read.
#pragma once

#include <gtest/gtest.h>
#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures.hpp"
#include "query/inspect_builder.hpp"
#include "response/openapi.hpp"

namespace pgrst::test {

// Schema api: makers of tools, and functions about them.
inline CatalogRows workshop() {
  CatalogRows c;
  c.sets[kTables] = {
      {"10", "api", "makers", "r", "28", "Makers\n\n\nWho makes tools.\nAnd where."},
      {"11", "api", "tools", "r", "28", std::nullopt},
      {"12", "api", "tool_list", "v", "0", "One line"},
      {"13", "api", "empty", "r", "8", std::nullopt},
      {"14", "other", "makers", "r", "28", "Of the other schema"},
  };
  c.sets[kEnums] = {{"90", "saw"}, {"90", "a \"plane\""}, {"91", "x"}};
  c.sets[kColumns] = {
      column_row("10", "id", "integer", "integer", "f", "nextval('api.s'::regclass)", "The key"),
      column_row("10", "name", "character varying", "character varying(40)", "f", std::nullopt,
                 "As on the label", "40"),
      column_row("10", "since", "date", "date", "t", "CURRENT_DATE"),
      column_row("11", "id", "bigint", "bigint", "f"),
      column_row("11", "maker_id", "integer", "integer", "t", std::nullopt, "Who made it"),
      column_row("11", "kind", "api.kind", "api.kind", "t", "'saw'::api.kind", std::nullopt,
                 std::nullopt, "90"),
      column_row("11", "tags", "text[]", "text[]", "t", "'{}'::text[]"),
      column_row("11", "extra", "jsonb", "jsonb"),
      column_row("12", "id", "bigint", "bigint"),
      column_row("12", "maker_id", "integer", "integer"),
      column_row("14", "id", "integer", "integer"),
  };
  c.sets[kPrimaryKeys] = {{"10", "1", "id"}, {"11", "1", "id"}};
  c.sets[kForeignKeys] = {{"100", "11", "api", "tools", "10", "api", "makers", "tools_maker_fkey",
                           "f", "2", "maker_id", "1", "id"}};
  c.sets[kViews] = {{"12", "api", "tool_list", "t", "1", "id"},
                    {"12", "api", "tool_list", "t", "2", "maker_id"}};
  c.sets[kViewColumns] = {{"12", "1", "11", "1"}, {"12", "2", "11", "2"}};
  const auto routine = [&](const char* oid, const char* name, const char* volatility,
                           std::optional<std::string> description = std::nullopt) {
    c.sets[kRoutines].push_back(
        {oid, "api", name, std::move(description), "pg_catalog", "int4", "f", "f", volatility});
  };
  routine("200", "sharpen", "v");
  routine("201", "find", "s", "Finds\n\nA tool.");
  routine("202", "sum_of", "i");
  routine("203", "over", "s");
  routine("204", "over", "s");
  routine("205", "over", "s");
  routine("206", "take", "v");
  c.sets[kRoutineParams] = {
      {"201", "kind", "api.kind", "api.kind", "t", "f"},
      {"201", "kinds", "api.kind[]", "api.kind[]", "t", "f"},
      {"201", "extra", "json", "json", "f", "f"},
      {"201", "limit", "bigint", "bigint", "f", "f"},
      {"202", "numbers", "integer[]", "integer[]", "f", "t"},
      {"204", "a", "integer", "integer", "t", "f"},
      {"205", "a", "integer", "integer", "t", "f"},
      {"205", "b", "integer", "integer", "t", "f"},
      {"206", "", "jsonb", "jsonb", "t", "f"},
  };
  return c;
}

struct Visible {
  std::vector<Row> tables = {{"empty"}, {"makers"}, {"tool_list"}, {"tools"}};
  std::vector<Row> routines = {{"find", "201"},  {"over", "203"}, {"over", "205"},
                               {"over", "204"},  {"take", "206"}, {"sharpen", "200"},
                               {"sum_of", "202"}};
  std::vector<Row> types = {};
  std::vector<Row> comment = {{std::nullopt}};

  std::vector<ResultSet> sets() const {
    std::vector<ResultSet> out;
    for (const auto* rows : {&tables, &routines, &types, &comment}) {
      ResultSet set;
      set.body = records(*rows);
      set.rows = set.total = rows->size();
      set.body_size = set.body.size();
      out.push_back(std::move(set));
    }
    return out;
  }
};

inline ApiDescription describe(const Visible& visible, const CatalogRows& rows = workshop()) {
  auto cache = std::make_shared<SchemaCache>(build(rows).schema_cache);
  return describe_api(visible.sets(), "api", cache).value();
}

inline ApiServer any_server() {
  ApiServer server;
  server.uri = {"http", "!4", 3000, "/"};
  return server;
}

// What stands at a JSON pointer, without blanks; "(nothing)" if there is nothing.
inline std::string all_of(const std::shared_ptr<BodyPieces>& pieces) {
  std::string out;
  while (pieces->next(out)) {
  }
  return out;
}

inline std::string at(const std::string& document, std::string_view pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(document).get(root) != simdjson::SUCCESS) return "(no JSON)";
  simdjson::dom::element found;
  if (root.at_pointer(pointer).get(found) != simdjson::SUCCESS) return "(nothing)";
  return simdjson::minify(found);
}

inline std::vector<std::string> keys(const std::string& document, std::string_view pointer) {
  simdjson::dom::parser parser;
  std::vector<std::string> out;
  const simdjson::dom::object object = parser.parse(document).at_pointer(pointer);
  for (const auto member : object) {
    out.emplace_back(member.key);
  }
  return out;
}

inline TransactionResult result_of(const Visible& visible) {
  TransactionResult result;
  result.result_sets = visible.sets();
  return result;
}

}  // namespace pgrst::test
