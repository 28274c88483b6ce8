#include "auth/json_number.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace pgrst {

namespace {

constexpr int64_t kMaxExponent = 1'000'000'000;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

size_t count_digits(std::string_view text, size_t at) {
  const size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
  return end - at;
}

// [ "+" / "-" ] 1*DIGIT to the end of the text; bounded by kMaxExponent.
std::optional<int64_t> read_exponent(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (text.empty() || count_digits(text, 0) != text.size()) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > kMaxExponent) value = kMaxExponent;
  return negative ? -value : value;
}

// The number cut to an integer towards zero.
struct Whole {
  bool has_rest = false;  // something was cut off
  bool too_large = false;
  uint64_t magnitude = 0;
};

Whole whole_of(const JsonNumber& number) {
  Whole whole;
  const auto size = static_cast<int64_t>(number.digits.size());
  const int64_t kept = std::clamp<int64_t>(size + std::min<int64_t>(number.exponent, 0), 0, size);
  const std::string_view digits = number.digits;
  const auto rest = digits.substr(static_cast<size_t>(kept));
  whole.has_rest = rest.find_first_not_of('0') != std::string_view::npos;
  if (kept == 0) return whole;
  const int64_t zeros = std::max<int64_t>(number.exponent, 0);
  if (kept + zeros > 20) {
    whole.too_large = true;
    return whole;
  }
  const std::string text = number.digits.substr(0, static_cast<size_t>(kept)) +
                           std::string(static_cast<size_t>(zeros), '0');
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), whole.magnitude);
  whole.too_large = error != std::errc();
  return whole;
}

// nullopt beyond 64 bits.
std::optional<int64_t> signed_value(bool negative, const Whole& whole) {
  const uint64_t limit = static_cast<uint64_t>(kMax) + (negative ? 1 : 0);
  if (whole.too_large || whole.magnitude > limit) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - whole.magnitude : whole.magnitude);
}

// 0.00ddd, dd.ddd or ddd00.0, at least one digit on either side; the point stands before digit
// `point`.
std::string fixed_text(const std::string& digits, int64_t point) {
  const auto size = static_cast<int64_t>(digits.size());
  if (point <= 0) return "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  if (point >= size) return digits + std::string(static_cast<size_t>(point - size), '0') + ".0";
  const auto at = static_cast<size_t>(point);
  return digits.substr(0, at) + "." + digits.substr(at);
}

}  // namespace

//   number = [ "-" ] int [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "+" / "-" ] 1*DIGIT ]
//   int    = "0" / ( %x31-39 *DIGIT )
std::optional<JsonNumber> read_json_number(std::string_view text) {
  JsonNumber number;
  number.negative = !text.empty() && text[0] == '-';
  size_t at = number.negative ? 1 : 0;
  const size_t integer_digits = count_digits(text, at);
  if (integer_digits == 0 || (text[at] == '0' && integer_digits > 1)) return std::nullopt;
  std::string digits(text.substr(at, integer_digits));
  at += integer_digits;
  if (at < text.size() && text[at] == '.') {
    const size_t fraction_digits = count_digits(text, at + 1);
    if (fraction_digits == 0) return std::nullopt;
    digits += text.substr(at + 1, fraction_digits);
    number.exponent = -static_cast<int64_t>(fraction_digits);
    at += 1 + fraction_digits;
  }
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    const std::optional<int64_t> exponent = read_exponent(text.substr(at + 1));
    if (!exponent) return std::nullopt;
    number.exponent += *exponent;
  }
  number.digits = digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
  return number;
}

std::optional<int64_t> exact_int64(const JsonNumber& number) {
  const Whole whole = whole_of(number);
  if (whole.has_rest) return std::nullopt;
  return signed_value(number.negative, whole);
}

int64_t ceiling_int64(const JsonNumber& number) {
  Whole whole = whole_of(number);
  const std::optional<int64_t> value = signed_value(number.negative, whole);
  if (!value) return number.negative ? kMin : kMax;
  const bool up = whole.has_rest && !number.negative;
  return up && *value < kMax ? *value + 1 : *value;
}

std::string number_text(const JsonNumber& number) {
  constexpr int64_t kMaxZeros = 1024;
  const std::string sign = number.negative && !number.digits.empty() ? "-" : "";
  if (number.exponent >= 0 && number.exponent <= kMaxZeros) {
    if (number.digits.empty()) return "0";
    return sign + number.digits + std::string(static_cast<size_t>(number.exponent), '0');
  }
  if (number.digits.empty()) return "0.0";
  const auto point = static_cast<int64_t>(number.digits.size()) + number.exponent;
  const std::string digits = number.digits.substr(0, number.digits.find_last_not_of('0') + 1);
  if (point >= 0 && point <= 7) return sign + fixed_text(digits, point);
  const std::string fraction = digits.size() > 1 ? digits.substr(1) : "0";
  return sign + digits[0] + "." + fraction + "e" + std::to_string(point - 1);
}

}  // namespace pgrst
