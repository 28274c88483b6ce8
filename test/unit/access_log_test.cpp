#include "app/access_log.hpp"

#include <gtest/gtest.h>

namespace pgrst {
namespace {

std::string line_of(const AccessEntry& entry) {
  std::string line;
  append_access_line(line, entry);
  return line;
}

AccessEntry example() {
  AccessEntry entry;
  entry.client = "127.0.0.1";
  entry.role = "user";
  entry.time = "26/Jul/2021:01:56:38 -0500";
  entry.method = "GET";
  entry.target = "/clients?a=b";
  entry.version = "HTTP/1.1";
  entry.status = 200;
  entry.body_size = 56;
  entry.user_agent = "curl/7.64.0";
  return entry;
}

TEST(AccessLog, CombinedFormat) {
  AccessEntry entry = example();
  EXPECT_EQ(line_of(entry),
            "127.0.0.1 - user [26/Jul/2021:01:56:38 -0500] \"GET /clients?a=b HTTP/1.1\" 200 56 "
            "\"\" \"curl/7.64.0\"");
  entry.role = "";
  entry.referer = "http://here/";
  EXPECT_EQ(line_of(entry),
            "127.0.0.1 - - [26/Jul/2021:01:56:38 -0500] \"GET /clients?a=b HTTP/1.1\" 200 56 "
            "\"http://here/\" \"curl/7.64.0\"");
}

TEST(AccessLog, WhatClientsSendStaysInItsField) {
  AccessEntry entry = example();
  const std::string hostile("\"\\\r\n\x1b\x7f\0\xc3\xa9", 9);
  for (std::string_view* field : {&entry.role, &entry.method, &entry.target, &entry.referer,
                                  &entry.user_agent, &entry.version}) {
    *field = hostile;
  }
  const std::string escaped = "\\x22\\x5C\\x0D\\x0A\\x1B\\x7F\\x00\\xC3\\xA9";
  EXPECT_EQ(line_of(entry), "127.0.0.1 - " + escaped + " [26/Jul/2021:01:56:38 -0500] \"" +
                                escaped + " " + escaped + " " + escaped + "\" 200 56 \"" + escaped +
                                "\" \"" + escaped + "\"");
}

TEST(AccessLog, LongFieldsAreCut) {
  AccessEntry entry = example();
  const std::string target(100000, 'x');
  entry.target = target;
  EXPECT_LT(line_of(entry).size(), 5000u);
}

TEST(AccessLog, Levels) {
  EXPECT_FALSE(is_logged(LogLevel::kCrit, 500));
  EXPECT_TRUE(is_logged(LogLevel::kError, 500));
  EXPECT_FALSE(is_logged(LogLevel::kError, kClientGone));
  EXPECT_TRUE(is_logged(LogLevel::kWarn, 400));
  EXPECT_FALSE(is_logged(LogLevel::kWarn, 304));
  EXPECT_TRUE(is_logged(LogLevel::kInfo, 200));
  EXPECT_TRUE(is_logged(LogLevel::kDebug, 200));
}

}  // namespace
}  // namespace pgrst
