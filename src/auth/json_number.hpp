// Numbers of tokens, exactly. Internal to auth/.
//
// Input -> output: the text of a JSON number -> JsonNumber; that -> seconds, or PostgREST's text.
// A double would round what a claim says, and a number that is too large for one would have no
// value at all: times and role names are read from the text itself. Ownership: by value.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgrst {

// +-digits * 10^exponent, as it was written: "1.50" is 150 * 10^-2.
struct JsonNumber {
  bool negative = false;
  std::string digits;    // without leading zeros; empty: zero
  int64_t exponent = 0;  // within +-10^10 of zero, whatever was written
};

// nullopt for a text that is no JSON number (RFC 8259, 6).
std::optional<JsonNumber> read_json_number(std::string_view text);

// Its value; nullopt when that is no integer of 64 bits.
std::optional<int64_t> exact_int64(const JsonNumber& number);

// The least integer that is not below it; the nearest of 64 bits when that is none.
int64_t ceiling_int64(const JsonNumber& number);

// As PostgREST writes it: aeson's form of a scientific number. 1e2 is "100", 1e-2 "1.0e-2".
std::string number_text(const JsonNumber& number);

}  // namespace pgrst
