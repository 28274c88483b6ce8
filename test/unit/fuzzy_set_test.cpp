#include "schema_cache/fuzzy_set.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace pgrst {
namespace {

using Matches = std::vector<std::pair<double, std::string>>;

FuzzySet set_of(const std::vector<std::string>& names) {
  FuzzySet set;
  for (const std::string& name : names) set.add(name);
  return set;
}

FuzzySet states() {
  return set_of({"Alabama",        "Alaska",
                 "American Samoa", "Arizona",
                 "Arkansas",       "California",
                 "Colorado",       "Connecticut",
                 "Delaware",       "District of Columbia",
                 "Florida",        "Georgia",
                 "Guam",           "Hawaii",
                 "Idaho",          "Illinois",
                 "Indiana",        "Iowa",
                 "Kansas",         "Kentucky",
                 "Louisiana",      "Maine",
                 "Maryland",       "Massachusetts",
                 "Michigan",       "Minnesota",
                 "Mississippi",    "Missouri",
                 "Montana",        "Nebraska",
                 "Nevada",         "New Hampshire",
                 "New Jersey",     "New Mexico",
                 "New York",       "North Carolina",
                 "North Dakota",   "Northern Marianas Islands",
                 "Ohio",           "Oklahoma",
                 "Oregon",         "Pennsylvania",
                 "Puerto Rico",    "Rhode Island",
                 "South Carolina", "South Dakota",
                 "Tennessee",      "Texas",
                 "Utah",           "Vermont",
                 "Virginia",       "Virgin Islands",
                 "Washington",     "West Virginia",
                 "Wisconsin",      "Wyoming"});
}

void expect_matches(const Matches& actual, const Matches& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); i++) {
    EXPECT_DOUBLE_EQ(actual[i].first, expected[i].first) << i;
    EXPECT_EQ(actual[i].second, expected[i].second) << i;
  }
}

// The examples of the package's documentation.
TEST(FuzzySet, DocumentedExamples) {
  const FuzzySet set = states();
  expect_matches(set.get("Burger Islands"), {{0.7142857142857143, "Virgin Islands"},
                                             {0.5714285714285714, "Rhode Island"},
                                             {0.44, "Northern Marianas Islands"},
                                             {0.35714285714285715, "Maryland"}});
  expect_matches(set.get("Why-oh-me-ing"), {{0.5384615384615384, "Wyoming"}});
  expect_matches(set.get("Connect a cat"), {{0.6923076923076923, "Connecticut"}});
  expect_matches(set.get("CanOfSauce"), {{0.4, "Kansas"}});
  expect_matches(set.get("Alaska"), {{1.0, "Alaska"}});
  expect_matches(
      set_of({"Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"})
          .get("Joopiter"),
      {{0.75, "Jupiter"}});
  EXPECT_EQ(set_of({"Jurassic Park", "Terminator", "The Matrix"}).get_one("percolator"),
            "Terminator");
  expect_matches(
      set_of({"Shaggy Rogers", "Fred Jones", "Daphne Blake", "Velma Dinkley"}).get("Shaggy Jones"),
      {{0.7692307692307693, "Shaggy Rogers"}, {0.5, "Fred Jones"}});
}

// The cases of the package's own tests.
TEST(FuzzySet, PackageTests) {
  const FuzzySet set = states();
  expect_matches(set.get("wyome"), {{4.0 / 7, "Wyoming"}});
  expect_matches(set.get("ia"), {{0.5, "Iowa"}, {0.4, "Idaho"}});
  expect_matches(set.get("flaska"), {{5.0 / 6, "Alaska"}, {0.5, "Nebraska"}, {3.0 / 7, "Florida"}});
  expect_matches(set.get("Louisianaland"), {{9.0 / 13, "Louisiana"},
                                            {5.0 / 13, "Maryland"},
                                            {5.0 / 13, "Rhode Island"},
                                            {0.36, "Northern Marianas Islands"}});
}

// The one gram that Transylvania shares with both, "ans", is a larger part of Kansas than of
// Arkansas.
TEST(FuzzySet, TheCosineDecidesBetweenEqualScores) {
  expect_matches(states().get("Transylvania"), {{0.75, "Pennsylvania"},
                                                {1.0 / 3, "California"},
                                                {1.0 / 3, "Kansas"},
                                                {1.0 / 3, "Arkansas"}});
}

// PostgREST v16.2's tests of its hints.
TEST(FuzzySet, PostgrestTables) {
  const FuzzySet set = set_of({"items", "projects", "clients", "authors_only", "articles"});
  EXPECT_EQ(set.get_one("projectx", kNameMinScore), "projects");
  EXPECT_EQ(set.get_one("projecxx", kNameMinScore), "projects");
  EXPECT_EQ(set.get_one("projxxxx", kNameMinScore), std::nullopt);
  EXPECT_EQ(set_of({"test", "another"}).get_one("testt", kNameMinScore), "test");
  EXPECT_EQ(set_of({"test", "another"}).get_one("noclosealternative"), std::nullopt);
}

TEST(FuzzySet, PostgrestParameters) {
  const FuzzySet set = set_of({"(attr, id)", "(name, param, val)"});
  EXPECT_EQ(set.get_one("(nam, pqaram, vall)"), "(name, param, val)");
  EXPECT_EQ(set.get_one("(param, val)"), "(name, param, val)");
  EXPECT_EQ(set.get_one("(attrs, id)"), "(attr, id)");
  EXPECT_EQ(set.get_one("(id)"), "(attr, id)");
  EXPECT_EQ(set.get_one("(noclosealternative)"), std::nullopt);
}

TEST(FuzzySet, ExactMatchIgnoresCaseAndIsAlone) {
  const FuzzySet set = set_of({"Projects", "projects_old"});
  expect_matches(set.get("projects"), {{1.0, "Projects"}});
  expect_matches(set.get("PROJECTS"), {{1.0, "Projects"}});
  // Punctuation counts for the score, not for the grams.
  expect_matches(set.get("pro_jects"), {{8.0 / 9, "Projects"}, {7.0 / 12, "projects_old"}});
}

TEST(FuzzySet, NamesThatDifferInCaseOnly) {
  EXPECT_EQ(set_of({"Foo", "FOO"}).get_one("foo"), "FOO");
  EXPECT_EQ(set_of({"Foo", "foo"}).get_one("FOO"), "foo");
  EXPECT_EQ(set_of({"foo", "Foo"}).get_one("FOO"), "foo");
  EXPECT_EQ(set_of({"foo", "foo"}).get("fooo").size(), 1U);
}

TEST(FuzzySet, EqualScoresKeepTheOrderOfAdding) {
  EXPECT_EQ(set_of({"item_a", "item_b"}).get_one("item_c"), "item_a");
  EXPECT_EQ(set_of({"item_b", "item_a"}).get_one("item_c"), "item_b");
}

TEST(FuzzySet, OtherScripts) {
  const FuzzySet set =
      set_of({"\xD0\x97\xD0\xB0\xD0\xBA\xD0\xB0\xD0\xB7\xD1\x8B", "\xC3\x89t\xC3\xA9s"});
  // Lower-case and without the last letter.
  EXPECT_EQ(set.get_one("\xD0\xB7\xD0\xB0\xD0\xBA\xD0\xB0\xD0\xB7", kNameMinScore),
            "\xD0\x97\xD0\xB0\xD0\xBA\xD0\xB0\xD0\xB7\xD1\x8B");
  EXPECT_EQ(set.get_one("\xC3\xA9t\xC3\xA9", kNameMinScore), "\xC3\x89t\xC3\xA9s");
  EXPECT_EQ(set.get_one("\xC3"), std::nullopt);
}

TEST(FuzzySet, OddInput) {
  EXPECT_TRUE(FuzzySet().empty());
  EXPECT_EQ(FuzzySet().get_one("x"), std::nullopt);
  const FuzzySet set = set_of({"", "-", "___", "a"});
  EXPECT_FALSE(set.empty());
  EXPECT_EQ(set.get_one(""), "");
  EXPECT_EQ(set.get_one("___"), "___");
  EXPECT_EQ(set.get_one("__"), "___");  // both are without grams but for the two hyphens
  EXPECT_EQ(set.get_one(std::string(100000, 'a')), std::nullopt);
  FuzzySet long_name;
  long_name.add(std::string(600, 'a'));
  EXPECT_EQ(long_name.get_one(std::string(600, 'a')), std::string(600, 'a'));
  EXPECT_EQ(long_name.get_one(std::string(500, 'a')), std::nullopt);
}

// The longest texts there are, and more of them alike than are compared in full.
TEST(FuzzySet, WorstCaseIsBounded) {
  FuzzySet set;
  for (int i = 0; i < 500; i++) {
    set.add(std::string(kMaxFuzzyCharacters - 3, 'a') + std::to_string(100 + i));
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(set.get_one(std::string(kMaxFuzzyCharacters, 'a')), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace pgrst
