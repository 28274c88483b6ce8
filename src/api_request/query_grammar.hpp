// The grammar of PostgREST's query parameters: one entry point for each kind of parameter.
//
// Input -> output: decoded parameter text, well-formed UTF-8 -> a piece of the syntax tree of
// types.hpp, or PGRST100 with PostgREST's message and details (ApiRequest/QueryParams), byte for
// byte. Invariants: as in PostgREST, most rules stop at the first character they cannot use and
// ignore the rest, so that `id=is.nullfoo` means `id=is.null`. Time and memory are linear in the
// input; select and logic trees nest at most 64 levels deep (PGRST100 with details of our own
// beyond that). Pure functions; thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api_request/types.hpp"
#include "core/result.hpp"

namespace pgrst {

// The name of a filter, order, limit or offset parameter: "clients.data->id" is the field data->id
// at
// {"clients"}.
struct TreePath {
  EmbedPath path;
  Field field;

  bool operator==(const TreePath&) const = default;
};

// The name of a logic parameter: "clients.not.or" is the operator "not.or" at {"clients"}.
struct LogicPath {
  EmbedPath path;
  std::string op;

  bool operator==(const LogicPath&) const = default;
};

// The value of a filter: "not.eq.1".
struct OperatorExpr {
  bool negated = false;
  Operation operation;

  bool operator==(const OperatorExpr&) const = default;
};

Result<std::vector<SelectItem>> parse_select(std::string_view value);
Result<std::vector<FieldName>> parse_columns(std::string_view value);
Result<std::vector<FieldName>> parse_on_conflict(std::string_view value);
Result<TreePath> parse_tree_path(std::string_view name);
Result<OperatorExpr> parse_filter_value(std::string_view value);
Result<std::vector<OrderTerm>> parse_order_value(std::string_view value);

// nullopt: not an operator expression, but the argument of a function. An error when the value
// starts like one ("not.", "in.") and does not go on like one.
Result<std::optional<OperatorExpr>> parse_rpc_value(std::string_view value);

// `name` is that of the parameter ("clients.not.or"), `value` the list of conditions in
// parentheses.
Result<AtPath<LogicTree>> parse_logic(std::string_view name, std::string_view value);

// -- for tests -----------------------------------------------------------------------------------

enum class GrammarRule {
  kFieldName,
  kJsonPath,
  kTreePath,
  kSelect,
  kRelation,
  kSpread,
  kSelectField,
  kFilter,
  kOrder,
  kLogicTree,
  kLogicPath,
  kColumns,
};

struct GrammarOutcome {
  bool ok = false;
  bool too_deep = false;
  size_t consumed = 0;   // bytes, when ok
  std::string position;  // "(line 1, column 4)", when not ok and tracked
  std::string details;   // likewise
};

// Runs one rule by itself, with or without the bookkeeping of errors (see parsec.hpp).
GrammarOutcome run_grammar_rule(GrammarRule rule, std::string_view text, bool tracked);

}  // namespace pgrst
