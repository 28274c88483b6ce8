#include "auth/strict_json.hpp"

#include <algorithm>
#include <vector>

#include "core/json.hpp"

namespace pgrst {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The position behind the string literal that opens at `at`, or text.size().
size_t skip_string(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); i++) {
    if (text[i] == '\\') {
      i++;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

size_t count_digits(std::string_view text, size_t at) {
  size_t n = 0;
  while (at + n < text.size() && is_digit(text[at + n])) n++;
  return n;
}

// True for a JSON number that may exceed 64 bits (an integer) or a double (any other).
//
//   number = [ "-" ] int [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "+" / "-" ] 1*DIGIT ]
//   int    = "0" / ( %x31-39 *DIGIT )
bool is_huge_number(std::string_view token) {
  const bool negative = !token.empty() && token[0] == '-';
  size_t at = negative ? 1 : 0;
  const size_t integer_digits = count_digits(token, at);
  if (integer_digits == 0 || (token[at] == '0' && integer_digits > 1)) return false;
  at += integer_digits;
  if (at == token.size()) return integer_digits > (negative ? 18 : 19);
  if (token[at] == '.') {
    const size_t fraction_digits = count_digits(token, at + 1);
    if (fraction_digits == 0) return false;
    at += 1 + fraction_digits;
  }
  size_t exponent_digits = 0;
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    at++;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) at++;
    exponent_digits = count_digits(token, at);
    if (exponent_digits == 0) return false;
    at += exponent_digits;
  }
  if (at != token.size()) return false;
  return integer_digits > 100 || exponent_digits > 2;
}

// Overwrites every huge number by 0 and blanks; false when there is none.
bool blank_huge_numbers(std::string& text) {
  bool found = false;
  for_each_number(text, [&](std::string_view token) {
    if (!is_huge_number(token)) return;
    const auto at = static_cast<size_t>(token.data() - text.data());
    std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), token.size(), ' ');
    text[at] = '0';
    found = true;
  });
  return found;
}

// Recursion is bounded by kMaxJsonDepth, which the parser has enforced.
bool has_duplicate_members(const simdjson::dom::element& element) {
  simdjson::dom::array array;
  if (element.get(array) == simdjson::SUCCESS) {
    for (const simdjson::dom::element item : array) {
      if (has_duplicate_members(item)) return true;
    }
    return false;
  }
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return false;
  std::vector<std::string_view> names;
  for (const simdjson::dom::key_value_pair member : object) {
    if (has_duplicate_members(member.value)) return true;
    names.push_back(member.key);
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

std::string without_white_space(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '"') {
      const size_t end = skip_string(text, at);
      out.append(text, at, end - at);
      at = end;
    } else {
      if (!is_json_space(text[at])) out += text[at];
      at++;
    }
  }
  return out;
}

// The position of the ',' or '}' that ends the member at `at` in the text of a sound object.
size_t member_end(std::string_view text, size_t at) {
  size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}')) return at;
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    at++;
  }
  return at;
}

}  // namespace

bool StrictJson::parse_object(std::string_view text) {
  has_huge_numbers_ = false;
  const auto first = std::find_if_not(text.begin(), text.end(), is_json_space);
  if (first == text.end() || *first != '{') return false;
  if (parser_.allocate(std::max<size_t>(text.size(), 64), kMaxJsonDepth) != simdjson::SUCCESS) {
    return false;
  }
  if (parser_.parse(text.data(), text.size(), true).get(root_) != simdjson::SUCCESS) {
    std::string blanked(text);
    if (!blank_huge_numbers(blanked)) return false;
    if (parser_.parse(blanked.data(), blanked.size(), true).get(root_) != simdjson::SUCCESS) {
      return false;
    }
    has_huge_numbers_ = true;
  }
  return root_.get(object_) == simdjson::SUCCESS && !has_duplicate_members(root_);
}

void for_each_number(std::string_view text, const std::function<void(std::string_view)>& take) {
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '"') {
      at = skip_string(text, at);
    } else if (text[at] != '-' && !is_digit(text[at])) {
      at++;
    } else {
      const size_t end = std::min(text.find_first_not_of("0123456789+-.eE", at), text.size());
      take(text.substr(at, end - at));
      at = end;
    }
  }
}

std::optional<std::string> member_text(std::string_view text, const simdjson::dom::object& object,
                                       std::string_view name) {
  const std::string compact = without_white_space(text);
  size_t at = 1;
  for (const simdjson::dom::key_value_pair member : object) {
    const size_t end = member_end(compact, at);
    if (member.key == name) {
      const size_t value = std::min(skip_string(compact, at) + 1, end);
      return compact.substr(value, end - value);
    }
    at = std::min(end + 1, compact.size());
  }
  return std::nullopt;
}

std::string with_member(std::string_view text, const simdjson::dom::object& object,
                        std::string_view name, std::string_view value) {
  const std::string compact = without_white_space(text);
  std::string out = "{";
  const auto separate = [&out] {
    if (out.size() > 1) out += ',';
  };
  const auto append_new = [&] {
    separate();
    append_json_string(out, name);
    out += ':';
    out += value;
  };
  bool placed = false;
  size_t at = 1;
  for (const simdjson::dom::key_value_pair member : object) {
    const size_t end = member_end(compact, at);
    if (member.key == name) {
      append_new();
      placed = true;
    } else {
      separate();
      out.append(compact, at, end - at);
    }
    at = std::min(end + 1, compact.size());
  }
  if (!placed) append_new();
  out += '}';
  return out;
}

}  // namespace pgrst
