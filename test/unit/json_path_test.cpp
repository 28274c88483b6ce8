// JSONPath (RFC 9535). The documents are objects, as claims are.
#include "auth/json_path.hpp"

#include <gtest/gtest.h>

#include "auth/json_path_query.hpp"

namespace pgrst::jsonpath {
namespace {

// The nodes as one JSON array, or what is wrong.
std::string nodes(const std::string& path, const std::string& document) {
  TextCursor in(path);
  const std::optional<Path> parsed = parse_path(in);
  if (!parsed) return *in.complaint();
  StrictJson json;
  if (!json.parse_object(document)) return "bad document";
  std::string out;
  const bool sure = run_query(*parsed, json, [&out](const simdjson::dom::element& node) {
    out += (out.empty() ? "" : ",") + simdjson::minify(node);
    return true;
  });
  return sure ? "[" + out + "]" : "gave up";
}

// Those of d in {"d": document}.
std::string filtered(const std::string& filter, const std::string& document) {
  return nodes("$.d[?" + filter + "]", R"({"d":)" + document + "}");
}

std::string complaint(const std::string& path) {
  TextCursor in(path);
  return parse_path(in) ? "" : *in.complaint();
}

TEST(JsonPath, Names) {
  const char* document = R"({"a":{"b c":1,"\"":2,"é":3,"":4},"_x9":5})";
  EXPECT_EQ(nodes("$", "{}"), "[{}]");
  EXPECT_EQ(nodes("$.a['b c']", document), "[1]");
  EXPECT_EQ(nodes(R"($["a"]["\""])", document), "[2]");
  EXPECT_EQ(nodes(R"($.a['"'])", document), "[2]");
  EXPECT_EQ(nodes("$.a.é", document), "[3]");
  EXPECT_EQ(nodes("$.a['']", document), "[4]");
  EXPECT_EQ(nodes("$ ._x9", document), "[5]");
  EXPECT_EQ(nodes("$.a.b", document), "[]");
  EXPECT_EQ(nodes("$._x9.a", document), "[]");
  EXPECT_EQ(nodes(R"($["\u00e9\uD83D\ude00\b\f\n\r\t\/\\"])", "{\"é😀\\b\\f\\n\\r\\t/\\\\\":7}"),
            "[7]");
}

TEST(JsonPath, IndexesAndSlices) {
  const char* document = R"({"d":[0,1,2,3,4],"o":{"0":1}})";
  EXPECT_EQ(nodes("$.d[0]", document), "[0]");
  EXPECT_EQ(nodes("$.d[-1]", document), "[4]");
  EXPECT_EQ(nodes("$.d[5]", document), "[]");
  EXPECT_EQ(nodes("$.d[-6]", document), "[]");
  EXPECT_EQ(nodes("$.d[9007199254740991]", document), "[]");
  EXPECT_EQ(nodes("$.o[0]", document), "[]");
  EXPECT_EQ(nodes("$.d[1:3]", document), "[1,2]");
  EXPECT_EQ(nodes("$.d[ 1 : 4 : 2 ]", document), "[1,3]");
  EXPECT_EQ(nodes("$.d[::-2]", document), "[4,2,0]");
  EXPECT_EQ(nodes("$.d[-2:]", document), "[3,4]");
  EXPECT_EQ(nodes("$.d[:-3]", document), "[0,1]");
  EXPECT_EQ(nodes("$.d[3:1:-1]", document), "[3,2]");
  EXPECT_EQ(nodes("$.d[::0]", document), "[]");
  EXPECT_EQ(nodes("$.d[-9007199254740991:9007199254740991:9007199254740991]", document), "[0]");
  EXPECT_EQ(nodes("$.d[9007199254740991::-9007199254740991]", document), "[4]");
  EXPECT_EQ(nodes("$.o[:]", document), "[]");
}

TEST(JsonPath, WildcardsUnionsAndDescendants) {
  const char* document = R"({"b":[1,{"x":2}],"a":{"x":[3]}})";
  EXPECT_EQ(nodes("$.*", document), R"([{"x":[3]},[1,{"x":2}]])");
  EXPECT_EQ(nodes("$.b[*]", document), R"([1,{"x":2}])");
  EXPECT_EQ(nodes("$.b[1,0,0]", document), R"([{"x":2},1,1])");
  EXPECT_EQ(nodes("$['b','a']['x',0]", document), "[1,[3]]");
  EXPECT_EQ(nodes("$..x", document), "[[3],2]");
  EXPECT_EQ(nodes("$..[0]", document), "[3,1]");
  EXPECT_EQ(nodes("$..*", document), R"([{"x":[3]},[1,{"x":2}],[3],3,1,{"x":2},2])");
  EXPECT_EQ(nodes("$..['x'][?@ > 2]", document), "[3]");
}

TEST(JsonPath, Comparisons) {
  EXPECT_EQ(filtered("@ == 'a'", R"(["a","A",null,1])"), R"(["a"])");
  EXPECT_EQ(filtered("@ == 1", R"([1,1.0,1e0,"1",true,2])"), "[1,1.0,1.0]");
  EXPECT_EQ(filtered("@ == null", "[null,0,false]"), "[null]");
  EXPECT_EQ(filtered("@ != true", "[true,false,1]"), "[false,1]");
  EXPECT_EQ(filtered("@ < 'b'", R"(["a","b","é",1])"), R"(["a"])");
  EXPECT_EQ(filtered("@ >= 2.5", "[2,2.5,3,\"3\"]"), "[2.5,3]");
  EXPECT_EQ(filtered("@ <= -1", "[-1,-2,0]"), "[-1,-2]");
  EXPECT_EQ(filtered("@ < true", "[false,true]"), "[]");
  EXPECT_EQ(filtered("@ <= true", "[false,true]"), "[true]");
  EXPECT_EQ(filtered("@.a == @.b", R"([{"a":1},{},{"a":1,"b":1},{"b":null}])"),
            R"([{},{"a":1,"b":1}])");
  EXPECT_EQ(filtered("@.a == $.d[0].a", R"([{"a":[1,{"x":1,"y":2}]},{"a":[1,{"y":2,"x":1.0}]},
                                            {"a":[1,{"x":1}]},{"a":[1]}])"),
            R"([{"a":[1,{"x":1,"y":2}]},{"a":[1,{"y":2,"x":1.0}]}])");
}

// Integers of 64 bits are compared as such, also with fractions.
TEST(JsonPath, NumbersAreComparedExactly) {
  EXPECT_EQ(filtered("@ == 9007199254740993", "[9007199254740993,9007199254740992]"),
            "[9007199254740993]");
  EXPECT_EQ(filtered("@ > 9007199254740992.0", "[9007199254740993,9007199254740992]"),
            "[9007199254740993]");
  EXPECT_EQ(filtered("@ < 0.5", "[0,1,-1]"), "[0,-1]");
  EXPECT_EQ(filtered("@ > -0.5", "[0,-1]"), "[0]");
  EXPECT_EQ(filtered("@ < 1e300", "[9223372036854775807,-9223372036854775808]"),
            "[9223372036854775807,-9223372036854775808]");
  EXPECT_EQ(filtered("@ > 9223372036854775807", "[18446744073709551615,9223372036854775807]"),
            "[18446744073709551615]");
  EXPECT_EQ(filtered("@ == -0", "[0,-0.0,0.0]"), "[0,-0.0,0.0]");
}

TEST(JsonPath, LogicAndExistence) {
  const char* document = R"([{"a":1},{"b":null},{"a":0,"b":2},[]])";
  EXPECT_EQ(filtered("@.a", document), R"([{"a":1},{"a":0,"b":2}])");
  EXPECT_EQ(filtered("!@.a", document), R"([{"b":null},[]])");
  EXPECT_EQ(filtered("@.a && @.b", document), R"([{"a":0,"b":2}])");
  EXPECT_EQ(filtered("@.a&&@.b||!@.*", document), R"([{"a":0,"b":2},[]])");
  EXPECT_EQ(filtered(" ( @.a || @.b ) && !( @.b == 2 ) ", document), R"([{"a":1},{"b":null}])");
  EXPECT_EQ(filtered("@[?@ == 2]", document), R"([{"a":0,"b":2}])");
  EXPECT_EQ(filtered("@.*", R"({"x":[1],"y":[],"z":5})"), "[[1]]");
}

TEST(JsonPath, Functions) {
  EXPECT_EQ(filtered("length(@) == 2", R"(["ab","é😀",[1,2],{"a":1,"b":2},2,"abc"])"),
            R"(["ab","é😀",[1,2],{"a":1,"b":2}])");
  EXPECT_EQ(filtered("count(@.*) > 1", "[[1],[1,2],3]"), "[[1,2]]");
  EXPECT_EQ(filtered("count(@..x) == 2", R"([{"x":{"x":1}},{"x":1}])"), R"([{"x":{"x":1}}])");
  EXPECT_EQ(filtered("value(@.*) == 4", "[[4],[4,4],{\"a\":4},4]"), "[[4],{\"a\":4}]");
  EXPECT_EQ(filtered("match(@, 'a.c')", R"(["abc","xabc","ac",1])"), R"(["abc"])");
  EXPECT_EQ(filtered("search(@, 'a.c')", R"(["abc","xabc","ac",1])"), R"(["abc","xabc"])");
  EXPECT_EQ(filtered("search(@.t, @.p)", R"([{"t":"ab","p":"b$"},{"t":"ab","p":"("},{"t":"ab"}])"),
            R"([{"t":"ab","p":"b$"}])");
  EXPECT_EQ(filtered("!match('x', $.none)", "[1]"), "[1]");
  EXPECT_EQ(filtered("length(value(@..n)) == length('ab')", R"([{"n":"xy"},{"n":"x"}])"),
            R"([{"n":"xy"}])");
  // As PostgREST: a query of several nodes stands for its only one.
  EXPECT_EQ(filtered("search(@.*, 'a')", R"([["a"],["a","a"],["b"]])"), R"([["a"]])");
}

TEST(JsonPath, RefusesWhatIsNotWellTyped) {
  for (const char* filter : {"@.* == 1",
                             "1 == @..a",
                             "@[1:2] == 1",
                             "@['a','b'] == 1",
                             "1",
                             "'a'",
                             "true",
                             "!1",
                             "length(@.*) == 1",
                             "length(@)",
                             "count(1) == 1",
                             "count(@)",
                             "value(@.a)",
                             "match(@) == 1",
                             "match(@, 'a') == true",
                             "search(@, 'a', 'b')",
                             "length(match(@, 'a')) == 1",
                             "first(@)",
                             "length (@) == 1",
                             "length(@",
                             "count(count(@)) == 1",
                             "search(@ 'a')",
                             "(@.a) == 1"}) {
    EXPECT_NE(complaint("$[?" + std::string(filter) + "]"), "") << filter;
  }
}

TEST(JsonPath, RefusesBadSyntax) {
  for (const char* path : {"",
                           "a",
                           "@",
                           "$.",
                           "$..",
                           "$...a",
                           "$.*a",
                           "$.[0]",
                           "$..[",
                           "$[?]",
                           "$[? ]",
                           "$[?@",
                           "$[?@.a",
                           "$[?@.a==]",
                           "$[?==1]",
                           "$[?@.a=1]",
                           "$[?@.a===1]",
                           "$[?@<>1]",
                           "$[?@.a && ]",
                           "$[?|| @.a]",
                           "$[?@.a & @.b]",
                           "$[?(@.a]",
                           "$[?@.a)]",
                           "$[?!!@.a]",
                           "$[?! !@.a]",
                           "$[?@ == 01]",
                           "$[?@ == 1.]",
                           "$[?@ == .1]",
                           "$[?@ == +1]",
                           "$[?@ == 1e]",
                           "$[?@ == 1e999]",
                           "$[?@ == True]",
                           "$[?@ == nil]",
                           "$[?@ == 'a]",
                           "$[?@ == \"\\'\"]",
                           "$[0,]",
                           "$[,0]",
                           "$[1:2:3:4]",
                           "$[1::01]",
                           "$[-0:]",
                           "$ ",
                           " $",
                           "$.a ",
                           "$[?search(@, '(')]",
                           "$[?match(@, 'a{2,1}')]"}) {
    EXPECT_NE(complaint(path), "") << path;
  }
  EXPECT_EQ(complaint("$[?@.a == 1 &&]"), "expected a value, a query or a function at position 15");
  EXPECT_EQ(complaint("$[?search(@, 'a)')]"),
            "bad regular expression (unbalanced parenthesis at position 2) at position 18");
}

TEST(JsonPath, BoundsDepth) {
  const auto repeat = [](const std::string& text, size_t n) {
    std::string out;
    for (size_t i = 0; i < n; i++) out += text;
    return out;
  };
  const auto parentheses = [&](size_t n) {
    return "$[?" + repeat("(", n) + "@.a" + repeat(")", n) + "]";
  };
  EXPECT_EQ(complaint(parentheses(20)), "");
  EXPECT_NE(complaint(parentheses(40)), "");
  for (const char* opening : {"(", "@[?", "!(", "length(", "[", "[?("}) {
    EXPECT_NE(complaint("$[?" + repeat(opening, 100000)), "") << opening;
    EXPECT_NE(complaint("$" + repeat(opening, 100000)), "") << opening;
  }
  EXPECT_EQ(complaint("$" + repeat("..*", 1000)), "");
}

// Every segment doubles the nodes: without a bound it would take years.
TEST(JsonPath, BoundsSteps) {
  std::string path = "$";
  for (int i = 0; i < 60; i++) path += "..[*,*]";
  std::string document = "0";
  for (int i = 0; i < 60; i++) document = "[" + document + "]";
  EXPECT_EQ(nodes(path, R"({"d":)" + document + "}"), "gave up");
  std::string text(40000, 'a');
  EXPECT_EQ(filtered("search(@, '(a?){100}b')", "[\"" + text + "\"]"), "gave up");
  std::string pattern(1999, 'a');
  std::string patterns = "[";
  for (int i = 0; i < 1000; i++) patterns += "\"x\",";
  EXPECT_EQ(
      nodes("$.d[?search(@, $.p)]", R"({"d":)" + patterns + "\"x\"],\"p\":\"" + pattern + "\"}"),
      "gave up");
}

TEST(JsonPath, DeepDocumentsAndPaths) {
  std::string document = "1";
  std::string path = "$";
  for (int i = 0; i < 50; i++) {
    document = R"({"a":)" + document + "}";
    path += ".a";
  }
  EXPECT_EQ(nodes(path, document), "[1]");
  EXPECT_EQ(nodes("$..a..a", document).substr(0, 1), "[");
  std::string nested = "@";
  for (int i = 0; i < 15; i++) nested = "@..[?" + nested + "]";
  EXPECT_EQ(nodes("$[?" + nested + "]", document).substr(0, 1), "[");
}

}  // namespace
}  // namespace pgrst::jsonpath
