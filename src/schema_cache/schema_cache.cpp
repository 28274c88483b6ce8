#include "schema_cache/schema_cache.hpp"

namespace pgrst {

namespace {
constexpr double kMinHintScore =
    0.75;  // PostgREST's: high, so that a hint tells little to a guesser
}

void SchemaCache::add_table(Table table) {
  table_names_[table.id.schema].push_back(table.id.name);
  QualifiedIdentifier id = table.id;
  tables_.insert_or_assign(std::move(id), std::move(table));
}

void SchemaCache::set_role_settings(std::map<std::string, RoleSettings, std::less<>> settings) {
  role_settings_ = std::move(settings);
}

const Table* SchemaCache::table_or_null(std::string_view schema, std::string_view name) const {
  const auto it = tables_.find(QualifiedIdentifierView{schema, name});
  return it == tables_.end() ? nullptr : &it->second;
}

Result<const Table*> SchemaCache::find_table(std::string_view schema, std::string_view name) const {
  if (const Table* table = table_or_null(schema, name)) return table;
  return errors::table_not_found(schema, name, nearest_table(schema, name));
}

std::optional<std::string> SchemaCache::nearest_table(std::string_view schema,
                                                      std::string_view name) const {
  const auto it = table_names_.find(schema);
  if (it == table_names_.end() || it->second.size() >= kMaxTablesForHints) return std::nullopt;
  FuzzySet names;
  for (const auto& candidate : it->second) names.add(candidate);
  return names.get_one(name, kMinHintScore);
}

const RoleSettings* SchemaCache::role_settings(std::string_view role) const {
  const auto it = role_settings_.find(role);
  return it == role_settings_.end() ? nullptr : &it->second;
}

}  // namespace pgrst
