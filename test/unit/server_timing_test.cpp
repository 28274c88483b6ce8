#include "response/server_timing.hpp"

#include <gtest/gtest.h>

namespace pgrst {
namespace {

int64_t now_ns = 0;
int reads = 0;

int64_t test_clock() {
  reads++;
  return now_ns;
}

// How a phase of that many nanoseconds is written.
std::string shown(int64_t nanoseconds) {
  now_ns = 123456789;
  PhaseTimer timer(&test_clock);
  now_ns += nanoseconds;
  timer.lap(Phase::kJwt);
  const std::string value = timer.header()->value;
  return value.substr(0, value.find(','));
}

TEST(ServerTiming, PhasesStandInOrder) {
  now_ns = 0;
  PhaseTimer timer(&test_clock);
  for (const Phase phase :
       {Phase::kJwt, Phase::kParse, Phase::kPlan, Phase::kTransaction, Phase::kResponse}) {
    now_ns += 1000000 * (1 + static_cast<int64_t>(phase));
    timer.lap(phase);
  }
  EXPECT_EQ(timer.header(), (Header{"Server-Timing",
                                    "jwt;dur=1.0, parse;dur=2.0, plan;dur=3.0, "
                                    "transaction;dur=4.0, response;dur=5.0"}));
}

TEST(ServerTiming, PhasesThatDidNotComeAreZero) {
  now_ns = 7;
  EXPECT_EQ(PhaseTimer(&test_clock).header()->value,
            "jwt;dur=0.0, parse;dur=0.0, plan;dur=0.0, transaction;dur=0.0, response;dur=0.0");
}

TEST(ServerTiming, Rounding) {
  EXPECT_EQ(shown(0), "jwt;dur=0.0");
  EXPECT_EQ(shown(49999), "jwt;dur=0.0");
  EXPECT_EQ(shown(50000), "jwt;dur=0.0");
  EXPECT_EQ(shown(50001), "jwt;dur=0.1");
  EXPECT_EQ(shown(150000), "jwt;dur=0.2");
  EXPECT_EQ(shown(950001), "jwt;dur=1.0");
  EXPECT_EQ(shown(14900000), "jwt;dur=14.9");
  EXPECT_EQ(shown(3600000000000), "jwt;dur=3600000.0");
}

TEST(ServerTiming, WithoutAClockNothingIsMeasured) {
  reads = 0;
  PhaseTimer timer(nullptr);
  timer.lap(Phase::kJwt);
  EXPECT_FALSE(timer.header().has_value());
  EXPECT_FALSE(PhaseTimer().header().has_value());
  EXPECT_EQ(reads, 0);
}

}  // namespace
}  // namespace pgrst
