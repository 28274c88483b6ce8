#include "auth/iregexp.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <regex>

#include "api_request/unicode_letters.hpp"

namespace pgrst {
namespace {

bool run(const std::string& pattern, const std::string& text, MatchMode mode) {
  const auto compiled = Iregexp::compile(pattern);
  const auto* const regexp = std::get_if<Iregexp>(&compiled);
  EXPECT_NE(regexp, nullptr) << pattern;
  size_t steps = 10000000;
  const bool matched = regexp != nullptr && regexp->matches(text, mode, steps);
  EXPECT_GT(steps, 0U);
  return matched;
}

bool whole(const std::string& pattern, const std::string& text) {
  return run(pattern, text, MatchMode::kWhole);
}

bool somewhere(const std::string& pattern, const std::string& text) {
  return run(pattern, text, MatchMode::kSomewhere);
}

std::string complaint(const std::string& pattern) {
  const auto compiled = Iregexp::compile(pattern);
  const auto* const text = std::get_if<std::string>(&compiled);
  return text == nullptr ? "" : *text;
}

TEST(Iregexp, Characters) {
  EXPECT_TRUE(whole("abc", "abc"));
  EXPECT_FALSE(whole("abc", "xabc"));
  EXPECT_FALSE(whole("abc", "abcx"));
  EXPECT_FALSE(whole("abc", "ab"));
  EXPECT_TRUE(somewhere("abc", "xabcx"));
  EXPECT_TRUE(whole("a.c", "aéc"));
  EXPECT_TRUE(whole("a.c", "a😀c"));
  EXPECT_TRUE(whole(".", "\xE2\x80\xA8"));  // U+2028
  EXPECT_FALSE(whole(".", "\n"));
  EXPECT_FALSE(whole(".", "\r"));
  EXPECT_TRUE(whole("", ""));
  EXPECT_FALSE(whole("", "a"));
  EXPECT_TRUE(somewhere("", "a"));
}

TEST(Iregexp, Escapes) {
  EXPECT_TRUE(whole(R"(\(\)\*\+\-\.\?\[\\\]\^\{\|\}\$)", R"(()*+-.?[\]^{|}$)"));
  EXPECT_TRUE(whole(R"(\n\r\t)", "\n\r\t"));
  EXPECT_TRUE(whole(R"(\/\"\')", "/\"'"));
  for (const char* pattern : {R"(\d)", R"(\w)", R"(\b)", R"(\0)", "\\", R"(\é)", R"(\u0041)"}) {
    EXPECT_EQ(complaint(pattern).substr(0, 14), "unknown escape") << pattern;
  }
}

TEST(Iregexp, Sets) {
  EXPECT_TRUE(whole("[a-cx]+", "abcx"));
  EXPECT_FALSE(whole("[a-cx]", "d"));
  EXPECT_TRUE(whole("[^a-c]", "d"));
  EXPECT_TRUE(whole("[^a]", "\n"));
  EXPECT_FALSE(whole("[^a-c]", "b"));
  EXPECT_TRUE(whole("[-a]+", "-a"));
  EXPECT_TRUE(whole("[a-]+", "-a"));
  EXPECT_TRUE(whole("[-]", "-"));
  EXPECT_TRUE(whole(R"([\]\[\\\-\n]+)", "][\\-\n"));
  EXPECT_TRUE(whole("[.^$|()*]+", ".^$|()*"));
  EXPECT_TRUE(whole("[а-я]", "ж"));
  EXPECT_TRUE(whole(R"([\p{Lu}0-9]+)", "Ж7"));
  EXPECT_FALSE(whole(R"([^\p{Lu}])", "Ж"));
  for (const char* pattern : {"[", "[]", "[^]", "[a", "[b-a]", "[a-\\p{L}]", "[[]", "[[:alpha:]]",
                              "[a--b]", "]", "[a-b-c]x["}) {
    EXPECT_NE(complaint(pattern), "") << pattern;
  }
}

TEST(Iregexp, Categories) {
  EXPECT_TRUE(whole(R"(\p{Lu}\p{Ll}\p{Nd}\p{Sc}\p{Zs}\p{P}\p{Cn})", "Ж\xC3\xA9٣€ !\xCD\xB8"));
  EXPECT_TRUE(whole(R"(\P{Lu})", "ж"));
  EXPECT_TRUE(whole(R"(\p{L}+)", "aBǅʰא"));
  for (const char* pattern : {R"(\p)", R"(\pL)", R"(\p{L)", R"(\p{})", R"(\p{Lx})", R"(\p{Greek})",
                              R"(\p{lu})", R"(\p{Cs})"}) {
    EXPECT_NE(complaint(pattern), "") << pattern;
  }
}

TEST(Iregexp, Quantifiers) {
  EXPECT_TRUE(whole("ab*c+d?", "accd"));
  EXPECT_FALSE(whole("ab*c+d?", "abd"));
  EXPECT_TRUE(whole("(ab){2}", "abab"));
  EXPECT_FALSE(whole("(ab){2}", "ab"));
  EXPECT_TRUE(whole("a{2,}", "aaaa"));
  EXPECT_FALSE(whole("a{2,}", "a"));
  EXPECT_TRUE(whole("a{1,3}b", "aaab"));
  EXPECT_FALSE(whole("a{1,3}b", "aaaab"));
  EXPECT_TRUE(whole("a{0}b", "b"));
  EXPECT_TRUE(whole("(a*)*(b+)+", "aab"));
  EXPECT_TRUE(whole("(|a)+", "aa"));
  EXPECT_TRUE(whole("(){3}", ""));
  for (const char* pattern : {"*", "+a", "?", "a**", "a+?", "{1}", "a{", "a{}", "a{,2}", "a{2,1}",
                              "a{1001}", "a{1", "a{x}", "(*)", "a|*", "a{1,2,3}", "a}"}) {
    EXPECT_NE(complaint(pattern), "") << pattern;
  }
}

TEST(Iregexp, ChoicesAndGroups) {
  EXPECT_TRUE(whole("a|bc|", "bc"));
  EXPECT_TRUE(whole("a|bc|", ""));
  EXPECT_TRUE(whole("(a|b)(c|d)", "bd"));
  EXPECT_FALSE(whole("a|b", "ab"));
  EXPECT_TRUE(somewhere("Diamond|Herman", "x Herman y"));
  for (const char* pattern : {"(", ")", "(a", "a)", "(a))", "(?:a)"}) {
    EXPECT_NE(complaint(pattern), "") << pattern;
  }
}

TEST(Iregexp, Anchors) {
  EXPECT_TRUE(somewhere("^au", "author"));
  EXPECT_FALSE(somewhere("^au", "an author"));
  EXPECT_TRUE(somewhere("or$", "author"));
  EXPECT_FALSE(somewhere("th$", "author"));
  EXPECT_TRUE(somewhere("^$", ""));
  EXPECT_FALSE(somewhere("^$", "a"));
  EXPECT_TRUE(somewhere("x|^b|c$", "ac"));
  EXPECT_TRUE(whole("^ab$", "ab"));
  EXPECT_FALSE(whole("a^b", "ab"));
  EXPECT_TRUE(somewhere("(^|,)b(,|$)", "a,b"));
  EXPECT_FALSE(somewhere("(^|,)b(,|$)", "a,bc"));
  // Lines are nothing to them.
  EXPECT_FALSE(somewhere("^admin$", "x\nadmin"));
  EXPECT_FALSE(somewhere("^admin$", "admin\n"));
}

// Exponential for an engine that backtracks.
TEST(Iregexp, TakesLinearTime) {
  for (const char* pattern : {"(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)(.*)(.*)(.*)b", "(a+a+)+b"}) {
    EXPECT_FALSE(whole(pattern, std::string(5000, 'a'))) << pattern;
  }
  EXPECT_TRUE(whole("(a?){100}a{100}", std::string(100, 'a')));
}

TEST(Iregexp, BoundsSize) {
  EXPECT_EQ(complaint(std::string(kMaxPatternBytes, 'a')), "");
  for (const std::string& pattern :
       {std::string(kMaxPatternBytes + 1, 'a'), std::string("(a{1000}){1000}"),
        std::string("(((){1000}){1000}){1000}"), std::string("((a{100}){100}){100}"),
        std::string(kMaxPatternDepth + 2, '(') + std::string(kMaxPatternDepth + 2, ')'),
        std::string(2000, '(')}) {
    EXPECT_NE(complaint(pattern), "") << pattern.substr(0, 50);
  }
}

TEST(Iregexp, GivesUpWhenTheStepsRunOut) {
  const auto compiled = Iregexp::compile("a*b");
  size_t steps = 100;
  EXPECT_FALSE(
      std::get<Iregexp>(compiled).matches(std::string(1000, 'a'), MatchMode::kSomewhere, steps));
  EXPECT_EQ(steps, 0U);
}

// All small patterns and texts, held against the C++ library's engine.
TEST(Iregexp, AgreesWithAnotherEngine) {
  const std::vector<std::string> parts = {"a",  "b",  ".",    "[ab]", "[^a]", "(a|b)", "(ab)?",
                                          "a*", "b+", "(a|)", "a{2}", "^",    "$",     "(a*b)*"};
  std::vector<std::string> texts = {""};
  for (size_t i = 0; texts[i].size() < 4; i++) {
    for (const char c : {'a', 'b', 'c'}) texts.push_back(texts[i] + c);
  }
  for (const std::string& x : parts) {
    for (const std::string& y : parts) {
      for (const std::string& pattern : {x + y, x + "|" + y, "(" + x + y + ")*c"}) {
        const std::regex other(pattern, std::regex::ECMAScript);
        for (const std::string& text : texts) {
          ASSERT_EQ(whole(pattern, text), std::regex_match(text, other)) << pattern << " " << text;
          ASSERT_EQ(somewhere(pattern, text), std::regex_search(text, other))
              << pattern << " " << text;
        }
      }
    }
  }
}

TEST(UnicodeCategory, KnowsItsNames) {
  EXPECT_EQ(category_set("Lu"), category_of('A'));
  EXPECT_EQ(category_set("L").value() & category_of('a'), category_of('a'));
  EXPECT_EQ(category_set("C").value() | category_set("L").value() | category_set("M").value() |
                category_set("N").value() | category_set("P").value() | category_set("S").value() |
                category_set("Z").value(),
            kAllCategories);
  for (const char* name : {"", "X", "l", "Lux", "LC"}) {
    EXPECT_FALSE(category_set(name).has_value()) << name;
  }
}

// The letters of the query grammar come from another table.
TEST(UnicodeCategory, AgreesWithTheLettersOfTheQueryGrammar) {
  const CategorySet letters = category_set("L").value();
  for (char32_t c = 0; c <= 0x10FFFF; c++) {
    ASSERT_EQ((category_of(c) & letters) != 0, is_letter(c)) << static_cast<uint32_t>(c);
  }
  EXPECT_EQ(category_of(0x10FFFF), category_set("Cn"));
  EXPECT_EQ(category_of(0xE000), category_set("Co"));
  EXPECT_EQ(category_of(0), category_set("Cc"));
}

}  // namespace
}  // namespace pgrst
