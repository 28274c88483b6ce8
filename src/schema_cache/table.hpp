// A relation that can be a resource: table, partitioned table, view, materialised view, foreign
// table.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema_cache/identifiers.hpp"

namespace pgrst {

using EnumLabels = std::vector<std::string>;  // in their order

// What values of a type, or the elements of an array, are in JSON.
enum class JsonShape : uint8_t { kByType, kObject, kAny };

struct Column {
  std::string name;
  std::string base_type;     // the type below a domain, e.g. "integer", "tsvector", "jsonb"
  std::string nominal_type;  // the type as declared, e.g. "api.email", "character varying(20)"
  std::optional<std::string> default_value;  // SQL expression
  std::optional<std::string> description;
  std::shared_ptr<const EnumLabels> labels;  // of an enum; null: it is none
  int32_t max_length = -1;                   // in characters or bits; -1: no limit
  bool nullable = true;
  bool generated = false;  // always: nobody can write it
  JsonShape shape = JsonShape::kByType;
};

struct Table {
  QualifiedIdentifier id;
  std::optional<std::string> description;
  char kind = 'r';  // pg_class.relkind
  // What the relation itself can do; privileges are PostgreSQL's business.
  bool insertable = false;
  bool updatable = false;
  bool deletable = false;
  std::vector<std::string> pk_columns;  // sorted by name
  std::vector<Column> columns;          // in the order of the relation

  bool is_view() const { return kind == 'v' || kind == 'm'; }
  const Column* find_column(std::string_view name) const {
    for (const auto& column : columns) {
      if (column.name == name) return &column;
    }
    return nullptr;
  }
};

}  // namespace pgrst
