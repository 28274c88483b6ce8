#include "auth/json_path_query.hpp"

#include <algorithm>
#include <cmath>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "auth/text_cursor.hpp"
#include "core/text.hpp"

namespace pgrst::jsonpath {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;
using Member = std::pair<std::string_view, element>;

constexpr double kTwoTo63 = 9223372036854775808.0;

struct Nothing {};

// The ValueType of RFC 9535, 2.4.1; monostate is null, element an array or an object.
using Value = std::variant<Nothing, std::monostate, bool, Number, std::string_view, element>;

Number number_of(const element& node) {
  int64_t integer = 0;
  if (node.get(integer) == simdjson::SUCCESS) return integer;
  double real = 0;
  if (node.get(real) != simdjson::SUCCESS) return 0.0;
  return real;
}

Value value_of(const element& node) {
  std::string_view text;
  bool truth = false;
  if (node.get(text) == simdjson::SUCCESS) return text;
  if (node.get(truth) == simdjson::SUCCESS) return truth;
  if (node.is_null()) return std::monostate();
  if (node.is_number()) return number_of(node);
  return node;
}

Value value_of(const Literal& literal) {
  return std::visit([](const auto& v) -> Value { return v; }, literal);
}

// Exact: an integer never becomes a double to be compared with one.
std::partial_ordering compare(int64_t a, double b) {
  if (b >= kTwoTo63) return std::partial_ordering::less;
  if (b < -kTwoTo63) return std::partial_ordering::greater;
  const double whole = std::trunc(b);
  const auto order = a <=> static_cast<int64_t>(whole);
  return order != 0 ? std::partial_ordering(order) : whole <=> b;
}

std::partial_ordering compare(const Number& a, const Number& b) {
  const auto* const a_integer = std::get_if<int64_t>(&a);
  const auto* const b_integer = std::get_if<int64_t>(&b);
  if (a_integer != nullptr && b_integer != nullptr) return *a_integer <=> *b_integer;
  if (a_integer != nullptr) return compare(*a_integer, std::get<double>(b));
  if (b_integer != nullptr) return 0 <=> compare(*b_integer, std::get<double>(a));
  return std::get<double>(a) <=> std::get<double>(b);
}

size_t count_code_points(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::vector<Member> sorted_members(const object& members) {
  std::vector<Member> sorted;
  for (const simdjson::dom::key_value_pair member : members) {
    sorted.emplace_back(member.key, member.value);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Member& a, const Member& b) { return a.first < b.first; });
  return sorted;
}

// Functions that return bool and take a sink return false when the sink wants no more.
class Query {
 public:
  explicit Query(const StrictJson& document)
      : root_(document.root()), inexact_(document.has_huge_numbers()) {}

  bool each_node(const Path& path, const element& current, const NodeSink& sink) {
    return from_segment(path, 0, path.from_root ? root_ : current, sink);
  }

  bool gave_up() const { return steps_ == 0; }

 private:
  using Kind = Expression::Kind;

  bool spend(size_t steps = 1) {
    steps_ -= std::min(steps_, steps);
    return steps_ > 0;
  }
  void give_up() { steps_ = 0; }

  // -- nodes --------------------------------------------------------------------------------------

  bool from_segment(const Path& path, size_t i, const element& node, const NodeSink& sink) {
    if (!spend()) return false;
    if (i == path.segments.size()) return sink(node);
    const Segment& segment = path.segments[i];
    const NodeSink next = [&](const element& found) {
      return from_segment(path, i + 1, found, sink);
    };
    return segment.descendant ? descend(segment, node, next) : select(segment, node, next);
  }

  // The node itself first, then what is in it.
  bool descend(const Segment& segment, const element& node, const NodeSink& sink) {
    if (!spend()) return false;
    return select(segment, node, sink) &&
           each_child(node, [&](const element& child) { return descend(segment, child, sink); });
  }

  bool each_child(const element& node, const NodeSink& sink) {
    array items;
    if (node.get(items) == simdjson::SUCCESS) {
      return std::all_of(items.begin(), items.end(), sink);
    }
    object members;
    if (node.get(members) != simdjson::SUCCESS) return true;
    const std::vector<Member> sorted = sorted_members(members);
    return spend(sorted.size()) && std::all_of(sorted.begin(), sorted.end(),
                                               [&](const Member& m) { return sink(m.second); });
  }

  bool select(const Segment& segment, const element& node, const NodeSink& sink) {
    return std::all_of(segment.selectors.begin(), segment.selectors.end(),
                       [&](const Selector& selector) { return select(selector, node, sink); });
  }

  bool select(const Selector& selector, const element& node, const NodeSink& sink) {
    switch (selector.kind) {
      case Selector::Kind::kName:
        return select_member(selector.name, node, sink);
      case Selector::Kind::kWildcard:
        return each_child(node, sink);
      case Selector::Kind::kIndex:
        return select_index(*selector.start, node, sink);
      case Selector::Kind::kSlice:
        return select_slice(selector, node, sink);
      case Selector::Kind::kFilter:
        return each_child(node, [&](const element& child) {
          if (!spend()) return false;
          return !holds(selector.filter[0], child) || sink(child);
        });
    }
    return true;
  }

  bool select_member(const std::string& name, const element& node, const NodeSink& sink) {
    object members;
    element found;
    if (node.get(members) != simdjson::SUCCESS) return true;
    if (!spend(members.size())) return false;
    return members.at_key(name).get(found) != simdjson::SUCCESS || sink(found);
  }

  bool select_index(int64_t index, const element& node, const NodeSink& sink) {
    array items;
    if (node.get(items) != simdjson::SUCCESS) return true;
    const auto size = static_cast<int64_t>(items.size());
    const int64_t at = index < 0 ? index + size : index;
    if (at < 0 || at >= size) return true;
    if (!spend(static_cast<size_t>(at))) return false;
    return sink(*std::next(items.begin(), at));
  }

  // RFC 9535, 2.3.4.2.2. The bounds are clamped to the array, so a step beyond it is its last.
  bool select_slice(const Selector& slice, const element& node, const NodeSink& sink) {
    array items;
    if (node.get(items) != simdjson::SUCCESS || slice.step == 0) return true;
    const std::vector<element> all(items.begin(), items.end());
    if (!spend(all.size())) return false;
    const auto size = static_cast<int64_t>(all.size());
    const bool forward = slice.step > 0;
    const int64_t lowest = forward ? 0 : -1;
    const int64_t highest = forward ? size : size - 1;
    const auto bound = [&](const std::optional<int64_t>& given, int64_t otherwise) {
      if (!given) return otherwise;
      return std::clamp(*given < 0 ? *given + size : *given, lowest, highest);
    };
    const int64_t from = bound(slice.start, forward ? lowest : highest);
    const int64_t to = bound(slice.end, forward ? highest : lowest);
    for (int64_t i = from; forward ? i < to : i > to; i += slice.step) {
      if (!sink(all[static_cast<size_t>(i)])) return false;
    }
    return true;
  }

  // -- filters ------------------------------------------------------------------------------------

  bool holds(const Expression& e, const element& current) {
    const auto operand_holds = [&](const Expression& o) { return holds(o, current); };
    switch (e.kind) {
      case Kind::kOr:
        return std::any_of(e.operands.begin(), e.operands.end(), operand_holds);
      case Kind::kAnd:
        return std::all_of(e.operands.begin(), e.operands.end(), operand_holds);
      case Kind::kNot:
        return !holds(e.operands[0], current);
      case Kind::kCompare:
        return compares(e.comparison, value(e.operands[0], current), value(e.operands[1], current));
      case Kind::kExists:
        return !each_node(e.query, current, [](const element&) { return false; });
      case Kind::kMatch:
      case Kind::kSearch:
        return matches(e, current);
      default:
        return false;
    }
  }

  Value value(const Expression& e, const element& current) {
    switch (e.kind) {
      case Kind::kLiteral:
        return value_of(e.literal);
      case Kind::kQuery:
        return only_node(e.query, current);
      case Kind::kLength:
        return length(value(e.operands[0], current));
      case Kind::kCount: {
        int64_t n = 0;
        each_node(e.query, current, [&n](const element&) { return ++n > 0; });
        return Number(n);
      }
      default:
        return Nothing();
    }
  }

  Value only_node(const Path& path, const element& current) {
    std::optional<element> only;
    const bool several = !each_node(path, current, [&only](const element& node) {
      if (only) return false;
      only = node;
      return true;
    });
    if (several || !only) return Nothing();
    return value_of(*only);
  }

  Value length(const Value& v) {
    if (const auto* text = std::get_if<std::string_view>(&v)) {
      spend(text->size());
      return Number(static_cast<int64_t>(count_code_points(*text)));
    }
    const auto* const node = std::get_if<element>(&v);
    if (node == nullptr) return Nothing();
    int64_t n = 0;
    each_child(*node, [&n](const element&) { return ++n > 0; });
    return Number(n);
  }

  bool compares(Comparison comparison, const Value& a, const Value& b) {
    switch (comparison) {
      case Comparison::kEqual:
        return equal(a, b);
      case Comparison::kNotEqual:
        return !equal(a, b);
      case Comparison::kLess:
        return less(a, b);
      case Comparison::kLessOrEqual:
        return less(a, b) || equal(a, b);
      case Comparison::kGreater:
        return less(b, a);
      case Comparison::kGreaterOrEqual:
        return less(b, a) || equal(a, b);
    }
    return false;
  }

  // A number too large to be read is 0 here: it cannot be told from one that is.
  std::partial_ordering order(const Number& a, const Number& b) {
    const Number zero = int64_t{0};
    if (inexact_ && (a == zero || b == zero)) give_up();
    return compare(a, b);
  }

  bool less(const Value& a, const Value& b) {
    if (a.index() != b.index()) return false;
    if (const auto* text = std::get_if<std::string_view>(&a)) {
      spend(text->size());
      return *text < std::get<std::string_view>(b);
    }
    const auto* const number = std::get_if<Number>(&a);
    return number != nullptr && order(*number, std::get<Number>(b)) < 0;
  }

  bool equal(const Value& a, const Value& b) {
    if (!spend() || a.index() != b.index()) return false;
    if (const auto* text = std::get_if<std::string_view>(&a)) {
      spend(text->size());
      return *text == std::get<std::string_view>(b);
    }
    if (const auto* truth = std::get_if<bool>(&a)) return *truth == std::get<bool>(b);
    if (const auto* number = std::get_if<Number>(&a)) {
      return order(*number, std::get<Number>(b)) == 0;
    }
    const auto* const node = std::get_if<element>(&a);
    return node == nullptr || equal_nodes(*node, std::get<element>(b));
  }

  // Arrays or objects.
  bool equal_nodes(const element& a, const element& b) {
    if (a.type() != b.type()) return false;
    array a_items;
    array b_items;
    if (a.get(a_items) == simdjson::SUCCESS && b.get(b_items) == simdjson::SUCCESS) {
      return std::equal(
          a_items.begin(), a_items.end(), b_items.begin(), b_items.end(),
          [this](const element& x, const element& y) { return equal(value_of(x), value_of(y)); });
    }
    object a_members;
    object b_members;
    if (a.get(a_members) != simdjson::SUCCESS || b.get(b_members) != simdjson::SUCCESS) {
      return false;
    }
    if (!spend(a_members.size() + b_members.size())) return false;
    const std::vector<Member> x = sorted_members(a_members);
    const std::vector<Member> y = sorted_members(b_members);
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [this](const Member& m, const Member& n) {
                        return m.first == n.first && equal(value_of(m.second), value_of(n.second));
                      });
  }

  // A pattern that is none matches nothing (RFC 9535, 2.4.6 and 2.4.7).
  bool matches(const Expression& e, const element& current) {
    const Value subject = value(e.operands[0], current);
    const auto* const text = std::get_if<std::string_view>(&subject);
    if (text == nullptr) return false;
    const MatchMode mode = e.kind == Kind::kMatch ? MatchMode::kWhole : MatchMode::kSomewhere;
    if (e.regexp) return e.regexp->matches(*text, mode, steps_);
    const Value pattern = value(e.operands[1], current);
    const auto* const pattern_text = std::get_if<std::string_view>(&pattern);
    if (pattern_text == nullptr) return false;
    const auto compiled = Iregexp::compile(*pattern_text);
    const auto* const regexp = std::get_if<Iregexp>(&compiled);
    if (!spend(regexp != nullptr ? regexp->size() : kMaxInstructions)) return false;
    return regexp != nullptr && regexp->matches(*text, mode, steps_);
  }

  const element root_;
  const bool inexact_;
  size_t steps_ = kMaxSteps;
};

}  // namespace

bool run_query(const Path& path, const StrictJson& document, const NodeSink& sink) {
  Query query(document);
  query.each_node(path, document.root(), sink);
  return !query.gave_up();
}

}  // namespace pgrst::jsonpath
