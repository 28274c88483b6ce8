// What query strings and forms have in common: "a=1&b=2" in percent-encoding.
//
// Input -> output: raw bytes -> pairs of raw bytes; raw bytes -> text. As PostgREST's library does
// it (http-types, Network.HTTP.Types.URI), but that ill-formed UTF-8 becomes U+FFFD.
// Invariants: total on any bytes, linear. Pure; thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pgrst {

inline bool is_pair_separator(char c) { return c == '&' || c == ';'; }

struct RawPair {
  std::string_view name;
  std::optional<std::string_view> value;  // nullopt: no '=' in it
};

// pair = { any }, [ "=", { any } ] ;      without a separator in it
RawPair split_pair(std::string_view pair);

// Percent-decoded, and '+' is a space.
std::string decode_component(std::string_view raw);

// The longest prefix of at most max_bytes (3 or more) that cuts no percent-encoded byte: decoding
// the parts is decoding the whole.
size_t decodable_prefix(std::string_view raw, size_t max_bytes);

// Replaces what is ill-formed, if anything is.
void make_valid_utf8(std::string& text);

}  // namespace pgrst
