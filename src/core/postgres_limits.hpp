// Bounds of PostgreSQL that the core has to know. src/pg/module.cpp checks them.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>

namespace pgrst {

// MaxTupleAttributeNumber: columns of a result, and of a sort. A relation has no more, nor has a
// function arguments.
inline constexpr size_t kMaxTargets = 1664;

}  // namespace pgrst
