// Grammar rules of filters, logic trees, order and the paths in parameter names. Internal to
// query_grammar.cpp; protocol and invariants as in query_rules_names.hpp.
#pragma once

#include "core/before_postgres.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api_request/query_grammar.hpp"
#include "api_request/query_rules_names.hpp"

namespace pgrst::rules {

inline constexpr AsciiSet kBraces{"{}"};

// Where an operator's value ends: with the parameter, or at the next "," or ")" of a logic tree.
enum class ValueStyle { kWhole, kLogic };

// quoted element = quoted ;   where "," or ")" or the end follows
template <bool kTrack>
bool quoted_element(Scanner<kTrack>& s, std::string& out) {
  return s.attempt([&] {
    Sequence seq(s);
    return seq.then(quoted_value(s, out)) &&
           seq.then(s.not_followed_by([&] { return s.none_of(kListEnd); }));
  });
}

// bare element = { ? any but "," and ")" ? } ;
template <bool kTrack>
bool bare_element(Scanner<kTrack>& s, std::string& out) {
  const size_t start = s.position();
  s.skip_none_of(kListEnd);
  out = s.since(start);
  return true;
}

// array = "{", { ? any but "{" and "}" ? }, "}" ;
template <bool kTrack>
bool pg_array(Scanner<kTrack>& s, std::string& out) {
  const size_t start = s.position();
  Sequence seq(s);
  if (!seq.then(s.literal("{")) || !seq.then(s.skip_none_of(kBraces)) ||
      !seq.then(s.literal("}"))) {
    return false;
  }
  out = s.since(start);
  return true;
}

// value = { ? any ? } ;
// logic value = quoted element | array | bare element ;
template <bool kTrack>
bool single_value(Scanner<kTrack>& s, ValueStyle style, std::string& out) {
  if (style == ValueStyle::kWhole) {
    const size_t start = s.position();
    s.skip_all();
    out = s.since(start);
    return true;
  }
  return s.choice([&] { return quoted_element(s, out); },
                  [&] { return s.attempt([&] { return pg_array(s, out); }); },
                  [&] { return bare_element(s, out); });
}

// list = lexeme("("), element, { ",", element }, lexeme(")") ;
// element = quoted element | bare element ;
template <bool kTrack>
bool list_value(Scanner<kTrack>& s, std::vector<std::string>& out) {
  const auto element = [&] {
    std::string& value = out.emplace_back();
    return s.choice([&] { return quoted_element(s, value); },
                    [&] { return bare_element(s, value); });
  };
  Sequence seq(s);
  return seq.then(lexeme(s, [&] { return s.character('('); })) &&
         seq.then(s.separated(element, [&] { return s.character(','); })) &&
         seq.then(lexeme(s, [&] { return s.character(')'); }));
}

// operator word = text, delimiter ;
template <bool kTrack>
bool operator_word(Scanner<kTrack>& s, std::string_view text) {
  return s.attempt([&] {
    Sequence seq(s);
    return seq.then(s.literal(text)) && seq.then(delimiter(s));
  });
}

// The first of `words` that the text goes on with; each is tried on its own.
template <bool kTrack, class Value, size_t kCount>
bool one_word_of(Scanner<kTrack>& s, const std::pair<std::string_view, Value> (&words)[kCount],
                 Value& out) {
  return s.first_of(kCount, [&](size_t i) {
    out = words[i].second;
    return s.attempt([&] { return s.literal(words[i].first); });
  });
}

// in = "in", delimiter, list ;
template <bool kTrack>
bool operation_in(Scanner<kTrack>& s, Operation& out) {
  Sequence seq(s);
  return seq.then(operator_word(s, "in")) &&
         seq.then(list_value(s, out.template emplace<OpIn>().values));
}

// Every character in lower case or in upper case.
template <bool kTrack>
bool caseless_literal(Scanner<kTrack>& s, std::string_view lower) {
  Sequence seq(s);
  for (const char c : lower) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (!seq.then(s.choice([&] { return s.character(c); }, [&] { return s.character(upper); }))) {
      return false;
    }
  }
  return true;
}

// is = "is", delimiter, ( "null" | "not_null" | "true" | "false" | "unknown" ) ;   in any case
template <bool kTrack>
bool operation_is(Scanner<kTrack>& s, Operation& out) {
  static constexpr std::pair<std::string_view, IsValue> kWords[] = {
      {"null", IsValue::kNull},   {"not_null", IsValue::kNotNull}, {"true", IsValue::kTrue},
      {"false", IsValue::kFalse}, {"unknown", IsValue::kUnknown},
  };
  const auto value = [&](IsValue& is) {
    return s.label("isVal: (null, not_null, true, false, unknown)", [&] {
      return s.first_of(std::size(kWords), [&](size_t i) {
        is = kWords[i].second;
        return s.attempt([&] { return caseless_literal(s, kWords[i].first); });
      });
    });
  };
  Sequence seq(s);
  return seq.then(operator_word(s, "is")) && seq.then(value(out.template emplace<OpIs>().value));
}

// isdistinct = "isdistinct", delimiter, value ;
template <bool kTrack>
bool operation_is_distinct(Scanner<kTrack>& s, ValueStyle style, Operation& out) {
  Sequence seq(s);
  return seq.then(operator_word(s, "isdistinct")) &&
         seq.then(single_value(s, style, out.template emplace<OpIsDistinctFrom>().value));
}

// fts = ( "fts" | "plfts" | "phfts" | "wfts" ), [ "(", identifier, ")" ], delimiter, value ;
template <bool kTrack>
bool operation_fts(Scanner<kTrack>& s, ValueStyle style, Operation& out) {
  static constexpr std::pair<std::string_view, FtsOperator> kWords[] = {
      {"fts", FtsOperator::kFts},
      {"plfts", FtsOperator::kPlain},
      {"phfts", FtsOperator::kPhrase},
      {"wfts", FtsOperator::kWebsearch},
  };
  auto& fts = out.template emplace<OpFts>();
  const auto language = [&](std::string& name) {
    return s.attempt([&] {
      Sequence seq(s);
      return seq.then(s.character('(')) && seq.then(identifier(s, name)) &&
             seq.then(s.character(')'));
    });
  };
  Sequence seq(s);
  return seq.then(one_word_of(s, kWords, fts.op)) && seq.then(s.option(fts.language, language)) &&
         seq.then(delimiter(s)) && seq.then(single_value(s, style, fts.value));
}

// simple = ( "neq" | "cs" | "cd" | "ov" | "sl" | "sr" | "nxr" | "nxl" | "adj" ), delimiter, value ;
template <bool kTrack>
bool operation_simple(Scanner<kTrack>& s, ValueStyle style, Operation& out) {
  static constexpr std::pair<std::string_view, SimpleOperator> kWords[] = {
      {"neq", SimpleOperator::kNotEqual},        {"cs", SimpleOperator::kContains},
      {"cd", SimpleOperator::kContained},        {"ov", SimpleOperator::kOverlap},
      {"sl", SimpleOperator::kStrictlyLeft},     {"sr", SimpleOperator::kStrictlyRight},
      {"nxr", SimpleOperator::kNotExtendsRight}, {"nxl", SimpleOperator::kNotExtendsLeft},
      {"adj", SimpleOperator::kAdjacent},
  };
  auto& simple = out.template emplace<OpSimple>();
  Sequence seq(s);
  return seq.then(s.label("unknown single value operator",
                          [&] { return one_word_of(s, kWords, simple.op); })) &&
         seq.then(delimiter(s)) && seq.then(single_value(s, style, simple.value));
}

// quantifier = "(", ( "any" | "all" ), ")" ;
template <bool kTrack>
bool quantifier(Scanner<kTrack>& s, Quantifier& out) {
  const auto word = [&](std::string_view text, Quantifier value) {
    out = value;
    return s.literal(text);
  };
  return s.attempt([&] {
    Sequence seq(s);
    return seq.then(s.character('(')) &&
           seq.then(
               s.choice([&] { return s.attempt([&] { return word("any", Quantifier::kAny); }); },
                        [&] { return word("all", Quantifier::kAll); })) &&
           seq.then(s.character(')'));
  });
}

// quantified = ( "eq" | "gte" | "gt" | "lte" | "lt" | "like" | "ilike" | "match" | "imatch" ),
//              [ quantifier ], delimiter, value ;
template <bool kTrack>
bool operation_quantified(Scanner<kTrack>& s, ValueStyle style, Operation& out) {
  static constexpr std::pair<std::string_view, QuantOperator> kWords[] = {
      {"eq", QuantOperator::kEqual},       {"gte", QuantOperator::kGreaterThanEqual},
      {"gt", QuantOperator::kGreaterThan}, {"lte", QuantOperator::kLessThanEqual},
      {"lt", QuantOperator::kLessThan},    {"like", QuantOperator::kLike},
      {"ilike", QuantOperator::kILike},    {"match", QuantOperator::kMatch},
      {"imatch", QuantOperator::kIMatch},
  };
  auto& quantified = out.template emplace<OpQuant>();
  Sequence seq(s);
  return seq.then(s.label("unknown single value operator",
                          [&] { return one_word_of(s, kWords, quantified.op); })) &&
         seq.then(s.option(quantified.quantifier,
                           [&](Quantifier& which) { return quantifier(s, which); })) &&
         seq.then(delimiter(s)) && seq.then(single_value(s, style, quantified.value));
}

// operator expression = [ not ], ( in | is | isdistinct | fts | simple | quantified ) ;
template <bool kTrack>
bool operator_expr(Scanner<kTrack>& s, ValueStyle style, bool& negated, Operation& op) {
  const auto operation = [&] {
    return s.label("operator (eq, gt, ...)", [&] {
      return s.choice(
          [&] { return operation_in(s, op); }, [&] { return operation_is(s, op); },
          [&] { return operation_is_distinct(s, style, op); },
          [&] { return s.attempt([&] { return operation_fts(s, style, op); }); },
          [&] { return s.attempt([&] { return operation_simple(s, style, op); }); },
          [&] { return s.attempt([&] { return operation_quantified(s, style, op); }); });
    });
  };
  Sequence seq(s);
  return seq.then(negation(s, negated)) && seq.then(operation());
}

template <bool kTrack>
bool filter_value(Scanner<kTrack>& s, OperatorExpr& out) {
  return operator_expr(s, ValueStyle::kWhole, out.negated, out.operation);
}

// tree path = names( delimiter ), json path ;
template <bool kTrack>
bool tree_path(Scanner<kTrack>& s, TreePath& out) {
  Sequence seq(s);
  if (!seq.then(names(s, out.path, [&] { return delimiter(s); })) ||
      !seq.then(json_path(s, out.field.json_path))) {
    return false;
  }
  out.field.name = std::move(out.path.back());
  out.path.pop_back();
  return true;
}

// logic path = names( delimiter ) ;   the last is the operator, "not" anywhere negates it
template <bool kTrack>
bool logic_path(Scanner<kTrack>& s, LogicPath& out) {
  if (!names(s, out.path, [&] { return delimiter(s); })) return false;
  const bool negated = std::find(out.path.begin(), out.path.end(), "not") != out.path.end();
  out.op = (negated ? "not." : "") + out.path.back();
  out.path.pop_back();
  std::erase(out.path, "not");
  return true;
}

// logic filter = field, delimiter, operator expression ;
template <bool kTrack>
bool logic_filter(Scanner<kTrack>& s, Filter& out) {
  Sequence seq(s);
  return seq.then(field(s, out.field)) && seq.then(delimiter(s)) &&
         seq.then(operator_expr(s, ValueStyle::kLogic, out.negated, out.operation));
}

// logic operator = "and" | "or" ;
template <bool kTrack>
bool logic_operator(Scanner<kTrack>& s, LogicOperator& out) {
  const auto word = [&](std::string_view text, LogicOperator value) {
    out = value;
    return s.literal(text);
  };
  return s.label("logic operator (and, or)", [&] {
    return s.choice([&] { return s.attempt([&] { return word("and", LogicOperator::kAnd); }); },
                    [&] { return word("or", LogicOperator::kOr); });
  });
}

template <bool kTrack>
bool logic_tree(Scanner<kTrack>& s, LogicTree& out);

// logic expression = [ not ], logic operator, lexeme("("),
//                    logic tree, { lexeme(","), logic tree }, lexeme(")") ;
template <bool kTrack>
bool logic_expr(Scanner<kTrack>& s, LogicExpr& out) {
  const auto child = [&] {
    const bool ok = logic_tree(s, out.children.emplace_back());
    if (!ok) out.children.pop_back();
    return ok;
  };
  Sequence seq(s);
  if (!seq.then(s.label("negation operator (not)", [&] { return negation(s, out.negated); })) ||
      !seq.then(logic_operator(s, out.op)) ||
      !seq.then(lexeme(s, [&] { return s.character('('); }))) {
    return false;
  }
  if (!s.enter(kMaxNesting)) return false;
  out.children.reserve(2);
  const bool ok =
      seq.then(s.separated(child, [&] { return lexeme(s, [&] { return s.character(','); }); })) &&
      seq.then(lexeme(s, [&] { return s.character(')'); }));
  s.leave();
  return ok;
}

// logic tree = logic filter | logic expression ;
template <bool kTrack>
bool logic_tree(Scanner<kTrack>& s, LogicTree& out) {
  return s.choice(
      [&] {
        return s.attempt([&] { return logic_filter(s, out.node.template emplace<Filter>()); });
      },
      [&] { return logic_expr(s, out.node.template emplace<LogicExpr>()); });
}

// order tail = [ delimiter, ( "asc" | "desc" ) ], [ delimiter, ( "nullsfirst" | "nullslast" ) ] ;
//              where "," or the end follows
template <bool kTrack>
bool order_tail(Scanner<kTrack>& s, OrderTerm& out) {
  const auto word = [&](std::string_view text) {
    return s.attempt([&] {
      Sequence seq(s);
      return seq.then(delimiter(s)) && seq.then(s.literal(text));
    });
  };
  const auto direction = [&](OrderDirection& value) {
    return s.choice([&] { return value = OrderDirection::kAsc, word("asc"); },
                    [&] { return value = OrderDirection::kDesc, word("desc"); });
  };
  const auto nulls = [&](OrderNulls& value) {
    return s.choice([&] { return value = OrderNulls::kFirst, word("nullsfirst"); },
                    [&] { return value = OrderNulls::kLast, word("nullslast"); });
  };
  const auto end = [&] {
    return s.choice(
        [&] { return s.attempt([&] { return s.look_ahead([&] { return s.character(','); }); }); },
        [&] { return s.attempt([&] { return s.end_of_input(); }); });
  };
  const auto nulls_and_end = [&] {
    Sequence seq(s);
    return seq.then(s.option(out.nulls, nulls)) && seq.then(end());
  };
  Sequence seq(s);
  return seq.then(s.option(out.direction, direction)) && seq.then(s.choice(nulls_and_end, end));
}

// order term = lexeme( field name, "(", field, ")", order tail | field, order tail ) ;
template <bool kTrack>
bool order_term(Scanner<kTrack>& s, OrderTerm& out) {
  const auto by_relation = [&] {
    Sequence seq(s);
    return seq.then(field_name(s, out.relation.emplace())) && seq.then(s.character('(')) &&
           seq.then(field(s, out.field)) && seq.then(s.character(')')) &&
           seq.then(order_tail(s, out));
  };
  const auto by_field = [&] {
    out = OrderTerm();
    Sequence seq(s);
    return seq.then(field(s, out.field)) && seq.then(order_tail(s, out));
  };
  return lexeme(s, [&] { return s.choice([&] { return s.attempt(by_relation); }, by_field); });
}

// order = order term, { ",", order term } ;
template <bool kTrack>
bool order(Scanner<kTrack>& s, std::vector<OrderTerm>& out) {
  out.clear();
  return s.separated(
      [&] {
        const bool ok = order_term(s, out.emplace_back());
        if (!ok) out.pop_back();
        return ok;
      },
      [&] { return s.character(','); });
}

}  // namespace pgrst::rules
