#include "auth/json_path.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/text.hpp"

namespace pgrst::jsonpath {

namespace {

constexpr long long kMaxInteger = 9007199254740991;  // RFC 9535, 2.1: 2^53 - 1

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

struct ComparisonSign {
  std::string_view text;
  Comparison comparison;
};

// The longer ones first.
constexpr std::array<ComparisonSign, 6> kComparisons = {{
    {"==", Comparison::kEqual},
    {"!=", Comparison::kNotEqual},
    {"<=", Comparison::kLessOrEqual},
    {">=", Comparison::kGreaterOrEqual},
    {"<", Comparison::kLess},
    {">", Comparison::kGreater},
}};

// RFC 9535, 2:
//
//   query        = "$" *( S segment )
//   segment      = bracketed / "." ( name / "*" ) / ".." ( bracketed / name / "*" )
//   bracketed    = "[" S selector *( S "," S selector ) S "]"
//   selector     = string / "*" / slice / index / "?" S or
//   slice        = [ integer S ] ":" S [ integer S ] [ ":" [ S integer ] ]
//   index        = integer
//   or           = and *( S "||" S and )
//   and          = basic *( S "&&" S basic )
//   basic        = [ "!" S ] ( "(" S or S ")" / test ) / value S sign S value
//   test         = filter-query / function
//   filter-query = ( "$" / "@" ) *( S segment )
//   value        = literal / filter-query / function
//   function     = name "(" S [ argument *( S "," S argument ) ] S ")"
//   argument     = literal / filter-query / function
//   literal      = number / string / "true" / "false" / "null"
//   number       = ( integer / "-0" ) [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "+" / "-" ] 1*DIGIT ]
//   integer      = "0" / [ "-" ] %x31-39 *DIGIT
//   name         = ( LETTER / "_" / non-ASCII ) *( LETTER / DIGIT / "_" / non-ASCII )
//   S            = *( SP / HTAB / LF / CR )
//
// Bounds: kMaxDepth for brackets, parentheses and functions in one another, 2^53 - 1 for
// integers, those of auth/iregexp.hpp for regular expressions.
class PathParser {
 public:
  explicit PathParser(TextCursor& in) : in_(in) {}

  bool parse(Path& out) {
    if (!in_.expect("$") || !segments(out)) return false;
    return in_.at_end() || in_.fail("expected a segment");
  }

 private:
  using Kind = Expression::Kind;

  // Counts one level for as long as it lives.
  class Level {
   public:
    explicit Level(size_t& depth) : depth_(depth) { depth_++; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { depth_--; }

   private:
    size_t& depth_;
  };

  bool too_deep() {
    if (depth_ <= kMaxDepth) return false;
    in_.fail("nested too deeply");
    return true;
  }

  void skip_space() { in_.skip_any_of(" \t\n\r"); }

  // White space belongs to the segment that follows it: without one it stays unread.
  bool segments(Path& out) {
    for (;;) {
      const size_t before = in_.position();
      skip_space();
      if (in_.peek() != '.' && in_.peek() != '[') {
        in_.rewind(before);
        return true;
      }
      Segment next;
      if (!segment(next)) return false;
      out.segments.push_back(std::move(next));
    }
  }

  bool segment(Segment& out) {
    if (in_.peek() == '[') return bracketed(out);
    in_.advance();
    out.descendant = in_.accept(".");
    if (out.descendant && in_.peek() == '[') return bracketed(out);
    Selector selector;
    if (in_.accept("*")) {
      selector.kind = Selector::Kind::kWildcard;
    } else {
      if (!starts_name(in_.peek())) return in_.fail("expected a member name");
      selector.name = name();
    }
    out.selectors.push_back(std::move(selector));
    return true;
  }

  std::string name() {
    const size_t from = in_.position();
    while (!in_.at_end() && (starts_name(in_.peek()) || is_digit(in_.peek()))) in_.advance();
    return std::string(in_.since(from));
  }

  bool bracketed(Segment& out) {
    const Level level(depth_);
    if (too_deep() || !in_.expect("[")) return false;
    do {
      skip_space();
      Selector next;
      if (!selector(next)) return false;
      out.selectors.push_back(std::move(next));
      skip_space();
    } while (in_.accept(","));
    return in_.expect("]");
  }

  bool selector(Selector& out) {
    const char c = in_.peek();
    if (c == '"' || c == '\'') return string(out.name);
    if (in_.accept("*")) {
      out.kind = Selector::Kind::kWildcard;
      return true;
    }
    if (in_.accept("?")) {
      skip_space();
      out.kind = Selector::Kind::kFilter;
      return truth(out.filter.emplace_back());
    }
    if (c == '-' || c == ':' || is_digit(c)) return index_or_slice(out);
    return in_.fail("expected a selector");
  }

  bool index_or_slice(Selector& out) {
    if (in_.peek() != ':' && !integer(out.start)) return false;
    const size_t before = in_.position();
    skip_space();
    if (!in_.accept(":")) {
      in_.rewind(before);
      out.kind = Selector::Kind::kIndex;
      return true;
    }
    out.kind = Selector::Kind::kSlice;
    skip_space();
    if (starts_integer() && !integer(out.end)) return false;
    skip_space();
    if (!in_.accept(":")) return true;
    skip_space();
    std::optional<int64_t> step;
    if (starts_integer() && !integer(step)) return false;
    out.step = step.value_or(1);
    return true;
  }

  bool starts_integer() const { return in_.peek() == '-' || is_digit(in_.peek()); }

  bool integer(std::optional<int64_t>& out) {
    const bool negative = in_.accept("-");
    const size_t from = in_.position();
    in_.skip_any_of("0123456789");
    const std::string_view digits = in_.since(from);
    if (digits.empty()) return in_.fail("expected a digit");
    if (digits[0] == '0' && (negative || digits.size() > 1)) return in_.fail("leading zero");
    const std::optional<long long> value = parse_unsigned(digits);
    if (!value || *value > kMaxInteger) return in_.fail("integer out of range");
    out = negative ? -*value : *value;
    return true;
  }

  // -- filters ------------------------------------------------------------------------------------

  bool truth(Expression& out) { return chain(out, Kind::kOr, "||"); }

  // Operands of one sign between them; a single one stands for itself.
  bool chain(Expression& out, Kind kind, std::string_view sign) {
    out.kind = kind;
    size_t before = 0;
    do {
      if (!out.operands.empty()) skip_space();
      Expression& next = out.operands.emplace_back();
      if (!(kind == Kind::kOr ? chain(next, Kind::kAnd, "&&") : basic(next))) return false;
      before = in_.position();
      skip_space();
    } while (in_.accept(sign));
    in_.rewind(before);
    if (out.operands.size() == 1) {
      Expression only = std::move(out.operands[0]);
      out = std::move(only);
    }
    return true;
  }

  bool basic(Expression& out) {
    const Level level(depth_);
    if (too_deep()) return false;
    if (in_.accept("!")) {
      skip_space();
      out.kind = Kind::kNot;
      Expression& operand = out.operands.emplace_back();
      return in_.peek() == '(' ? parenthesis(operand) : test(operand);
    }
    if (in_.peek() == '(') return parenthesis(out);
    if (!operand(out)) return false;
    const size_t before = in_.position();
    skip_space();
    if (const std::optional<Comparison> sign = comparison()) return comparison_of(out, *sign);
    in_.rewind(before);
    return is_test(out);
  }

  bool parenthesis(Expression& out) {
    if (!in_.expect("(")) return false;
    skip_space();
    if (!truth(out)) return false;
    skip_space();
    return in_.expect(")");
  }

  bool test(Expression& out) { return operand(out) && is_test(out); }

  bool is_test(const Expression& e) {
    return e.kind == Kind::kExists || e.kind == Kind::kMatch || e.kind == Kind::kSearch ||
           in_.fail("expected a comparison");
  }

  std::optional<Comparison> comparison() {
    for (const ComparisonSign& sign : kComparisons) {
      if (in_.accept(sign.text)) return sign.comparison;
    }
    return std::nullopt;
  }

  // The left side has been read into `out`.
  bool comparison_of(Expression& out, Comparison sign) {
    if (!make_value(out)) return false;
    Expression whole;
    whole.kind = Kind::kCompare;
    whole.comparison = sign;
    whole.operands.push_back(std::move(out));
    out = std::move(whole);
    skip_space();
    return value(out.operands.emplace_back());
  }

  // -- operands -----------------------------------------------------------------------------------

  // A query is read as a test for now: what stands around it decides whether it is a value.
  bool operand(Expression& out) {
    const char c = in_.peek();
    if (c == '@' || c == '$') {
      in_.advance();
      out.kind = Kind::kExists;
      out.query.from_root = c == '$';
      return segments(out.query);
    }
    out.kind = Kind::kLiteral;
    if (c == '"' || c == '\'') return string(out.literal.emplace<std::string>());
    if (starts_integer()) return number(out.literal.emplace<Number>());
    if (in_.accept("null")) return true;
    if (in_.accept("true")) return set_bool(out, true);
    if (in_.accept("false")) return set_bool(out, false);
    return function(out);
  }

  static bool set_bool(Expression& out, bool value) {
    out.literal = value;
    return true;
  }

  bool value(Expression& out) { return operand(out) && make_value(out); }

  bool make_value(Expression& e) {
    if (e.kind == Kind::kMatch || e.kind == Kind::kSearch) {
      return in_.fail("match() and search() have no value");
    }
    if (e.kind != Kind::kExists) return true;
    e.kind = Kind::kQuery;
    return e.query.is_singular() || in_.fail("expected a query of one node");
  }

  bool function(Expression& out) {
    const Level level(depth_);
    if (too_deep()) return false;
    if (in_.accept("length(")) return length(out);
    if (in_.accept("count(")) return of_nodes(out, Kind::kCount);
    if (in_.accept("value(")) return of_nodes(out, Kind::kQuery);
    if (in_.accept("match(")) return regular(out, Kind::kMatch);
    if (in_.accept("search(")) return regular(out, Kind::kSearch);
    return in_.fail("expected a value, a query or a function");
  }

  bool length(Expression& out) {
    out.kind = Kind::kLength;
    skip_space();
    if (!value(out.operands.emplace_back())) return false;
    skip_space();
    return in_.expect(")");
  }

  bool of_nodes(Expression& out, Kind kind) {
    skip_space();
    if (!operand(out)) return false;
    if (out.kind != Kind::kExists) return in_.fail("expected a query");
    out.kind = kind;
    skip_space();
    return in_.expect(")");
  }

  bool regular(Expression& out, Kind kind) {
    out.kind = kind;
    skip_space();
    if (!regular_operand(out.operands.emplace_back())) return false;
    skip_space();
    if (!in_.expect(",")) return false;
    skip_space();
    if (!regular_operand(out.operands.emplace_back())) return false;
    skip_space();
    return compile(out) && in_.expect(")");
  }

  bool regular_operand(Expression& out) {
    if (!operand(out)) return false;
    if (out.kind != Kind::kExists) return make_value(out);
    out.kind = Kind::kQuery;
    return true;
  }

  bool compile(Expression& out) {
    const Expression& pattern = out.operands[1];
    const auto* text = std::get_if<std::string>(&pattern.literal);
    if (pattern.kind != Kind::kLiteral || text == nullptr) return true;
    auto compiled = Iregexp::compile(*text);
    if (const auto* complaint = std::get_if<std::string>(&compiled)) {
      return in_.fail("bad regular expression (" + *complaint + ")");
    }
    out.regexp = std::make_shared<const Iregexp>(std::get<Iregexp>(std::move(compiled)));
    return true;
  }

  bool number(Number& out) {
    const size_t from = in_.position();
    in_.accept("-");
    bool sound = integer_digits();
    bool whole = true;
    if (sound && in_.accept(".")) {
      whole = false;
      sound = digits();
    }
    if (sound && (in_.accept("e") || in_.accept("E"))) {
      whole = false;
      if (!in_.accept("-")) in_.accept("+");
      sound = digits();
    }
    return sound && to_number(in_.since(from), whole, out);
  }

  bool integer_digits() {
    const size_t from = in_.position();
    return digits() &&
           (in_.since(from).size() == 1 || in_.since(from)[0] != '0' || in_.fail("leading zero"));
  }

  bool digits() {
    if (!is_digit(in_.peek())) return in_.fail("expected a digit");
    in_.skip_any_of("0123456789");
    return true;
  }

  bool to_number(std::string_view text, bool whole, Number& out) {
    const char* const end = text.data() + text.size();
    int64_t integer = 0;
    if (whole && std::from_chars(text.data(), end, integer).ec == std::errc()) {
      out = integer;
      return true;
    }
    double real = 0;
    if (std::from_chars(text.data(), end, real).ec != std::errc()) {
      return in_.fail("number out of range");
    }
    out = real;
    return true;
  }

  //   string = DQUOTE *( char / "'" / escape ) DQUOTE / "'" *( char / DQUOTE / escape ) "'"
  bool string(std::string& out) {
    const char quote = in_.peek();
    in_.advance();
    while (in_.peek() != quote) {
      if (in_.at_end()) return in_.fail("unterminated string");
      const char c = in_.peek();
      if (static_cast<unsigned char>(c) < 0x20) return in_.fail("control character in a string");
      in_.advance();
      if (c != '\\') {
        out += c;
      } else if (!escape(quote, out)) {
        return false;
      }
    }
    in_.advance();
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
    std::optional<char32_t> c = hex4();
    if (c && *c >= 0xD800 && *c < 0xDC00) {
      if (!in_.accept("\\u")) return in_.fail("lone surrogate");
      const std::optional<char32_t> low = hex4();
      if (!low || *low < 0xDC00 || *low > 0xDFFF) return in_.fail("lone surrogate");
      c = 0x10000 + ((*c - 0xD800) << 10) + (*low - 0xDC00);
    } else if (c && *c >= 0xDC00 && *c <= 0xDFFF) {
      return in_.fail("lone surrogate");
    }
    if (!c) return in_.fail("expected four hexadecimal digits");
    append_code_point(out, *c);
    return true;
  }

  std::optional<char32_t> hex4() {
    const std::string_view text = in_.rest().substr(0, 4);
    uint32_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (read.ec != std::errc() || read.ptr - text.data() != 4) return std::nullopt;
    in_.accept(text);
    return value;
  }

  TextCursor& in_;
  size_t depth_ = 0;
};

}  // namespace

bool Path::is_singular() const {
  return std::all_of(segments.begin(), segments.end(), [](const Segment& segment) {
    if (segment.descendant || segment.selectors.size() != 1) return false;
    const Selector::Kind kind = segment.selectors[0].kind;
    return kind == Selector::Kind::kName || kind == Selector::Kind::kIndex;
  });
}

std::optional<Path> parse_path(TextCursor& in) {
  Path path;
  if (!PathParser(in).parse(path)) return std::nullopt;
  return path;
}

Path path_to_member(std::string_view name) {
  Selector selector;
  selector.name = name;
  Segment segment;
  segment.selectors.push_back(std::move(selector));
  Path path;
  path.segments.push_back(std::move(segment));
  return path;
}

}  // namespace pgrst::jsonpath
