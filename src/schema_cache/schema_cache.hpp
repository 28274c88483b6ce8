// The schema cache: what the catalogs say about the exposed schemas, as one immutable value.
//
// Input -> output: names from requests -> tables, or the error with its hint. Built by builder.cpp
// from catalog rows, swapped whole, never changed afterwards; shared by everything planned against
// it.
#pragma once

#include "core/before_postgres.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "schema_cache/fuzzy_set.hpp"
#include "schema_cache/identifiers.hpp"
#include "schema_cache/table.hpp"

namespace pgrst {

enum class Isolation { kReadCommitted, kRepeatableRead, kSerializable };

// ALTER ROLE ... SET of a role that the authenticator may become.
struct RoleSettings {
  Isolation isolation = Isolation::kReadCommitted;            // default_transaction_isolation
  std::vector<std::pair<std::string, std::string>> settings;  // the others, by name
};

class SchemaCache {
 public:
  void add_table(Table table);
  void set_role_settings(std::map<std::string, RoleSettings, std::less<>> settings);

  // The table, or PGRST205 with the nearest name in that schema.
  Result<const Table*> find_table(std::string_view schema, std::string_view name) const;
  const Table* table_or_null(std::string_view schema, std::string_view name) const;

  // Null when the role has none.
  const RoleSettings* role_settings(std::string_view role) const;

  size_t table_count() const { return tables_.size(); }

 private:
  // PostgREST gives no hints in schemas with as many tables or more.
  static constexpr size_t kMaxTablesForHints = 500;

  std::optional<std::string> nearest_table(std::string_view schema, std::string_view name) const;

  std::unordered_map<QualifiedIdentifier, Table, QualifiedIdentifierHash, QualifiedIdentifierEqual>
      tables_;
  std::map<std::string, std::vector<std::string>, std::less<>> table_names_;  // by schema
  std::map<std::string, RoleSettings, std::less<>> role_settings_;
};

}  // namespace pgrst
