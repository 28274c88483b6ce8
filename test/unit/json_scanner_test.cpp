// JSON at the top of a body: what is valid, which names it has, and that the size of the steps
// makes no difference. simdjson is the second opinion.
#include "api_request/json_scanner.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "api_request/name_bounds.hpp"

namespace pgrst {
namespace {

using Names = std::vector<std::string>;
using Top = JsonScanner::Top;

struct Scan {
  bool valid = false;
  Top top = Top::kOther;
  size_t elements = 0;
  bool all_objects = false;
  bool same_names = false;
  Names names;

  bool operator==(const Scan&) const = default;
};

Scan scan(std::string_view text, size_t max_bytes = std::string_view::npos) {
  JsonScanner scanner(text);
  while (!scanner.step(max_bytes)) {
  }
  Scan out;
  out.valid = scanner.valid();
  if (!out.valid) return out;
  out.top = scanner.top();
  out.elements = scanner.elements();
  out.all_objects = scanner.all_objects();
  out.same_names = scanner.same_names();
  out.names = scanner.take_names();
  return out;
}

bool valid(std::string_view text) { return scan(text).valid; }

Names names(std::string_view text) {
  const Scan found = scan(text);
  EXPECT_TRUE(found.valid && found.same_names) << text;
  return found.names;
}

bool same_names(std::string_view text) {
  const Scan found = scan(text);
  EXPECT_TRUE(found.valid) << text;
  EXPECT_TRUE(found.same_names || found.names.empty()) << text;
  return found.same_names;
}

// -- validity ------------------------------------------------------------------------------------

TEST(JsonScanner, Values) {
  for (const char* text : {"{}",
                           "[]",
                           "null",
                           "true",
                           "false",
                           "\"\"",
                           "0",
                           "-0",
                           "7",
                           "-12",
                           "0.5",
                           "1.25",
                           "1e5",
                           "1E+5",
                           "1e-05",
                           "-0.0e0",
                           "[0,1,[2,{\"a\":[]}]]",
                           "{\"\":{}}",
                           "[\"a\",\"b\"]",
                           "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"",
                           "\"\x7F\xC3\xA9\"",
                           "\"\\u0000\""}) {
    EXPECT_TRUE(valid(text)) << text;
  }
}

TEST(JsonScanner, WhatIsNone) {
  for (const char* text : {"",           " ",
                           "nul",        "nulll",
                           "True",       "NaN",
                           "Infinity",   "'a'",
                           "a",          ",",
                           ":",          "]",
                           "}",          "[",
                           "{",          "[1",
                           "[1,",        "[1,]",
                           "[,1]",       "[1 2]",
                           "[1]]",       "[1},",
                           "[1}",        "{\"a\":1]",
                           "{\"a\"}",    "{\"a\":}",
                           "{\"a\":1,}", "{,}",
                           "{a:1}",      "{1:1}",
                           "{\"a\" 1}",  "{\"a\":1 \"b\":2}",
                           "{\"a\"::1}", "{}{}",
                           "1 2",        "[] x",
                           "}{ x = 2",   "\xEF\xBB\xBF{}",
                           "/**/{}",     "[1]\v"}) {
    EXPECT_FALSE(valid(text)) << text;
  }
  EXPECT_FALSE(valid(std::string_view("[]\0", 3)));
}

TEST(JsonScanner, Numbers) {
  EXPECT_TRUE(valid("[123456789012345678901234567890]"));
  EXPECT_TRUE(
      valid("{\"a\":-123456789012345678901234567890.123456789012345678901234567890e999999}"));
  EXPECT_TRUE(valid(std::string(10000, '9')));
  for (const char* text :
       {"01", "-01",   "00",    "-",     "+1",   ".5",    "1.",  "1.e5", "1e",   "1e+", "1e-",
        "-a", "1.2.3", "1e5e5", "1e5.5", "0x10", "1_000", "--1", "1-",   "[1.]", "[-]"}) {
    EXPECT_FALSE(valid(text)) << text;
  }
}

TEST(JsonScanner, Strings) {
  for (const char* text :
       {"\"", "\"a", "\"\\\"", "\"\\", "\"\\x\"", "\"\\'\"", "\"\\u\"", "\"\\u12\"", "\"\\u12G4\"",
        "\"\\U0041\"", "\"\n\"", "\"\t\"", "\"\x1F\"", "\"\\\n\""}) {
    EXPECT_FALSE(valid(text)) << text;
  }
  EXPECT_FALSE(valid(std::string_view("\"\0\"", 3)));
  // At every place of a word of eight bytes.
  for (size_t before = 0; before < 20; before++) {
    const std::string plain(before, 'x');
    EXPECT_TRUE(valid("\"" + plain + "\\n" + plain + "\"")) << before;
    EXPECT_TRUE(valid("\"" + plain + "\x80\xFF\x20\x7F" + plain + "\"")) << before;
    EXPECT_FALSE(valid("\"" + plain + "\x1F" + plain + "\"")) << before;
    EXPECT_FALSE(valid("\"" + plain + "\"" + plain + "\"")) << before;
  }
}

TEST(JsonScanner, HalvesOfSurrogatePairsAreNoCharacters) {
  EXPECT_TRUE(valid("\"\\ud83d\\ude00\""));
  EXPECT_TRUE(valid("\"\\uD7FF\\uE000\""));
  for (const char* text :
       {"\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ud83d\\n\"", "\"\\ud83d\\u0041\"", "\"\\ud83d\\ud83d\"",
        "\"\\ude00\"", "\"\\ude00\\ud83d\"", "\"\\udc00\\udc00\""}) {
    EXPECT_FALSE(valid(text)) << text;
  }
}

TEST(JsonScanner, WhiteSpace) {
  EXPECT_TRUE(
      valid(" \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n1 \t\r\n, \t\r\n\"b\":[ \n] \t\r\n} \t\r\n"));
  EXPECT_EQ(names("\n[\n  { \"b\" : 1 ,\n \"a\":2 }\n,{\"a\":1,\"b\":2}\n]\n"), (Names{"a", "b"}));
  for (const char* text : {"[\f]", "[\v]", "[\xC2\xA0]", "{\"a\":\b1}", "\xE2\x80\x83[]"}) {
    EXPECT_FALSE(valid(text)) << text;
  }
}

std::string nested(size_t depth, const char* open, const char* inner, const char* close) {
  std::string text;
  for (size_t i = 0; i < depth; i++) text += open;
  text += inner;
  for (size_t i = 0; i < depth; i++) text += close;
  return text;
}

TEST(JsonScanner, DepthIsBounded) {
  constexpr size_t kMax = JsonScanner::kMaxDepth;
  EXPECT_TRUE(valid(nested(kMax, "[", "", "]")));
  EXPECT_FALSE(valid(nested(kMax + 1, "[", "", "]")));
  EXPECT_TRUE(valid(nested(kMax, "{\"a\":", "1", "}")));
  EXPECT_FALSE(valid(nested(kMax + 1, "{\"a\":", "1", "}")));
  EXPECT_TRUE(valid(nested(kMax / 2 - 1, "[{\"a\":", "[{}]", "}]")));
  EXPECT_FALSE(valid(nested(kMax / 2, "[{\"a\":", "[]", "}]")));
  // Closed by the wrong bracket at whatever level.
  for (size_t wrong = 1; wrong <= 200; wrong += 13) {
    std::string text = nested(100, "[{\"a\":", "1", "}]");
    char& bracket = text[text.size() - wrong];
    bracket = bracket == ']' ? '}' : ']';
    EXPECT_FALSE(valid(text)) << wrong;
  }
}

// -- the top -------------------------------------------------------------------------------------

TEST(JsonScanner, KindOfTheTop) {
  EXPECT_EQ(scan(" {}").top, Top::kObject);
  EXPECT_EQ(scan(" []").top, Top::kArray);
  for (const char* text : {"1", "\"{}\"", "null", "true"}) EXPECT_EQ(scan(text).top, Top::kOther);
  EXPECT_EQ(scan("[ ]").elements, 0u);
  EXPECT_EQ(scan("[1]").elements, 1u);
  EXPECT_EQ(scan("[{\"a\":[1,2,{\"b\":3}]},{\"a\":\"],[\"}]").elements, 2u);
}

TEST(JsonScanner, ElementsThatAreNoObjects) {
  for (const char* text :
       {"[1]", "[null]", "[[]]", "[\"a\"]", "[{},1]", "[1,{}]", "[{\"a\":1},[]]"}) {
    const Scan found = scan(text);
    EXPECT_TRUE(found.valid) << text;
    EXPECT_FALSE(found.all_objects) << text;
    EXPECT_FALSE(found.same_names) << text;
    EXPECT_TRUE(found.names.empty()) << text;
  }
  EXPECT_TRUE(scan("[{},{}]").all_objects);
  EXPECT_TRUE(scan("[]").all_objects);
}

// What is invalid is so wherever names differ before it.
TEST(JsonScanner, StaysStrictWhenNamesDiffer) {
  for (const char* text : {"[1,{\"a\"}]", "[{\"a\":1},{\"b\":1},{\"c\":01}]", "[1,]",
                           "[{\"a\":1},{\"b\":1},{\"\\x\":1}]", "[{\"a\":1},{},{\"\t\":1}]"}) {
    EXPECT_FALSE(valid(text)) << text;
  }
}

// -- names ---------------------------------------------------------------------------------------

TEST(JsonScanner, NamesAreSortedWithoutDuplicates) {
  EXPECT_EQ(names("{}"), Names{});
  EXPECT_EQ(names("{\"b\":1,\"a\":2,\"b\":3}"), (Names{"a", "b"}));
  EXPECT_EQ(names("{\"a\":{\"x\":1},\"b\":[{\"y\":1}]}"), (Names{"a", "b"}));
  EXPECT_EQ(names("[{\"id\":1,\"a\":{\"id\":2,\"z\":3}},{\"id\":1,\"a\":[{\"q\":1}]}]"),
            (Names{"a", "id"}));
  EXPECT_EQ(names("{\"\":1,\" \":2}"), (Names{"", " "}));
  EXPECT_EQ(names("{\"\xC3\xA9\":1,\"z\":1}"), (Names{"z", "\xC3\xA9"}));
}

TEST(JsonScanner, OrderAndDuplicatesDoNotMatter) {
  EXPECT_TRUE(same_names(
      "[{\"a\":1,\"b\":2,\"c\":3},{\"c\":1,\"a\":2,\"b\":3},{\"b\":1,\"c\":2,\"a\":3}]"));
  EXPECT_TRUE(same_names("[{\"a\":1,\"b\":2},{\"a\":1,\"b\":2,\"a\":3,\"b\":4,\"b\":5}]"));
  EXPECT_TRUE(
      same_names("[{\"a\":1,\"b\":2,\"a\":3},{\"a\":1,\"b\":2,\"a\":3},{\"b\":1,\"a\":2}]"));
  EXPECT_TRUE(same_names("[{\"a\":1,\"b\":2},{\"b\":1,\"b\":2,\"a\":3}]"));
  EXPECT_TRUE(same_names("[{},{},{}]"));
}

TEST(JsonScanner, DifferentNames) {
  for (const char* text :
       {"[{\"a\":1},{\"b\":1}]", "[{\"a\":1},{}]", "[{},{\"a\":1}]",
        "[{\"a\":1},{\"a\":1,\"b\":1}]", "[{\"a\":1,\"b\":1},{\"a\":1}]",
        "[{\"a\":1,\"b\":1},{\"a\":1,\"a\":1}]", "[{\"a\":1,\"b\":1},{\"b\":1,\"b\":1}]",
        "[{\"a\":1},{\"A\":1}]", "[{\"a\":1},{\"aa\":1}]", "[{\"aa\":1},{\"a\":1}]",
        "[{\"a\":1},{\"a\":1},{\"a\":1},{\"\":1}]", "[{\"a\":1,\"b\":1},{\"a\":{\"b\":1}}]",
        "[{\"a\":1},{\"a\\\"\":1}]"}) {
    EXPECT_FALSE(same_names(text)) << text;
  }
}

TEST(JsonScanner, EscapesInNames) {
  EXPECT_EQ(names("{\"\\u0061\":1,\"a\":2}"), (Names{"a"}));
  EXPECT_EQ(names("[{\"a\\nb\":1},{\"\\u0061\\u000ab\":2},{\"a\\u000Ab\":3}]"), (Names{"a\nb"}));
  EXPECT_EQ(names("{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":1}"), (Names{"\"\\/\b\f\n\r\t"}));
  EXPECT_EQ(names("{\"\\u00e9\\u20ac\\ud83d\\ude00\":1}"),
            (Names{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"}));
  EXPECT_EQ(names("{\"x\\u0000y\":1}"), (Names{std::string("x\0y", 3)}));
  EXPECT_EQ(names("{\"\\ud800\\udc00\\udbff\\udfff\":1}"),
            (Names{"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"}));
  EXPECT_TRUE(same_names("[{\"\\u0061\":1,\"b\":1},{\"\\u0061\":1,\"b\":1},{\"b\":1,\"a\":1}]"));
  EXPECT_FALSE(same_names("[{\"a\":1},{\"\\u0062\":1}]"));
}

TEST(JsonScanner, ManyNames) {
  std::string object = "{";
  Names expected;
  for (int i = 0; i < 1600; i++) {
    expected.push_back("n" + std::to_string(i * 7919 % 1600));
    object += (i == 0 ? "\"" : ",\"") + expected.back() + "\":1";
  }
  object += "}";
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(names(object), expected);
  EXPECT_EQ(names("[" + object + "," + object + "]"), expected);
  EXPECT_FALSE(same_names("[" + object + "," + object.substr(0, object.rfind(',')) + "}]"));
  EXPECT_EQ(scan(object, 100), scan(object));
}

// Beyond what can be of use names are neither collected nor compared, but the text is checked.
TEST(JsonScanner, ExcessiveNames) {
  const auto object = [](size_t names) {
    std::string out = "{";
    for (size_t i = 0; i < names; i++)
      out += (i == 0 ? "\"n" : ",\"n") + std::to_string(i) + "\":1";
    return out + "}";
  };
  const auto scan_to_end = [](std::string_view text, JsonScanner::OnExcess on_excess, size_t step) {
    JsonScanner scanner(text, on_excess);
    while (!scanner.step(step)) {
    }
    return std::tuple(scanner.valid(), scanner.has_excess(), scanner.take_names());
  };
  const std::string long_name(kMaxName, 'x'), too_long = "{\"a\":1,\"" + long_name;
  using enum JsonScanner::OnExcess;
  for (const size_t step : {size_t{1}, size_t{100}, std::string_view::npos}) {
    for (const auto on_excess : {kCheck, kStop}) {
      auto [valid, excess, names] = scan_to_end(object(kMaxNames), on_excess, step);
      EXPECT_TRUE(valid && !excess && names.size() == kMaxNames);
      std::tie(valid, excess, names) = scan_to_end(object(kMaxNames + 1), on_excess, step);
      EXPECT_TRUE(valid && excess && names.size() == kMaxNames + 1);
      std::tie(valid, excess, names) = scan_to_end(object(100 * 1000), on_excess, step);
      EXPECT_TRUE(valid && excess && names.size() == kMaxNames + 1);
      std::tie(valid, excess, names) = scan_to_end(too_long + "\":1}", on_excess, step);
      EXPECT_TRUE(valid && !excess && names == (Names{"a", long_name}));
      for (const char* end : {"x\":1}", "\\u0078\":1}", "xxxxx\\nxxxxx\":1}"}) {
        std::tie(valid, excess, names) = scan_to_end(too_long + end, on_excess, step);
        EXPECT_TRUE(valid && excess && names == (Names{"a", long_name + "..."})) << end;
      }
    }
    for (const std::string& text : {object(2000), too_long + "x\":1}"}) {
      const std::string broken = "[" + text + ",{\"b\":01}]";
      EXPECT_FALSE(std::get<0>(scan_to_end(broken, kCheck, step)));
      EXPECT_TRUE(std::get<0>(scan_to_end(broken, kStop, step)));
      EXPECT_TRUE(std::get<0>(scan_to_end("[" + text + ",{\"b\":1}]", kCheck, step)));
    }
  }
  // A long name of a further object is only another name.
  EXPECT_FALSE(same_names("[{\"a\":1},{\"" + long_name + long_name + "\":1}]"));
  EXPECT_FALSE(same_names("[{\"a\":1},{\"\\u0061" + long_name + "\":1}]"));
}

// -- steps ---------------------------------------------------------------------------------------

TEST(JsonScanner, StepsOfAnySizeGiveTheSame) {
  const std::string kTexts[] = {
      R"( [ {"id" : 1, "na\u006de":"J\"o\\e \ud83d\ude00", "x":-12.50e+10, "y":[true,false,null]},
            {"name":"", "id":123456789012345678901234567890, "y":{"deep":[[{}]]}, "x":0 }, )"
      R"( {"id":2,"name":"n","x":0.1,"y":"the end of a long string","id":3} ] )",
      R"({"a":1,"b":"two","b":{"c":[1,2,3]}})",
      R"([{"a":1},{"b":1}])",
      R"([{"a":1},{"a":1,"b":01}])",
      R"([{"a":"\ud800x"}])",
      "-123.456e-7",
      "\"plain string that is longer than a word\"",
      "[1,2",
      "",
  };
  for (const std::string& text : kTexts) {
    const Scan whole = scan(text);
    for (size_t size = 0; size <= text.size() + 1; size++)
      EXPECT_EQ(scan(text, size), whole) << text;
  }
}

// A step returns after about as many bytes as it may read.
TEST(JsonScanner, StepsAreShort) {
  const std::string kTexts[] = {
      "\"" + std::string(100000, 'x') + "\"",
      std::string(100000, '1'),
      std::string(100000, ' ') + "1",
      "{\"" + std::string(100000, 'x') + "\":1}",
      "[\"" + nested(10000, "\\n", "", "\\u00e9") + "\"]",
      nested(20000, "[0],", "", "").insert(0, "[") + "0]",
  };
  for (const std::string& text : kTexts) {
    JsonScanner scanner(text);
    size_t steps = 1;
    while (!scanner.step(100)) steps++;
    EXPECT_TRUE(scanner.valid());
    EXPECT_GE(steps, text.size() / 112) << text.substr(0, 20);
  }
}

// -- a second opinion ----------------------------------------------------------------------------

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  size_t below(size_t n) { return random_() % n; }

  std::string body() {
    if (below(8) == 0) return blanks() + value(3) + blanks();
    if (below(4) == 0) return blanks() + object(3) + blanks();
    // Objects that are more or less alike.
    const Names wanted = some_names();
    std::string text = blanks() + "[";
    for (size_t i = 0, n = below(4); i <= n; i++) {
      if (i > 0) text += ",";
      Names mine = wanted;
      if (below(4) == 0) std::shuffle(mine.begin(), mine.end(), random_);
      if (below(8) == 0) mine = some_names();
      if (below(8) == 0 && !mine.empty()) mine.push_back(mine[below(mine.size())]);
      text += blanks() + (below(12) == 0 ? value(2) : members(mine, 2)) + blanks();
    }
    return text + "]" + blanks();
  }

  std::string mutate(std::string text) {
    static constexpr std::string_view kBytes = "{}[]:,\"\\u0dDcC8ntf-+.eE19 \n\t\x01/a";
    for (size_t n = below(3) + 1; n > 0; n--) {
      const size_t at = below(text.size() + 1);
      const char byte = kBytes[below(kBytes.size())];
      switch (below(4)) {
        case 0:
          text.insert(at, 1, byte);
          break;
        case 1:
          text.erase(at, 1);
          break;
        case 2:
          if (at < text.size()) text[at] = byte;
          break;
        default:
          text.insert(below(text.size() + 1), text.substr(at, below(6)));
      }
    }
    return text;
  }

 private:
  std::string blanks() {
    static constexpr const char* kBlanks[] = {"", "", "", "", " ", "\n  ", "\t", "\r\n"};
    return kBlanks[below(8)];
  }

  std::string string() {
    static constexpr const char* kPieces[] = {"a",
                                              "b",
                                              "id",
                                              "name",
                                              "\\n",
                                              "\\\"",
                                              "\\\\",
                                              "\\u0061",
                                              "\\u00e9",
                                              "\xC3\xA9",
                                              "\\ud83d\\ude00",
                                              "long piece of text",
                                              "",
                                              " ",
                                              "\xF0\x9F\x98\x80",
                                              "{",
                                              "]",
                                              ",",
                                              ":",
                                              "/"};
    std::string text = "\"";
    for (size_t n = below(4); n > 0; n--) text += kPieces[below(std::size(kPieces))];
    return text + "\"";
  }

  Names some_names() {
    Names out;
    for (size_t n = below(5); n > 0; n--) out.push_back(string());
    return out;
  }

  std::string members(const Names& wanted, int depth) {
    std::string text = "{";
    for (const auto& name : wanted) {
      if (text.size() > 1) text += blanks() + ",";
      text += blanks() + name + blanks() + ":" + blanks() + value(depth);
    }
    return text + blanks() + "}";
  }

  std::string object(int depth) { return members(some_names(), depth); }

  std::string value(int depth) {
    static constexpr const char* kScalars[] = {"1",    "0",     "-1.5",   "2e3", "-0.25E-2",
                                               "true", "false", "123456", "null"};
    switch (below(depth > 0 ? 6 : 4)) {
      case 0:
        return string();
      case 4:
        return object(depth - 1);
      case 5: {
        std::string text = "[";
        for (size_t i = 0, n = below(3); i < n; i++) text += (i > 0 ? "," : "") + value(depth - 1);
        return text + blanks() + "]";
      }
      default:
        return kScalars[below(std::size(kScalars))];
    }
  }

  std::mt19937 random_;
};

// simdjson refuses numbers that fit neither 64 bits nor a double.
bool may_have_huge_number(std::string_view text) {
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); i++) {
    digits = std::isdigit(static_cast<unsigned char>(text[i])) != 0 ? digits + 1 : 0;
    const bool exponent = digits >= 3 && i + 1 > digits &&
                          std::string_view("eE+-").find(text[i - digits]) != std::string_view::npos;
    if (digits >= 16 || exponent) return true;
  }
  return false;
}

// simdjson 3.0 takes some halves of surrogate pairs.
bool may_have_surrogate(std::string_view text) {
  return text.find("\\ud") != std::string_view::npos || text.find("\\uD") != std::string_view::npos;
}

std::set<std::string> names_of(const simdjson::dom::object& object) {
  std::set<std::string> out;
  for (const auto member : object) out.emplace(member.key);
  return out;
}

Scan second_opinion(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  Scan out;
  out.valid = parser.parse(text).get(root) == simdjson::SUCCESS;
  if (!out.valid) return out;
  out.all_objects = out.same_names = true;
  std::optional<std::set<std::string>> first;
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (root.get(object) == simdjson::SUCCESS) {
    out.top = Top::kObject;
    first = names_of(object);
  } else if (root.get(array) == simdjson::SUCCESS) {
    out.top = Top::kArray;
    for (const auto element : array) {
      out.elements++;
      if (element.get(object) != simdjson::SUCCESS) {
        out.all_objects = out.same_names = false;
        continue;
      }
      if (!first) first = names_of(object);
      if (*first != names_of(object)) out.same_names = false;
    }
  }
  if (first && out.same_names) out.names.assign(first->begin(), first->end());
  return out;
}

void compare(const std::string& text, size_t step, size_t& valid_ones, size_t& alike) {
  if (!simdjson::validate_utf8(text) || may_have_huge_number(text)) return;
  const Scan mine = scan(text);
  ASSERT_EQ(scan(text, step), mine) << text;
  const Scan theirs = second_opinion(text);
  if (may_have_surrogate(text) && !mine.valid) return;
  ASSERT_EQ(mine.valid, theirs.valid) << text;
  if (!mine.valid) return;
  valid_ones++;
  ASSERT_EQ(mine.top, theirs.top) << text;
  ASSERT_EQ(mine.elements, theirs.elements) << text;
  ASSERT_EQ(mine.all_objects, theirs.all_objects) << text;
  ASSERT_EQ(mine.same_names, theirs.same_names) << text;
  ASSERT_EQ(mine.names, theirs.names) << text;
  if (mine.same_names && mine.elements > 1) alike++;
}

TEST(JsonScanner, AgreesWithSimdjson) {
  Generator generator(20240607);
  size_t valid_ones = 0, mutated_valid = 0, alike = 0, ignored = 0;
  for (int i = 0; i < 10000; i++) {
    const std::string text = generator.body();
    ASSERT_TRUE(valid(text)) << text;
    ASSERT_NO_FATAL_FAILURE(compare(text, 1 + generator.below(9), valid_ones, alike));
    for (int k = 0; k < 3; k++) {
      ASSERT_NO_FATAL_FAILURE(
          compare(generator.mutate(text), 1 + generator.below(9), mutated_valid, ignored));
    }
  }
  // The test tests something.
  EXPECT_GT(valid_ones, 9000u);
  EXPECT_GT(alike, 1000u);
  EXPECT_GT(mutated_valid, 3000u);
  EXPECT_LT(mutated_valid, 25000u);
}

}  // namespace
}  // namespace pgrst
