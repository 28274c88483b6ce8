#include "schema_cache/builder.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "core/text.hpp"
#include "core/wire.hpp"
#include "schema_cache/catalog_queries.hpp"
#include "schema_cache/relationships.hpp"

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

template <class Number = int>
Number to_number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

RelationOid to_oid(std::string_view text) { return to_number<RelationOid>(text); }
int16_t to_column(std::string_view text) { return to_number<int16_t>(text); }

bool read_tables(std::string_view records, TablesByOid& tables) {
  // Bits of pg_relation_is_updatable: 1 << CmdType.
  constexpr int kUpdate = 4, kInsert = 8, kDelete = 16;
  Rows rows(records, 6);
  while (rows.next()) {
    Table table;
    table.id = {std::string(rows.text(1)), std::string(rows.text(2))};
    table.kind = rows.text(3).empty() ? 'r' : rows.text(3)[0];
    const int events = to_number(rows.text(4));
    table.insertable = (events & kInsert) != 0;
    table.updatable = (events & kUpdate) != 0;
    table.deletable = (events & kDelete) != 0;
    table.description = rows.optional(5);
    tables.emplace(to_oid(rows.text(0)), std::move(table));
  }
  return !rows.damaged();
}

bool read_columns(std::string_view records, TablesByOid& tables) {
  Rows rows(records, 7);
  while (rows.next()) {
    const auto it = tables.find(to_oid(rows.text(0)));
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

Isolation parse_isolation(std::string_view text) {
  const std::string t = to_lower_ascii(text);
  if (t == "repeatable read") return Isolation::kRepeatableRead;
  if (t == "serializable") return Isolation::kSerializable;
  return Isolation::kReadCommitted;
}

QualifiedIdentifier identifier(const Rows& rows, size_t at) {
  return {std::string(rows.text(at)), std::string(rows.text(at + 1))};
}

bool read_primary_keys(std::string_view records, TablesByOid& tables, RelationshipSources& out) {
  Rows rows(records, 3);
  while (rows.next()) {
    const RelationOid oid = to_oid(rows.text(0));
    if (out.primary_keys.empty() || out.primary_keys.back().table_oid != oid) {
      out.primary_keys.push_back({oid, {}});
    }
    out.primary_keys.back().columns.push_back(to_column(rows.text(1)));
    const auto it = tables.find(oid);
    if (it != tables.end()) it->second.pk_columns.emplace_back(rows.text(2));
  }
  for (auto& [oid, table] : tables) std::sort(table.pk_columns.begin(), table.pk_columns.end());
  return !rows.damaged();
}

bool read_foreign_keys(std::string_view records, RelationshipSources& out) {
  std::string last;
  Rows rows(records, 13);
  while (rows.next()) {
    if (out.foreign_keys.empty() || rows.text(0) != last) {
      last = rows.text(0);
      ForeignKey key;
      key.table_oid = to_oid(rows.text(1));
      key.table = identifier(rows, 2);
      key.foreign_table_oid = to_oid(rows.text(4));
      key.foreign_table = identifier(rows, 5);
      key.constraint = rows.text(7);
      key.is_unique = rows.text(8) == "t";
      out.foreign_keys.push_back(std::move(key));
    }
    out.foreign_keys.back().columns.push_back({to_column(rows.text(9)), to_column(rows.text(11)),
                                               std::string(rows.text(10)),
                                               std::string(rows.text(12))});
  }
  return !rows.damaged();
}

bool read_views(std::string_view records, RelationshipSources& out) {
  Rows rows(records, 6);
  while (rows.next()) {
    View& view = out.views[to_oid(rows.text(0))];
    if (view.columns.empty()) {
      view.id = identifier(rows, 1);
      view.is_exposed = rows.text(3) == "t";
    }
    view.columns.emplace_back(to_column(rows.text(4)), rows.text(5));
  }
  return !rows.damaged();
}

bool read_view_columns(std::string_view records, RelationshipSources& out) {
  Rows rows(records, 4);
  while (rows.next()) {
    out.view_columns.push_back({to_oid(rows.text(0)), to_column(rows.text(1)), to_oid(rows.text(2)),
                                to_column(rows.text(3))});
  }
  return !rows.damaged();
}

bool read_computed_relationships(std::string_view records, RelationshipSources& out) {
  Rows rows(records, 7);
  while (rows.next()) {
    Relationship r;
    r.cardinality = Cardinality::kComputed;
    r.function = identifier(rows, 0);
    r.table = identifier(rows, 2);
    r.foreign_table = identifier(rows, 4);
    r.is_self = r.table == r.foreign_table;
    r.returns_one = rows.text(6) == "t";
    out.computed.push_back(std::move(r));
  }
  return !rows.damaged();
}

using RoutinesByOid = std::map<RelationOid, Routine>;

bool read_routines(std::string_view records, RoutinesByOid& routines) {
  Rows rows(records, 9);
  while (rows.next()) {
    Routine routine;
    routine.id = identifier(rows, 1);
    routine.description = rows.optional(3);
    routine.return_type = identifier(rows, 4);
    routine.returns_set = rows.text(6) == "t";
    routine.returns_composite = rows.text(7) == "t";
    if (rows.text(8) == "s") routine.volatility = Volatility::kStable;
    if (rows.text(8) == "i") routine.volatility = Volatility::kImmutable;
    routines.emplace(to_oid(rows.text(0)), std::move(routine));
  }
  return !rows.damaged();
}

bool read_routine_params(std::string_view records, RoutinesByOid& routines) {
  Rows rows(records, 6);
  while (rows.next()) {
    const auto it = routines.find(to_oid(rows.text(0)));
    if (it == routines.end()) continue;
    RoutineParam param;
    param.name = rows.text(1);
    param.type = rows.text(2);
    param.cast_type = rows.text(3);
    param.required = rows.text(4) == "t";
    param.variadic = rows.text(5) == "t";
    it->second.has_variadic = it->second.has_variadic || param.variadic;
    it->second.params.push_back(std::move(param));
  }
  return !rows.damaged();
}

bool read_routine_settings(std::string_view records, RoutinesByOid& routines) {
  Rows rows(records, 3);
  while (rows.next()) {
    const auto it = routines.find(to_oid(rows.text(0)));
    if (it == routines.end()) continue;
    if (rows.text(1) == "default_transaction_isolation") {
      it->second.isolation = parse_isolation(rows.text(2));
    } else {
      it->second.settings.emplace_back(rows.text(1), rows.text(2));
    }
  }
  return !rows.damaged();
}

// Parameters without a name cannot be given, but for a single one of a type that a whole body can
// be.
bool is_callable(const Routine& routine) {
  const auto nameless = std::count_if(routine.params.begin(), routine.params.end(),
                                      [](const auto& param) { return param.name.empty(); });
  if (nameless == 0) return true;
  const std::string& type = routine.params[0].type;
  return nameless == 1 &&
         (type == "bytea" || type == "json" || type == "jsonb" || type == "text" || type == "xml");
}

bool read_media_handlers(std::string_view records, SchemaCache& cache) {
  Rows rows(records, 5);
  while (rows.next()) {
    MediaHandler handler;
    handler.function = identifier(rows, 0);
    const QualifiedIdentifier target = identifier(rows, 2);
    if (target != QualifiedIdentifier{"pg_catalog", "anyelement"}) handler.target = target;
    const std::string_view type = rows.text(4);
    handler.media_type = type == "*/*" ? "application/octet-stream" : std::string(type);
    cache.add_media_handler(to_lower_ascii(type), std::move(handler));
  }
  return !rows.damaged();
}

bool read_representations(std::string_view records, SchemaCache& cache) {
  Rows rows(records, 4);
  while (rows.next()) {
    cache.add_representation(std::string(rows.text(0)), std::string(rows.text(1)),
                             identifier(rows, 2));
  }
  return !rows.damaged();
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
  RelationshipSources sources;
  RoutinesByOid routines;
  if (!read_tables(result_sets[kTables], tables) || !read_columns(result_sets[kColumns], tables) ||
      !read_primary_keys(result_sets[kPrimaryKeys], tables, sources) ||
      !read_foreign_keys(result_sets[kForeignKeys], sources) ||
      !read_views(result_sets[kViews], sources) ||
      !read_view_columns(result_sets[kViewColumns], sources) ||
      !read_computed_relationships(result_sets[kComputedRelationships], sources) ||
      !read_routines(result_sets[kRoutines], routines) ||
      !read_routine_params(result_sets[kRoutineParams], routines) ||
      !read_routine_settings(result_sets[kRoutineSettings], routines) ||
      !read_media_handlers(result_sets[kMediaHandlers], catalog.schema_cache) ||
      !read_representations(result_sets[kRepresentations], catalog.schema_cache) ||
      !read_role_settings(result_sets[kRoleSettings], catalog.schema_cache) ||
      !read_settings(result_sets[kSettings], catalog.settings) ||
      !read_settings(result_sets[kConfigTable], catalog.settings)) {
    return errors::internal("introspection gave a damaged row");
  }
  catalog.schema_cache.set_relationships(derive_relationships(std::move(sources), tables));
  for (auto& [oid, routine] : routines) {
    if (is_callable(routine)) catalog.schema_cache.add_routine(std::move(routine));
  }
  for (auto& [oid, table] : tables) catalog.schema_cache.add_table(std::move(table));
  return catalog;
}

}  // namespace pgrst
