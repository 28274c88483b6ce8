// JSON strings: text -> quoted and escaped bytes in a ByteSink.
//
// Input -> output: text in the server's encoding -> the bytes that the server's escape_json gives.
// Eight bytes are looked at together, since few need an escape.
// Errors: exhausted memory is raised as 53200, a passed limit of the sink as 54000.
#pragma once

#include <cstring>

#include "pg/byte_sink.hpp"

#include "pg/pg_prelude.hpp"

namespace pgrst::pg {

[[noreturn]] inline void px_too_large() {
  ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the response is too large"),
                  errdetail("It would be larger than pgrst.server_max_response_size."),
                  errhint("Ask for fewer rows or columns.")));
}

[[noreturn]] inline void px_no_room(const ByteSink* out, std::size_t bytes) {
  if (out->is_over()) px_too_large();
  ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
                  errdetail("Failed on request of size %zu for a result.", bytes)));
}

inline char* px_reserve(ByteSink* out, std::size_t bytes) {
  char* room = out->reserve(bytes);
  if (unlikely(room == nullptr)) px_no_room(out, bytes);
  return room;
}

inline void px_append(ByteSink* out, const char* bytes, std::size_t length) {
  if (unlikely(!out->append(bytes, length))) px_no_room(out, length);
}

inline bool needs_escape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

// True if one of the eight bytes needs an escape: the high bit of a byte of each term is set for a
// zero byte of its operand, or for a byte below 0x20.
inline bool word_needs_escape(uint64 word) {
  constexpr uint64 kOnes = UINT64_C(0x0101010101010101);
  constexpr uint64 kHigh = UINT64_C(0x8080808080808080);
  const uint64 quote = word ^ (kOnes * '"');
  const uint64 backslash = word ^ (kOnes * '\\');
  return (((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) |
          ((backslash - kOnes) & ~backslash)) &
         kHigh;
}

// Copies up to the first byte that needs an escape; returns how many.
inline std::size_t copy_clean(char* to, const char* from, std::size_t length) {
  std::size_t i = 0;
  for (; i + sizeof(uint64) <= length; i += sizeof(uint64)) {
    uint64 word;
    std::memcpy(&word, from + i, sizeof(word));
    if (word_needs_escape(word)) break;
    std::memcpy(to + i, &word, sizeof(word));
  }
  for (; i < length && !needs_escape(static_cast<unsigned char>(from[i])); i++) to[i] = from[i];
  return i;
}

inline constexpr std::size_t kLongestEscape = 6;
inline constexpr char kHex[] = "0123456789abcdef";

// Same choices as escape_json: the short forms of RFC 8259 where there is one, but for the slash.
inline std::size_t write_escape(char* to, char c) {
  constexpr char kShort[] = "\b\f\n\r\t\"\\";
  constexpr char kLetter[] = "bfnrt\"\\";
  to[0] = '\\';
  for (std::size_t i = 0; i < sizeof(kShort) - 1; i++) {
    if (c != kShort[i]) continue;
    to[1] = kLetter[i];
    return 2;
  }
  std::memcpy(to + 1, "u00", 3);
  to[4] = kHex[(c >> 4) & 0xf];
  to[5] = kHex[c & 0xf];
  return kLongestEscape;
}

// The rest of a string and its closing quote.
inline void px_put_string_rest(ByteSink* out, const char* text, std::size_t length) {
  constexpr std::size_t kPiece = 4096;
  while (length > 0) {
    const std::size_t piece = Min(length, kPiece);
    char* to = px_reserve(out, piece + kLongestEscape);
    std::size_t read = copy_clean(to, text, piece);
    std::size_t written = read;
    if (read < piece) written += write_escape(to + written, text[read++]);
    out->commit(written);
    text += read;
    length -= read;
  }
  px_append(out, "\"", 1);
}

inline void px_put_string(ByteSink* out, const char* text, std::size_t length) {
  px_append(out, "\"", 1);
  px_put_string_rest(out, text, length);
}

}  // namespace pgrst::pg
