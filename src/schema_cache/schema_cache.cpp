#include "schema_cache/schema_cache.hpp"

#include <algorithm>
#include <tuple>

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

void SchemaCache::set_relationships(const QualifiedIdentifier& table,
                                    std::vector<Relationship> relationships) {
  std::sort(relationships.begin(), relationships.end());
  relationships.shrink_to_fit();
  relationships_.insert_or_assign(table, std::move(relationships));
}

void SchemaCache::add_routine(Routine routine) {
  auto& overloads = routines_[routine.id];
  const auto key = [](const Routine& r) {
    std::vector<std::pair<std::string, std::string>> params;
    for (const auto& param : r.params) params.emplace_back(param.name, param.type);
    return std::make_tuple(r.params.size(), r.description, std::move(params));
  };
  const auto at =
      std::upper_bound(overloads.begin(), overloads.end(), routine,
                       [&](const Routine& a, const Routine& b) { return key(a) < key(b); });
  overloads.insert(at, std::move(routine));
}

const std::vector<Routine>* SchemaCache::routines(std::string_view schema,
                                                  std::string_view name) const {
  const auto it = routines_.find(QualifiedIdentifierView{schema, name});
  return it == routines_.end() ? nullptr : &it->second;
}

std::vector<std::string_view> SchemaCache::routine_names(std::string_view schema) const {
  std::vector<std::string_view> names;
  for (const auto& [id, overloads] : routines_) {
    if (id.schema == schema) names.push_back(id.name);
  }
  return names;
}

void SchemaCache::add_representation(std::string source_type, std::string target_type,
                                     QualifiedIdentifier function) {
  representations_.insert_or_assign({std::move(source_type), std::move(target_type)},
                                    std::move(function));
}

const std::vector<Relationship>* SchemaCache::relationships(std::string_view schema,
                                                            std::string_view name) const {
  const auto it = relationships_.find(QualifiedIdentifierView{schema, name});
  return it == relationships_.end() ? nullptr : &it->second;
}

std::vector<std::string_view> SchemaCache::related_tables(std::string_view schema) const {
  std::vector<std::string_view> names;
  for (const auto& [table, list] : relationships_) {
    if (table.schema == schema) names.push_back(table.name);
  }
  return names;
}

const QualifiedIdentifier* SchemaCache::representation(const std::string& source_type,
                                                       const std::string& target_type) const {
  if (representations_.empty()) return nullptr;
  const auto it = representations_.find({source_type, target_type});
  return it == representations_.end() ? nullptr : &it->second;
}

void SchemaCache::add_media_handler(std::string media_type, MediaHandler handler) {
  const QualifiedIdentifier target = handler.target.value_or(QualifiedIdentifier());
  media_handlers_.insert_or_assign({target, std::move(media_type)}, std::move(handler));
}

const MediaHandler* SchemaCache::media_handler(const QualifiedIdentifier* target,
                                               const std::string& media_type) const {
  if (media_handlers_.empty()) return nullptr;
  const auto it =
      media_handlers_.find({target == nullptr ? QualifiedIdentifier() : *target, media_type});
  return it == media_handlers_.end() ? nullptr : &it->second;
}

std::vector<std::string_view> SchemaCache::media_types(const QualifiedIdentifier& target) const {
  std::vector<std::string_view> out;
  auto it = media_handlers_.lower_bound({target, ""});
  for (; it != media_handlers_.end() && it->first.first == target; ++it) {
    out.push_back(it->first.second);
  }
  return out;
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
  if (it == table_names_.end() || it->second.size() >= kMaxNamesForHints) return std::nullopt;
  FuzzySet names;
  for (const auto& candidate : it->second) names.add(candidate);
  return names.get_one(name, kMinHintScore);
}

const RoleSettings* SchemaCache::role_settings(std::string_view role) const {
  const auto it = role_settings_.find(role);
  return it == role_settings_.end() ? nullptr : &it->second;
}

size_t SchemaCache::relationship_count() const {
  size_t count = 0;
  for (const auto& entry : relationships_) count += entry.second.size();
  return count;
}

size_t SchemaCache::routine_count() const {
  size_t count = 0;
  for (const auto& entry : routines_) count += entry.second.size();
  return count;
}

}  // namespace pgrst
