// The time that only goes on: for deadlines and durations.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <ctime>

namespace pgrst {

inline int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

inline int64_t monotonic_ms() { return monotonic_ns() / 1000000; }

}  // namespace pgrst
