#include "schema_cache/schema_cache.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace pgrst {

// -- hints ---------------------------------------------------------------------------------------

namespace {

// In the order in which PostgREST adds them; none of a relation that is related to too many.
std::vector<std::string_view> names_of_targets(const std::vector<Relationship>& relationships) {
  std::vector<std::string_view> names;
  std::unordered_set<std::string_view> seen;
  for (auto it = relationships.rbegin(); it != relationships.rend(); ++it) {
    if (!seen.insert(it->foreign_table.name).second) continue;
    if (seen.size() == SchemaCache::kMaxNamesForHints) return {};
    names.emplace_back(it->foreign_table.name);
  }
  return names;
}

}  // namespace

bool SchemaCache::index_names(size_t max_names) {
  if (!indexing_) begin_indexing();
  auto& left = *indexing_;
  for (size_t n = 0; n < max_names && !left.empty();) {
    auto& [index, names, relationships] = left.back();
    if (relationships != nullptr) {
      names = names_of_targets(*relationships);
      std::reverse(names.begin(), names.end());
      n += relationships->size() / 16;
      relationships = nullptr;
    }
    for (; n < max_names && !names.empty(); n++) {
      index->add(names.back());
      names.pop_back();
    }
    if (names.empty()) left.pop_back();
  }
  return left.empty();
}

void SchemaCache::begin_indexing() {
  auto& left = indexing_.emplace();
  const auto add = [&](FuzzySet& index, std::vector<std::string_view> names) {
    if (names.empty() || names.size() >= kMaxNamesForHints) return;
    std::reverse(names.begin(), names.end());
    left.push_back({&index, std::move(names), nullptr});
  };
  std::map<std::string_view, std::vector<std::string_view>> routines, related;
  for (const auto& [id, overloads] : routines_) routines[id.schema].emplace_back(id.name);
  for (const auto& [id, list] : relationships_) {
    related[id.schema].emplace_back(id.name);
    if (list.size() > kFewTargets) left.push_back({&targets_[&list], {}, &list});
  }
  for (const auto& [schema, names] : table_names_) {
    add(names_[schema].tables, {names.begin(), names.end()});
  }
  for (auto& [schema, names] : routines) {
    add(names_[std::string(schema)].routines, std::move(names));
  }
  for (auto& [schema, names] : related) {
    add(names_[std::string(schema)].related_tables, std::move(names));
  }
}

const SchemaCache::SchemaNames* SchemaCache::names_of(std::string_view schema) const {
  const auto it = names_.find(schema);
  return it == names_.end() ? nullptr : &it->second;
}

std::optional<std::string> SchemaCache::nearest_routine(std::string_view schema,
                                                        std::string_view name) const {
  const SchemaNames* names = names_of(schema);
  return names == nullptr ? std::nullopt : names->routines.get_one(name, kNameMinScore);
}

std::optional<std::string> SchemaCache::nearest_related(std::string_view schema,
                                                        std::string_view name) const {
  const SchemaNames* names = names_of(schema);
  return names == nullptr ? std::nullopt : names->related_tables.get_one(name);
}

std::optional<std::string> SchemaCache::nearest_target(
    const std::vector<Relationship>& relationships, std::string_view name) const {
  FuzzySet few;
  if (relationships.size() <= kFewTargets) {
    for (const auto& target : names_of_targets(relationships)) few.add(target);
  }
  const auto many = targets_.find(&relationships);
  const FuzzySet& targets = many == targets_.end() ? few : many->second;
  for (auto& [score, found] : targets.get(name)) {
    if (score < 1.0) return std::move(found);
  }
  return std::nullopt;
}

// -- what there is -------------------------------------------------------------------------------

void SchemaCache::add_table(Table table) {
  table.index_columns();
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
  const SchemaNames* names = names_of(schema);
  return errors::table_not_found(
      schema, name, names == nullptr ? std::nullopt : names->tables.get_one(name, kNameMinScore));
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
