#include "core/wire.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pgrst {
namespace {

enum class Colour : uint8_t { kRed, kBlue };

std::string example() {
  std::string bytes;
  WireWriter out(bytes);
  out.number(uint8_t{200});
  out.number(int32_t{-1});
  out.number(std::numeric_limits<uint64_t>::max());
  out.boolean(true);
  out.enumerator(Colour::kBlue);
  out.text("");
  out.text(std::string_view("a\0b", 3));
  out.number(uint32_t{2});
  return bytes;
}

// Reads what example() wrote; true when all of it was there.
bool read_example(std::string_view bytes) {
  WireReader in(bytes);
  const bool same = in.number<uint8_t>() == 200 && in.number<int32_t>() == -1 &&
                    in.number<uint64_t>() == std::numeric_limits<uint64_t>::max() && in.boolean() &&
                    in.enumerator<Colour>() == Colour::kBlue && in.text().empty() &&
                    in.text() == std::string_view("a\0b", 3) && in.count(0) == 2;
  return same && !in.failed() && in.at_end();
}

TEST(Wire, RoundTrip) { EXPECT_TRUE(read_example(example())); }

TEST(Wire, EveryTruncationFails) {
  const std::string whole = example();
  for (size_t length = 0; length < whole.size(); length++) {
    // A copy of its own, so that a read behind the end is seen.
    const std::string cut(whole.data(), length);
    EXPECT_FALSE(read_example(cut)) << length;
  }
}

TEST(Wire, AFailedReaderGivesZerosForEver) {
  WireReader in("\x01\x02");
  EXPECT_EQ(in.number<uint32_t>(), 0u);
  EXPECT_TRUE(in.failed());
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(in.number<uint8_t>(), 0);
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.boolean());
  EXPECT_EQ(in.count(1), 0u);
  EXPECT_EQ(in.rest(), "");
  EXPECT_TRUE(in.failed());
}

TEST(Wire, ALengthBeyondTheEndFails) {
  for (const uint64_t length : {uint64_t{4}, uint64_t{1} << 40, ~uint64_t{0}}) {
    std::string bytes;
    WireWriter out(bytes);
    out.number(length);
    bytes += "abc";
    WireReader in(bytes);
    EXPECT_EQ(in.text(), "");
    EXPECT_TRUE(in.failed());
  }
}

TEST(Wire, CountsAreBoundedByWhatIsLeft) {
  const auto count = [](uint32_t n, size_t left, size_t min_size) {
    std::string bytes;
    WireWriter(bytes).number(n);
    bytes.append(left, 'x');
    WireReader in(bytes);
    const uint32_t got = in.count(min_size);
    return in.failed() ? -1 : static_cast<int64_t>(got);
  };
  EXPECT_EQ(count(0, 0, 8), 0);
  EXPECT_EQ(count(2, 16, 8), 2);
  EXPECT_EQ(count(2, 15, 8), -1);
  EXPECT_EQ(count(~uint32_t{0}, 100, 1), -1);
  EXPECT_EQ(count(~uint32_t{0}, 100, std::numeric_limits<size_t>::max()), -1);
}

TEST(Wire, Rest) {
  WireReader in("abc");
  EXPECT_EQ(in.bytes(1), "a");
  EXPECT_EQ(in.rest(), "bc");
  EXPECT_EQ(in.bytes(0), "");
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(in.bytes(3), "");
  EXPECT_TRUE(in.failed());
}

}  // namespace
}  // namespace pgrst
