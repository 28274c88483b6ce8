#include "api_request/query_params.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "api_request/integer.hpp"
#include "api_request/parsec.hpp"
#include "api_request/query_grammar.hpp"
#include "api_request/query_string.hpp"
#include "api_request/unicode_letters.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

enum class Kind { kSelect, kColumns, kOnConflict, kOrder, kLimit, kOffset, kLogic, kFilter };

struct Parameter {
  Kind kind = Kind::kFilter;
  std::string name;
  std::optional<std::string> value;  // nullopt: no '=' in it
};
using Parameters = std::vector<Parameter>;

// -- splitting -----------------------------------------------------------------------------------

// By the whole name or by its last word: "clients.order" orders an embedded level.
Kind kind_of(std::string_view name) {
  if (name == "select") return Kind::kSelect;
  if (name == "columns") return Kind::kColumns;
  if (name == "on_conflict") return Kind::kOnConflict;
  const std::string_view last = name.substr(name.rfind('.') + 1);
  if (last == "order") return Kind::kOrder;
  if (last == "limit") return Kind::kLimit;
  if (last == "offset") return Kind::kOffset;
  if (last == "and" || last == "or") return Kind::kLogic;
  return Kind::kFilter;
}

// query = [ pair, { ( "&" | ";" ), pair } ] ;
// A separator at the very end adds no empty pair; any other does.
Parameters split_query(std::string_view raw) {
  Parameters out;
  out.reserve(8);
  while (!raw.empty()) {
    size_t end = 0;
    while (end < raw.size() && !is_pair_separator(raw[end])) end++;
    const RawPair pair = split_pair(raw.substr(0, end));
    raw.remove_prefix(std::min(end + 1, raw.size()));
    Parameter& parameter = out.emplace_back();
    parameter.name = decode_component(pair.name);
    if (pair.value) parameter.value = decode_component(*pair.value);
    parameter.kind = kind_of(parameter.name);
  }
  return out;
}

constexpr parsec::AsciiSet kUnreserved{
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"};

// Bytes from 0x80 on come out as the percent-encoded UTF-8 of the Latin-1 character of that number:
// PostgREST encodes non-ASCII text twice here.
void append_canonical(std::string& out, std::string_view text) {
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && kUnreserved.has(text[plain])) plain++;
    out.append(text, 0, plain);
    if (plain == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[plain]);
    const char encoded[] = {static_cast<char>(0xC0 | byte >> 6),
                            static_cast<char>(0x80 | (byte & 0x3F))};
    append_percent_encoded(out, byte < 0x80 ? text.substr(plain, 1) : std::string_view(encoded, 2));
    text.remove_prefix(plain + 1);
  }
}

// The parameters sorted by name, the values of one name joined by commas.
std::string canonical_query(const Parameters& parameters) {
  std::vector<const Parameter*> sorted;
  sorted.reserve(parameters.size());
  for (const Parameter& parameter : parameters) sorted.push_back(&parameter);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Parameter* a, const Parameter* b) { return a->name < b->name; });
  std::string out;
  const Parameter* previous = nullptr;
  for (const Parameter* parameter : sorted) {
    if (previous != nullptr && previous->name == parameter->name) {
      out += ',';
    } else {
      if (previous != nullptr) out += '&';
      append_canonical(out, parameter->name);
      out += '=';
    }
    if (parameter->value) append_canonical(out, *parameter->value);
    previous = parameter;
  }
  return out;
}

// The value of the first parameter of that kind, or nullptr.
const std::string* first_value(const Parameters& parameters, Kind kind) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [kind](const Parameter& p) { return p.kind == kind; });
  return found != parameters.end() && found->value ? &*found->value : nullptr;
}

template <class T>
void sort_and_deduplicate(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// -- ranges --------------------------------------------------------------------------------------

// What limit= and offset= said of one level; of repetitions the last counts.
struct LimitOffset {
  bool has_limit = false;
  bool has_offset = false;
  std::optional<RowNumber> limit;
  std::optional<RowNumber> offset;

  NonnegRange range() const {
    NonnegRange out;
    out.offset = offset.value_or(0);
    out.limit = has_limit && has_offset ? limit.value_or(0) : limit;
    return out;
  }
};

Result<void> collect_ranges(const Parameters& parameters, QueryParams& out) {
  LimitOffset top;
  std::map<std::string_view, LimitOffset> embedded;  // by the parameter's name up to the last '.'
  for (const Parameter& parameter : parameters) {
    const bool is_limit = parameter.kind == Kind::kLimit;
    if ((!is_limit && parameter.kind != Kind::kOffset) || !parameter.value) continue;
    const std::string_view prefix =
        std::string_view(parameter.name).substr(0, parameter.name.rfind('.') + 1);
    LimitOffset& level = prefix.empty() ? top : embedded[prefix];
    (is_limit ? level.has_limit : level.has_offset) = true;
    (is_limit ? level.limit : level.offset) = read_integer(*parameter.value);
  }
  if (top.has_limit || top.has_offset) out.top_level_range = top.range();
  for (const auto& [prefix, level] : embedded) {
    PGRST_TRY(TreePath path, parse_tree_path(std::string(prefix) + "limit"));
    out.ranges.push_back({std::move(path.path), level.range()});
  }
  return {};
}

// -- filters -------------------------------------------------------------------------------------

Result<void> add_filter(Parameter& parameter, bool is_rpc_read, QueryParams& out) {
  PGRST_TRY(TreePath path, parse_tree_path(parameter.name));
  OperatorExpr expr;
  if (is_rpc_read) {
    PGRST_TRY(std::optional<OperatorExpr> found, parse_rpc_value(*parameter.value));
    if (!found) {
      out.rpc_params.emplace_back(std::move(path.field.name), std::move(*parameter.value));
      return {};
    }
    expr = std::move(*found);
  } else {
    PGRST_TRY(expr, parse_filter_value(*parameter.value));
  }
  AtPath<Filter>& filter = out.filters.emplace_back();
  filter.path = std::move(path.path);
  filter.value = {std::move(path.field), expr.negated, std::move(expr.operation)};
  return {};
}

// -- the whole -----------------------------------------------------------------------------------

Result<void> parse_orders(const Parameters& parameters, QueryParams& out) {
  for (const Parameter& parameter : parameters) {
    if (parameter.kind != Kind::kOrder || !parameter.value) continue;
    PGRST_TRY(TreePath path, parse_tree_path(parameter.name));
    PGRST_TRY(std::vector<OrderTerm> terms, parse_order_value(*parameter.value));
    out.order.push_back({std::move(path.path), std::move(terms)});
  }
  return {};
}

Result<void> parse_logics(const Parameters& parameters, QueryParams& out) {
  for (const Parameter& parameter : parameters) {
    if (parameter.kind != Kind::kLogic || !parameter.value) continue;
    PGRST_TRY(AtPath<LogicTree> tree, parse_logic(parameter.name, *parameter.value));
    out.logic.push_back(std::move(tree));
  }
  return {};
}

Result<void> parse_columns_and_select(const Parameters& parameters, QueryParams& out) {
  if (const std::string* columns = first_value(parameters, Kind::kColumns)) {
    PGRST_TRY(out.columns, parse_columns(*columns));
    sort_and_deduplicate(*out.columns);
  }
  if (const std::string* select = first_value(parameters, Kind::kSelect)) {
    PGRST_TRY(out.select, parse_select(*select));
  } else {
    std::get<SelectField>(out.select.emplace_back().item).field.name.push_back('*');
  }
  return {};
}

Result<void> parse_filters(Parameters& parameters, bool is_rpc_read, QueryParams& out) {
  for (Parameter& parameter : parameters) {
    if (parameter.kind != Kind::kFilter || !parameter.value) continue;
    out.filter_fields.push_back(parameter.name);
    PGRST_CHECK(add_filter(parameter, is_rpc_read, out));
  }
  sort_and_deduplicate(out.filter_fields);
  return {};
}

Result<void> parse_all(Parameters& parameters, bool is_rpc_read, QueryParams& out) {
  PGRST_CHECK(parse_orders(parameters, out));
  PGRST_CHECK(parse_logics(parameters, out));
  PGRST_CHECK(parse_columns_and_select(parameters, out));
  PGRST_CHECK(parse_filters(parameters, is_rpc_read, out));
  if (const std::string* on_conflict = first_value(parameters, Kind::kOnConflict)) {
    PGRST_TRY(out.on_conflict, parse_on_conflict(*on_conflict));
  }
  return collect_ranges(parameters, out);
}

}  // namespace

Result<QueryParams> parse_query_params(std::string_view raw_query, bool is_rpc_read) {
  QueryParams out;
  Parameters parameters = split_query(raw_query);
  out.canonical = canonical_query(parameters);
  for (Parameter& parameter : parameters) {
    make_valid_utf8(parameter.name);
    if (parameter.value) make_valid_utf8(*parameter.value);
  }
  PGRST_CHECK(parse_all(parameters, is_rpc_read, out));
  return out;
}

}  // namespace pgrst
