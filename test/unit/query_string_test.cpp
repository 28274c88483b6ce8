#include "api_request/query_string.hpp"

#include <gtest/gtest.h>

namespace pgrst {
namespace {

TEST(QueryString, SplitsPairsAtTheFirstEqualsSign) {
  const RawPair pair = split_pair("a%3D=b=c");
  EXPECT_EQ(pair.name, "a%3D");
  EXPECT_EQ(pair.value, "b=c");
  EXPECT_EQ(split_pair("a").value, std::nullopt);
  EXPECT_EQ(split_pair("a=").value, "");
  EXPECT_EQ(split_pair("").name, "");
  EXPECT_EQ(split_pair("=b").name, "");
}

TEST(QueryString, Decodes) {
  EXPECT_EQ(decode_component("plain"), "plain");
  EXPECT_EQ(decode_component("a+b%2B%41%"), "a b+A%");
  std::string text = "\xC3\xA9\xFF";
  make_valid_utf8(text);
  EXPECT_EQ(text, "\xC3\xA9\xEF\xBF\xBD");
}

TEST(QueryString, PrefixesCutNoEncodedByte) {
  EXPECT_EQ(decodable_prefix("abc", 3), 3u);
  EXPECT_EQ(decodable_prefix("abcd", 3), 3u);
  EXPECT_EQ(decodable_prefix("ab%41", 3), 2u);
  EXPECT_EQ(decodable_prefix("a%41b", 3), 1u);
  EXPECT_EQ(decodable_prefix("%41ab", 3), 3u);
  EXPECT_EQ(decodable_prefix("ab%", 3), 3u);
  for (const std::string_view raw : {"%41%42%%43%4%44%zz%%%45", "abc%41def%", "%%%%%%%41%41"}) {
    for (size_t size = 3; size < 8; size++) {
      std::string parts;
      std::string_view rest = raw;
      while (!rest.empty()) {
        const size_t length = decodable_prefix(rest, size);
        ASSERT_GT(length, 0u);
        ASSERT_LE(length, size);
        parts += decode_component(rest.substr(0, length));
        rest.remove_prefix(length);
      }
      EXPECT_EQ(parts, decode_component(raw)) << raw << " " << size;
    }
  }
}

}  // namespace
}  // namespace pgrst
