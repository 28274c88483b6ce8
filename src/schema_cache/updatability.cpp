#include "schema_cache/updatability.hpp"

#include <unordered_set>

namespace pgrst {

namespace {

uint64_t key_of(RelationOid relation, int16_t column) {
  return uint64_t{relation} << 16 | static_cast<uint16_t>(column);
}

}  // namespace

void Updatability::add_column(const ViewColumn& column) {
  const auto it = relations_.find(column.view_oid);
  if (it == relations_.end() || it->second.base == 0 || it->second.base != column.origin_oid)
    return;
  columns_[column.view_oid].push_back(column.number);
  base_columns_[key_of(column.view_oid, column.number)] = column.origin_number;
}

int16_t Updatability::column_of_base(RelationOid relation, int16_t column) const {
  const auto it = base_columns_.find(key_of(relation, column));
  return it == base_columns_.end() ? int16_t{0} : it->second;
}

// A set of columns can do what the one can that is shown from deepest below: at each view on the
// way down, one column that can be written to is as good as many.
uint32_t Updatability::events(RelationOid relation) {
  uint32_t events = events_by(relation, 0);
  if (const auto it = columns_.find(relation); it != columns_.end()) {
    for (const int16_t column : it->second) events |= events_by(relation, column);
  }
  return events;
}

// What can be done with the relation through this column alone (0: none). Goes down to what is
// known, then up again: views may stand on each other by the thousand.
uint32_t Updatability::events_by(RelationOid relation, int16_t column) {
  struct Step {
    uint64_t key;
    uint32_t own;
    uint32_t through;  // of what the base can, at most this
  };
  std::vector<Step> steps;
  std::unordered_set<RelationOid> seen;
  uint32_t events = kCanAll;
  bool is_circle = false;
  for (;;) {
    const auto it = relations_.find(relation);
    if (it == relations_.end()) break;
    if (const auto known = known_.find(key_of(relation, column)); known != known_.end()) {
      events = known->second;
      break;
    }
    is_circle = !seen.insert(relation).second;
    if (is_circle || it->second.base == 0) {
      events = is_circle ? 0 : it->second.events;
      break;
    }
    const int16_t below = column_of_base(relation, column);
    steps.push_back(
        {key_of(relation, column), it->second.events, below == 0 ? kCanDelete : kCanAll});
    relation = it->second.base;
    column = below;
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    events = step->own | (step->through & events);
    if (!is_circle) known_[step->key] = events;
  }
  return events;
}

}  // namespace pgrst
