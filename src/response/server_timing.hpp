// Server-Timing: how long each phase of a request took (docs/references/observability.rst).
//
// Input -> output: laps on a clock that the caller gives -> the header's value. Without a clock
// nothing is measured and no clock is read. A plain value: copy it, no ownership, no errors.
#pragma once

#include "core/before_postgres.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/http_message.hpp"

namespace pgrst {

// Nanoseconds on a clock that never goes back.
using Clock = int64_t (*)();

// In the order of the header.
enum class Phase { kJwt, kParse, kPlan, kTransaction, kResponse };

class PhaseTimer {
 public:
  PhaseTimer() = default;
  // Starts now. nullptr: off.
  explicit PhaseTimer(Clock clock) : clock_(clock), last_(clock == nullptr ? 0 : clock()) {}

  // The time since the start, or since the lap before, was spent in that phase.
  void lap(Phase phase);

  // Nothing when off.
  std::optional<Header> header() const;

 private:
  Clock clock_ = nullptr;
  int64_t last_ = 0;
  std::array<int64_t, 5> spent_{};  // nanoseconds, by Phase
};

}  // namespace pgrst
