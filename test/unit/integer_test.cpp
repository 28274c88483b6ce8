// Integers as Haskell's Read takes them.
#include "api_request/integer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace pgrst {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(ReadInteger, ReadsWhatHaskellReads) {
  const std::pair<const char*, std::optional<int64_t>> cases[] = {
      {"0", 0},
      {"42", 42},
      {"-1", -1},
      {"- 1", -1},
      {" 5 ", 5},
      {"\t5\n", 5},
      {"007", 7},
      {"0x1F", 31},
      {"0Xff", 255},
      {"0o17", 15},
      {"0b101", 5},
      {"-0x10", -16},
      {"(5)", 5},
      {"((-5))", -5},
      {"( 5 )", 5},
      {"\xC2\xA0"
       "5",
       5},
      {"", {}},
      {" ", {}},
      {"+5", {}},
      {"1e3", {}},
      {"5.0", {}},
      {"1_000", {}},
      {"5x", {}},
      {"0x", {}},
      {"0o8", {}},
      {"0b2", {}},
      {"0xg", {}},
      {"--1", {}},
      {"-(1)", {}},
      {"(5", {}},
      {"5)", {}},
      {"()", {}},
      {"1 2", {}},
      {"-", {}},
      {"\xD9\xA3", {}},
  };
  for (const auto& [text, value] : cases) {
    EXPECT_EQ(read_int64(text), value) << text;
    const auto wide = read_integer(text);
    EXPECT_EQ(wide ? to_bigint(*wide) : std::nullopt, value) << text;
  }
}

TEST(ReadInteger, IsClampedFarBeyondBigint) {
  EXPECT_EQ(read_integer("9223372036854775808"), RowNumber{1} << 63);
  EXPECT_EQ(to_string(*read_integer("12345678901234567890123456789")),
            "12345678901234567890123456789");
  EXPECT_EQ(read_integer(std::string(100000, '9')), kMaxRowNumber);
  EXPECT_EQ(read_integer("-" + std::string(100000, '9')), -kMaxRowNumber);
}

TEST(ReadInt64, WrapsAround) {
  EXPECT_EQ(read_int64("9223372036854775807"), kMax);
  EXPECT_EQ(read_int64("9223372036854775808"), kMin);
  EXPECT_EQ(read_int64("-9223372036854775808"), kMin);
  EXPECT_EQ(read_int64("18446744073709551615"), -1);
  EXPECT_EQ(read_int64("0x1ffffffffffffffff"), -1);
  EXPECT_EQ(read_int64("18446744073709551617"), 1);
}

TEST(RowNumbers, AsText) {
  EXPECT_EQ(to_string(RowNumber{0}), "0");
  EXPECT_EQ(to_string(RowNumber{-7}), "-7");
  EXPECT_EQ(to_string(RowNumber{kMin}), "-9223372036854775808");
  EXPECT_EQ(to_string(kMaxRowNumber), "1" + std::string(37, '0'));
}

TEST(RowNumbers, AsBigint) {
  EXPECT_EQ(to_bigint(kMax), kMax);
  EXPECT_EQ(to_bigint(kMin), kMin);
  EXPECT_EQ(to_bigint(RowNumber{kMax} + 1), std::nullopt);
  EXPECT_EQ(to_bigint(RowNumber{kMin} - 1), std::nullopt);
}

}  // namespace
}  // namespace pgrst
