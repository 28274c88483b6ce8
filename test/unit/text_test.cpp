#include "core/text.hpp"

#include <gtest/gtest.h>

#include "core/http_message.hpp"
#include "core/json.hpp"

namespace pgrst {
namespace {

const std::string kReplacement = "\xEF\xBF\xBD";

std::string encoded(std::string_view raw) {
  std::string out;
  append_percent_encoded(out, raw);
  return out;
}

TEST(PercentDecode, Escapes) {
  EXPECT_EQ(percent_decode("", true), "");
  EXPECT_EQ(percent_decode("%41%62c", false), "Abc");
  EXPECT_EQ(percent_decode("%4a%4A", false), "JJ");
  EXPECT_EQ(percent_decode("%2525", false), "%25");
  EXPECT_EQ(percent_decode("a%00b", false), std::string("a\0b", 3));
  EXPECT_EQ(percent_decode("%FF", false), "\xFF");
}

TEST(PercentDecode, WhatIsNoEscapeStays) {
  EXPECT_EQ(percent_decode("%", false), "%");
  EXPECT_EQ(percent_decode("%4", false), "%4");
  EXPECT_EQ(percent_decode("%4g%g4", false), "%4g%g4");
  EXPECT_EQ(percent_decode("%%41", false), "%A");
  EXPECT_EQ(percent_decode("100%", true), "100%");
}

TEST(PercentDecode, PlusIsASpaceInQueriesOnly) {
  EXPECT_EQ(percent_decode("a+b%2B", true), "a b+");
  EXPECT_EQ(percent_decode("a+b%2B", false), "a+b+");
}

TEST(PercentEncode, LeavesTheUnreserved) {
  EXPECT_EQ(encoded("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(encoded(" +%/?#\"'\xC3\xA9"), "%20%2B%25%2F%3F%23%22%27%C3%A9");
  EXPECT_EQ(encoded(std::string(1, '\0')), "%00");
}

TEST(PercentEncode, IsUndoneByDecoding) {
  std::string all;
  for (int i = 0; i < 256; i++) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(encoded(all), true), all);
  EXPECT_EQ(percent_decode(encoded(all), false), all);
}

TEST(Utf8, WellFormed) {
  for (const char* s : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                        "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(s)) << encoded(s);
    EXPECT_EQ(to_valid_utf8(s), s);
  }
  EXPECT_TRUE(is_valid_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, IllFormed) {
  const struct {
    std::string bytes;
    int replacements;  // one for each maximal subpart
  } kCases[] = {
      {"\x80", 1},
      {"\xBF", 1},
      {"\xC0\x80", 2},          // overlong NUL
      {"\xC1\xBF", 2},          // overlong
      {"\xE0\x80\x80", 3},      // overlong
      {"\xE0\x9F\xBF", 3},      // overlong
      {"\xED\xA0\x80", 3},      // high surrogate
      {"\xED\xBF\xBF", 3},      // low surrogate
      {"\xF0\x80\x80\x80", 4},  // overlong
      {"\xF0\x8F\xBF\xBF", 4},  // overlong
      {"\xF4\x90\x80\x80", 4},  // beyond U+10FFFF
      {"\xF5\x80\x80\x80", 4},
      {"\xFE", 1},
      {"\xFF", 1},
      {"\xC2", 1},              // cut short
      {"\xE2\x82", 1},          // cut short: one maximal subpart
      {"\xF0\x9F\x98", 1},      // cut short
      {"\xE2\xE2\x82", 2},      // cut short twice
      {"\xF0\x9F\xF0\x9F", 2},  // cut short twice
  };
  for (const auto& c : kCases) {
    EXPECT_FALSE(is_valid_utf8(c.bytes)) << encoded(c.bytes);
    std::string expected;
    for (int i = 0; i < c.replacements; i++) expected += kReplacement;
    EXPECT_EQ(to_valid_utf8(c.bytes), expected) << encoded(c.bytes);
    EXPECT_EQ(to_valid_utf8("a" + c.bytes + "b"), "a" + expected + "b") << encoded(c.bytes);
  }
}

// Every pair of bytes: the two functions agree, and what comes out is well-formed.
TEST(Utf8, ReplacementIsWellFormedForAllPairs) {
  for (int a = 0; a < 256; a++) {
    for (int b = 0; b < 256; b++) {
      const std::string s = {static_cast<char>(a), static_cast<char>(b)};
      const std::string fixed = to_valid_utf8(s);
      ASSERT_TRUE(is_valid_utf8(fixed));
      ASSERT_EQ(is_valid_utf8(s), fixed == s);
    }
  }
}

// Every text of up to five of these bytes: at most three bytes are left over, and what is done to
// the parts is done to the whole.
TEST(Utf8, BoundariesCutNothing) {
  constexpr std::string_view kBytes = "a\x80\xBF\xC3\xE2\xED\xF0\xF4";
  for (size_t length = 1; length <= 5; length++) {
    for (size_t n = 0; n < size_t{1} << (3 * length); n++) {
      std::string text;
      for (size_t i = 0; i < length; i++) text += kBytes[n >> (3 * i) & 7];
      const size_t boundary = utf8_boundary(text);
      ASSERT_LE(boundary, text.size());
      ASSERT_LE(text.size() - boundary, 3u) << encoded(text);
      for (const char* rest : {"", "\x80", "\x9F\x80\x80"}) {
        const std::string left = text.substr(0, boundary), right = text.substr(boundary) + rest;
        ASSERT_EQ(to_valid_utf8(left) + to_valid_utf8(right), to_valid_utf8(text + rest));
        ASSERT_EQ(is_valid_utf8(left) && is_valid_utf8(right), is_valid_utf8(text + rest));
      }
    }
  }
  EXPECT_EQ(utf8_boundary(""), 0u);
  EXPECT_EQ(utf8_boundary("abc"), 3u);
  EXPECT_EQ(utf8_boundary("ab\xF0\x9F\x98"), 2u);
  EXPECT_EQ(utf8_boundary("\xF0\x9F\x98\x80"), 4u);
}

TEST(QuoteIdent, DoublesQuotesAndStopsAtNul) {
  EXPECT_EQ(quote_ident("items"), "\"items\"");
  EXPECT_EQ(quote_ident(""), "\"\"");
  EXPECT_EQ(quote_ident("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_ident("\""), "\"\"\"\"");
  EXPECT_EQ(quote_ident("x\"; drop table y; --"), "\"x\"\"; drop table y; --\"");
  EXPECT_EQ(quote_ident("back\\slash"), "\"back\\slash\"");
  EXPECT_EQ(quote_ident(std::string_view("a\0\"b", 4)), "\"a\"");
  EXPECT_EQ(quote_ident(std::string_view("\0a", 2)), "\"\"");
  std::string out = "x.";
  append_quoted_ident(out, "y");
  EXPECT_EQ(out, "x.\"y\"");
}

TEST(Base64, BothAlphabetsWithAndWithoutPadding) {
  EXPECT_EQ(base64_decode(""), "");
  EXPECT_EQ(base64_decode("Zg=="), "f");
  EXPECT_EQ(base64_decode("Zg"), "f");
  EXPECT_EQ(base64_decode("Zm8="), "fo");
  EXPECT_EQ(base64_decode("Zm9v"), "foo");
  EXPECT_EQ(base64_decode("Zm9vYmFy"), "foobar");
  EXPECT_EQ(base64_decode("-_-_"), "\xFB\xFF\xBF");
  EXPECT_EQ(base64_decode("+/+/"), "\xFB\xFF\xBF");
  EXPECT_EQ(base64_decode("AAAA"), std::string(3, '\0'));
}

TEST(Base64, Refuses) {
  for (const char* bad : {"A", "AAAAA", "Zg=x", "Z g=", "Zm9v\n", "Zm9v!", "\xC3\xA9zzz", "=Zm9"}) {
    EXPECT_FALSE(base64_decode(bad).has_value()) << bad;
  }
}

TEST(Trim, SpacesAndTabsOnly) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim("\ta"), "a");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim("\na\n"), "\na\n");
}

TEST(ToLowerAscii, LeavesOtherBytes) {
  EXPECT_EQ(to_lower_ascii("AZ[@`\xC3\x89"), "az[@`\xC3\x89");
}

TEST(Split, KeepsEmptyParts) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("", ','), (Parts{""}));
  EXPECT_EQ(split(",", ','), (Parts{"", ""}));
  EXPECT_EQ(split("a,,b", ','), (Parts{"a", "", "b"}));
  EXPECT_EQ(split("a", ','), (Parts{"a"}));
}

TEST(ParseUnsigned, DigitsOnly) {
  EXPECT_EQ(parse_unsigned("0"), 0);
  EXPECT_EQ(parse_unsigned("007"), 7);
  EXPECT_EQ(parse_unsigned("9223372036854775807"), 9223372036854775807LL);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1e3", "0x1", "9223372036854775808",
                          "99999999999999999999999999"}) {
    EXPECT_FALSE(parse_unsigned(bad).has_value()) << bad;
  }
}

TEST(EqualInConstantTime, Compares) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("xbc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time("\xFF", "\x7F"));
}

TEST(JsonString, Escapes) {
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
  EXPECT_EQ(json_string("\n\r\t"), "\"\\n\\r\\t\"");
  EXPECT_EQ(json_string("\b\f\x1F\x7F"), "\"\\u0008\\u000c\\u001f\x7F\"");
  EXPECT_EQ(json_string(std::string_view("a\0b", 3)), "\"a\\u0000b\"");
  EXPECT_EQ(json_string("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"");
}

TEST(JsonString, RepairsIllFormedUtf8) {
  EXPECT_EQ(json_string("a\xFF\"\xE2\x82"), "\"a" + kReplacement + "\\\"" + kReplacement + "\"");
}

TEST(JsonString, EveryByteAtEveryPlaceOfAWord) {
  for (int byte = 0; byte < 256; byte++) {
    const char c = static_cast<char>(byte);
    const bool escaped = byte < 0x20 || c == '"' || c == '\\';
    for (size_t before = 0; before < 17; before++) {
      for (const size_t behind : {0, 1, 9}) {
        const std::string text = std::string(before, '\x7F') + c + std::string(behind, '\x80');
        ASSERT_EQ(plain_json_length(text), escaped ? before : text.size());
        // Behind one that needs an escape too.
        ASSERT_EQ(plain_json_length(std::string(before, ' ') + "\"" + text), before);
        std::string out;
        append_json_escaped(out, text);
        ASSERT_EQ(out.size(), json_escaped_size(text));
        ASSERT_EQ(out == text, !escaped);
      }
    }
  }
}

TEST(JsonString, Appends) {
  std::string out = "[";
  append_json_string(out, "x");
  append_json_string(out, "\x80");
  EXPECT_EQ(out, "[\"x\"\"" + kReplacement + "\"");
}

TEST(Headers, NamesCompareWithoutCase) {
  EXPECT_TRUE(equals_ignoring_case("Accept-Profile", "aCCEPT-pROFILE"));
  EXPECT_FALSE(equals_ignoring_case("Accept", "Accept "));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
  const Headers headers = {{"Range", "0-1"}, {"rAnge", "2-3"}};
  ASSERT_NE(find_header(headers, "RANGE"), nullptr);
  EXPECT_EQ(*find_header(headers, "RANGE"), "0-1");
  EXPECT_EQ(find_header(headers, "Rang"), nullptr);
  EXPECT_EQ(find_header({}, "Range"), nullptr);
}

}  // namespace
}  // namespace pgrst
