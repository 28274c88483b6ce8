// The query string as a whole: decoding, kinds of parameters, ranges, the canonical form, and which
// error comes first.
#include "api_request/query_params.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/json.hpp"

namespace pgrst {
namespace {

using Names = std::vector<std::string>;
using RpcParams = std::vector<std::pair<std::string, std::string>>;

QueryParams parse(std::string_view query, bool is_rpc_read = false) {
  auto result = parse_query_params(query, is_rpc_read);
  EXPECT_TRUE(result.ok()) << query << ": " << (result.ok() ? "" : result.error().message);
  return result.ok() ? std::move(result).value() : QueryParams{};
}

Error error(std::string_view query, bool is_rpc_read = false) {
  auto result = parse_query_params(query, is_rpc_read);
  EXPECT_FALSE(result.ok()) << query;
  return result.ok() ? Error{} : std::move(result).error();
}

const OpQuant& quant(const AtPath<Filter>& filter) {
  return std::get<OpQuant>(filter.value.operation);
}

Names filter_values(const QueryParams& params) {
  Names out;
  for (const auto& filter : params.filters) out.push_back(quant(filter).value);
  return out;
}

// -- splitting and decoding ----------------------------------------------------------------------

TEST(QueryParams, EmptyQuerySelectsEverything) {
  const QueryParams params = parse("");
  ASSERT_EQ(params.select.size(), 1u);
  EXPECT_EQ(std::get<SelectField>(params.select[0].item).field.name, "*");
  EXPECT_EQ(params.canonical, "");
  EXPECT_TRUE(params.filters.empty());
  EXPECT_FALSE(params.top_level_range.has_value());
  EXPECT_FALSE(params.columns.has_value());
  EXPECT_FALSE(params.on_conflict.has_value());
}

TEST(QueryParams, SplitsAtAmpersandsAndSemicolons) {
  EXPECT_EQ(filter_values(parse("a=eq.1;b=eq.2&c=eq.3;")), (Names{"1", "2", "3"}));
}

TEST(QueryParams, DecodesNamesAndValues) {
  EXPECT_EQ(filter_values(parse("%61+b=eq.x%26y%3D+z%2B")), (Names{"x&y= z+"}));
  EXPECT_EQ(parse("%61+b=eq.1").filter_fields, (Names{"a b"}));
  EXPECT_EQ(filter_values(parse("a=eq.%zz%4%")), (Names{"%zz%4%"}));
  EXPECT_EQ(filter_values(parse("a=eq.b=c==")), (Names{"b=c=="}));
  EXPECT_EQ(filter_values(parse("a=eq.%00")), (Names{std::string(1, '\0')}));
  EXPECT_EQ(filter_values(parse("a=eq.%C3%A9")), (Names{"\xC3\xA9"}));
}

TEST(QueryParams, RepairsUtf8) {
  EXPECT_EQ(filter_values(parse("a=eq.%FF%C3(")), (Names{"\xEF\xBF\xBD\xEF\xBF\xBD("}));
  EXPECT_EQ(filter_values(parse("a=eq.\xE2\x82")), (Names{"\xEF\xBF\xBD"}));
}

TEST(QueryParams, IgnoresParametersWithoutValue) {
  const QueryParams params = parse("a&select&order&limit&offset&columns&on_conflict&or&&b=eq.1");
  EXPECT_EQ(params.filter_fields, (Names{"b"}));
  EXPECT_EQ(params.select.size(), 1u);
  EXPECT_TRUE(params.order.empty());
  EXPECT_TRUE(params.logic.empty());
  EXPECT_FALSE(params.columns.has_value());
  EXPECT_FALSE(params.on_conflict.has_value());
  EXPECT_FALSE(params.top_level_range.has_value());
}

// The question mark in front of the query is not ours to drop.
TEST(QueryParams, LeadingQuestionMarkBelongsToTheName) {
  EXPECT_EQ(error("?a=eq.1").message, "\"failed to parse tree path (?a)\" (line 1, column 1)");
}

// -- canonical form ------------------------------------------------------------------------------

TEST(QueryParams, CanonicalIsSorted) {
  EXPECT_EQ(parse("b=eq.1&select=x,y&a=eq.2&c").canonical, "a=eq.2&b=eq.1&c=&select=x%2Cy");
}

TEST(QueryParams, CanonicalJoinsRepeatedNames) {
  EXPECT_EQ(parse("a=gt.1&b=eq.2&a=lt.5").canonical, "a=gt.1,lt.5&b=eq.2");
}

TEST(QueryParams, CanonicalEncodesAllButUnreserved) {
  EXPECT_EQ(parse("a=eq.-_.~%20%22(*)'%2B").canonical, "a=eq.-_.~%20%22%28%2A%29%27%2B");
  EXPECT_EQ(parse("a=eq.x&").canonical, "a=eq.x");
  EXPECT_EQ(parse("&a=eq.x").canonical, "=&a=eq.x");
}

TEST(QueryParams, CanonicalEncodesNonAsciiTwice) {
  EXPECT_EQ(parse("a=eq.%C3%A9").canonical, "a=eq.%C3%83%C2%A9");
  EXPECT_EQ(parse("a=eq.%FF").canonical, "a=eq.%C3%BF");
}

// -- select, columns, on_conflict ----------------------------------------------------------------

TEST(QueryParams, FirstOfRepeatedListsCounts) {
  EXPECT_EQ(parse("select=a,b&select=c").select.size(), 2u);
  EXPECT_EQ(parse("select&select=a,b").select.size(), 1u);
  EXPECT_EQ(parse("columns=a&columns=b").columns, (Names{"a"}));
  EXPECT_EQ(parse("select=").select.size(), 0u);
}

TEST(QueryParams, ColumnsAreASet) {
  EXPECT_EQ(parse("columns=c,a,b,a").columns, (Names{"a", "b", "c"}));
  EXPECT_EQ(parse("on_conflict=c,a,a").on_conflict, (Names{"c", "a", "a"}));
}

// -- filters -------------------------------------------------------------------------------------

TEST(QueryParams, FiltersKeepTheirOrder) {
  const QueryParams params = parse("b=eq.1&x.a=gt.2&b=not.lt.3");
  ASSERT_EQ(params.filters.size(), 3u);
  EXPECT_EQ(params.filters[0].path, EmbedPath{});
  EXPECT_EQ(params.filters[1].path, EmbedPath{"x"});
  EXPECT_EQ(params.filters[1].value.field.name, "a");
  EXPECT_TRUE(params.filters[2].value.negated);
  EXPECT_EQ(params.filter_fields, (Names{"b", "x.a"}));
}

TEST(QueryParams, ReservedNamesAreReservedAtTheRootOnly) {
  EXPECT_EQ(parse("a.select=eq.1").filters[0].value.field.name, "select");
  EXPECT_EQ(parse("a.columns=eq.1").filters.size(), 1u);
  EXPECT_TRUE(parse("a.order=x").filters.empty());
}

TEST(QueryParams, RpcArgumentsAreWhatIsNoFilter) {
  const QueryParams params = parse("a=1&b=eq.2&x.c=three", true);
  EXPECT_EQ(params.rpc_params, (RpcParams{{"a", "1"}, {"c", "three"}}));
  ASSERT_EQ(params.filters.size(), 1u);
  EXPECT_EQ(params.filters[0].value.field.name, "b");
  EXPECT_EQ(params.filter_fields, (Names{"a", "b", "x.c"}));
  EXPECT_EQ(error("a=1").code, "PGRST100");
  EXPECT_EQ(error("a=not.x", true).message,
            "\"failed to parse filter (not.x)\" (line 1, column 5)");
}

// -- order and logic -----------------------------------------------------------------------------

TEST(QueryParams, OrderAndLogicByLevel) {
  const QueryParams params = parse("order=a.desc&x.y.order=b,c&or=(a.eq.1)&x.not.and=(b.eq.2)");
  ASSERT_EQ(params.order.size(), 2u);
  EXPECT_EQ(params.order[0].path, EmbedPath{});
  EXPECT_EQ(params.order[1].path, (EmbedPath{"x", "y"}));
  EXPECT_EQ(params.order[1].value.size(), 2u);
  ASSERT_EQ(params.logic.size(), 2u);
  EXPECT_EQ(params.logic[0].path, EmbedPath{});
  EXPECT_EQ(params.logic[1].path, EmbedPath{"x"});
  EXPECT_TRUE(std::get<LogicExpr>(params.logic[1].value.node).negated);
  EXPECT_TRUE(params.filters.empty());
}

// -- ranges --------------------------------------------------------------------------------------

std::optional<NonnegRange> top(std::string_view query) { return parse(query).top_level_range; }

TEST(QueryParams, RangesOfTheTopLevel) {
  EXPECT_EQ(top("limit=5"), (NonnegRange{0, 5}));
  EXPECT_EQ(top("offset=7"), (NonnegRange{7, {}}));
  EXPECT_EQ(top("limit=5&offset=7"), (NonnegRange{7, 5}));
  EXPECT_EQ(top("offset=7&limit=5"), (NonnegRange{7, 5}));
  EXPECT_EQ(top("limit=0"), (NonnegRange{0, 0}));
  EXPECT_EQ(top("limit=-1"), (NonnegRange{0, -1}));
  EXPECT_EQ(top("offset=-3"), (NonnegRange{-3, {}}));
  EXPECT_EQ(top("limit=1&limit=2"), (NonnegRange{0, 2}));
}

TEST(QueryParams, UnreadableNumbers) {
  EXPECT_EQ(top("limit=x"), NonnegRange{});
  EXPECT_EQ(top("limit="), NonnegRange{});
  EXPECT_EQ(top("offset=x"), NonnegRange{});
  EXPECT_EQ(top("limit=5&offset=x"), (NonnegRange{0, 5}));
  EXPECT_EQ(top("limit=x&offset=5"), (NonnegRange{5, 0}));
  EXPECT_EQ(top("limit=3&limit=x"), NonnegRange{});
}

TEST(QueryParams, RangesOfEmbeddedLevels) {
  const QueryParams params = parse("x.limit=1&x.y.offset=2&x.offset=3&limit=4");
  EXPECT_EQ(params.top_level_range, (NonnegRange{0, 4}));
  EXPECT_EQ(params.ranges,
            (std::vector<AtPath<NonnegRange>>{{{"x"}, {3, 1}}, {{"x", "y"}, {2, {}}}}));
}

TEST(QueryParams, NumbersMayReachBeyondBigint) {
  EXPECT_EQ(top("limit=9223372036854775808"), (NonnegRange{0, RowNumber{1} << 63}));
  EXPECT_EQ(top("limit=5&offset=-9223372036854775809"),
            (NonnegRange{-(RowNumber{1} << 63) - 1, 5}));
  EXPECT_EQ(top("offset=-" + std::string(1000000, '9')), (NonnegRange{-kMaxRowNumber, {}}));
}

// -- errors --------------------------------------------------------------------------------------

TEST(QueryParamsErrors, ComeInTheOrderOfEvaluation) {
  const std::vector<std::pair<std::string, std::string>> parts = {
      {"order=!", "order"},
      {"or=!", "logic tree"},
      {"columns=!", "columns parameter"},
      {"select=a!", "select parameter"},
      {"f=!", "filter"},
      {"on_conflict=!", "on_conflict parameter"},
      {"!.limit=1", "tree path"}};
  for (size_t first = 0; first < parts.size(); first++) {
    std::string query;
    for (size_t i = parts.size(); i > first; i--) query += parts[i - 1].first + "&";
    EXPECT_TRUE(error(query).message.starts_with("\"failed to parse " + parts[first].second + " ("))
        << query << " " << error(query).message;
  }
}

TEST(QueryParamsErrors, NameComesBeforeValue) {
  EXPECT_EQ(error("!=x").message, "\"failed to parse tree path (!)\" (line 1, column 1)");
  EXPECT_EQ(error("!.order=!").message,
            "\"failed to parse tree path (!.order)\" (line 1, column 1)");
  EXPECT_EQ(error("!.or=!").message, "\"failed to parse logic path (!.or)\" (line 1, column 1)");
}

TEST(QueryParamsErrors, ShowDecodedText) {
  const Error actual = error("a=%E2%82%AC%22");
  EXPECT_EQ(actual.status, 400);
  EXPECT_EQ(actual.code, "PGRST100");
  EXPECT_EQ(actual.message, "\"failed to parse filter (\xE2\x82\xAC\")\" (line 1, column 1)");
  EXPECT_EQ(actual.details_json,
            json_string("unexpected \"\\8364\" expecting \"not\" or operator (eq, gt, ...)"));
  EXPECT_FALSE(actual.hint.has_value());
}

// -- hostile input -------------------------------------------------------------------------------

TEST(QueryParamsBounds, TimeIsLinear) {
  constexpr size_t kBytes = 1 << 18;
  for (const char* unit :
       {"&", "a&", "a=eq.1&", "a.limit=1&", "=", "%", "%ff", "+", "a.", "(", "9"}) {
    std::string text;
    while (text.size() < kBytes) text += unit;
    (void)parse_query_params(text, false);
    (void)parse_query_params(text, true);
    (void)parse_query_params("limit=" + text, true);
  }
}

TEST(QueryParamsBounds, ManyDistinctNames) {
  std::string query;
  for (int i = 0; i < 20000; i++) {
    const std::string number = std::to_string(i);
    query.append("c").append(number).append("=eq.1&r").append(number).append(".limit=1&");
  }
  const QueryParams params = parse(query);
  EXPECT_EQ(params.filters.size(), 20000u);
  EXPECT_EQ(params.ranges.size(), 20000u);
}

}  // namespace
}  // namespace pgrst
