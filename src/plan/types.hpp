// Fields, filters and orders after planning: the syntax tree plus what the schema cache knows of
// it.
//
// Ownership: pointers lead into the schema cache of the snapshot that the plan was made against.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api_request/types.hpp"
#include "schema_cache/identifiers.hpp"

namespace pgrst {

// A full text search on a column that is no tsvector: search to_tsvector([language,] column).
struct ToTsVector {
  std::optional<std::string> language;

  bool operator==(const ToTsVector&) const = default;
};

struct PlannedField {
  std::string name;  // a column, a computed column, or "*"
  JsonPath json_path;
  bool to_json = false;   // the column is neither json nor jsonb: to_jsonb(column) before the path
  bool full_row = false;  // the row itself, as a value
  std::optional<ToTsVector> to_tsvector;
  std::string nominal_type;  // empty: not a column that the cache knows
  std::string base_type;
  // A domain representation: of a selected field to json, of a filter's operand from text.
  const QualifiedIdentifier* transform = nullptr;

  bool operator==(const PlannedField&) const = default;
};

struct PlannedSelect {
  PlannedField field;
  std::optional<AggregateFunction> aggregate;
  std::optional<Cast> aggregate_cast;
  std::optional<Cast> cast;
  std::optional<Alias> alias;

  // All columns.
  bool is_star() const {
    return field.name == "*" && field.json_path.empty() && !field.full_row && !aggregate;
  }

  // What the column is called; of an aggregate without alias PostgreSQL decides.
  const std::string& name() const { return alias ? *alias : field.name; }
};

// A column of a spread as its parent takes it.
struct SpreadSelect {
  std::string name;
  std::optional<AggregateFunction> aggregate;
  std::optional<Cast> aggregate_cast;
  std::optional<Alias> alias;
};

struct PlannedFilter {
  PlannedField field;
  bool negated = false;
  Operation operation;
};

// Is there a related row? By the index of the embed among the children.
struct PlannedEmbedFilter {
  size_t child = 0;
  bool exists = false;
};

struct PlannedLogic;
struct PlannedLogicExpr {
  bool negated = false;
  LogicOperator op = LogicOperator::kAnd;
  std::vector<PlannedLogic> children;
};
struct PlannedLogic {
  std::variant<PlannedLogicExpr, PlannedFilter, PlannedEmbedFilter> node;
};

struct PlannedOrder {
  std::optional<size_t> child;  // a field of this to-one embed
  PlannedField field;
  std::optional<OrderDirection> direction;
  std::optional<OrderNulls> nulls;
};

}  // namespace pgrst
