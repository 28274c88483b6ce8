// Foreign keys, views and functions -> relationships and the primary keys of views.
//
// A view shows a foreign key, or the key that one points to, when it shows all of its columns;
// columns are traced through views on views. A column that a view shows twice gives a relationship
// for each. A table with two foreign keys within its primary key is a junction. A function of one
// relation's row type that returns another's is a relationship too, and takes the place of those
// found between the table and a relation of the function's name.
#pragma once

#include "core/before_postgres.hpp"

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "schema_cache/relationship.hpp"
#include "schema_cache/table.hpp"

namespace pgrst {

struct RelationshipSources {
  std::vector<ForeignKey> foreign_keys;  // ordered by table and name
  std::vector<PrimaryKey> primary_keys;
  std::unordered_map<RelationOid, View> views;
  std::vector<ViewColumn> view_columns;
  std::vector<Relationship> computed;
};

using TablesByOid = std::unordered_map<RelationOid, Table>;

// In steps: twenty thousand foreign keys take some 80 ms.
class RelationshipDeriver {
 public:
  // Fills in the primary keys of the views among `tables`, which are the exposed relations and have
  // to stay where they are until the end.
  RelationshipDeriver(RelationshipSources sources, TablesByOid& tables);
  ~RelationshipDeriver();

  // Goes on for about max_rows keys or relationships, and appends the relationships found, between
  // exposed relations, to `out`; true when there are no more.
  bool step(size_t max_rows, std::vector<Relationship>& out);
  // Afterwards: the relations that have relationships to others of their schema, but through
  // junctions that are not exposed.
  std::vector<QualifiedIdentifier> take_through_hidden();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct Relationships {
  std::vector<Relationship> list;
  std::vector<QualifiedIdentifier> through_hidden;
};

// All at once.
Relationships derive_relationships(RelationshipSources sources, TablesByOid& tables);

}  // namespace pgrst
