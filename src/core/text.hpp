// Text helpers of the whole core: pure functions over bytes and UTF-8.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrst {

// 0 to 15; -1 for what is no hexadecimal digit.
int hex_value(char c);

// Two digits for each byte, in lower case.
void append_hex(std::string& out, std::string_view bytes);

// `%41` -> `A`. A '%' not followed by two hex digits stays as it is (as PostgREST's URI library
// does). plus_is_space: '+' -> ' ' (query strings).
std::string percent_decode(std::string_view raw, bool plus_is_space);

// Percent-encodes everything outside RFC 3986's unreserved characters.
void append_percent_encoded(std::string& out, std::string_view raw);

// True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
bool is_valid_utf8(std::string_view bytes);

// Every ill-formed sequence becomes U+FFFD, one for each maximal subpart.
std::string to_valid_utf8(std::string_view bytes);

// Where `bytes` may be cut when more of them follow: at most three bytes before their end, and
// never inside a well-formed sequence or a maximal subpart. What is done to the parts, as by the
// functions above, is then done to the whole.
size_t utf8_boundary(std::string_view bytes);

// At most `max_bytes` of the text, and "..." for the rest of it; not cut inside a character.
std::string shorten(std::string_view text, size_t max_bytes);

// Spaces and tabs off both ends.
std::string_view trim(std::string_view text);

std::string to_lower_ascii(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);

// A PostgreSQL identifier in double quotes. The part from the first NUL byte on is dropped, as
// PostgREST does: an identifier cannot hold it.
std::string quote_ident(std::string_view name);
void append_quoted_ident(std::string& out, std::string_view name);

// {"a","b"}: the text of a PostgreSQL array with these elements.
std::string array_literal(const std::vector<std::string>& values);

// Digits only, no sign; nothing else and no overflow of int64.
std::optional<long long> parse_unsigned(std::string_view digits);

// Standard or URL-safe base64 with or without padding; nullopt when anything else is in it.
std::optional<std::string> base64_decode(std::string_view text);

// Compares all bytes always, so that the time does not tell where two secrets differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace pgrst
