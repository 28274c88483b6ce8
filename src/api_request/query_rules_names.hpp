// Grammar rules shared by select, filters and order: names, quoted values, JSON paths. Internal to
// query_grammar.cpp.
//
// Input -> output: a parsec::Scanner -> true and the value, or false (see parsec.hpp for the
// protocol). Every rule is PostgREST's (ApiRequest/QueryParams): same alternatives in the same
// order, because the order decides what an error message lists.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "api_request/parsec.hpp"
#include "api_request/types.hpp"
#include "api_request/unicode_letters.hpp"

namespace pgrst::rules {

using parsec::AsciiSet;
using parsec::Scanner;
using parsec::Sequence;

// The deepest nesting of embeds and of logic operators that is read. PostgREST has no limit; this
// server parses, plans and frees these trees recursively on a stack of fixed size.
inline constexpr int kMaxNesting = 64;

inline constexpr AsciiSet kBlank{" \t"};
inline constexpr AsciiSet kListEnd{",)"};
inline constexpr AsciiSet kQuoteOrBackslash{"\\\""};
inline constexpr AsciiSet kJsonKeyEnd{"(-:.,>)"};

// Letters, digits, '_', ' ' and '$': the ASCII part.
inline constexpr AsciiSet kIdentifierAscii{
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ $"};

// For the short cuts: a name of these characters, followed by one that ends every name, is that
// name.
inline constexpr AsciiSet kPlainName{
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$"};
inline constexpr AsciiSet kPlainNameEnd{".,:()!"};

// Without the Unicode spaces at both ends.
inline std::string_view strip(std::string_view text) {
  while (!text.empty()) {
    const parsec::CodePoint c = parsec::decode_at(text, 0);
    if (!is_space(c.value)) break;
    text.remove_prefix(c.length);
  }
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) last--;
    if (!is_space(parsec::decode_at(text, last).value)) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

// lexeme(p) = { " " | TAB }, p, { " " | TAB } ;
template <bool kTrack, class Parser>
bool lexeme(Scanner<kTrack>& s, Parser parser) {
  Sequence seq(s);
  return seq.then(s.skip_one_of(kBlank)) && seq.then(parser()) && seq.then(s.skip_one_of(kBlank));
}

// delimiter = "." ;
template <bool kTrack>
bool delimiter(Scanner<kTrack>& s) {
  return s.label("delimiter (.)", [&] { return s.character('.'); });
}

// not = "not", "." ;
template <bool kTrack>
bool negation(Scanner<kTrack>& s, bool& negated) {
  negated = false;
  const auto word = [&] {
    Sequence seq(s);
    negated = seq.then(s.literal("not")) && seq.then(delimiter(s));
    return negated;
  };
  return s.choice([&] { return s.attempt(word); }, [&] { return s.succeed(); });
}

// quoted = '"', { ? any but '"' and '\' ? | "\", ? any ? }, '"' ;
template <bool kTrack>
bool quoted_value(Scanner<kTrack>& s, std::string& out) {
  out.clear();
  Sequence seq(s);
  if (!seq.then(s.character('"'))) return false;
  for (;;) {
    const size_t start = s.position();
    s.skip_none_of(kQuoteOrBackslash);
    out += s.since(start);
    const size_t escape = s.position();
    if (!s.character('\\')) {
      // What the run could have continued with is a backslash, which character() has just noted.
      seq.then(true);
      return seq.then(s.character('"'));
    }
    if (!s.any_character()) return seq.then(false);
    out += s.since(escape + 1);
  }
}

// identifier = ( letter | digit | "_" | " " | "$" ), { letter | digit | "_" | " " | "$" } ;
// Appends it without the spaces at its ends.
template <bool kTrack>
bool identifier(Scanner<kTrack>& s, std::string& out) {
  const size_t start = s.position();
  s.skip_while(
      [](std::string_view text, size_t at) -> size_t {
        if (static_cast<unsigned char>(text[at]) < 0x80) return kIdentifierAscii.has(text[at]);
        const parsec::CodePoint c = parsec::decode_at(text, at);
        return is_letter(c.value) ? c.length : 0;
      },
      {parsec::expect_text("letter"), parsec::expect_text("digit")});
  const std::string_view run = s.since(start);
  size_t from = 0;
  size_t to = run.size();
  while (from < to && run[from] == ' ') from++;
  while (from < to && run[to - 1] == ' ') to--;
  out.append(run.substr(from, to - from));
  return !run.empty();
}

// json key part = ( ? any but ( - : . , > ) ? ), { ? the same ? } ;   Appends it stripped.
template <bool kTrack>
bool json_key_part(Scanner<kTrack>& s, std::string& out) {
  const size_t start = s.position();
  s.skip_none_of(kJsonKeyEnd);
  const std::string_view run = s.since(start);
  out += strip(run);
  return !run.empty();
}

// dashed(p) = p, { "-", p } ;   where no ">" follows the dash
template <bool kTrack, class Part>
bool dashed(Scanner<kTrack>& s, std::string& out, Part part) {
  out.clear();
  size_t complete = 0;  // how much of `out` belongs to whole parts
  const auto item = [&] {
    if (!part(out)) return false;
    complete = out.size();
    return true;
  };
  const auto dash = [&] {
    return s.attempt([&] {
      Sequence seq(s);
      if (!seq.then(s.character('-'))) return false;
      if (!seq.then(s.not_followed_by([&] { return s.character('>'); }))) return false;
      out += '-';
      return true;
    });
  };
  const bool ok = s.separated(item, dash);
  out.resize(complete);
  return ok;
}

// field name = quoted | dashed(identifier) ;
template <bool kTrack>
bool field_name(Scanner<kTrack>& s, std::string& out) {
  if constexpr (!kTrack) {
    out = s.take_run(kPlainName, kPlainNameEnd);
    if (!out.empty()) return true;
  }
  return s.label("field name (* or [a..z0..9_$])", [&] {
    return s.choice(
        [&] { return quoted_value(s, out); },
        [&] { return dashed(s, out, [&](std::string& part) { return identifier(s, part); }); });
  });
}

// json key = quoted | dashed(json key part) ;
template <bool kTrack>
bool json_key(Scanner<kTrack>& s, std::string& out) {
  return s.label("any non reserved character different from: .,>()", [&] {
    return s.choice(
        [&] { return quoted_value(s, out); },
        [&] { return dashed(s, out, [&](std::string& part) { return json_key_part(s, part); }); });
  });
}

// json index = [ "-" ], digit, { digit } ;   where "->", "::", ".", "," or the end follows
template <bool kTrack>
bool json_index(Scanner<kTrack>& s, std::string& out) {
  const auto followed_by = [&](std::string_view text) {
    return s.attempt([&] { return s.look_ahead([&] { return s.literal(text); }); });
  };
  const auto digits = [&] {
    const size_t start = s.position();
    s.skip_while([](std::string_view text,
                    size_t at) -> size_t { return text[at] >= '0' && text[at] <= '9'; },
                 {parsec::expect_text("digit")});
    out = s.since(start);
    return !out.empty();
  };
  const auto end = [&] {
    return s.choice([&] { return followed_by("->"); }, [&] { return followed_by("::"); },
                    [&] { return followed_by("."); }, [&] { return followed_by(","); },
                    [&] { return s.attempt([&] { return s.end_of_input(); }); });
  };
  bool negative = false;
  Sequence seq(s);
  const bool ok = seq.then(s.option(negative, [&] { return s.character('-'); })) &&
                  seq.then(digits()) && seq.then(end());
  out.insert(out.begin(), negative ? '-' : '+');
  return ok;
}

// json operation = ( "->>" | "->" ), ( json index | json key ) ;
template <bool kTrack>
bool json_operation(Scanner<kTrack>& s, JsonOperation& out) {
  const auto arrow = [&](std::string_view text, bool as_text) {
    return s.attempt([&] {
      out.as_text = as_text;
      return s.literal(text);
    });
  };
  const auto operand = [&] {
    return s.choice(
        [&] {
          out.is_index = true;
          return s.attempt([&] { return json_index(s, out.operand); });
        },
        [&] {
          out.is_index = false;
          return s.attempt([&] { return json_key(s, out.operand); });
        });
  };
  Sequence seq(s);
  return seq.then(
             s.choice([&] { return arrow("->>", true); }, [&] { return arrow("->", false); })) &&
         seq.then(operand());
}

// json path = { json operation } ;
template <bool kTrack>
bool json_path(Scanner<kTrack>& s, JsonPath& out) {
  out.clear();
  return s.many([&] {
    JsonOperation operation;
    if (!json_operation(s, operation)) return false;
    out.push_back(std::move(operation));
    return true;
  });
}

// field = lexeme( field name, json path ) ;
template <bool kTrack>
bool field(Scanner<kTrack>& s, Field& out) {
  return lexeme(s, [&] {
    Sequence seq(s);
    return seq.then(field_name(s, out.name)) && seq.then(json_path(s, out.json_path));
  });
}

// names(sep) = field name, { sep, field name } ;
template <bool kTrack, class Separator>
bool names(Scanner<kTrack>& s, std::vector<std::string>& out, Separator separator) {
  out.clear();
  return s.separated(
      [&] {
        std::string name;
        if (!field_name(s, name)) return false;
        out.push_back(std::move(name));
        return true;
      },
      separator);
}

// columns = names( lexeme(",") ) ;
template <bool kTrack>
bool columns(Scanner<kTrack>& s, std::vector<std::string>& out) {
  return names(s, out, [&] { return lexeme(s, [&] { return s.character(','); }); });
}

}  // namespace pgrst::rules
