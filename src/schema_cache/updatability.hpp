// What can be inserted into, updated and deleted from views and foreign tables.
//
// Input -> output: for each view the events of its rules and triggers and the relation that its
// rows come from, and which of its columns show which column of that -> events. Follows
// PostgreSQL's relation_is_updatable(): a view can do what its base can; with no updatable column
// it can at most delete.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "schema_cache/relationship.hpp"

namespace pgrst {

// Bits of pg_relation_is_updatable(): 1 << CmdType.
constexpr uint32_t kCanUpdate = 4, kCanInsert = 8, kCanDelete = 16;
constexpr uint32_t kCanAll = kCanUpdate | kCanInsert | kCanDelete;

struct Writable {
  uint32_t events = 0;   // by itself: of a table, by rules, by triggers, of a foreign table
  RelationOid base = 0;  // of a view that is updated through it; 0: none
};

class Updatability {
 public:
  void add(RelationOid relation, Writable writable) { relations_[relation] = writable; }
  // After the relations. Of the columns of a view only those that show one of its base count.
  void add_column(const ViewColumn& column);

  bool knows(RelationOid relation) const { return relations_.count(relation) != 0; }
  // A relation that was not added is a table.
  uint32_t events(RelationOid relation);

 private:
  uint32_t events_by(RelationOid relation, int16_t column);
  int16_t column_of_base(RelationOid relation, int16_t column) const;

  std::unordered_map<RelationOid, Writable> relations_;
  std::unordered_map<RelationOid, std::vector<int16_t>> columns_;  // that can be written to
  std::unordered_map<uint64_t, int16_t> base_columns_;             // of a column of a view
  std::unordered_map<uint64_t, uint32_t> known_;                   // of events_by()
};

}  // namespace pgrst
