#include "auth/role_claim_path.hpp"

#include <optional>
#include <utility>

#include "core/text.hpp"

namespace pgrst {

namespace {

constexpr int64_t kMaxJsonPathInteger = 9007199254740991;  // RFC 9535, 2.1: 2^53 - 1

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_non_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// What both dialects' parsers need: a cursor and the first complaint. After fail() every function
// returns at once and the text counts as refused.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  size_t position() const { return at_; }
  std::string_view since(size_t from) const { return text_.substr(from, at_ - from); }
  void advance(size_t n = 1) { at_ += n; }

  bool accept(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  bool expect(std::string_view token) {
    return accept(token) || fail("expected '" + std::string(token) + "'");
  }

  void skip_any_of(std::string_view characters) {
    while (!at_end() && characters.find(text_[at_]) != std::string_view::npos) at_++;
  }

  void rewind(size_t to) { at_ = to; }

  bool fail(std::string complaint) {
    if (!complaint_) complaint_ = std::move(complaint) + " at position " + std::to_string(at_ + 1);
    return false;
  }

  const std::optional<std::string>& complaint() const { return complaint_; }

 private:
  std::string_view text_;
  size_t at_ = 0;
  std::optional<std::string> complaint_;
};

void append_utf8(std::string& out, uint32_t c) {
  const auto byte = [&out](uint32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

//   path     = "$" *( S segment )
//   segment  = "." name / "[" S selector S "]"
//   name     = ( LETTER / "_" / non-ASCII ) *( LETTER / DIGIT / "_" / non-ASCII )
//   selector = string / index
//   index    = "0" / [ "-" ] %x31-39 *DIGIT
//   S        = *( SP / HTAB / LF / CR )
//
// RFC 9535, 2, without wildcards, slices, filters, descendants and lists of selectors.
class JsonPathParser {
 public:
  explicit JsonPathParser(Cursor& in) : in_(in) {}

  bool parse(std::vector<PathStep>& steps) {
    if (!in_.expect("$")) return false;
    while (!in_.at_end()) {
      skip_space();
      if (!segment(steps)) return false;
    }
    // The claims object as a whole is no role's name.
    return !steps.empty() || in_.fail("expected a member name");
  }

 private:
  void skip_space() { in_.skip_any_of(" \t\n\r"); }
  bool unsupported() {
    return in_.fail("only names and indexes are supported; unsupported selector");
  }

  bool segment(std::vector<PathStep>& steps) {
    if (in_.accept("[")) {
      skip_space();
      if (!selector(steps)) return false;
      skip_space();
      if (in_.peek() == ',' || in_.peek() == ':') return unsupported();
      return in_.expect("]");
    }
    if (!in_.expect(".")) return false;
    if (in_.peek() == '.' || in_.peek() == '*') return unsupported();
    return shorthand_name(steps);
  }

  bool shorthand_name(std::vector<PathStep>& steps) {
    const auto starts = [](char c) { return is_letter(c) || c == '_' || is_non_ascii(c); };
    if (!starts(in_.peek())) return in_.fail("expected a member name");
    const size_t from = in_.position();
    while (!in_.at_end() && (starts(in_.peek()) || is_digit(in_.peek()))) in_.advance();
    steps.emplace_back(MemberStep{std::string(in_.since(from))});
    return true;
  }

  bool selector(std::vector<PathStep>& steps) {
    const char c = in_.peek();
    if (c == '"' || c == '\'') return string_name(steps);
    if (c == '-' || is_digit(c)) return index(steps);
    if (c == '*' || c == '?' || c == ':') return unsupported();
    return in_.fail("expected a quoted name or an index");
  }

  bool index(std::vector<PathStep>& steps) {
    const bool negative = in_.accept("-");
    const size_t from = in_.position();
    in_.skip_any_of("0123456789");
    const std::string_view digits = in_.since(from);
    if (digits.empty()) return in_.fail("expected a digit");
    if (digits[0] == '0' && (negative || digits.size() > 1)) return in_.fail("leading zero");
    const std::optional<long long> value = parse_unsigned(digits);
    if (!value || *value > kMaxJsonPathInteger) return in_.fail("index out of range");
    steps.emplace_back(IndexStep{negative ? -*value : *value});
    return true;
  }

  //   string = DQUOTE *( char / "'" / escape ) DQUOTE / "'" *( char / DQUOTE / escape ) "'"
  bool string_name(std::vector<PathStep>& steps) {
    const char quote = in_.peek();
    in_.advance();
    std::string name;
    while (in_.peek() != quote || in_.at_end()) {
      if (in_.at_end()) return in_.fail("unterminated string");
      const char c = in_.peek();
      if (static_cast<unsigned char>(c) < 0x20) return in_.fail("control character in a string");
      in_.advance();
      if (c == '\\') {
        if (!escape(quote, name)) return false;
      } else {
        name += c;
      }
    }
    in_.advance();
    steps.emplace_back(MemberStep{std::move(name)});
    return true;
  }

  //   escape = "\" ( "b" / "f" / "n" / "r" / "t" / "/" / "\" / own-quote / "u" 4HEXDIG )
  bool escape(char quote, std::string& out) {
    static constexpr std::string_view kFrom = "bfnrt/\\";
    static constexpr std::string_view kTo = "\b\f\n\r\t/\\";
    const char c = in_.peek();
    if (in_.at_end()) return in_.fail("unterminated string");
    in_.advance();
    if (c == 'u') return unicode_escape(out);
    if (c == quote) {
      out += c;
      return true;
    }
    const size_t found = kFrom.find(c);
    if (found == std::string_view::npos) return in_.fail("unknown escape");
    out += kTo[found];
    return true;
  }

  bool unicode_escape(std::string& out) {
    std::optional<uint32_t> c = hex4();
    if (c && *c >= 0xD800 && *c < 0xDC00) {
      if (!in_.accept("\\u")) return in_.fail("lone surrogate");
      const std::optional<uint32_t> low = hex4();
      if (!low || *low < 0xDC00 || *low > 0xDFFF) return in_.fail("lone surrogate");
      c = 0x10000 + ((*c - 0xD800) << 10) + (*low - 0xDC00);
    } else if (c && *c >= 0xDC00 && *c <= 0xDFFF) {
      return in_.fail("lone surrogate");
    }
    if (!c) return in_.fail("expected four hexadecimal digits");
    append_utf8(out, *c);
    return true;
  }

  std::optional<uint32_t> hex4() {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
      const char c = in_.peek();
      if (is_digit(c)) {
        value = value * 16 + static_cast<uint32_t>(c - '0');
      } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        value = value * 16 + static_cast<uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        return std::nullopt;
      }
      in_.advance();
    }
    return value;
  }

  Cursor& in_;
};

//   path   = 1*( key / index ) [ filter ] / filter
//   key    = "." ( 1*( LETTER / DIGIT / "_" / "$" / "@" / non-ASCII ) / quoted )
//   index  = "[" 1*DIGIT "]"
//   filter = "[?(@" *WSP op *WSP quoted ")]"
//   op     = "==^" / "==" / "!=" / "^==" / "*=="
//   quoted = DQUOTE *( any but DQUOTE ) DQUOTE
//
// PostgREST v16.2, Config/DeprecatedJSPath.hs and the documentation of v14.
class DottedPathParser {
 public:
  explicit DottedPathParser(Cursor& in) : in_(in) {}

  bool parse(std::vector<PathStep>& steps) {
    do {
      if (in_.accept("[?(")) return filter(steps);
      if (in_.accept("[")) {
        if (!index(steps)) return false;
      } else if (!key(steps)) {
        return false;
      }
    } while (!in_.at_end());
    return true;
  }

 private:
  bool key(std::vector<PathStep>& steps) {
    if (!in_.expect(".")) return false;
    if (in_.peek() == '"') {
      std::string name;
      if (!quoted(name)) return false;
      steps.emplace_back(MemberStep{std::move(name)});
      return true;
    }
    const auto allowed = [](char c) {
      return is_letter(c) || is_digit(c) || c == '_' || c == '$' || c == '@' || is_non_ascii(c);
    };
    const size_t from = in_.position();
    while (!in_.at_end() && allowed(in_.peek())) in_.advance();
    if (in_.position() == from) return in_.fail("expected a member name");
    steps.emplace_back(MemberStep{std::string(in_.since(from))});
    return true;
  }

  bool index(std::vector<PathStep>& steps) {
    const size_t from = in_.position();
    in_.skip_any_of("0123456789");
    const std::optional<long long> value = parse_unsigned(in_.since(from));
    if (!value) return in_.fail("expected an index");
    steps.emplace_back(IndexStep{*value});
    return in_.expect("]");
  }

  bool filter(std::vector<PathStep>& steps) {
    if (!in_.expect("@")) return false;
    in_.skip_any_of(" \t\n\r\f\v");
    FilterStep step;
    if (in_.accept("==^")) {
      step.op = FilterOperator::kEndsWith;
    } else if (in_.accept("==")) {
      step.op = FilterOperator::kEquals;
    } else if (in_.accept("!=")) {
      step.op = FilterOperator::kNotEquals;
    } else if (in_.accept("^==")) {
      step.op = FilterOperator::kStartsWith;
    } else if (in_.accept("*==")) {
      step.op = FilterOperator::kContains;
    } else {
      return in_.fail("expected a comparison");
    }
    in_.skip_any_of(" \t\n\r\f\v");
    if (!quoted(step.text) || !in_.expect(")]")) return false;
    steps.emplace_back(std::move(step));
    return in_.at_end() || in_.fail("a filter must come last");
  }

  bool quoted(std::string& out) {
    if (!in_.expect("\"")) return false;
    const size_t from = in_.position();
    while (!in_.at_end() && in_.peek() != '"') in_.advance();
    out = std::string(in_.since(from));
    return in_.expect("\"");
  }

  Cursor& in_;
};

}  // namespace

Result<RoleClaimPath> parse_role_claim_path(std::string_view text) {
  const auto refused = [text](std::string_view why) {
    return errors::internal("failed to parse role-claim-key value (" + to_valid_utf8(text) +
                            "): " + std::string(why));
  };
  if (!is_valid_utf8(text)) return refused("not well-formed UTF-8");
  RoleClaimPath path;
  path.steps.clear();
  Cursor in(text);
  if (in.peek() == '$') {
    JsonPathParser(in).parse(path.steps);
  } else {
    path.deprecated = true;
    DottedPathParser(in).parse(path.steps);
  }
  if (in.complaint()) return refused(*in.complaint());
  return path;
}

}  // namespace pgrst
