#include "api_request/preferences.hpp"

#include <gtest/gtest.h>

namespace pgrst {
namespace {

using Names = std::vector<std::string>;

Preferences parse(std::string_view value, bool allow_tx = true) {
  return parse_preferences({{"Prefer", std::string(value)}}, allow_tx);
}

TEST(Preferences, NoneGiven) {
  for (const Headers& headers :
       {Headers{}, Headers{{"Prefer", ""}}, Headers{{"X", "return=minimal"}}}) {
    const Preferences p = parse_preferences(headers, true);
    EXPECT_FALSE(p.resolution || p.representation || p.count || p.transaction || p.missing ||
                 p.handling || p.timezone || p.max_affected);
    EXPECT_TRUE(p.invalid.empty());
    EXPECT_EQ(preference_applied(p), "");
  }
}

TEST(Preferences, EveryValue) {
  EXPECT_EQ(parse("resolution=merge-duplicates").resolution, PreferResolution::kMergeDuplicates);
  EXPECT_EQ(parse("resolution=ignore-duplicates").resolution, PreferResolution::kIgnoreDuplicates);
  EXPECT_EQ(parse("return=representation").representation, PreferRepresentation::kFull);
  EXPECT_EQ(parse("return=minimal").representation, PreferRepresentation::kNone);
  EXPECT_EQ(parse("return=headers-only").representation, PreferRepresentation::kHeadersOnly);
  EXPECT_EQ(parse("count=exact").count, PreferCount::kExact);
  EXPECT_EQ(parse("count=planned").count, PreferCount::kPlanned);
  EXPECT_EQ(parse("count=estimated").count, PreferCount::kEstimated);
  EXPECT_EQ(parse("tx=commit").transaction, PreferTransaction::kCommit);
  EXPECT_EQ(parse("tx=rollback").transaction, PreferTransaction::kRollback);
  EXPECT_EQ(parse("missing=default").missing, PreferMissing::kDefault);
  EXPECT_EQ(parse("missing=null").missing, PreferMissing::kNull);
  EXPECT_EQ(parse("handling=strict").handling, PreferHandling::kStrict);
  EXPECT_EQ(parse("handling=lenient").handling, PreferHandling::kLenient);
  EXPECT_EQ(parse("timezone=America/Los_Angeles").timezone, "America/Los_Angeles");
  EXPECT_EQ(parse("timezone=").timezone, "");
  EXPECT_EQ(parse("max-affected=5999").max_affected, 5999);
  EXPECT_EQ(parse("max-affected=-1").max_affected, -1);
}

// The examples in PostgREST's Preferences.hs.
TEST(Preferences, ListsAndSeveralHeaders) {
  const Preferences p = parse_preferences({{"prefer",
                                            "count=exact,    tx=commit   ,return=representation , "
                                            "missing=default, handling=strict, anything"},
                                           {"PREFER", "resolution=ignore-duplicates"},
                                           {"Accept", "count=planned"}},
                                          true);
  EXPECT_EQ(p.count, PreferCount::kExact);
  EXPECT_EQ(p.transaction, PreferTransaction::kCommit);
  EXPECT_EQ(p.representation, PreferRepresentation::kFull);
  EXPECT_EQ(p.missing, PreferMissing::kDefault);
  EXPECT_EQ(p.handling, PreferHandling::kStrict);
  EXPECT_EQ(p.resolution, PreferResolution::kIgnoreDuplicates);
  EXPECT_EQ(p.invalid, (Names{"anything"}));
}

TEST(Preferences, TheFirstOfSeveralWins) {
  EXPECT_EQ(parse("tx=commit, tx=rollback").transaction, PreferTransaction::kCommit);
  EXPECT_EQ(parse("timezone=a,timezone=b").timezone, "a");
  EXPECT_EQ(parse("max-affected=1,max-affected=2").max_affected, 1);
  const Preferences p = parse_preferences(
      {{"Prefer", "resolution=ignore-duplicates"}, {"Prefer", "resolution=merge-duplicates"}},
      true);
  EXPECT_EQ(p.resolution, PreferResolution::kIgnoreDuplicates);
}

// As Haskell reads an Int64.
TEST(Preferences, MaxAffectedInAnyFormOfANumber) {
  EXPECT_EQ(parse("max-affected= 1").max_affected, 1);
  EXPECT_EQ(parse("max-affected=0x10").max_affected, 16);
  EXPECT_EQ(parse("max-affected=(1)").max_affected, 1);
  EXPECT_EQ(parse("max-affected=- 1").max_affected, -1);
  EXPECT_EQ(parse("max-affected=18446744073709551615").max_affected, -1);
}

TEST(Preferences, WhatIsUnknownIsInvalid) {
  EXPECT_EQ(
      parse("a, count=Exact ,return = minimal,COUNT=exact,respond-async,wait=10").invalid,
      (Names{"a", "count=Exact", "return = minimal", "COUNT=exact", "respond-async", "wait=10"}));
  EXPECT_EQ(parse("count=exact,,").invalid, (Names{"", ""}));
  // Known by its name, whatever the value.
  EXPECT_TRUE(parse("max-affected=many").invalid.empty());
  EXPECT_FALSE(parse("max-affected=many").max_affected.has_value());
  EXPECT_FALSE(parse("max-affected=").max_affected.has_value());
  EXPECT_FALSE(parse("max-affected=1.0").max_affected.has_value());
  EXPECT_FALSE(parse("max-affected=many,max-affected=2").max_affected.has_value());
}

TEST(Preferences, TransactionCountsOnlyWhenAllowed) {
  EXPECT_FALSE(parse("tx=rollback", false).transaction.has_value());
  EXPECT_TRUE(parse("tx=rollback", false).invalid.empty());
  EXPECT_EQ(preference_applied(parse("tx=rollback", false)), "");
}

TEST(Preferences, AppliedInPostgrestsOrder) {
  EXPECT_EQ(preference_applied(parse("max-affected=3,timezone=UTC,handling=strict,tx=rollback,"
                                     "count=exact,return=minimal,missing=null,"
                                     "resolution=merge-duplicates,x")),
            "resolution=merge-duplicates, missing=null, return=minimal, count=exact, tx=rollback, "
            "handling=strict, timezone=UTC, max-affected=3");
  EXPECT_EQ(preference_applied(parse("timezone=UTC")), "timezone=UTC");
}

TEST(Preferences, MaxAffectedIsAppliedWhenStrictOnly) {
  EXPECT_EQ(preference_applied(parse("max-affected=3")), "");
  EXPECT_EQ(preference_applied(parse("max-affected=3,handling=lenient")), "handling=lenient");
  EXPECT_EQ(preference_applied(parse("max-affected=3,handling=strict")),
            "handling=strict, max-affected=3");
}

}  // namespace
}  // namespace pgrst
