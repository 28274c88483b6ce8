// JSON writing for the core. Reading is simdjson's, at the places that need it.
#pragma once

#include "core/before_postgres.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pgrst {

// What may stand between two tokens.
inline bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// True for what may not stand in a JSON string as it is.
inline bool needs_json_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// The number of bytes before the first that needs an escape. Looks at eight bytes together: the
// high bit of a byte of each term is set for a byte below 0x20, or for a zero byte of its operand;
// the lowest such bit is exact, those above it need not be.
inline size_t plain_json_length(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  size_t n = 0;
  for (; n + sizeof(uint64_t) <= text.size(); n += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + n, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    const uint64_t quote = word ^ (kOnes * '"');
    const uint64_t backslash = word ^ (kOnes * '\\');
    const uint64_t found = (((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) |
                            ((backslash - kOnes) & ~backslash)) &
                           (kOnes * 0x80);
    if (found != 0) return n + static_cast<size_t>(std::countr_zero(found)) / 8;
  }
  while (n < text.size() && !needs_json_escape(text[n])) n++;
  return n;
}

// A JSON string literal with the escapes of RFC 8259, 7; other UTF-8 stays as it is. Ill-formed
// UTF-8 is replaced by U+FFFD first.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

// The inside of such a literal, without the quotes. `text` is well-formed, or a piece of what is.
void append_json_escaped(std::string& out, std::string_view text);
// How many bytes append_json_escaped() appends.
size_t json_escaped_size(std::string_view text);

}  // namespace pgrst
