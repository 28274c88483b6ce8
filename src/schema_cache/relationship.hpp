// Relationships between relations: what resource embedding follows.
//
// Input -> output: none; values that relationships.cpp derives from foreign keys, views and
// functions. A relationship has a direction: it is found from `table` and leads to `foreign_table`;
// the way back is another one.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "schema_cache/identifiers.hpp"

namespace pgrst {

// In the order in which PGRST201 lists them.
enum class Cardinality : uint8_t { kOneToMany, kManyToOne, kOneToOne, kManyToMany, kComputed };

// As PGRST201 names it.
const char* name_of(Cardinality cardinality);

// Columns that are equal in related rows: of the table itself, of the other relation.
using ColumnPairs = std::vector<std::pair<std::string, std::string>>;

struct Relationship {
  QualifiedIdentifier table;
  QualifiedIdentifier foreign_table;
  bool is_self = false;
  Cardinality cardinality = Cardinality::kOneToMany;
  bool table_is_view = false;
  bool foreign_table_is_view = false;

  // Of foreign keys: its name, and (column, foreign column).
  std::string constraint;
  ColumnPairs columns;
  bool is_parent = false;  // of one-to-one: the foreign key points to `table`

  // Of many-to-many: the junction with its two foreign keys; `columns` is (column, junction column)
  // and `foreign_columns` (foreign column, junction column).
  QualifiedIdentifier junction;
  std::string foreign_constraint;
  ColumnPairs foreign_columns;

  // Of computed relationships: function(table) returns [setof] foreign_table.
  QualifiedIdentifier function;
  bool returns_one = false;

  bool is_to_one() const {
    return cardinality == Cardinality::kManyToOne || cardinality == Cardinality::kOneToOne ||
           (cardinality == Cardinality::kComputed && returns_one);
  }
};

// The order of PGRST201's details.
bool operator<(const Relationship& a, const Relationship& b);

// -- what relationships are derived from ---------------------------------------------------------

// A relation of any schema, exposed or not, as the catalogs number it.
using RelationOid = uint32_t;

struct ForeignKey {
  RelationOid table_oid = 0;
  RelationOid foreign_table_oid = 0;
  QualifiedIdentifier table;
  QualifiedIdentifier foreign_table;
  std::string constraint;
  bool is_unique = false;  // its columns are a key of `table`: one-to-one
  struct Column {
    int16_t number = 0;
    int16_t foreign_number = 0;
    std::string name;
    std::string foreign_name;
  };
  std::vector<Column> columns;  // in the order of the key
};

struct PrimaryKey {
  RelationOid table_oid = 0;
  std::vector<int16_t> columns;  // in the order of the key
};

// A column of a view, and the column of the relation below that it shows.
struct ViewColumn {
  RelationOid view_oid = 0;
  int16_t number = 0;
  RelationOid origin_oid = 0;
  int16_t origin_number = 0;
};

// A view through which columns may be traced.
struct View {
  QualifiedIdentifier id;
  bool is_exposed = false;
  std::vector<std::pair<int16_t, std::string>> columns;  // number, name; in order
};

}  // namespace pgrst
