// The general categories of Unicode, for the \p{...} of regular expressions.
//
// Input -> output: a code point -> its category; a name such as "Lu" or "L" -> a set of categories.
// A table of our own, since the answer must depend neither on the locale nor on the C library's
// Unicode version.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgrst {

// A set of general categories: one bit for each. Every code point is in exactly one.
using CategorySet = uint32_t;

inline constexpr CategorySet kAllCategories = (1U << 29) - 1;

// The set that holds the category of `c` only (Unicode 16.0). Surrogates count as unassigned.
CategorySet category_of(char32_t c);

// "Lu": that category; "L": all whose names start so. As in RFC 9485, IsCategory; no long names.
std::optional<CategorySet> category_set(std::string_view name);

}  // namespace pgrst
