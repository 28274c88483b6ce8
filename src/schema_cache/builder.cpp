#include "schema_cache/builder.hpp"

#include <charconv>
#include <map>
#include <unordered_map>

#include "core/text.hpp"
#include "core/wire.hpp"
#include "schema_cache/catalog_queries.hpp"

namespace pgrst {

namespace {

using Value = std::optional<std::string_view>;

// Walks the rows of one result set; every row must have `width` columns.
class Rows {
 public:
  Rows(std::string_view records, size_t width) : reader_(records), row_(width) {}

  bool next() {
    if (reader_.at_end() || damaged_) return false;
    if (reader_.number<uint32_t>() != row_.size()) return damage();
    for (auto& value : row_) {
      const auto length = reader_.number<int32_t>();
      value = length < 0 ? Value() : Value(reader_.bytes(static_cast<uint64_t>(length)));
    }
    return reader_.failed() ? damage() : true;
  }
  std::string_view text(size_t i) const { return row_[i].value_or(std::string_view()); }
  std::optional<std::string> optional(size_t i) const {
    return row_[i] ? std::optional<std::string>(*row_[i]) : std::nullopt;
  }
  bool damaged() const { return damaged_; }

 private:
  bool damage() {
    damaged_ = true;
    return false;
  }
  WireReader reader_;
  std::vector<Value> row_;
  bool damaged_ = false;
};

int to_int(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

using TablesByOid = std::unordered_map<std::string, Table>;

bool read_tables(std::string_view records, TablesByOid& tables) {
  // Bits of pg_relation_is_updatable: 1 << CmdType.
  constexpr int kUpdate = 4, kInsert = 8, kDelete = 16;
  Rows rows(records, 6);
  while (rows.next()) {
    Table table;
    table.id = {std::string(rows.text(1)), std::string(rows.text(2))};
    table.kind = rows.text(3).empty() ? 'r' : rows.text(3)[0];
    const int events = to_int(rows.text(4));
    table.insertable = (events & kInsert) != 0;
    table.updatable = (events & kUpdate) != 0;
    table.deletable = (events & kDelete) != 0;
    table.description = rows.optional(5);
    tables.emplace(rows.text(0), std::move(table));
  }
  return !rows.damaged();
}

bool read_columns(std::string_view records, TablesByOid& tables) {
  Rows rows(records, 7);
  while (rows.next()) {
    const auto it = tables.find(std::string(rows.text(0)));
    if (it == tables.end()) continue;
    Column column;
    column.name = rows.text(1);
    column.base_type = rows.text(2);
    column.nominal_type = rows.text(3);
    column.nullable = rows.text(4) == "t";
    column.default_value = rows.optional(5);
    column.description = rows.optional(6);
    it->second.columns.push_back(std::move(column));
  }
  return !rows.damaged();
}

bool read_primary_keys(std::string_view records, TablesByOid& tables) {
  Rows rows(records, 2);
  while (rows.next()) {
    const auto it = tables.find(std::string(rows.text(0)));
    if (it != tables.end()) it->second.pk_columns.emplace_back(rows.text(1));
  }
  return !rows.damaged();
}

Isolation parse_isolation(std::string_view text) {
  const std::string t = to_lower_ascii(text);
  if (t == "repeatable read") return Isolation::kRepeatableRead;
  if (t == "serializable") return Isolation::kSerializable;
  return Isolation::kReadCommitted;
}

bool read_role_settings(std::string_view records, SchemaCache& cache) {
  std::map<std::string, RoleSettings, std::less<>> roles;
  Rows rows(records, 3);
  while (rows.next()) {
    RoleSettings& role = roles[std::string(rows.text(0))];
    if (rows.text(1) == "default_transaction_isolation") {
      role.isolation = parse_isolation(rows.text(2));
    } else {
      role.settings.emplace_back(rows.text(1), rows.text(2));
    }
  }
  cache.set_role_settings(std::move(roles));
  return !rows.damaged();
}

bool read_settings(std::string_view records, SettingTexts& settings) {
  constexpr std::string_view kPrefix = "pgrst.";
  Rows rows(records, 2);
  while (rows.next()) {
    std::string_view name = rows.text(0);
    if (name.substr(0, kPrefix.size()) == kPrefix) name.remove_prefix(kPrefix.size());
    settings.emplace_back(name, rows.text(1));
  }
  return !rows.damaged();
}

}  // namespace

Result<Catalog> build_catalog(const std::vector<std::string_view>& result_sets) {
  if (result_sets.size() != kCatalogResultCount) {
    return errors::internal("introspection gave an unexpected number of result sets");
  }
  Catalog catalog;
  TablesByOid tables;
  if (!read_tables(result_sets[kTables], tables) || !read_columns(result_sets[kColumns], tables) ||
      !read_primary_keys(result_sets[kPrimaryKeys], tables) ||
      !read_role_settings(result_sets[kRoleSettings], catalog.schema_cache) ||
      !read_settings(result_sets[kSettings], catalog.settings) ||
      !read_settings(result_sets[kConfigTable], catalog.settings)) {
    return errors::internal("introspection gave a damaged row");
  }
  for (auto& [oid, table] : tables) catalog.schema_cache.add_table(std::move(table));
  return catalog;
}

}  // namespace pgrst
