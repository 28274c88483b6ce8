#include "response/server_timing.hpp"

namespace pgrst {

namespace {

// Milliseconds with one decimal, rounded to the nearest, ties to the even digit.
std::string milliseconds(int64_t nanoseconds) {
  constexpr int64_t kTenth = 100000;
  int64_t tenths = nanoseconds / kTenth;
  const int64_t rest = nanoseconds % kTenth;
  if (rest > kTenth / 2 || (rest == kTenth / 2 && tenths % 2 != 0)) tenths++;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace

void PhaseTimer::lap(Phase phase) {
  if (clock_ == nullptr) return;
  const int64_t now = clock_();
  spent_[static_cast<size_t>(phase)] += now - last_;
  last_ = now;
}

std::optional<Header> PhaseTimer::header() const {
  if (clock_ == nullptr) return std::nullopt;
  static constexpr const char* kNames[] = {"jwt", "parse", "plan", "transaction", "response"};
  std::string value;
  for (size_t i = 0; i < spent_.size(); i++) {
    if (i > 0) value += ", ";
    value += kNames[i];
    value += ";dur=" + milliseconds(spent_[i]);
  }
  return Header{"Server-Timing", std::move(value)};
}

}  // namespace pgrst
