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

// A row of kColumns.
inline Row column_row(std::string oid, std::string name, std::string base_type,
                      std::string nominal_type, std::string nullable = "t",
                      std::optional<std::string> default_value = std::nullopt,
                      std::optional<std::string> description = std::nullopt,
                      std::optional<std::string> max_length = std::nullopt,
                      std::optional<std::string> enum_oid = std::nullopt,
                      std::string generated = "f",
                      std::optional<std::string> shape = std::nullopt) {
  return {std::move(oid),          std::move(name),       std::move(base_type),
          std::move(nominal_type), std::move(nullable),   std::move(default_value),
          std::move(description),  std::move(max_length), std::move(enum_oid),
          std::move(generated),    std::move(shape)};
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
      column_row("1", "id", "integer", "integer", "f", "nextval('s'::regclass)", "The key"),
      column_row("1", "name", "text", "text"),
      column_row("1", "data", "jsonb", "jsonb"),
      column_row("1", "doc", "json", "json"),
      column_row("1", "tags", "text[]", "text[]"),
      column_row("1", "vec", "tsvector", "tsvector"),
      column_row("1", "mail", "text", "api.email"),
      column_row("3", "a\"b", "text", "text"),
  };
  c.sets[kPrimaryKeys] = {{"1", "1", "id"}};
  c.sets[kRoleSettings] = {
      {"web", "default_transaction_isolation", "REPEATABLE READ"},
      {"web", "statement_timeout", "5s"},
      {"web", "transaction_read_only", "off"},
      {"web", "transaction_isolation", "serializable"},
      {"web", "Transaction_Deferrable", "on"},
      {"strict", "default_transaction_isolation", "serializable"},
  };
  return c;
}

// Ships, and what is related to them in every way that an embed can follow. Exposed are api and
// other; private is not.
//
//   ships    of ports, and of ships: the flagship
//   papers   of ships, one to one
//   voyages  of ships, from one port to another
//   crews    ships and sailors, many to many
//   bunks    of cabins, by two columns; cabins of ships
//   loners   of nobody
//
//   ship_list, port_list           views of the tables
//   home, fellows, departures      functions of sailors, sailors and ports
inline CatalogRows harbour_catalog() {
  CatalogRows c;
  const auto table = [&](const char* oid, const char* schema, const char* name, const char* kind,
                         const std::vector<std::pair<const char*, const char*>>& columns) {
    c.sets[kTables].push_back({oid, schema, name, kind, "28", std::nullopt});
    for (const auto& [column, type] : columns) {
      const bool domain = std::string_view(type) == "api.metres";
      c.sets[kColumns].push_back(column_row(oid, column, domain ? "integer" : type, type));
    }
  };
  table("10", "api", "ports", "r", {{"id", "integer"}, {"name", "text"}, {"country", "text"}});
  table("11", "api", "ships", "r",
        {{"id", "integer"},
         {"name", "text"},
         {"port_id", "integer"},
         {"flagship_id", "integer"},
         {"data", "jsonb"}});
  table("12", "api", "papers", "r", {{"ship_id", "integer"}, {"length", "api.metres"}});
  table("13", "api", "voyages", "r",
        {{"id", "integer"},
         {"ship_id", "integer"},
         {"from_id", "integer"},
         {"to_id", "integer"},
         {"days", "integer"}});
  table("14", "api", "sailors", "r", {{"id", "integer"}, {"name", "text"}});
  table("15", "api", "crews", "r",
        {{"ship_id", "integer"}, {"sailor_id", "integer"}, {"rank", "text"}});
  table("16", "api", "cabins", "r", {{"ship_id", "integer"}, {"deck", "text"}});
  table("17", "api", "bunks", "r",
        {{"id", "integer"}, {"cabin_ship_id", "integer"}, {"cabin_deck", "text"}});
  table("18", "api", "ship_list", "v", {{"nr", "integer"}, {"title", "text"}, {"port", "integer"}});
  table("19", "api", "port_list", "v", {{"id", "integer"}, {"name", "text"}});
  table("20", "api", "loners", "r", {{"id", "integer"}});
  table("21", "other", "agents", "r", {{"id", "integer"}, {"port_id", "integer"}});
  c.sets[kPrimaryKeys] = {
      {"10", "1", "id"},   {"11", "1", "id"},      {"12", "1", "ship_id"},   {"13", "1", "id"},
      {"14", "1", "id"},   {"15", "1", "ship_id"}, {"15", "2", "sailor_id"}, {"16", "1", "ship_id"},
      {"16", "2", "deck"}, {"17", "1", "id"},      {"20", "1", "id"},        {"21", "1", "id"},
  };
  const auto key = [&](const char* oid, Row from, Row to, const char* constraint,
                       const char* unique, const std::vector<Row>& columns) {
    for (const auto& column : columns) {
      Row row = {oid};
      row.insert(row.end(), from.begin(), from.end());
      row.insert(row.end(), to.begin(), to.end());
      row.insert(row.end(), {constraint, unique});
      row.insert(row.end(), column.begin(), column.end());
      c.sets[kForeignKeys].push_back(std::move(row));
    }
  };
  const Row ports = {"10", "api", "ports"}, ships = {"11", "api", "ships"};
  key("101", ships, ships, "ships_flagship_fkey", "f", {{"4", "flagship_id", "1", "id"}});
  key("102", ships, ports, "ships_port_fkey", "f", {{"3", "port_id", "1", "id"}});
  key("103", {"12", "api", "papers"}, ships, "papers_ship_fkey", "t",
      {{"1", "ship_id", "1", "id"}});
  key("104", {"13", "api", "voyages"}, ports, "voyages_from_fkey", "f",
      {{"3", "from_id", "1", "id"}});
  key("105", {"13", "api", "voyages"}, ships, "voyages_ship_fkey", "f",
      {{"2", "ship_id", "1", "id"}});
  key("106", {"13", "api", "voyages"}, ports, "voyages_to_fkey", "f", {{"4", "to_id", "1", "id"}});
  key("107", {"15", "api", "crews"}, {"14", "api", "sailors"}, "crews_sailor_fkey", "f",
      {{"2", "sailor_id", "1", "id"}});
  key("108", {"15", "api", "crews"}, ships, "crews_ship_fkey", "f", {{"1", "ship_id", "1", "id"}});
  key("109", {"16", "api", "cabins"}, ships, "cabins_ship_fkey", "f",
      {{"1", "ship_id", "1", "id"}});
  key("110", {"17", "api", "bunks"}, {"16", "api", "cabins"}, "bunks_cabin_fkey", "f",
      {{"2", "cabin_ship_id", "1", "ship_id"}, {"3", "cabin_deck", "2", "deck"}});
  key("111", {"21", "other", "agents"}, ports, "agents_port_fkey", "f",
      {{"2", "port_id", "1", "id"}});
  key("112", {"40", "private", "secrets"}, ships, "secrets_ship_fkey", "f",
      {{"1", "ship_id", "1", "id"}});
  c.sets[kViews] = {
      {"18", "api", "ship_list", "t", "1", "nr"},   {"18", "api", "ship_list", "t", "2", "title"},
      {"18", "api", "ship_list", "t", "3", "port"}, {"19", "api", "port_list", "t", "1", "id"},
      {"19", "api", "port_list", "t", "2", "name"},
  };
  c.sets[kViewColumns] = {
      {"18", "1", "11", "1"}, {"18", "2", "11", "2"}, {"18", "3", "11", "3"},
      {"19", "1", "10", "1"}, {"19", "2", "10", "2"},
  };
  c.sets[kComputedRelationships] = {
      {"api", "departures", "api", "ports", "api", "voyages", "f"},
      {"api", "fellows", "api", "sailors", "api", "sailors", "f"},
      {"api", "home", "api", "sailors", "api", "ports", "t"},
  };
  c.sets[kRepresentations] = {
      {"api.metres", "json", "api", "metres_to_json"},
      {"text", "api.metres", "api", "metres_from_text"},
  };
  return c;
}

inline Catalog build(const CatalogRows& rows) { return build_catalog(rows.encode()).value(); }

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

// The answer to what asks whether a hint may be read, and to nothing else.
inline HttpResponse finish_refusal(const DatabaseWork& work, bool may_read_hint) {
  TransactionResult result;
  result.result_sets.push_back({});
  result.result_sets[0].rows = result.result_sets[0].total = may_read_hint ? 1 : 0;
  return finish(work.pending, result);
}

// By a role that may read all hints.
inline BeginResult begin_request(HttpRequest r, const SnapshotPtr& s) {
  JwtCache cache(8);
  BeginResult begun = begin(r, s, cache, kNow);
  const auto* work = std::get_if<DatabaseWork>(&begun);
  if (work != nullptr && work->pending.refusal) return finish_refusal(*work, true);
  return begun;
}

}  // namespace pgrst::test
