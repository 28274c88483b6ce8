#include "schema_cache/builder.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "core/row_reader.hpp"
#include "core/text.hpp"
#include "schema_cache/catalog_queries.hpp"
#include "schema_cache/updatability.hpp"
#include "schema_cache/relationships.hpp"

namespace pgrst {

namespace {

using Rows = RowReader;

template <class Number = int>
Number to_number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

RelationOid to_oid(std::string_view text) { return to_number<RelationOid>(text); }
int16_t to_column(std::string_view text) { return to_number<int16_t>(text); }

void set_updatable(Table& table, uint32_t events) {
  table.insertable = (events & kCanInsert) != 0;
  table.updatable = (events & kCanUpdate) != 0;
  table.deletable = (events & kCanDelete) != 0;
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

// Parameters without a name cannot be given, but for a single one of a type that a whole body can
// be.
// PostgREST's list has functions of which nothing is named only if they take a body. One name, be
// it of an output parameter, is enough to be listed.
bool is_listed(const Routine& routine) {
  const auto is_named = [](const auto& param) { return !param.name.empty(); };
  return routine.params.empty() || routine.can_be_called() ||
         std::any_of(routine.params.begin(), routine.params.end(), is_named) ||
         std::any_of(routine.columns.begin(), routine.columns.end(), is_named);
}

using RoutinesByOid = std::map<RelationOid, Routine>;

}  // namespace

using RelationshipsByTable = std::unordered_map<QualifiedIdentifier, std::vector<Relationship>,
                                                QualifiedIdentifierHash, QualifiedIdentifierEqual>;

class CatalogBuilder::Impl {
 public:
  explicit Impl(std::vector<std::string> sets) : sets_(std::move(sets)) {
    if (sets_.size() != kCatalogResultCount) {
      problem_ = "introspection gave an unexpected number of result sets";
    }
  }

  bool step(size_t max_rows) {
    if (!problem_.empty()) return true;
    if (stage_ < std::size(kStages)) {
      if (read_rows(max_rows)) stage_++;
      return !problem_.empty();
    }
    if (!begun_) {
      begin_relationships();
      return false;
    }
    if (deriver_) {
      derive(max_rows);
      return false;
    }
    // Adding a name to an index takes as long as several rows of a catalog.
    return add_to_cache(max_rows) &&
           catalog_.schema_cache.index_names(std::max<size_t>(max_rows / 8, 1));
  }

  Result<Catalog> take() {
    if (!problem_.empty()) return errors::internal(problem_);
    return std::move(catalog_);
  }

 private:
  struct Stage {
    CatalogResult set;
    size_t columns;
    void (Impl::*add)(const Rows&);
  };
  static const Stage kStages[20];

  // True when all rows of the stage are read.
  bool read_rows(size_t max_rows) {
    const Stage& stage = kStages[stage_];
    if (!rows_) rows_.emplace(sets_[stage.set], stage.columns);
    for (size_t i = 0; i < max_rows; i++) {
      if (!rows_->next()) {
        if (rows_->damaged()) problem_ = "introspection gave a damaged row";
        rows_.reset();
        sets_[stage.set] = std::string();
        return true;
      }
      (this->*stage.add)(*rows_);
    }
    return false;
  }

  void begin_relationships() {
    for (auto& [oid, table] : tables_) {
      const bool may_vary = table.kind == 'v' || table.kind == 'f';
      if (may_vary && updatability_.knows(oid)) set_updatable(table, updatability_.events(oid));
      std::sort(table.pk_columns.begin(), table.pk_columns.end());
    }
    catalog_.schema_cache.set_role_settings(std::move(roles_));
    for (auto& [oid, routine] : routines_) {
      if (is_listed(routine)) catalog_.schema_cache.add_routine(std::move(routine));
    }
    deriver_.emplace(std::move(sources_), tables_);
    begun_ = true;
  }

  void derive(size_t max_rows) {
    // A key takes as long as several rows of a catalog.
    std::vector<Relationship> found;
    const bool done = deriver_->step(std::max<size_t>(max_rows / 4, 1), found);
    for (auto& r : found) {
      // Only a relation, or a function, of the same schema can be named in a request.
      const QualifiedIdentifier& target =
          r.cardinality == Cardinality::kComputed ? r.function : r.foreign_table;
      if (target.schema == r.table.schema) relationships_[r.table].push_back(std::move(r));
    }
    if (!done) return;
    for (const auto& table : deriver_->take_through_hidden()) relationships_[table];
    deriver_.reset();
    next_relationships_ = relationships_.begin();
    next_table_ = tables_.begin();
  }

  // True when everything is in the cache.
  bool add_to_cache(size_t max_rows) {
    size_t added = 0;
    while (added < max_rows && next_relationships_ != relationships_.end()) {
      auto& [table, list] = *next_relationships_++;
      added += list.size() + 1;
      catalog_.schema_cache.set_relationships(table, std::move(list));
    }
    for (; added < max_rows && next_table_ != tables_.end(); added++, ++next_table_) {
      catalog_.schema_cache.add_table(std::move(next_table_->second));
    }
    return next_relationships_ == relationships_.end() && next_table_ == tables_.end();
  }

  void add_tables(const Rows& rows);
  void add_enums(const Rows& rows);
  void add_columns(const Rows& rows);
  void add_defaults(const Rows& rows);
  void add_primary_keys(const Rows& rows);
  void add_foreign_keys(const Rows& rows);
  void add_views(const Rows& rows);
  void add_updatability(const Rows& rows);
  void add_view_columns(const Rows& rows);
  void add_computed_relationships(const Rows& rows);
  void add_representations(const Rows& rows);
  void add_routines(const Rows& rows);
  void add_routine_params(const Rows& rows);
  void add_routine_columns(const Rows& rows);
  void add_routine_settings(const Rows& rows);
  void add_media_handlers(const Rows& rows);
  void add_role_settings(const Rows& rows);
  void add_setting(std::string_view name, std::string_view value, std::string_view source);
  void add_settings(const Rows& rows);
  void add_table_settings(const Rows& rows);
  void add_pre_config(const Rows& rows);

  std::vector<std::string> sets_;
  std::string problem_;
  size_t stage_ = 0;
  std::optional<Rows> rows_;
  bool begun_ = false;

  TablesByOid tables_;
  TablesByOid::iterator next_table_;
  std::map<uint32_t, std::shared_ptr<EnumLabels>> enums_;  // by oid
  RelationshipSources sources_;
  Updatability updatability_;
  Table* table_of_default_ = nullptr;  // that the last default belongs to
  size_t next_default_ = 0;            // the column behind the one it belongs to
  std::string last_key_;               // the foreign key that the last row belongs to
  std::optional<RelationshipDeriver> deriver_;
  RelationshipsByTable relationships_;
  RelationshipsByTable::iterator next_relationships_;
  RoutinesByOid routines_;
  std::map<std::string, RoleSettings, std::less<>> roles_;
  Catalog catalog_;
};

// Tables before what belongs to them, enums before columns of them, the stronger settings after the
// weaker.
const CatalogBuilder::Impl::Stage CatalogBuilder::Impl::kStages[20] = {
    {kTables, 6, &Impl::add_tables},
    {kEnums, 2, &Impl::add_enums},
    {kColumns, 11, &Impl::add_columns},
    {kDefaults, 3, &Impl::add_defaults},
    {kPrimaryKeys, 3, &Impl::add_primary_keys},
    {kForeignKeys, 13, &Impl::add_foreign_keys},
    {kViews, 6, &Impl::add_views},
    {kUpdatability, 3, &Impl::add_updatability},
    {kViewColumns, 4, &Impl::add_view_columns},
    {kComputedRelationships, 7, &Impl::add_computed_relationships},
    {kRepresentations, 4, &Impl::add_representations},
    {kRoutines, 9, &Impl::add_routines},
    {kRoutineParams, 6, &Impl::add_routine_params},
    {kRoutineColumns, 3, &Impl::add_routine_columns},
    {kRoutineSettings, 3, &Impl::add_routine_settings},
    {kMediaHandlers, 5, &Impl::add_media_handlers},
    {kRoleSettings, 3, &Impl::add_role_settings},
    {kSettings, 3, &Impl::add_settings},
    {kConfigTable, 2, &Impl::add_table_settings},
    {kPreConfig, 2, &Impl::add_pre_config},
};

void CatalogBuilder::Impl::add_tables(const Rows& rows) {
  Table table;
  table.id = {std::string(rows.text(1)), std::string(rows.text(2))};
  table.kind = rows.text(3).empty() ? 'r' : rows.text(3)[0];
  set_updatable(table, to_number<uint32_t>(rows.text(4)));
  table.description = rows.optional(5);
  tables_.emplace(to_oid(rows.text(0)), std::move(table));
}

void CatalogBuilder::Impl::add_enums(const Rows& rows) {
  auto& labels = enums_[to_oid(rows.text(0))];
  if (!labels) labels = std::make_shared<EnumLabels>();
  labels->emplace_back(rows.text(1));
}

void CatalogBuilder::Impl::add_columns(const Rows& rows) {
  const auto it = tables_.find(to_oid(rows.text(0)));
  if (it == tables_.end()) return;
  Column column;
  column.name = rows.text(1);
  column.base_type = rows.text(2);
  column.nominal_type = rows.text(3);
  column.nullable = rows.text(4) == "t";
  column.default_value = rows.optional(5);
  column.description = rows.optional(6);
  if (!rows.text(7).empty()) column.max_length = to_number<int32_t>(rows.text(7));
  if (!rows.text(8).empty()) {
    const auto labels = enums_.find(to_oid(rows.text(8)));
    if (labels != enums_.end()) column.labels = labels->second;
  }
  column.generated = rows.text(9) == "t";
  if (rows.text(10) == "o") column.shape = JsonShape::kObject;
  if (rows.text(10) == "a") column.shape = JsonShape::kAny;
  it->second.columns.push_back(std::move(column));
}

// Both columns and defaults are in order.
void CatalogBuilder::Impl::add_defaults(const Rows& rows) {
  const auto it = tables_.find(to_oid(rows.text(0)));
  if (it == tables_.end()) return;
  if (table_of_default_ != &it->second) {
    table_of_default_ = &it->second;
    next_default_ = 0;
  }
  auto& columns = it->second.columns;
  size_t i = next_default_;
  while (i < columns.size() && columns[i].name != rows.text(1)) i++;
  if (i == columns.size()) return;  // renamed meanwhile
  columns[i].default_value = rows.optional(2);
  next_default_ = i + 1;
}

void CatalogBuilder::Impl::add_primary_keys(const Rows& rows) {
  const RelationOid oid = to_oid(rows.text(0));
  if (sources_.primary_keys.empty() || sources_.primary_keys.back().table_oid != oid) {
    sources_.primary_keys.push_back({oid, {}});
  }
  sources_.primary_keys.back().columns.push_back(to_column(rows.text(1)));
  const auto it = tables_.find(oid);
  if (it != tables_.end()) it->second.pk_columns.emplace_back(rows.text(2));
}

void CatalogBuilder::Impl::add_foreign_keys(const Rows& rows) {
  if (sources_.foreign_keys.empty() || rows.text(0) != last_key_) {
    last_key_ = rows.text(0);
    ForeignKey key;
    key.table_oid = to_oid(rows.text(1));
    key.table = identifier(rows, 2);
    key.foreign_table_oid = to_oid(rows.text(4));
    key.foreign_table = identifier(rows, 5);
    key.constraint = rows.text(7);
    key.is_unique = rows.text(8) == "t";
    sources_.foreign_keys.push_back(std::move(key));
  }
  sources_.foreign_keys.back().columns.push_back({to_column(rows.text(9)), to_column(rows.text(11)),
                                                  std::string(rows.text(10)),
                                                  std::string(rows.text(12))});
}

void CatalogBuilder::Impl::add_views(const Rows& rows) {
  View& view = sources_.views[to_oid(rows.text(0))];
  if (view.columns.empty()) {
    view.id = identifier(rows, 1);
    view.is_exposed = rows.text(3) == "t";
  }
  view.columns.emplace_back(to_column(rows.text(4)), rows.text(5));
}

void CatalogBuilder::Impl::add_updatability(const Rows& rows) {
  updatability_.add(to_oid(rows.text(0)),
                    {to_number<uint32_t>(rows.text(1)), to_oid(rows.text(2))});
}

void CatalogBuilder::Impl::add_view_columns(const Rows& rows) {
  const ViewColumn column = {to_oid(rows.text(0)), to_column(rows.text(1)), to_oid(rows.text(2)),
                             to_column(rows.text(3))};
  updatability_.add_column(column);
  sources_.view_columns.push_back(column);
}

void CatalogBuilder::Impl::add_computed_relationships(const Rows& rows) {
  Relationship r;
  r.cardinality = Cardinality::kComputed;
  r.function = identifier(rows, 0);
  r.table = identifier(rows, 2);
  r.foreign_table = identifier(rows, 4);
  r.is_self = r.table == r.foreign_table;
  r.returns_one = rows.text(6) == "t";
  sources_.computed.push_back(std::move(r));
}

void CatalogBuilder::Impl::add_routines(const Rows& rows) {
  Routine routine;
  routine.oid = to_oid(rows.text(0));
  routine.id = identifier(rows, 1);
  routine.description = rows.optional(3);
  routine.return_type = identifier(rows, 4);
  routine.returns_set = rows.text(6) == "t";
  routine.returns_composite = rows.text(7) == "t";
  if (rows.text(8) == "s") routine.volatility = Volatility::kStable;
  if (rows.text(8) == "i") routine.volatility = Volatility::kImmutable;
  routines_.emplace(to_oid(rows.text(0)), std::move(routine));
}

void CatalogBuilder::Impl::add_routine_params(const Rows& rows) {
  const auto it = routines_.find(to_oid(rows.text(0)));
  if (it == routines_.end()) return;
  RoutineParam param;
  param.name = rows.text(1);
  param.type = rows.text(2);
  param.cast_type = rows.text(3);
  param.required = rows.text(4) == "t";
  param.variadic = rows.text(5) == "t";
  it->second.has_variadic = it->second.has_variadic || param.variadic;
  it->second.params.push_back(std::move(param));
}

void CatalogBuilder::Impl::add_routine_columns(const Rows& rows) {
  const auto it = routines_.find(to_oid(rows.text(0)));
  if (it == routines_.end()) return;
  it->second.columns.push_back({std::string(rows.text(1)), std::string(rows.text(2))});
}

void CatalogBuilder::Impl::add_routine_settings(const Rows& rows) {
  const auto it = routines_.find(to_oid(rows.text(0)));
  if (it == routines_.end()) return;
  if (rows.text(1) == "default_transaction_isolation") {
    it->second.isolation = parse_isolation(rows.text(2));
  } else {
    it->second.settings.emplace_back(rows.text(1), rows.text(2));
  }
}

void CatalogBuilder::Impl::add_media_handlers(const Rows& rows) {
  MediaHandler handler;
  handler.function = identifier(rows, 0);
  const QualifiedIdentifier target = identifier(rows, 2);
  if (target != QualifiedIdentifier{"pg_catalog", "anyelement"}) handler.target = target;
  const std::string_view type = rows.text(4);
  handler.media_type = type == "*/*" ? "application/octet-stream" : std::string(type);
  catalog_.schema_cache.add_media_handler(to_lower_ascii(type), std::move(handler));
}

void CatalogBuilder::Impl::add_representations(const Rows& rows) {
  catalog_.schema_cache.add_representation(std::string(rows.text(0)), std::string(rows.text(1)),
                                           identifier(rows, 2));
}

void CatalogBuilder::Impl::add_role_settings(const Rows& rows) {
  RoleSettings& role = roles_[std::string(rows.text(0))];
  if (rows.text(1) == "default_transaction_isolation") {
    role.isolation = parse_isolation(rows.text(2));
  } else {
    role.settings.emplace_back(rows.text(1), rows.text(2));
  }
}

void CatalogBuilder::Impl::add_setting(std::string_view name, std::string_view value,
                                       std::string_view source) {
  constexpr std::string_view kPrefix = "pgrst.";
  if (name.substr(0, kPrefix.size()) == kPrefix) name.remove_prefix(kPrefix.size());
  catalog_.settings.push_back({std::string(name), std::string(value), std::string(source)});
}

void CatalogBuilder::Impl::add_settings(const Rows& rows) {
  add_setting(rows.text(0), rows.text(1), rows.text(2));
}

void CatalogBuilder::Impl::add_table_settings(const Rows& rows) {
  add_setting(rows.text(0), rows.text(1), "pgrst.config");
}

void CatalogBuilder::Impl::add_pre_config(const Rows& rows) {
  add_setting(rows.text(0), rows.text(1), kFromPreConfig);
}

CatalogBuilder::CatalogBuilder(std::vector<std::string> result_sets)
    : impl_(std::make_unique<Impl>(std::move(result_sets))) {}
CatalogBuilder::~CatalogBuilder() = default;

bool CatalogBuilder::step(size_t max_rows) { return impl_->step(max_rows); }
Result<Catalog> CatalogBuilder::take() { return impl_->take(); }

Result<Catalog> build_catalog(std::vector<std::string> result_sets) {
  CatalogBuilder builder(std::move(result_sets));
  while (!builder.step(SIZE_MAX)) {
  }
  return builder.take();
}

}  // namespace pgrst
