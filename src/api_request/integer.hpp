// Integers in query strings and headers, read as Haskell's Read reads them: that is what PostgREST
// asks.
//
// integer = { space }, ( "(", integer, ")" | [ "-", { space } ], number ), { space } ;
// number = digit, { digit } | "0", ( "x" | "o" | "b" ), digit of that base, { digit of that base }
// ;
//
// Input -> output: text -> a number; nullopt: there is none. Pure.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgrst {

// A number of rows as a client may ask for it: wider than bigint, so that it is PostgreSQL who
// refuses what is out of its range.
__extension__ using RowNumber = __int128;

// No number that is read is further from zero. The sum of two does not overflow.
inline constexpr RowNumber kMaxRowNumber =
    RowNumber{1'000'000'000'000'000'000} * 1'000'000'000'000'000'000 * 10;

// Clamped to +-kMaxRowNumber.
std::optional<RowNumber> read_integer(std::string_view text);

// As Haskell's Int64: beyond its range it wraps around.
std::optional<int64_t> read_int64(std::string_view text);

// In decimal.
std::string to_string(RowNumber number);

// What bigint holds, else nullopt.
std::optional<int64_t> to_bigint(RowNumber number);

}  // namespace pgrst
