// The syntax tree of a request: what the query string, the method and the headers say.
//
// Input -> output: none; values filled by query_params.cpp and api_request.cpp and read by plan/.
// Invariants: text is UTF-8 as decoded from the URL and is not trusted; the only text that may
// reach SQL unquoted is a Cast (letters, digits, '_', '$' and spaces, see query_params.cpp). Names
// and shapes are PostgREST's (ApiRequest/Types), so that its documentation explains ours.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api_request/integer.hpp"

namespace pgrst {

using FieldName = std::string;
using Alias = std::string;
using Cast = std::string;
using Hint = std::string;
using EmbedPath = std::vector<std::string>;  // "clients.projects.id=..." -> {"clients", "projects"}

// -- fields --------------------------------------------------------------------------------------

struct JsonOperation {
  bool as_text = false;   // ->> rather than ->
  bool is_index = false;  // array index rather than object key
  std::string operand;    // the key, or the index with its sign: "+1", "-2"

  bool operator==(const JsonOperation&) const = default;
};
using JsonPath = std::vector<JsonOperation>;

struct Field {
  FieldName name;
  JsonPath json_path;

  bool operator==(const Field&) const = default;
};

// -- select --------------------------------------------------------------------------------------

enum class AggregateFunction { kSum, kAvg, kCount, kMax, kMin };
enum class JoinType { kInner, kLeft };

struct SelectField {
  Field field;  // name "*" alone: all columns
  std::optional<AggregateFunction> aggregate;
  std::optional<Cast> aggregate_cast;
  std::optional<Cast> cast;
  std::optional<Alias> alias;

  bool operator==(const SelectField&) const = default;
};

struct SelectRelation {
  FieldName relation;
  std::optional<Alias> alias;
  std::optional<Hint> hint;
  std::optional<JoinType> join_type;

  bool operator==(const SelectRelation&) const = default;
};

struct SpreadRelation {
  FieldName relation;
  std::optional<Hint> hint;
  std::optional<JoinType> join_type;

  bool operator==(const SpreadRelation&) const = default;
};

struct SelectItem {
  std::variant<SelectField, SelectRelation, SpreadRelation> item;
  std::vector<SelectItem> children;  // empty for a field

  bool operator==(const SelectItem&) const = default;
};

// -- filters -------------------------------------------------------------------------------------

// Operators of one operand that take no any/all modifier.
enum class SimpleOperator {
  kNotEqual,
  kContains,
  kContained,
  kOverlap,
  kStrictlyLeft,
  kStrictlyRight,
  kNotExtendsRight,
  kNotExtendsLeft,
  kAdjacent,
};

// Operators that can be modified by any/all.
enum class QuantOperator {
  kEqual,
  kGreaterThanEqual,
  kGreaterThan,
  kLessThanEqual,
  kLessThan,
  kLike,
  kILike,
  kMatch,
  kIMatch,
};

enum class Quantifier { kAny, kAll };
enum class FtsOperator { kFts, kPlain, kPhrase, kWebsearch };
enum class IsValue { kNull, kNotNull, kTrue, kFalse, kUnknown };

struct OpSimple {
  SimpleOperator op;
  std::string value;
  bool operator==(const OpSimple&) const = default;
};
struct OpQuant {
  QuantOperator op;
  std::optional<Quantifier> quantifier;
  std::string value;
  bool operator==(const OpQuant&) const = default;
};
struct OpIn {
  std::vector<std::string> values;  // never empty; {""} stands for the empty list
  bool operator==(const OpIn&) const = default;
};
struct OpIs {
  IsValue value;
  bool operator==(const OpIs&) const = default;
};
struct OpIsDistinctFrom {
  std::string value;
  bool operator==(const OpIsDistinctFrom&) const = default;
};
struct OpFts {
  FtsOperator op;
  std::optional<std::string> language;
  std::string value;
  bool operator==(const OpFts&) const = default;
};

using Operation = std::variant<OpSimple, OpQuant, OpIn, OpIs, OpIsDistinctFrom, OpFts>;

struct Filter {
  Field field;
  bool negated = false;
  Operation operation;

  bool operator==(const Filter&) const = default;
};

enum class LogicOperator { kAnd, kOr };

struct LogicTree;
struct LogicExpr {
  bool negated = false;
  LogicOperator op = LogicOperator::kAnd;
  std::vector<LogicTree> children;

  bool operator==(const LogicExpr&) const = default;
};
struct LogicTree {
  std::variant<LogicExpr, Filter> node;

  bool operator==(const LogicTree&) const = default;
};

// -- order and ranges ----------------------------------------------------------------------------

enum class OrderDirection { kAsc, kDesc };
enum class OrderNulls { kFirst, kLast };

struct OrderTerm {
  std::optional<FieldName> relation;  // order=clients(name): by a to-one embed
  Field field;
  std::optional<OrderDirection> direction;
  std::optional<OrderNulls> nulls;

  bool operator==(const OrderTerm&) const = default;
};

// Rows [offset, offset + limit); no limit means all. As read from limit= and offset= either may be
// negative (range.cpp judges the top level, PostgreSQL the embedded ones); both are within +-(2^62
// - 1).
struct NonnegRange {
  RowNumber offset = 0;
  std::optional<RowNumber> limit;

  bool is_all() const { return offset == 0 && !limit.has_value(); }
  bool operator==(const NonnegRange&) const = default;
};

// -- query parameters ----------------------------------------------------------------------------

template <class T>
struct AtPath {
  EmbedPath path;
  T value;

  bool operator==(const AtPath&) const = default;
};

struct QueryParams {
  std::string canonical;  // sorted by key and percent-encoded, for Content-Location
  std::vector<std::pair<std::string, std::string>> rpc_params;
  std::vector<SelectItem> select;  // "*" when the parameter is absent
  std::vector<AtPath<Filter>> filters;
  std::vector<AtPath<LogicTree>> logic;
  std::vector<AtPath<std::vector<OrderTerm>>> order;
  std::vector<AtPath<NonnegRange>> ranges;        // embedded levels, from limit= and offset=
  std::optional<NonnegRange> top_level_range;     // limit= and offset= of the root
  std::optional<std::vector<FieldName>> columns;  // sorted, without duplicates
  std::optional<std::vector<FieldName>> on_conflict;
  std::vector<FieldName>
      filter_fields;  // keys of all filter parameters; sorted, without duplicates

  bool operator==(const QueryParams&) const = default;
};

// -- actions -------------------------------------------------------------------------------------

enum class Mutation { kCreate, kDelete, kSingleUpsert, kUpdate };
enum class InvokeMethod { kGet, kHead, kPost };

}  // namespace pgrst
