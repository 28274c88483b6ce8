// The grammar of query parameters: what each rule reads, and the bytes of its syntax errors. The
// expected errors are those of Parsec 3.1.18 running PostgREST's grammar.
#include "api_request/query_grammar.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/json.hpp"

namespace pgrst {
namespace {

// -- helpers -------------------------------------------------------------------------------------

template <class T>
T ok(Result<T> result) {
  EXPECT_TRUE(result.ok()) << (result.ok() ? ""
                                           : result.error().message + " " +
                                                 result.error().details_json.value_or(""));
  return result.ok() ? std::move(result).value() : T{};
}

Field field(std::string name, JsonPath path = {}) { return {std::move(name), std::move(path)}; }

SelectItem column(std::string name) {
  SelectField out;
  out.field.name = std::move(name);
  return {out, {}};
}

std::vector<SelectItem> select(std::string_view text) { return ok(parse_select(text)); }

SelectField only_field(std::string_view text) {
  const auto items = select(text);
  EXPECT_EQ(items.size(), 1u) << text;
  if (items.size() != 1 || !std::holds_alternative<SelectField>(items[0].item)) {
    ADD_FAILURE() << "not one field: " << text;
    return {};
  }
  return std::get<SelectField>(items[0].item);
}

OperatorExpr filter(std::string_view text) { return ok(parse_filter_value(text)); }

template <class Op>
Op operation(std::string_view text) {
  const OperatorExpr expr = filter(text);
  EXPECT_FALSE(expr.negated) << text;
  if (!std::holds_alternative<Op>(expr.operation)) {
    ADD_FAILURE() << "another operation: " << text;
    return {};
  }
  return std::get<Op>(expr.operation);
}

OrderTerm order_term(std::string_view text) {
  const auto terms = ok(parse_order_value(text));
  EXPECT_EQ(terms.size(), 1u) << text;
  return terms.empty() ? OrderTerm{} : terms[0];
}

std::string repeat(std::string_view unit, size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += unit;
  return out;
}

// -- syntax errors -------------------------------------------------------------------------------

struct SyntaxError {
  GrammarRule rule;
  const char* text;
  int column;
  const char* details;
};

constexpr SyntaxError kSyntaxErrors[] = {
    {GrammarRule::kFilter, "equals.1", 3, "unexpected \"u\" expecting operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "eq", 3, "unexpected end of input expecting operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "gte", 4, "unexpected end of input expecting operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "eq(some).1", 4, "unexpected \"s\" expecting operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "not.", 5, "unexpected end of input expecting operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "not.not.eq.1", 5, "unexpected \"n\" expecting operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "in.", 4, "unexpected end of input expecting \"(\""},
    {GrammarRule::kFilter, "in.1", 4, "unexpected \"1\" expecting \"(\""},
    {GrammarRule::kFilter, "in.(1,2", 8, "unexpected end of input expecting \",\" or \")\""},
    {GrammarRule::kFilter, "is.nil", 5,
     "unexpected \"i\" expecting isVal: (null, not_null, true, false, unknown)"},
    {GrammarRule::kFilter, "is.no", 6,
     "unexpected end of input expecting isVal: (null, not_null, true, false, unknown)"},
    {GrammarRule::kFilter, "fts(en-US).x", 7, "unexpected \"-\" expecting operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "\303\251q.1", 1,
     "unexpected \"\\233\" expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "\n", 1,
     "unexpected \"\\n\" expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "\"", 1,
     "unexpected \"\\\"\" expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "'", 1, "unexpected \"'\" expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "\177", 1,
     "unexpected \"\\DEL\" expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "\016", 1,
     "unexpected \"\\SO\" expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "\360\237\230\200", 1,
     "unexpected \"\\128512\" expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "eq(any.1", 7, "unexpected \".\" expecting operator (eq, gt, ...)"},
    {GrammarRule::kFilter, "", 1,
     "unexpected end of input expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kSelect, "a,,b", 3,
     "unexpected \",\" expecting \"...\", field name (* or [a..z0..9_$]), \"*\" or \"count()\""},
    {GrammarRule::kSelect, "a b;c", 4,
     "unexpected ';' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" "
     "or end of input"},
    {GrammarRule::kSelect, "price::", 8, "unexpected end of input expecting letter or digit"},
    {GrammarRule::kSelect, "price:", 7,
     "unexpected end of input expecting \":\" or field name (* or [a..z0..9_$])"},
    {GrammarRule::kSelect, "total.median()", 7,
     "unexpected \"m\" expecting \"sum\", \"avg\", \"count\", \"max\" or \"min\""},
    {GrammarRule::kSelect, "total.sum", 10, "unexpected end of input expecting \"()\""},
    {GrammarRule::kSelect, "total.min(", 10, "unexpected end of input expecting \"()\""},
    {GrammarRule::kSelect, "orders(id", 10,
     "unexpected end of input expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", "
     "\")\", \",\" or end of input"},
    {GrammarRule::kSelect, "orders!(id)", 7,
     "unexpected '!' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" "
     "or end of input"},
    {GrammarRule::kSelect, "orders!inner", 7,
     "unexpected '!' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" "
     "or end of input"},
    {GrammarRule::kSelect, "doc->", 6,
     "unexpected end of input expecting \"-\", digit or any non reserved character different from: "
     ".,>()"},
    {GrammarRule::kSelect, "doc->>a b->-x", 13, "unexpected \"x\" expecting digit"},
    {GrammarRule::kSelect, "count(id)", 6,
     "unexpected '(' expecting letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" "
     "or end of input"},
    {GrammarRule::kSelect, "\"open", 6, "unexpected end of input expecting \"\\\\\" or \"\\\"\""},
    {GrammarRule::kSelect, "\"esc\\", 6, "unexpected end of input"},
    {GrammarRule::kSelect, "a\tb!", 9,
     "unexpected 'b' expecting \"::\", \".\", \")\", \",\" or end of input"},
    {GrammarRule::kSelect, "a,\n!", 3,
     "unexpected \"\\n\" expecting \"...\", field name (* or [a..z0..9_$]), \"*\" or \"count()\""},
    {GrammarRule::kSelect, "a->b!c,(", 8,
     "unexpected \"(\" expecting \"...\", field name (* or [a..z0..9_$]), \"*\" or \"count()\""},
    {GrammarRule::kSelect, "na\303\257ve,\342\202\254", 7,
     "unexpected \"\\8364\" expecting \"...\", field name (* or [a..z0..9_$]), \"*\" or "
     "\"count()\""},
    {GrammarRule::kOrder, "name.up", 6,
     "unexpected \"u\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""},
    {GrammarRule::kOrder, "name.asc.nullsmiddle", 10,
     "unexpected \"m\" expecting \"nullsfirst\" or \"nullslast\""},
    {GrammarRule::kOrder, "name.ascending", 9,
     "unexpected 'e' expecting delimiter (.), \",\" or end of input"},
    {GrammarRule::kOrder, "a,", 3,
     "unexpected end of input expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kOrder, "", 1,
     "unexpected end of input expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kOrder, "author(name", 7,
     "unexpected '(' expecting letter, digit, \"-\", \"->>\", \"->\", delimiter (.), \",\" or end "
     "of input"},
    {GrammarRule::kOrder, "author(name).asc.x", 7,
     "unexpected '(' expecting letter, digit, \"-\", \"->>\", \"->\", delimiter (.), \",\" or end "
     "of input"},
    {GrammarRule::kOrder, "name.desc desc", 10,
     "unexpected ' ' expecting delimiter (.), \",\" or end of input"},
    {GrammarRule::kOrder, "doc->k.down", 8,
     "unexpected \"d\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""},
    {GrammarRule::kLogicTree, "and()", 5,
     "unexpected \")\" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic "
     "operator (and, or)"},
    {GrammarRule::kLogicTree, "and(a.eq.1", 11, "unexpected end of input expecting \",\" or \")\""},
    {GrammarRule::kLogicTree, "and(a.eq.1,)", 12,
     "unexpected \")\" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic "
     "operator (and, or)"},
    {GrammarRule::kLogicTree, "xor(a.eq.1)", 4,
     "unexpected \"(\" expecting letter, digit, \"-\", \"->>\", \"->\" or delimiter (.)"},
    {GrammarRule::kLogicTree, "or(a.in.(1,2)", 14,
     "unexpected end of input expecting \",\" or \")\""},
    {GrammarRule::kLogicTree, "or(a.foo.1)", 6,
     "unexpected \"f\" expecting \"not\" or operator (eq, gt, ...)"},
    {GrammarRule::kLogicTree, "or(a)", 5,
     "unexpected \")\" expecting letter, digit, \"-\", \"->>\", \"->\" or delimiter (.)"},
    {GrammarRule::kLogicTree, "or(a.eq.{1}2)", 12, "unexpected \"2\" expecting \",\" or \")\""},
    {GrammarRule::kLogicTree, "not.nand(a.eq.1)", 5,
     "unexpected \"n\" expecting logic operator (and, or)"},
    {GrammarRule::kLogicTree, "or", 3, "unexpected end of input expecting \"(\""},
    {GrammarRule::kLogicTree, "or a", 4, "unexpected \"a\" expecting \"(\""},
    {GrammarRule::kLogicPath, "", 1,
     "unexpected end of input expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kLogicPath, "a..or", 3,
     "unexpected \".\" expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kLogicPath, "+", 1, "unexpected \"+\" expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kTreePath, "", 1,
     "unexpected end of input expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kTreePath, ".a", 1, "unexpected \".\" expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kTreePath, "a.", 3,
     "unexpected end of input expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kTreePath, "a->", 4,
     "unexpected end of input expecting \"-\", digit or any non reserved character different from: "
     ".,>()"},
    {GrammarRule::kColumns, "", 1,
     "unexpected end of input expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kColumns, "a,", 3,
     "unexpected end of input expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kColumns, "a,\"b", 5, "unexpected end of input expecting \"\\\\\" or \"\\\"\""},
    {GrammarRule::kJsonPath, "->", 3,
     "unexpected end of input expecting \"-\", digit or any non reserved character different from: "
     ".,>()"},
    {GrammarRule::kJsonPath, "->>(k", 4,
     "unexpected \"(\" expecting \"-\", digit or any non reserved character different from: .,>()"},
    {GrammarRule::kJsonPath, "->--1", 4, "unexpected \"-\" expecting digit"},
    {GrammarRule::kFieldName, "\t", 1,
     "unexpected \"\\t\" expecting field name (* or [a..z0..9_$])"},
    {GrammarRule::kRelation, "count(x)", 6, "unexpected \"(\" expecting letter, digit or \"-\""},
    {GrammarRule::kRelation, "a b", 4,
     "unexpected end of input expecting letter, digit, \"-\", \"!\" or \"(\""},
    {GrammarRule::kSelectField, "", 1,
     "unexpected end of input expecting \"*\", field name (* or [a..z0..9_$]) or \"count()\""},
    {GrammarRule::kSpread, "..", 1, "unexpected end of input expecting \"...\""},
    {GrammarRule::kFilter, "like(all", 9,
     "unexpected end of input expecting operator (eq, gt, ...)"},
};

TEST(QueryGrammarErrors, ReadAsParsecs) {
  for (const SyntaxError& expected : kSyntaxErrors) {
    const GrammarOutcome actual = run_grammar_rule(expected.rule, expected.text, true);
    EXPECT_FALSE(actual.ok) << expected.text;
    EXPECT_EQ(actual.position, "(line 1, column " + std::to_string(expected.column) + ")")
        << expected.text;
    EXPECT_EQ(actual.details, expected.details) << expected.text;
    EXPECT_FALSE(run_grammar_rule(expected.rule, expected.text, false).ok) << expected.text;
  }
}

TEST(QueryGrammarErrors, CountCodePointsTabsAndLines) {
  const auto position = [](std::string_view text) {
    return run_grammar_rule(GrammarRule::kSelect, text, true).position;
  };
  EXPECT_EQ(position("\xC3\xA9\xE4\xB8\xAD,!"), "(line 1, column 4)");
  EXPECT_EQ(position("\t,!"), "(line 1, column 9)");
  EXPECT_EQ(position("\ta,!"), "(line 1, column 11)");
  EXPECT_EQ(position("a->x\ny,\t!"), "(line 2, column 9)");
}

TEST(QueryGrammarErrors, ShowNulLikeOtherControls) {
  using namespace std::string_view_literals;
  EXPECT_EQ(run_grammar_rule(GrammarRule::kColumns, "\0"sv, true).details,
            "unexpected \"\\NUL\" expecting field name (* or [a..z0..9_$])");
}

TEST(QueryGrammarErrors, NameTheParameter) {
  const auto expect = [](const Error& error, std::string_view message, std::string_view details) {
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(error.code, "PGRST100");
    EXPECT_EQ(error.message, message);
    EXPECT_EQ(error.details_json, json_string(details));
  };
  expect(parse_select("a(").error(), "\"failed to parse select parameter (a()\" (line 1, column 3)",
         "unexpected end of input expecting \"...\", field name (* or [a..z0..9_$]), \"*\", "
         "\"count()\" or \")\"");
  expect(parse_columns("").error(), "\"failed to parse columns parameter ()\" (line 1, column 1)",
         "unexpected end of input expecting field name (* or [a..z0..9_$])");
  expect(parse_on_conflict("a,").error(),
         "\"failed to parse on_conflict parameter (a,)\" (line 1, column 3)",
         "unexpected end of input expecting field name (* or [a..z0..9_$])");
  expect(parse_tree_path("a.!").error(), "\"failed to parse tree path (a.!)\" (line 1, column 3)",
         "unexpected \"!\" expecting field name (* or [a..z0..9_$])");
  expect(parse_filter_value("5").error(), "\"failed to parse filter (5)\" (line 1, column 1)",
         "unexpected \"5\" expecting \"not\" or operator (eq, gt, ...)");
  expect(parse_order_value("a.x").error(), "\"failed to parse order (a.x)\" (line 1, column 3)",
         "unexpected \"x\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"");
  expect(parse_logic("!.or", "(a.eq.1)").error(),
         "\"failed to parse logic path (!.or)\" (line 1, column 1)",
         "unexpected \"!\" expecting field name (* or [a..z0..9_$])");
  // The column counts the operator that was put in front.
  expect(parse_logic("not.or", "()").error(),
         "\"failed to parse logic tree (())\" (line 1, column 8)",
         "unexpected \")\" expecting field name (* or [a..z0..9_$]), negation operator (not) or "
         "logic operator (and, or)");
}

// -- names ---------------------------------------------------------------------------------------

TEST(QueryGrammarNames, AreTrimmedUnlessQuoted) {
  EXPECT_EQ(ok(parse_columns("a b, c-d ,\" e \"")),
            (std::vector<std::string>{"a b", "c-d", " e "}));
  EXPECT_EQ(ok(parse_columns("a - b")), (std::vector<std::string>{"a-b"}));
  EXPECT_EQ(ok(parse_columns("   ")), (std::vector<std::string>{""}));
  EXPECT_EQ(ok(parse_columns("$1,_,007")), (std::vector<std::string>{"$1", "_", "007"}));
}

TEST(QueryGrammarNames, MayBeAnyLetters) {
  EXPECT_EQ(ok(parse_columns("\xC3\xA9t\xC3\xA9,\xE6\x9C\xAA,\xD0\xBF")),
            (std::vector<std::string>{"\xC3\xA9t\xC3\xA9", "\xE6\x9C\xAA", "\xD0\xBF"}));
  // U+20AC is no letter, U+0663 no ASCII digit.
  EXPECT_FALSE(parse_columns("\xE2\x82\xAC").ok());
  EXPECT_FALSE(parse_columns("\xD9\xA3").ok());
}

TEST(QueryGrammarNames, UnescapeInQuotes) {
  EXPECT_EQ(ok(parse_columns(R"("a\"b","c\\d","e\f","")")),
            (std::vector<std::string>{"a\"b", "c\\d", "ef", ""}));
  EXPECT_EQ(ok(parse_columns("\"\\\xC3\xA9\"")), (std::vector<std::string>{"\xC3\xA9"}));
}

TEST(QueryGrammarNames, IgnoreWhatFollowsTheLast) {
  EXPECT_EQ(ok(parse_columns("a,b!c")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(ok(parse_columns("a->b")), (std::vector<std::string>{"a"}));
}

TEST(QueryGrammarNames, TreePaths) {
  EXPECT_EQ(ok(parse_tree_path("id")), (TreePath{{}, field("id")}));
  EXPECT_EQ(ok(parse_tree_path("a.\"b.c\".d")), (TreePath{{"a", "b.c"}, field("d")}));
  EXPECT_EQ(ok(parse_tree_path("a.d->k->>0")),
            (TreePath{{"a"}, field("d", {{false, false, "k"}, {true, true, "+0"}})}));
  EXPECT_EQ(ok(parse_tree_path("a!x.b")), (TreePath{{}, field("a")}));
}

TEST(QueryGrammarNames, JsonPaths) {
  const auto path = [](std::string_view text) { return ok(parse_tree_path(text)).field.json_path; };
  EXPECT_EQ(path("d->k"), (JsonPath{{false, false, "k"}}));
  EXPECT_EQ(path("d->>k"), (JsonPath{{true, false, "k"}}));
  EXPECT_EQ(path("d->1"), (JsonPath{{false, true, "+1"}}));
  EXPECT_EQ(path("d->>-2"), (JsonPath{{true, true, "-2"}}));
  EXPECT_EQ(path("d->1x"), (JsonPath{{false, false, "1x"}}));
  EXPECT_EQ(path("d->!@#$%^&*_a"), (JsonPath{{false, false, "!@#$%^&*_a"}}));
  EXPECT_EQ(path("d-> a b -c"), (JsonPath{{false, false, "a b-c"}}));
  EXPECT_EQ(path("d->\"a->b\"->c"), (JsonPath{{false, false, "a->b"}, {false, false, "c"}}));
  // Unicode spaces are stripped here.
  EXPECT_EQ(path("d->\xE2\x80\x89k\xC2\xA0"), (JsonPath{{false, false, "k"}}));
}

// -- select --------------------------------------------------------------------------------------

TEST(QueryGrammarSelect, Columns) {
  EXPECT_EQ(select(""), std::vector<SelectItem>{});
  EXPECT_EQ(select("*"), (std::vector{column("*")}));
  EXPECT_EQ(select("id, name ,\"x,y\""),
            (std::vector{column("id"), column("name"), column("x,y")}));
  EXPECT_EQ(only_field("full:name").alias, "full");
  EXPECT_EQ(only_field("price::text").cast, "text");
  EXPECT_EQ(only_field("price::double precision").cast, "double precision");
  EXPECT_EQ(only_field("doc->a->>b").field,
            field("doc", {{false, false, "a"}, {true, false, "b"}}));
}

TEST(QueryGrammarSelect, AllPartsOfAColumn) {
  SelectField expected;
  expected.alias = "total";
  expected.field = field("doc", {{true, false, "price"}});
  expected.cast = "numeric";
  expected.aggregate = AggregateFunction::kSum;
  expected.aggregate_cast = "int";
  EXPECT_EQ(only_field("total:doc->>price::numeric.sum()::int"), expected);
}

TEST(QueryGrammarSelect, Aggregates) {
  EXPECT_EQ(only_field("a.sum()").aggregate, AggregateFunction::kSum);
  EXPECT_EQ(only_field("a.avg()").aggregate, AggregateFunction::kAvg);
  EXPECT_EQ(only_field("a.count()").aggregate, AggregateFunction::kCount);
  EXPECT_EQ(only_field("a.max()").aggregate, AggregateFunction::kMax);
  EXPECT_EQ(only_field("a.min()").aggregate, AggregateFunction::kMin);

  SelectField count;
  count.field.name = "*";
  count.aggregate = AggregateFunction::kCount;
  EXPECT_EQ(only_field("count()"), count);
  count.alias = "n";
  count.aggregate_cast = "text";
  EXPECT_EQ(only_field("n:count()::text"), count);
  EXPECT_EQ(only_field("count").field.name, "count");
}

TEST(QueryGrammarSelect, Relations) {
  const auto relation = [](std::string_view text) {
    const auto items = select(text);
    EXPECT_EQ(items.size(), 1u) << text;
    EXPECT_EQ(items[0].children, (std::vector{column("id")})) << text;
    return std::get<SelectRelation>(items[0].item);
  };
  EXPECT_EQ(relation("orders(id)"), (SelectRelation{"orders", {}, {}, {}}));
  EXPECT_EQ(relation(" o : orders (id)"), (SelectRelation{"orders", "o", {}, {}}));
  EXPECT_EQ(relation("orders!fk(id)"), (SelectRelation{"orders", {}, "fk", {}}));
  EXPECT_EQ(relation("orders!left(id)"), (SelectRelation{"orders", {}, {}, JoinType::kLeft}));
  EXPECT_EQ(relation("o:orders!fk!inner(id)"),
            (SelectRelation{"orders", "o", "fk", JoinType::kInner}));
  EXPECT_EQ(relation("orders!inner!fk(id)"),
            (SelectRelation{"orders", {}, "fk", JoinType::kInner}));
  EXPECT_EQ(relation("orders!fk!other(id)"), (SelectRelation{"orders", {}, "fk", {}}));
  EXPECT_FALSE(parse_select("orders!a!b!c(id)").ok());
  EXPECT_FALSE(parse_select("orders!leftover(id)").ok());
  EXPECT_FALSE(parse_select("count(id)").ok());
}

TEST(QueryGrammarSelect, Spreads) {
  const auto items = select("...orders!fk!inner(id),name");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(std::get<SpreadRelation>(items[0].item),
            (SpreadRelation{"orders", "fk", JoinType::kInner}));
  EXPECT_EQ(items[0].children, (std::vector{column("id")}));
  EXPECT_EQ(items[1], column("name"));
}

TEST(QueryGrammarSelect, Nesting) {
  const auto items = select("a,b(c(d,e()),f),g");
  ASSERT_EQ(items.size(), 3u);
  ASSERT_EQ(items[1].children.size(), 2u);
  EXPECT_EQ(items[1].children[0].children.size(), 2u);
  EXPECT_EQ(items[1].children[0].children[1].children.size(), 0u);
  EXPECT_EQ(items[1].children[1], column("f"));
}

TEST(QueryGrammarSelect, StopsWhereNothingFits) {
  EXPECT_EQ(select("*x"), std::vector<SelectItem>{});
  EXPECT_EQ(select("...orders"), std::vector<SelectItem>{});
  EXPECT_EQ(select("id)x"), (std::vector{column("id")}));
}

// -- filters -------------------------------------------------------------------------------------

TEST(QueryGrammarFilter, SimpleOperators) {
  using enum SimpleOperator;
  const std::pair<const char*, SimpleOperator> operators[] = {
      {"neq", kNotEqual},        {"cs", kContains},        {"cd", kContained},
      {"ov", kOverlap},          {"sl", kStrictlyLeft},    {"sr", kStrictlyRight},
      {"nxr", kNotExtendsRight}, {"nxl", kNotExtendsLeft}, {"adj", kAdjacent}};
  for (const auto& [word, op] : operators) {
    EXPECT_EQ(operation<OpSimple>(std::string(word) + ".{1,2}"), (OpSimple{op, "{1,2}"}));
    EXPECT_FALSE(parse_filter_value(std::string(word) + "(any).1").ok()) << word;
  }
}

TEST(QueryGrammarFilter, QuantifiedOperators) {
  using enum QuantOperator;
  const std::pair<const char*, QuantOperator> operators[] = {
      {"eq", kEqual},          {"gte", kGreaterThanEqual}, {"gt", kGreaterThan},
      {"lte", kLessThanEqual}, {"lt", kLessThan},          {"like", kLike},
      {"ilike", kILike},       {"match", kMatch},          {"imatch", kIMatch}};
  for (const auto& [name, op] : operators) {
    const std::string word = name;
    EXPECT_EQ(operation<OpQuant>(word + ".x"), (OpQuant{op, {}, "x"}));
    EXPECT_EQ(operation<OpQuant>(word + "(any).{x}"), (OpQuant{op, Quantifier::kAny, "{x}"}));
    EXPECT_EQ(operation<OpQuant>(word + "(all)."), (OpQuant{op, Quantifier::kAll, ""}));
  }
}

TEST(QueryGrammarFilter, ValuesAreTakenWhole) {
  EXPECT_EQ(operation<OpQuant>("eq. a.b,c)\"d\\").value, " a.b,c)\"d\\");
  EXPECT_EQ(operation<OpQuant>("eq.\"quoted\"").value, "\"quoted\"");
  EXPECT_EQ(operation<OpQuant>(std::string_view("eq.a\0b", 6)).value, std::string("a\0b", 3));
  EXPECT_EQ(operation<OpIsDistinctFrom>("isdistinct.5").value, "5");
}

TEST(QueryGrammarFilter, Negation) {
  const OperatorExpr expr = filter("not.eq.1");
  EXPECT_TRUE(expr.negated);
  EXPECT_EQ(std::get<OpQuant>(expr.operation), (OpQuant{QuantOperator::kEqual, {}, "1"}));
  EXPECT_TRUE(filter("not.in.(1)").negated);
  EXPECT_TRUE(filter("not.is.null").negated);
}

TEST(QueryGrammarFilter, Lists) {
  using Values = std::vector<std::string>;
  const auto values = [](std::string_view text) { return operation<OpIn>(text).values; };
  EXPECT_EQ(values("in.(1,2,3)"), (Values{"1", "2", "3"}));
  EXPECT_EQ(values("in.()"), (Values{""}));
  EXPECT_EQ(values("in.(,)"), (Values{"", ""}));
  EXPECT_EQ(values("in. ( a , b ) "), (Values{"a ", " b "}));
  EXPECT_EQ(values(R"(in.("a,b","c)d","e\"f\\g"))"), (Values{"a,b", "c)d", "e\"f\\g"}));
  // A quote that ends before the element does is no quote.
  EXPECT_EQ(values(R"(in.("a"b,c"d",""))"), (Values{"\"a\"b", "c\"d\"", ""}));
  EXPECT_EQ(values("in.(\"open)"), (Values{"\"open"}));
  EXPECT_EQ(values("in.(1)ignored"), (Values{"1"}));
}

TEST(QueryGrammarFilter, Is) {
  const std::pair<const char*, IsValue> words[] = {{"null", IsValue::kNull},
                                                   {"not_null", IsValue::kNotNull},
                                                   {"true", IsValue::kTrue},
                                                   {"false", IsValue::kFalse},
                                                   {"unknown", IsValue::kUnknown}};
  for (const auto& [word, value] : words) {
    EXPECT_EQ(operation<OpIs>(std::string("is.") + word).value, value);
  }
  EXPECT_EQ(operation<OpIs>("is.NoT_nUlL").value, IsValue::kNotNull);
  EXPECT_EQ(operation<OpIs>("is.nullable").value, IsValue::kNull);
}

TEST(QueryGrammarFilter, FullTextSearch) {
  using enum FtsOperator;
  EXPECT_EQ(operation<OpFts>("fts.cat"), (OpFts{kFts, {}, "cat"}));
  EXPECT_EQ(operation<OpFts>("plfts(english).a b"), (OpFts{kPlain, "english", "a b"}));
  EXPECT_EQ(operation<OpFts>("phfts.x"), (OpFts{kPhrase, {}, "x"}));
  EXPECT_EQ(operation<OpFts>("wfts( simple ).x"), (OpFts{kWebsearch, "simple", "x"}));
}

TEST(QueryGrammarFilter, RpcArguments) {
  EXPECT_EQ(ok(parse_rpc_value("eq.1")), (std::optional{filter("eq.1")}));
  EXPECT_EQ(ok(parse_rpc_value("plain")), std::nullopt);
  EXPECT_EQ(ok(parse_rpc_value("")), std::nullopt);
  EXPECT_EQ(ok(parse_rpc_value("equal.1")), std::nullopt);
  // Too far into an operator expression to be anything else.
  EXPECT_FALSE(parse_rpc_value("not.yet").ok());
  EXPECT_FALSE(parse_rpc_value("in.side").ok());
  EXPECT_FALSE(parse_rpc_value("is.it").ok());
}

// -- order ---------------------------------------------------------------------------------------

TEST(QueryGrammarOrder, Terms) {
  EXPECT_EQ(order_term("a"), (OrderTerm{{}, field("a"), {}, {}}));
  EXPECT_EQ(order_term("a.desc"), (OrderTerm{{}, field("a"), OrderDirection::kDesc, {}}));
  EXPECT_EQ(order_term("a.nullsfirst"), (OrderTerm{{}, field("a"), {}, OrderNulls::kFirst}));
  EXPECT_EQ(order_term(" d->k->>-1.asc.nullslast"),
            (OrderTerm{{},
                       field("d", {{false, false, "k"}, {true, true, "-1"}}),
                       OrderDirection::kAsc,
                       OrderNulls::kLast}));
  EXPECT_EQ(order_term("author( name ).desc.nullsfirst"),
            (OrderTerm{"author", field("name"), OrderDirection::kDesc, OrderNulls::kFirst}));
  EXPECT_EQ(order_term("\"a.desc\""), (OrderTerm{{}, field("a.desc"), {}, {}}));
  EXPECT_EQ(ok(parse_order_value("a.desc,b(c), d")).size(), 3u);
  EXPECT_EQ(order_term(" a ").field, field("a"));
  EXPECT_FALSE(parse_order_value("a.desc ").ok());
}

// -- logic ---------------------------------------------------------------------------------------

LogicExpr logic(std::string_view name, std::string_view value) {
  const auto tree = ok(parse_logic(name, value));
  if (!std::holds_alternative<LogicExpr>(tree.value.node)) {
    ADD_FAILURE() << "no expression: " << value;
    return {};
  }
  return std::get<LogicExpr>(tree.value.node);
}

std::string logic_value(std::string_view condition) {
  const LogicExpr expr = logic("and", "(a.eq." + std::string(condition) + ",b.eq.1)");
  EXPECT_EQ(expr.children.size(), 2u) << condition;
  if (expr.children.size() != 2) return "";
  return std::get<OpQuant>(std::get<Filter>(expr.children[0].node).operation).value;
}

TEST(QueryGrammarLogic, Paths) {
  const auto path = [](std::string_view name) {
    const auto tree = ok(parse_logic(name, "(a.eq.1)"));
    const auto& expr = std::get<LogicExpr>(tree.value.node);
    return std::tuple(tree.path, expr.negated, expr.op);
  };
  EXPECT_EQ(path("and"), std::tuple(EmbedPath{}, false, LogicOperator::kAnd));
  EXPECT_EQ(path("or"), std::tuple(EmbedPath{}, false, LogicOperator::kOr));
  EXPECT_EQ(path("not.or"), std::tuple(EmbedPath{}, true, LogicOperator::kOr));
  EXPECT_EQ(path("a.b.not.and"), std::tuple(EmbedPath{"a", "b"}, true, LogicOperator::kAnd));
  EXPECT_EQ(path("not.a.and"), std::tuple(EmbedPath{"a"}, true, LogicOperator::kAnd));
}

TEST(QueryGrammarLogic, Trees) {
  const LogicExpr expr = logic("or", "( a.gt.1 , not.and(b.is.null,or(c->>d.not.in.(1,2))) )");
  EXPECT_EQ(expr.op, LogicOperator::kOr);
  ASSERT_EQ(expr.children.size(), 2u);
  // The blank in front of the comma belongs to the value.
  EXPECT_EQ(std::get<Filter>(expr.children[0].node),
            (Filter{field("a"), false, OpQuant{QuantOperator::kGreaterThan, {}, "1 "}}));
  const auto& inner = std::get<LogicExpr>(expr.children[1].node);
  EXPECT_TRUE(inner.negated);
  EXPECT_EQ(inner.op, LogicOperator::kAnd);
  ASSERT_EQ(inner.children.size(), 2u);
  const auto& innermost = std::get<LogicExpr>(inner.children[1].node);
  EXPECT_EQ(std::get<Filter>(innermost.children[0].node),
            (Filter{field("c", {{true, false, "d"}}), true, OpIn{{"1", "2"}}}));
}

TEST(QueryGrammarLogic, Values) {
  EXPECT_EQ(logic_value("x y"), "x y");
  EXPECT_EQ(logic_value("\"x,y)\""), "x,y)");
  EXPECT_EQ(logic_value("\"x\"y"), "\"x\"y");
  EXPECT_EQ(logic_value("{1,2}"), "{1,2}");
  EXPECT_EQ(logic_value("{1"), "{1");
  EXPECT_EQ(logic_value(""), "");
}

TEST(QueryGrammarLogic, ColumnsNamedLikeOperators) {
  const LogicExpr expr = logic("and", "(not.eq.1,or.eq.2)");
  ASSERT_EQ(expr.children.size(), 2u);
  EXPECT_EQ(std::get<Filter>(expr.children[0].node).field, field("not"));
  EXPECT_EQ(std::get<Filter>(expr.children[1].node).field, field("or"));
}

// -- hostile input -------------------------------------------------------------------------------

TEST(QueryGrammarBounds, NestingEndsAt64) {
  const auto nested_select = [](int levels) {
    return repeat("a(", 2 * levels) + "b" + std::string(levels, ')');
  };
  EXPECT_TRUE(parse_select(nested_select(64)).ok());
  const auto select = parse_select(nested_select(65));
  ASSERT_FALSE(select.ok());
  EXPECT_EQ(select.error().code, "PGRST100");
  EXPECT_EQ(select.error().details_json, "\"nesting is deeper than 64 levels\"");
  EXPECT_TRUE(select.error().message.ends_with("(line 1, column 131)")) << select.error().message;

  const auto nested_logic = [](int levels) {
    return repeat("(or", 3 * (levels - 1)) + "(a.eq.1" + std::string(levels, ')');
  };
  EXPECT_TRUE(parse_logic("or", nested_logic(64)).ok());
  const auto logic = parse_logic("or", nested_logic(65));
  ASSERT_FALSE(logic.ok());
  EXPECT_EQ(logic.error().details_json, "\"nesting is deeper than 64 levels\"");
}

TEST(QueryGrammarBounds, TenThousandParentheses) {
  EXPECT_FALSE(parse_select(repeat("a(", 20000)).ok());
  EXPECT_FALSE(parse_logic("or", repeat("(or", 30000)).ok());
  EXPECT_FALSE(parse_logic("or", std::string(10000, '(')).ok());
  EXPECT_FALSE(parse_order_value(repeat("a(", 20000)).ok());
  EXPECT_EQ(operation<OpIn>("in." + std::string(10000, '(') + ")").values.size(), 1u);
}

// A rule that looks ahead further than to the next element would take minutes here.
TEST(QueryGrammarBounds, TimeIsLinear) {
  for (const char* unit :
       {"a",   " ",  "-",  "a-", "\"", "\"a,", "\\\"",     ",",  "a,", "a.", "->",
        "a->", "::", "a:", "!",  "1",  "{",    "\xC3\xA9", "\n", "(",  ")",  "a(b),"}) {
    const std::string text = repeat(unit, 1 << 14);
    for (const GrammarRule rule :
         {GrammarRule::kSelect, GrammarRule::kTreePath, GrammarRule::kOrder, GrammarRule::kColumns,
          GrammarRule::kFilter, GrammarRule::kLogicTree}) {
      EXPECT_EQ(run_grammar_rule(rule, text, false).ok, run_grammar_rule(rule, text, true).ok);
    }
    (void)parse_filter_value("in.(" + text);
    (void)parse_filter_value("eq(" + text);
    (void)parse_logic("or", "(a.eq." + text);
    (void)parse_logic("or", "(a.eq.1,a.in.(" + text);
  }
}

TEST(QueryGrammarBounds, Megabytes) {
  constexpr size_t kMegabyte = 1 << 20;
  EXPECT_EQ(operation<OpQuant>("eq." + std::string(kMegabyte, 'x')).value.size(), kMegabyte);
  EXPECT_EQ(operation<OpIn>("in.(" + std::string(kMegabyte, 'x') + ",\"" +
                            std::string(kMegabyte, ',') + "\")")
                .values[1]
                .size(),
            kMegabyte);
  EXPECT_EQ(only_field(std::string(kMegabyte, 'a')).field.name.size(), kMegabyte);
  EXPECT_EQ(ok(parse_tree_path("d" + repeat("->k", kMegabyte))).field.json_path.size(),
            kMegabyte / 3 + 1);
  EXPECT_EQ(operation<OpIn>("in.(" + repeat("\"a,", kMegabyte) + ")").values.size(),
            kMegabyte / 3 + 2);
  EXPECT_FALSE(parse_filter_value(std::string(kMegabyte, '\n')).ok());
}

// Decoding repairs UTF-8 before the grammar sees it; should it ever not, nothing is read out of
// bounds.
TEST(QueryGrammarBounds, IllFormedUtf8) {
  for (const char* text :
       {"\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xFF", "\x80", "a->\xE2", "\"\\\xF0"}) {
    for (const GrammarRule rule :
         {GrammarRule::kSelect, GrammarRule::kTreePath, GrammarRule::kFilter,
          GrammarRule::kLogicTree, GrammarRule::kOrder}) {
      EXPECT_EQ(run_grammar_rule(rule, text, false).ok, run_grammar_rule(rule, text, true).ok);
    }
  }
}

}  // namespace
}  // namespace pgrst
