#include "api_request/query_grammar.hpp"

#include <utility>

#include "api_request/parsec.hpp"
#include "api_request/query_rules_filter.hpp"
#include "api_request/query_rules_names.hpp"
#include "api_request/query_rules_select.hpp"

namespace pgrst {

namespace {

using parsec::Scanner;

const std::string kTooDeep =
    "nesting is deeper than " + std::to_string(rules::kMaxNesting) + " levels";

// Runs `grammar(scanner, out)` over the text, and a second time when it fails, to learn why. The
// message names the parameter as `what (shown)`, shortened.
template <class T, class Grammar>
Result<T> parse_with(std::string_view what, std::string_view shown, std::string_view text,
                     Grammar grammar) {
  {
    T out{};
    Scanner<false> fast(text);
    if (grammar(fast, out)) return out;
  }
  T ignored{};
  Scanner<true> slow(text);
  grammar(slow, ignored);
  const size_t position = slow.too_deep() ? slow.position() : slow.trace().position();
  std::string message = "\"failed to parse ";
  message.append(what).append(" (").append(errors::quotable(shown)).append(")\" ");
  message += parsec::show_position(text, position);
  return errors::query_param(std::move(message),
                             slow.too_deep() ? kTooDeep : parsec::show_messages(slow.trace()));
}

template <class T, class Grammar>
Result<T> parse_with(std::string_view what, std::string_view text, Grammar grammar) {
  return parse_with<T>(what, text, text, grammar);
}

}  // namespace

Result<std::vector<SelectItem>> parse_select(std::string_view value) {
  return parse_with<std::vector<SelectItem>>("select parameter", value, [](auto& s, auto& out) {
    out.reserve(8);
    return rules::select_items(s, out);
  });
}

Result<std::vector<FieldName>> parse_columns(std::string_view value) {
  return parse_with<std::vector<FieldName>>(
      "columns parameter", value, [](auto& s, auto& out) { return rules::columns(s, out); });
}

Result<std::vector<FieldName>> parse_on_conflict(std::string_view value) {
  return parse_with<std::vector<FieldName>>(
      "on_conflict parameter", value, [](auto& s, auto& out) { return rules::columns(s, out); });
}

Result<TreePath> parse_tree_path(std::string_view name) {
  return parse_with<TreePath>("tree path", name,
                              [](auto& s, auto& out) { return rules::tree_path(s, out); });
}

Result<OperatorExpr> parse_filter_value(std::string_view value) {
  return parse_with<OperatorExpr>("filter", value,
                                  [](auto& s, auto& out) { return rules::filter_value(s, out); });
}

Result<std::optional<OperatorExpr>> parse_rpc_value(std::string_view value) {
  return parse_with<std::optional<OperatorExpr>>("filter", value, [](auto& s, auto& out) {
    bool found = false;
    OperatorExpr expr;
    const bool ok = s.option(found, [&] { return rules::filter_value(s, expr); });
    if (found) out = std::move(expr);
    return ok;
  });
}

Result<std::vector<OrderTerm>> parse_order_value(std::string_view value) {
  return parse_with<std::vector<OrderTerm>>(
      "order", value, [](auto& s, auto& out) { return rules::order(s, out); });
}

Result<AtPath<LogicTree>> parse_logic(std::string_view name, std::string_view value) {
  PGRST_TRY(LogicPath path, parse_with<LogicPath>("logic path", name, [](auto& s, auto& out) {
              return rules::logic_path(s, out);
            }));
  // The operator in front of the value makes "or=(...)" the same text as a nested "or(...)".
  // Positions in error messages count it.
  std::string text = std::move(path.op);
  text += value;
  PGRST_TRY(LogicTree tree,
            parse_with<LogicTree>("logic tree", value, text,
                                  [](auto& s, auto& out) { return rules::logic_tree(s, out); }));
  return AtPath<LogicTree>{std::move(path.path), std::move(tree)};
}

// -- for tests -----------------------------------------------------------------------------------

namespace {

template <bool kTrack, class T>
bool run_into(Scanner<kTrack>& s, bool (*rule)(Scanner<kTrack>&, T&)) {
  T out{};
  return rule(s, out);
}

template <bool kTrack>
bool run(Scanner<kTrack>& s, GrammarRule rule) {
  switch (rule) {
    case GrammarRule::kFieldName:
      return run_into(s, rules::field_name<kTrack>);
    case GrammarRule::kJsonPath:
      return run_into(s, rules::json_path<kTrack>);
    case GrammarRule::kTreePath:
      return run_into(s, rules::tree_path<kTrack>);
    case GrammarRule::kSelect:
      return run_into(s, rules::select_items<kTrack>);
    case GrammarRule::kRelation:
      return run_into(s, rules::relation<kTrack>);
    case GrammarRule::kSpread:
      return run_into(s, rules::spread_relation<kTrack>);
    case GrammarRule::kSelectField:
      return run_into(s, rules::select_field<kTrack>);
    case GrammarRule::kFilter:
      return run_into(s, rules::filter_value<kTrack>);
    case GrammarRule::kOrder:
      return run_into(s, rules::order<kTrack>);
    case GrammarRule::kLogicTree:
      return run_into(s, rules::logic_tree<kTrack>);
    case GrammarRule::kLogicPath:
      return run_into(s, rules::logic_path<kTrack>);
    case GrammarRule::kColumns:
      return run_into(s, rules::columns<kTrack>);
  }
  return false;
}

}  // namespace

GrammarOutcome run_grammar_rule(GrammarRule rule, std::string_view text, bool tracked) {
  GrammarOutcome out;
  const auto finish = [&](auto& scanner) {
    out.ok = run(scanner, rule);
    out.too_deep = scanner.too_deep();
    if (out.ok) out.consumed = scanner.position();
  };
  if (!tracked) {
    Scanner<false> scanner(text);
    finish(scanner);
    return out;
  }
  Scanner<true> scanner(text);
  finish(scanner);
  if (!out.ok) {
    out.position = parsec::show_position(text, scanner.trace().position());
    out.details = parsec::show_messages(scanner.trace());
  }
  return out;
}

}  // namespace pgrst
