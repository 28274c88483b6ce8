// Which characters are letters and spaces to the query grammar: those of Haskell's isAlpha and
// isSpace.
//
// Input -> output: a code point -> yes or no. A table of our own, since the answer must depend
// neither on the locale nor on the C library's Unicode version.
#pragma once

#include "core/before_postgres.hpp"

namespace pgrst {

// General category L* of Unicode 16.0.
bool is_letter(char32_t c);

// TAB to CR, and general category Zs.
bool is_space(char32_t c);

}  // namespace pgrst
