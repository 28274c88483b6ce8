// Ranges as PostgREST's RangeQuery.hs and getRanges compute them.
#include "api_request/range.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pgrst {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// "offset+limit", "offset+" without a limit, or the details of the error.
std::string show(const Result<NonnegRange>& r) {
  if (!r.ok()) {
    EXPECT_EQ(r.error().code, "PGRST103");
    EXPECT_EQ(r.error().status, 416);
    return r.error().details_json->find("lower boundary") != std::string::npos ? "lower>upper"
                                                                               : "negative";
  }
  return to_string(r->offset) + "+" + (r->limit ? to_string(*r->limit) : "");
}

std::string by_header(const std::string& header, std::string_view method = "GET") {
  return show(top_level_range(method, &header, std::nullopt));
}

std::string by_query(RowNumber offset, std::optional<RowNumber> limit) {
  return show(top_level_range("GET", nullptr, NonnegRange{offset, limit}));
}

std::string by_both(const std::string& header, RowNumber offset, std::optional<RowNumber> limit) {
  return show(top_level_range("GET", &header, NonnegRange{offset, limit}));
}

TEST(Range, Absent) {
  EXPECT_EQ(show(top_level_range("GET", nullptr, std::nullopt)), "0+");
  EXPECT_TRUE(top_level_range("GET", nullptr, std::nullopt)->is_all());
}

TEST(Range, Header) {
  EXPECT_EQ(by_header("0-9"), "0+10");
  EXPECT_EQ(by_header("5-5"), "5+1");
  EXPECT_EQ(by_header("5-"), "5+");
  EXPECT_EQ(by_header("007-010"), "7+4");
  EXPECT_EQ(by_header("1-0"), "lower>upper");
  EXPECT_EQ(by_header("9-3"), "lower>upper");
}

TEST(Range, AMalformedHeaderAsksForAll) {
  for (const char* bad : {"", "-", "-5", "a-b", "0", "0-9 ", " 0-9", "0-9,20-29", "items=0-9",
                          "bytes=0-9", "0--9", "+0-9", "0-9-", "0x0-9"}) {
    EXPECT_EQ(by_header(bad), "0+") << bad;
  }
}

TEST(Range, HeaderCountsForGetOnly) {
  for (const char* method : {"HEAD", "POST", "PATCH", "DELETE", "get"}) {
    EXPECT_EQ(by_header("3-4", method), "0+") << method;
  }
}

TEST(Range, NumbersBeyondInt64DoNotWrap) {
  EXPECT_EQ(by_header("0-99999999999999999999"), "0+100000000000000000000");
  EXPECT_EQ(by_header("99999999999999999999-"), "99999999999999999999+");
  EXPECT_EQ(by_header("99999999999999999999-3"), "lower>upper");
  EXPECT_EQ(by_header("0-" + std::string(5000, '9')), "0+" + to_string(kMaxRowNumber + 1));
}

TEST(Range, Query) {
  EXPECT_EQ(by_query(0, 10), "0+10");
  EXPECT_EQ(by_query(4, std::nullopt), "4+");
  EXPECT_EQ(by_query(4, 2), "4+2");
  EXPECT_EQ(by_query(0, -1), "negative");
  EXPECT_EQ(by_query(5, -3), "negative");
}

TEST(Range, LimitZeroIsTheOneEmptyRange) {
  EXPECT_EQ(by_query(0, 0), "0+0");
  EXPECT_EQ(by_both("5-9", 0, 0), "0+0");
  EXPECT_EQ(by_both("9-5", 0, 0), "0+0");
  // PostgREST takes "limit=0" for itself only when the upper end is -1.
  EXPECT_EQ(by_query(5, 0), "negative");
}

TEST(Range, NegativeOffsets) {
  EXPECT_EQ(by_query(-5, std::nullopt), "0+");
  EXPECT_EQ(by_query(-5, 8), "0+3");
  EXPECT_EQ(by_query(-5, 5), "0+0");
  EXPECT_EQ(by_query(-5, 4), "negative");
}

TEST(Range, HeaderAndQueryMeet) {
  EXPECT_EQ(by_both("0-9", 5, 10), "5+5");
  EXPECT_EQ(by_both("2-", 0, 10), "2+8");
  EXPECT_EQ(by_both("0-9", 20, 5), "negative");
  EXPECT_EQ(by_both("9-5", 0, 100), "lower>upper");
  EXPECT_EQ(by_both("nonsense", 1, 2), "1+2");
}

TEST(Range, RestrictedToMaxRows) {
  const auto restricted = [](NonnegRange range, std::optional<int64_t> max) {
    return show(restrict_range(range, max));
  };
  EXPECT_EQ(restricted({3, 10}, std::nullopt), "3+10");
  EXPECT_EQ(restricted({3, 10}, 5), "3+5");
  EXPECT_EQ(restricted({3, 4}, 5), "3+4");
  EXPECT_EQ(restricted({3, std::nullopt}, 5), "3+5");
  EXPECT_EQ(restricted({0, 0}, 5), "0+0");
}

TEST(ContentRange, Texts) {
  EXPECT_EQ(content_range(0, 15, 100), "0-14/100");
  EXPECT_EQ(content_range(10, 5, std::nullopt), "10-14/*");
  EXPECT_EQ(content_range(0, 0, std::nullopt), "*/*");
  EXPECT_EQ(content_range(0, 0, 0), "*/0");
  EXPECT_EQ(content_range(5, 0, 5), "*/5");
  EXPECT_EQ(content_range(0, 3, 0), "*/0");
  EXPECT_EQ(content_range(kMax - 1, 5, std::nullopt), "9223372036854775806-9223372036854775810/*");
}

TEST(RangeStatus, PartAllAndBeyond) {
  EXPECT_EQ(range_status(0, 10, std::nullopt), 200);
  EXPECT_EQ(range_status(100, 0, std::nullopt), 200);
  EXPECT_EQ(range_status(0, 10, 10), 200);
  EXPECT_EQ(range_status(0, 9, 10), 206);
  EXPECT_EQ(range_status(10, 0, 10), 206);
  EXPECT_EQ(range_status(11, 0, 10), 416);
  EXPECT_EQ(range_status(0, 0, 0), 200);
  EXPECT_EQ(range_status(1, 0, 0), 416);
}

}  // namespace
}  // namespace pgrst
