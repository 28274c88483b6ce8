#include "api_request/integer.hpp"

#include <algorithm>
#include <limits>

#include "api_request/parsec.hpp"
#include "api_request/unicode_letters.hpp"

namespace pgrst {

namespace {

int digit_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : 16;
}

void skip_spaces(std::string_view& text) {
  while (!text.empty()) {
    const parsec::CodePoint c = parsec::decode_at(text, 0);
    if (!is_space(c.value)) break;
    text.remove_prefix(c.length);
  }
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// The base that a prefix says, which is taken off.
int take_base(std::string_view& text) {
  if (text.size() <= 2 || text[0] != '0') return 10;
  const char letter = static_cast<char>(text[1] | 0x20);
  const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
  if (base != 10) text.remove_prefix(2);
  return base;
}

struct Literal {
  bool negative = false;
  int base = 10;
  std::string_view digits;
};

std::optional<Literal> scan_literal(std::string_view text) {
  Literal out;
  skip_spaces(text);
  size_t open = 0;
  for (; take(text, '('); skip_spaces(text)) open++;
  out.negative = take(text, '-');
  if (out.negative) skip_spaces(text);
  out.base = take_base(text);
  size_t length = 0;
  while (length < text.size() && digit_value(text[length]) < out.base) length++;
  out.digits = text.substr(0, length);
  text.remove_prefix(length);
  skip_spaces(text);
  for (; open > 0 && take(text, ')'); skip_spaces(text)) open--;
  if (length == 0 || open > 0 || !text.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<RowNumber> read_integer(std::string_view text) {
  const auto literal = scan_literal(text);
  if (!literal) return std::nullopt;
  RowNumber value = 0;
  for (const char c : literal->digits) {
    value = std::min(value * literal->base + digit_value(c), kMaxRowNumber);
  }
  return literal->negative ? -value : value;
}

std::optional<int64_t> read_int64(std::string_view text) {
  const auto literal = scan_literal(text);
  if (!literal) return std::nullopt;
  uint64_t value = 0;
  for (const char c : literal->digits) {
    value = value * static_cast<uint64_t>(literal->base) + static_cast<uint64_t>(digit_value(c));
  }
  return static_cast<int64_t>(literal->negative ? -value : value);
}

std::string to_string(RowNumber number) {
  const bool negative = number < 0;
  std::string out;
  do {
    const int digit = static_cast<int>(number % 10);
    out += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    number /= 10;
  } while (number != 0);
  if (negative) out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

std::optional<int64_t> to_bigint(RowNumber number) {
  if (number < std::numeric_limits<int64_t>::min() ||
      number > std::numeric_limits<int64_t>::max()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(number);
}

}  // namespace pgrst
