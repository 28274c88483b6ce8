// How many names a body can have, and how long they can be, to be of use.
//
// A function takes at most 100 arguments and a relation has at most 1600 columns; the columns of a
// view are at most 1664. A body with more names, or with one that no column can have, is refused
// whatever else is in it: what follows these bounds is not remembered.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/postgres_limits.hpp"

namespace pgrst {

inline constexpr size_t kMaxNames = kMaxTargets;
inline constexpr size_t kMaxName = errors::kMaxQuoted;  // bytes: error messages show no more

// What a reader asks before it makes JSON of a body that is none. Functions that are not there
// agree.
struct BodyGate {
  // Whether a body of these names can be of use. If not, nothing is made of it.
  std::function<bool(const std::vector<std::string>&)> wants;
  // Takes so many bytes of memory for as long as the request lasts; false when there are none.
  std::function<bool(uint64_t)> take_memory;
};

}  // namespace pgrst
