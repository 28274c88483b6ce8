#include "schema_cache/relationships.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>

namespace pgrst {

const char* name_of(Cardinality cardinality) {
  switch (cardinality) {
    case Cardinality::kOneToMany:
      return "one-to-many";
    case Cardinality::kManyToOne:
      return "many-to-one";
    case Cardinality::kOneToOne:
      return "one-to-one";
    case Cardinality::kManyToMany:
      return "many-to-many";
    case Cardinality::kComputed:
      return "computed";
  }
  return "";
}

bool operator<(const Relationship& a, const Relationship& b) {
  const auto key = [](const Relationship& r) {
    return std::tie(r.table, r.foreign_table, r.is_self, r.cardinality, r.junction, r.constraint,
                    r.foreign_constraint, r.columns, r.foreign_columns, r.is_parent,
                    r.table_is_view, r.foreign_table_is_view);
  };
  const bool a_computed = a.cardinality == Cardinality::kComputed;
  const bool b_computed = b.cardinality == Cardinality::kComputed;
  if (a_computed != b_computed) return b_computed;
  return a_computed ? a.function < b.function : key(a) < key(b);
}

namespace {

// A column of a relation: oid and number.
using ColumnKey = uint64_t;
ColumnKey column_key(RelationOid oid, int16_t number) {
  return uint64_t{oid} << 16 | static_cast<uint16_t>(number);
}

// -- tracing the columns of views ----------------------------------------------------------------

// For each view the names under which it shows a column of a relation below it, however deep.
class ViewTraces {
 public:
  explicit ViewTraces(const std::unordered_map<RelationOid, View>& views) : views_(views) {}

  // First all columns of views, then all views.
  void add_column(const ViewColumn& column) {
    if (views_.count(column.view_oid) == 0) return;
    below_[column_key(column.view_oid, column.number)] = {column.origin_oid, column.origin_number};
  }
  void trace(RelationOid oid, const View& view) {
    if (!view.is_exposed) return;
    for (const auto& [number, name] : view.columns) {
      std::unordered_set<ColumnKey> seen;
      auto it = below_.find(column_key(oid, number));
      while (it != below_.end() && it->second.first != 0 && seen.insert(it->first).second) {
        const auto [relation, column] = it->second;
        views_by_relation_[relation].insert(oid);
        names_[{oid, column_key(relation, column)}].push_back(name);
        it = below_.find(column_key(relation, column));
      }
    }
  }

  // The exposed views that show a column of this relation; sorted.
  const std::set<RelationOid>& views_on(RelationOid relation) const {
    static const std::set<RelationOid> none;
    const auto it = views_by_relation_.find(relation);
    return it == views_by_relation_.end() ? none : it->second;
  }
  // The names of the columns of `view` that show this one, in the order of the view; may be empty.
  const std::vector<std::string>& names(RelationOid view, RelationOid relation,
                                        int16_t column) const {
    static const std::vector<std::string> none;
    const auto it = names_.find({view, column_key(relation, column)});
    return it == names_.end() ? none : it->second;
  }
  const View& view(RelationOid oid) const { return views_.at(oid); }

 private:
  using Column = std::pair<RelationOid, int16_t>;

  const std::unordered_map<RelationOid, View>& views_;
  std::unordered_map<ColumnKey, Column> below_;
  std::unordered_map<RelationOid, std::set<RelationOid>> views_by_relation_;
  std::map<std::pair<RelationOid, ColumnKey>, std::vector<std::string>> names_;
};

// A key as one view shows it: names in the order of the key.
using KeyNames = std::vector<std::string>;

// A hostile view could show each of many columns many times.
constexpr size_t kMaxMutations = 64;

// Every way to name the columns of a key in a view; none when it does not show them all.
std::vector<KeyNames> key_mutations(const ViewTraces& traces, RelationOid view,
                                    RelationOid relation, const std::vector<int16_t>& columns) {
  std::vector<KeyNames> out = {{}};
  for (const int16_t column : columns) {
    const auto& names = traces.names(view, relation, column);
    std::vector<KeyNames> longer;
    for (const auto& prefix : out) {
      for (const auto& name : names) {
        if (longer.size() == kMaxMutations) break;
        longer.push_back(prefix);
        longer.back().push_back(name);
      }
    }
    out = std::move(longer);
  }
  return out;
}

// -- relationships of foreign keys ---------------------------------------------------------------

struct ViewKey {
  RelationOid view;
  KeyNames names;
};

std::vector<ViewKey> view_keys(const ViewTraces& traces, RelationOid relation,
                               const std::vector<int16_t>& columns) {
  std::vector<ViewKey> out;
  for (const RelationOid view : traces.views_on(relation)) {
    for (auto& names : key_mutations(traces, view, relation, columns)) {
      out.push_back({view, std::move(names)});
    }
  }
  return out;
}

ColumnPairs pairs_of(const KeyNames& names, const KeyNames& foreign_names) {
  ColumnPairs pairs;
  for (size_t i = 0; i < names.size(); i++) pairs.emplace_back(names[i], foreign_names[i]);
  return pairs;
}

std::vector<int16_t> foreign_numbers(const ForeignKey& key) {
  std::vector<int16_t> numbers;
  for (const auto& column : key.columns) numbers.push_back(column.foreign_number);
  return numbers;
}

// The relationship of a foreign key itself, and those of the views that show one or both of its
// ends.
void add_to_one(const ForeignKey& key, const ViewTraces& traces, std::vector<Relationship>& out) {
  KeyNames names, foreign_names;
  std::vector<int16_t> numbers;
  for (const auto& column : key.columns) {
    names.push_back(column.name);
    foreign_names.push_back(column.foreign_name);
    numbers.push_back(column.number);
  }
  Relationship base;
  base.table = key.table;
  base.foreign_table = key.foreign_table;
  base.is_self = key.table_oid == key.foreign_table_oid;
  base.cardinality = key.is_unique ? Cardinality::kOneToOne : Cardinality::kManyToOne;
  base.constraint = key.constraint;
  base.columns = pairs_of(names, foreign_names);
  out.push_back(base);

  const auto from_views = view_keys(traces, key.table_oid, numbers);
  const auto to_views = view_keys(traces, key.foreign_table_oid, foreign_numbers(key));
  for (const auto& from : from_views) {
    Relationship r = base;
    r.table = traces.view(from.view).id;
    r.is_self = false;
    r.columns = pairs_of(from.names, foreign_names);
    r.table_is_view = true;
    out.push_back(std::move(r));
  }
  for (const auto& to : to_views) {
    Relationship r = base;
    r.foreign_table = traces.view(to.view).id;
    r.is_self = false;
    r.columns = pairs_of(names, to.names);
    r.foreign_table_is_view = true;
    out.push_back(std::move(r));
  }
  for (const auto& from : from_views) {
    for (const auto& to : to_views) {
      Relationship r = base;
      r.table = traces.view(from.view).id;
      r.foreign_table = traces.view(to.view).id;
      r.is_self = from.view == to.view;
      r.columns = pairs_of(from.names, to.names);
      r.table_is_view = true;
      r.foreign_table_is_view = true;
      out.push_back(std::move(r));
    }
  }
}

ColumnPairs swapped(const ColumnPairs& pairs) {
  ColumnPairs out;
  for (const auto& [a, b] : pairs) out.emplace_back(b, a);
  return out;
}

Relationship inverse(const Relationship& r) {
  Relationship out = r;
  std::swap(out.table, out.foreign_table);
  std::swap(out.table_is_view, out.foreign_table_is_view);
  out.columns = swapped(r.columns);
  if (r.cardinality == Cardinality::kManyToOne) {
    out.cardinality = Cardinality::kOneToMany;
  } else {
    out.is_parent = true;
  }
  return out;
}

// -- junctions -----------------------------------------------------------------------------------

bool within(const ColumnPairs& pairs, const std::vector<std::string>& key) {
  return std::all_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
    return std::find(key.begin(), key.end(), pair.first) != key.end();
  });
}

Relationship through(const Relationship& one, const Relationship& other) {
  Relationship r;
  r.table = one.foreign_table;
  r.foreign_table = other.foreign_table;
  r.is_self = r.table == r.foreign_table;
  r.cardinality = Cardinality::kManyToMany;
  r.table_is_view = one.foreign_table_is_view;
  r.foreign_table_is_view = other.foreign_table_is_view;
  r.junction = one.table;
  r.constraint = one.constraint;
  r.foreign_constraint = other.constraint;
  r.columns = swapped(one.columns);
  r.foreign_columns = swapped(other.columns);
  return r;
}

using PrimaryKeysByName = std::unordered_map<QualifiedIdentifier, const std::vector<std::string>*,
                                             QualifiedIdentifierHash, QualifiedIdentifierEqual>;

// A junction of many foreign keys relates each pair of them: the number grows with its square.
constexpr size_t kMaxKeysOfJunction = 64;

using Junctions = std::unordered_map<QualifiedIdentifier, std::vector<const Relationship*>,
                                     QualifiedIdentifierHash, QualifiedIdentifierEqual>;

bool is_of_junction(const Relationship& r, const PrimaryKeysByName& keys) {
  if (r.cardinality != Cardinality::kManyToOne) return false;
  const auto key = keys.find(r.table);
  return key != keys.end() && within(r.columns, *key->second);
}

// The relationships through one junction.
template <typename Emit>
void each_many_to_many(const std::vector<const Relationship*>& junction, const Emit& emit) {
  const size_t count = std::min(junction.size(), kMaxKeysOfJunction);
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < count; j++) {
      const Relationship &one = *junction[i], &other = *junction[j];
      if (one.constraint != other.constraint) emit(through(one, other));
    }
  }
}

// The relations that a junction relates which is not exposed: those that its foreign keys point to,
// and the views that show them.
std::vector<QualifiedIdentifier> related_through_hidden(const RelationshipSources& sources,
                                                        const ViewTraces& traces,
                                                        const PrimaryKeysByName& exposed) {
  std::unordered_map<RelationOid, const PrimaryKey*> keys;
  for (const auto& key : sources.primary_keys) keys.emplace(key.table_oid, &key);
  std::map<RelationOid, std::vector<const ForeignKey*>> junctions;
  for (const auto& key : sources.foreign_keys) {
    const auto primary = keys.find(key.table_oid);
    if (primary == keys.end() || key.is_unique || exposed.count(key.table) > 0) continue;
    const auto& columns = primary->second->columns;
    const bool within_key =
        std::all_of(key.columns.begin(), key.columns.end(), [&](const auto& column) {
          return std::find(columns.begin(), columns.end(), column.number) != columns.end();
        });
    if (within_key) junctions[key.table_oid].push_back(&key);
  }
  std::vector<QualifiedIdentifier> out;
  for (const auto& [oid, foreign_keys] : junctions) {
    if (foreign_keys.size() < 2) continue;
    for (const auto* key : foreign_keys) {
      out.push_back(key->foreign_table);
      for (const auto& to : view_keys(traces, key->foreign_table_oid, foreign_numbers(*key))) {
        out.push_back(traces.view(to.view).id);
      }
    }
  }
  return out;
}

// -- views and functions -------------------------------------------------------------------------

// Of several columns that show one of the key the first counts.
void add_view_primary_keys(const PrimaryKey& key, const ViewTraces& traces, TablesByOid& tables) {
  for (const RelationOid view : traces.views_on(key.table_oid)) {
    const auto it = tables.find(view);
    if (it == tables.end()) continue;
    std::vector<std::string> names;
    for (const int16_t column : key.columns) {
      const auto& shown = traces.names(view, key.table_oid, column);
      if (!shown.empty()) names.push_back(shown.front());
    }
    if (names.size() != key.columns.size()) continue;
    auto& columns = it->second.pk_columns;
    columns.insert(columns.end(), names.begin(), names.end());
    std::sort(columns.begin(), columns.end());
  }
}

}  // namespace

// -- the steps -----------------------------------------------------------------------------------

class RelationshipDeriver::Impl {
 public:
  Impl(RelationshipSources sources, TablesByOid& tables)
      : sources_(std::move(sources)), tables_(tables), traces_(sources_.views) {
    for (const auto& r : sources_.computed) overridden_.insert(pair_key(r.table, r.function));
    next_view_ = sources_.views.begin();
  }

  bool step(size_t max_rows, std::vector<Relationship>& out) {
    const auto emit = [&](Relationship r) {
      if (is_hidden(r) || overridden_.count(pair_key(r.table, r.foreign_table)) > 0) return;
      out.push_back(std::move(r));
    };
    switch (stage_) {
      case Stage::kViewColumns:
        return each(sources_.view_columns, max_rows, [&](auto& c) { traces_.add_column(c); });
      case Stage::kViews:
        return each_of(next_view_, sources_.views.end(), max_rows,
                       [&](auto& view) { traces_.trace(view.first, view.second); });
      case Stage::kPrimaryKeys:
        return each(sources_.primary_keys, max_rows,
                    [&](auto& key) { add_view_primary_keys(key, traces_, tables_); });
      case Stage::kExposed:
        for (const auto& [oid, table] : tables_) exposed_.emplace(table.id, &table.pk_columns);
        return next_stage();
      case Stage::kForeignKeys:
        return each(sources_.foreign_keys, max_rows,
                    [&](auto& key) { add_to_one(key, traces_, found_); });
      case Stage::kHidden:
        through_hidden_ = related_through_hidden(sources_, traces_, exposed_);
        return next_stage();
      case Stage::kJunctions:
        (void)each(found_, max_rows, [&](const Relationship& r) {
          if (is_of_junction(r, exposed_)) junctions_[r.table].push_back(&r);
        });
        next_junction_ = junctions_.begin();
        return false;
      case Stage::kManyToMany:
        return each_of(next_junction_, junctions_.end(), max_rows,
                       [&](auto& junction) { each_many_to_many(junction.second, emit); });
      case Stage::kToOne:
        return each(found_, max_rows, [&](Relationship& r) {
          emit(inverse(r));
          emit(std::move(r));
        });
      case Stage::kComputed:
        for (auto& r : sources_.computed) {
          if (!is_hidden(r)) out.push_back(std::move(r));
        }
        return next_stage();
      case Stage::kEnd:
        break;
    }
    return true;
  }

  std::vector<QualifiedIdentifier> through_hidden_;

 private:
  enum class Stage {
    kViewColumns,
    kViews,
    kPrimaryKeys,
    kExposed,
    kForeignKeys,
    kHidden,
    kJunctions,
    kManyToMany,
    kToOne,
    kComputed,
    kEnd
  };

  bool next_stage() {
    stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
    next_ = 0;
    return stage_ == Stage::kEnd;
  }

  // Both call something for the next elements, and go to the next stage after the last.
  template <typename List, typename Do>
  bool each(List& list, size_t max_rows, const Do& something) {
    for (size_t i = 0; i < max_rows && next_ < list.size(); i++) something(list[next_++]);
    return next_ == list.size() && next_stage();
  }
  template <typename Iterator, typename Do>
  bool each_of(Iterator& next, Iterator end, size_t max_rows, const Do& something) {
    for (size_t i = 0; i < max_rows && next != end; i++, ++next) something(*next);
    return next == end && next_stage();
  }

  static std::pair<QualifiedIdentifier, QualifiedIdentifier> pair_key(
      const QualifiedIdentifier& a, const QualifiedIdentifier& b) {
    return {a, b};
  }
  bool is_hidden(const Relationship& r) const {
    return exposed_.count(r.table) == 0 || exposed_.count(r.foreign_table) == 0;
  }

  RelationshipSources sources_;
  TablesByOid& tables_;
  ViewTraces traces_;
  PrimaryKeysByName exposed_;
  // From a table, to the relation that a function is called like.
  std::set<std::pair<QualifiedIdentifier, QualifiedIdentifier>> overridden_;
  std::vector<Relationship> found_;  // to one
  Junctions junctions_;              // of relationships in found_

  Stage stage_ = Stage::kViewColumns;
  size_t next_ = 0;
  std::unordered_map<RelationOid, View>::iterator next_view_;
  Junctions::iterator next_junction_;
};

RelationshipDeriver::RelationshipDeriver(RelationshipSources sources, TablesByOid& tables)
    : impl_(std::make_unique<Impl>(std::move(sources), tables)) {}
RelationshipDeriver::~RelationshipDeriver() = default;

bool RelationshipDeriver::step(size_t max_rows, std::vector<Relationship>& out) {
  return impl_->step(max_rows, out);
}

std::vector<QualifiedIdentifier> RelationshipDeriver::take_through_hidden() {
  return std::move(impl_->through_hidden_);
}

Relationships derive_relationships(RelationshipSources sources, TablesByOid& tables) {
  RelationshipDeriver deriver(std::move(sources), tables);
  Relationships out;
  while (!deriver.step(SIZE_MAX, out.list)) {
  }
  out.through_hidden = deriver.take_through_hidden();
  return out;
}

}  // namespace pgrst
