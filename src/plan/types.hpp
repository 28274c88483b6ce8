// Fields, filters and orders after planning: the syntax tree plus what the schema cache knows of
// it.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api_request/types.hpp"

namespace pgrst {

// A full text search on a column that is no tsvector: search to_tsvector([language,] column).
struct ToTsVector {
  std::optional<std::string> language;

  bool operator==(const ToTsVector&) const = default;
};

struct PlannedField {
  std::string name;  // a column, a computed column, or "*"
  JsonPath json_path;
  bool to_json = false;  // the column is neither json nor jsonb: to_jsonb(column) before the path
  std::optional<ToTsVector> to_tsvector;
  std::string nominal_type;  // empty: not a column that the cache knows
  std::string base_type;

  bool operator==(const PlannedField&) const = default;
};

struct PlannedSelect {
  PlannedField field;
  std::optional<AggregateFunction> aggregate;
  std::optional<Cast> aggregate_cast;
  std::optional<Cast> cast;
  std::optional<Alias> alias;
};

struct PlannedFilter {
  PlannedField field;
  bool negated = false;
  Operation operation;
};

struct PlannedLogic;
struct PlannedLogicExpr {
  bool negated = false;
  LogicOperator op = LogicOperator::kAnd;
  std::vector<PlannedLogic> children;
};
struct PlannedLogic {
  std::variant<PlannedLogicExpr, PlannedFilter> node;
};

struct PlannedOrder {
  PlannedField field;
  std::optional<OrderDirection> direction;
  std::optional<OrderNulls> nulls;
};

}  // namespace pgrst
