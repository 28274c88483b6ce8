// Grammar rules of select=. Internal to query_grammar.cpp; protocol and invariants as in
// query_rules_names.hpp.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api_request/query_rules_names.hpp"

namespace pgrst::rules {

// alias = field name, ":" ;   where no second ":" follows
template <bool kTrack>
bool alias(Scanner<kTrack>& s, std::optional<Alias>& out) {
  return s.option(out, [&](std::string& name) {
    return s.attempt([&] {
      Sequence seq(s);
      return seq.then(field_name(s, name)) && seq.then(s.character(':')) &&
             seq.then(s.not_followed_by([&] { return s.character(':'); }));
    });
  });
}

// embed parameter = "!", ( "left" | "inner" | field name ) ;
template <bool kTrack>
bool embed_parameter(Scanner<kTrack>& s, std::optional<Hint>& hint,
                     std::optional<JoinType>& join_type) {
  const auto join = [&](std::string_view word, JoinType type) {
    if (!s.attempt([&] { return s.literal(word); })) return false;
    if (!join_type) join_type = type;
    return true;
  };
  const auto name = [&] {
    std::string text;
    if (!s.attempt([&] { return field_name(s, text); })) return false;
    if (!hint) hint = std::move(text);
    return true;
  };
  Sequence seq(s);
  return seq.then(s.character('!')) &&
         seq.then(s.choice([&] { return join("left", JoinType::kLeft); },
                           [&] { return join("inner", JoinType::kInner); }, name));
}

// relation tail = [ embed parameter ], [ embed parameter ] ;   where "(" follows
template <bool kTrack>
bool relation_tail(Scanner<kTrack>& s, std::optional<Hint>& hint,
                   std::optional<JoinType>& join_type) {
  const auto parameter = [&] {
    bool found = false;
    return s.option(found, [&] { return embed_parameter(s, hint, join_type); });
  };
  const auto parameters = [&] {
    Sequence seq(s);
    return seq.then(parameter()) && seq.then(parameter());
  };
  Sequence seq(s);
  return seq.then(parameters()) &&
         seq.then(s.attempt([&] { return s.look_ahead([&] { return s.literal("("); }); }));
}

// spread = lexeme( "...", field name, relation tail ) ;
template <bool kTrack>
bool spread_relation(Scanner<kTrack>& s, SpreadRelation& out) {
  return lexeme(s, [&] {
    Sequence seq(s);
    return seq.then(s.literal("...")) && seq.then(field_name(s, out.relation)) &&
           seq.then(relation_tail(s, out.hint, out.join_type));
  });
}

// relation = lexeme( [ alias ], field name, relation tail ) ;   where the name is not "count"
template <bool kTrack>
bool relation(Scanner<kTrack>& s, SelectRelation& out) {
  return lexeme(s, [&] {
    Sequence seq(s);
    return seq.then(alias(s, out.alias)) && seq.then(field_name(s, out.relation)) &&
           seq.then(s.guard(out.relation != "count")) &&
           seq.then(relation_tail(s, out.hint, out.join_type));
  });
}

// field end = ? ")", "," or the end follows ? ;
template <bool kTrack>
bool field_end(Scanner<kTrack>& s) {
  const auto followed_by = [&](std::string_view text) {
    return s.attempt([&] { return s.look_ahead([&] { return s.literal(text); }); });
  };
  return s.choice([&] { return followed_by(")"); }, [&] { return followed_by(","); },
                  [&] { return s.attempt([&] { return s.end_of_input(); }); });
}

// cast = "::", identifier ;
template <bool kTrack>
bool cast(Scanner<kTrack>& s, std::optional<Cast>& out) {
  return s.option(out, [&](std::string& name) {
    Sequence seq(s);
    return seq.then(s.literal("::")) && seq.then(identifier(s, name));
  });
}

// aggregate = ".", ( "sum" | "avg" | "count" | "max" | "min" ), "()" ;
template <bool kTrack>
bool aggregate(Scanner<kTrack>& s, std::optional<AggregateFunction>& out) {
  return s.option(out, [&](AggregateFunction& function) {
    const auto word = [&](std::string_view text, AggregateFunction value) {
      function = value;
      return s.literal(text);
    };
    const auto name = [&] {
      return s.choice(
          [&] { return word("sum", AggregateFunction::kSum); },
          [&] { return word("avg", AggregateFunction::kAvg); },
          [&] { return word("count", AggregateFunction::kCount); },
          [&] { return s.attempt([&] { return word("max", AggregateFunction::kMax); }); },
          [&] { return s.attempt([&] { return word("min", AggregateFunction::kMin); }); });
    };
    return s.attempt([&] {
      Sequence seq(s);
      return seq.then(s.character('.')) && seq.then(name()) && seq.then(s.literal("()"));
    });
  });
}

// star = "*", field end ;
template <bool kTrack>
bool select_star(Scanner<kTrack>& s, SelectField& out) {
  out = SelectField();
  out.field.name = "*";
  Sequence seq(s);
  return seq.then(s.literal("*")) && seq.then(field_end(s));
}

// count = [ alias ], "count()", [ cast ], field end ;
template <bool kTrack>
bool select_count(Scanner<kTrack>& s, SelectField& out) {
  out = SelectField();
  out.field.name = "*";
  out.aggregate = AggregateFunction::kCount;
  Sequence seq(s);
  return seq.then(alias(s, out.alias)) && seq.then(s.literal("count()")) &&
         seq.then(cast(s, out.aggregate_cast)) && seq.then(field_end(s));
}

// column = [ alias ], field, [ cast ], [ aggregate ], [ cast ], field end ;
template <bool kTrack>
bool select_column(Scanner<kTrack>& s, SelectField& out) {
  out = SelectField();
  Sequence seq(s);
  return seq.then(alias(s, out.alias)) && seq.then(field(s, out.field)) &&
         seq.then(cast(s, out.cast)) && seq.then(aggregate(s, out.aggregate)) &&
         seq.then(cast(s, out.aggregate_cast)) && seq.then(field_end(s));
}

// select field = lexeme( star | count | column ) ;
template <bool kTrack>
bool select_field(Scanner<kTrack>& s, SelectField& out) {
  return lexeme(s, [&] {
    return s.choice([&] { return s.attempt([&] { return select_star(s, out); }); },
                    [&] { return s.attempt([&] { return select_count(s, out); }); },
                    [&] { return select_column(s, out); });
  });
}

template <bool kTrack>
bool select_items(Scanner<kTrack>& s, std::vector<SelectItem>& out);

// children = "(", select items, ")" ;
template <bool kTrack>
bool children(Scanner<kTrack>& s, std::vector<SelectItem>& out) {
  Sequence seq(s);
  if (!seq.then(s.character('('))) return false;
  if (!s.enter(kMaxNesting)) return false;
  const bool ok = seq.then(select_items(s, out)) && seq.then(s.character(')'));
  s.leave();
  return ok;
}

// select item = spread, children | relation, children | select field ;
template <bool kTrack>
bool select_item(Scanner<kTrack>& s, SelectItem& out) {
  const auto spread_item = [&] {
    auto& head = out.item.template emplace<SpreadRelation>();
    Sequence seq(s);
    return seq.then(s.attempt([&] { return spread_relation(s, head); })) &&
           seq.then(children(s, out.children));
  };
  const auto relation_item = [&] {
    auto& head = out.item.template emplace<SelectRelation>();
    Sequence seq(s);
    return seq.then(s.attempt([&] { return relation(s, head); })) &&
           seq.then(children(s, out.children));
  };
  const auto field_item = [&] { return select_field(s, out.item.template emplace<SelectField>()); };
  if constexpr (!kTrack) {
    const std::string_view column = s.take_run(kPlainName, kListEnd);
    if (!column.empty()) {
      std::get<SelectField>(out.item).field.name = column;
      return true;
    }
  }
  return s.choice(spread_item, relation_item, field_item);
}

// select items = [ select item, { lexeme(","), select item } ] ;
template <bool kTrack>
bool select_items(Scanner<kTrack>& s, std::vector<SelectItem>& out) {
  out.clear();
  const auto items = [&] {
    return s.separated(
        [&] {
          const bool ok = select_item(s, out.emplace_back());
          if (!ok) out.pop_back();
          return ok;
        },
        [&] { return lexeme(s, [&] { return s.character(','); }); });
  };
  bool found = false;
  return s.option(found, items);
}

}  // namespace pgrst::rules
