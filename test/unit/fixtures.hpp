// What the tests of several stages share: catalog rows, a snapshot with a few tables, and requests
// against it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/pipeline.hpp"
#include "core/wire.hpp"
#include "schema_cache/builder.hpp"
#include "schema_cache/catalog_queries.hpp"

namespace pgrst::test {

constexpr int64_t kNow = 1700000000;

using Row = std::vector<std::optional<std::string>>;

// Row records as pg/introspection.cpp sends them.
inline std::string records(const std::vector<Row>& rows) {
  std::string out;
  WireWriter writer(out);
  for (const auto& row : rows) {
    writer.number(static_cast<uint32_t>(row.size()));
    for (const auto& value : row) {
      writer.number(value ? static_cast<int32_t>(value->size()) : int32_t{-1});
      if (value) out += *value;
    }
  }
  return out;
}

// The result sets of an introspection, in the order of CatalogResult.
struct CatalogRows {
  std::vector<Row> sets[kCatalogResultCount];

  std::vector<std::string> encode() const {
    std::vector<std::string> out;
    out.reserve(kCatalogResultCount);
    for (const auto& set : sets) out.push_back(records(set));
    return out;
  }
};

inline CatalogRows example_catalog() {
  CatalogRows c;
  c.sets[kTables] = {
      {"1", "api", "items", "r", "28", "Things"},
      {"2", "api", "item_view", "v", "0", std::nullopt},
      {"3", "api", "wei\"rd table", "p", "8", ""},
      {"4", "other", "items", "m", "0", std::nullopt},
  };
  c.sets[kColumns] = {
      {"1", "id", "integer", "integer", "f", "nextval('s'::regclass)", "The key"},
      {"1", "name", "text", "text", "t", std::nullopt, std::nullopt},
      {"1", "data", "jsonb", "jsonb", "t", std::nullopt, std::nullopt},
      {"1", "doc", "json", "json", "t", std::nullopt, std::nullopt},
      {"1", "tags", "text[]", "text[]", "t", std::nullopt, std::nullopt},
      {"1", "vec", "tsvector", "tsvector", "t", std::nullopt, std::nullopt},
      {"1", "mail", "text", "api.email", "t", std::nullopt, std::nullopt},
      {"3", "a\"b", "text", "text", "t", std::nullopt, std::nullopt},
  };
  c.sets[kPrimaryKeys] = {{"1", "1", "id"}};
  c.sets[kRoleSettings] = {
      {"web", "default_transaction_isolation", "REPEATABLE READ"},
      {"web", "statement_timeout", "5s"},
      {"strict", "default_transaction_isolation", "serializable"},
  };
  return c;
}

inline Catalog build(const CatalogRows& rows) {
  return build_catalog(rows.encode()).value();
}

// Over: db_schemas api and other, anonymous role anon, aggregates on.
inline SnapshotPtr snapshot(const SettingTexts& settings = {},
                            const CatalogRows& rows = example_catalog()) {
  SettingTexts texts = {{"db_schemas", "api, other"},
                        {"db_anon_role", "anon"},
                        {"db_aggregates_enabled", "on"},
                        {"jwt_secret", "a-secret-of-at-least-thirty-two-bytes"}};
  texts.insert(texts.end(), settings.begin(), settings.end());
  auto configured = make_configured(texts);
  return make_snapshot(std::get<Configured>(configured), build(rows).schema_cache);
}

// "path?query" -> request.
inline HttpRequest request(std::string_view method, std::string_view target, Headers headers = {}) {
  HttpRequest r;
  r.method = method;
  const size_t mark = target.find('?');
  r.path = target.substr(0, mark);
  if (mark != std::string_view::npos) r.query = target.substr(mark + 1);
  r.headers = std::move(headers);
  return r;
}

inline BeginResult begin_request(HttpRequest r, const SnapshotPtr& s) {
  JwtCache cache(8);
  return begin(r, s, cache, kNow);
}

}  // namespace pgrst::test
