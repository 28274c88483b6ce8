// A relation that can be a resource: table, partitioned table, view, materialised view, foreign
// table.
#pragma once

#include "core/before_postgres.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
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
  // Numbers of the columns in the order of their names, or none: then each is looked at.
  std::vector<uint16_t> columns_by_name;

  bool is_view() const { return kind == 'v' || kind == 'm'; }
  const Column* find_column(std::string_view name) const {
    if (!columns_by_name.empty()) return find_by_name(name);
    for (const auto& column : columns) {
      if (column.name == name) return &column;
    }
    return nullptr;
  }
  // When all columns are there.
  void index_columns() {
    constexpr size_t kFewColumns = 16;
    if (columns.size() <= kFewColumns || columns.size() > UINT16_MAX) return;
    columns_by_name.resize(columns.size());
    std::iota(columns_by_name.begin(), columns_by_name.end(), uint16_t{0});
    std::sort(columns_by_name.begin(), columns_by_name.end(),
              [&](uint16_t a, uint16_t b) { return columns[a].name < columns[b].name; });
  }

 private:
  const Column* find_by_name(std::string_view name) const {
    const auto at = std::lower_bound(
        columns_by_name.begin(), columns_by_name.end(), name,
        [&](uint16_t column, std::string_view wanted) { return columns[column].name < wanted; });
    return at != columns_by_name.end() && columns[*at].name == name ? &columns[*at] : nullptr;
  }
};

}  // namespace pgrst
