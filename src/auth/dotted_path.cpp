#include "auth/dotted_path.hpp"

#include <string_view>
#include <utility>

#include "core/text.hpp"

namespace pgrst {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_non_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

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
  explicit DottedPathParser(TextCursor& in) : in_(in) {}

  bool parse(std::vector<DottedStep>& steps) {
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
  bool key(std::vector<DottedStep>& steps) {
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

  bool index(std::vector<DottedStep>& steps) {
    const size_t from = in_.position();
    in_.skip_any_of("0123456789");
    const std::optional<long long> value = parse_unsigned(in_.since(from));
    if (!value) return in_.fail("expected an index");
    steps.emplace_back(IndexStep{*value});
    return in_.expect("]");
  }

  bool filter(std::vector<DottedStep>& steps) {
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

  TextCursor& in_;
};

}  // namespace

std::optional<DottedPath> parse_dotted_path(TextCursor& in) {
  DottedPath path;
  if (!DottedPathParser(in).parse(path.steps)) return std::nullopt;
  return path;
}

}  // namespace pgrst
