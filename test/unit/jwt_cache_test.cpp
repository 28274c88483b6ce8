#include "auth/jwt_cache.hpp"

#include <gtest/gtest.h>

#include "auth/authenticate.hpp"
#include "auth/bearer.hpp"
#include "jwt_signing.hpp"

namespace pgrst {
namespace {

using test::hs256;
using test::kSecret;

constexpr int64_t kNow = 1700000000;

ResolvedClaims claims_of(std::string role) {
  return ResolvedClaims{
      {}, {}, {}, AudienceCheck::kAccepted, AuthResult{std::move(role), "{}", false}};
}

bool holds(JwtCache& cache, std::string_view token) { return cache.find(token) != nullptr; }

TEST(JwtCache, FindsWhatWasInserted) {
  JwtCache cache(10);
  EXPECT_EQ(cache.find("a"), nullptr);
  cache.insert("a", claims_of("x"));
  const ResolvedClaims* found = cache.find("a");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->outcome->role, "x");
  EXPECT_FALSE(holds(cache, "aa"));
  EXPECT_FALSE(holds(cache, ""));
  EXPECT_EQ(cache.stats().requests, 4U);
  EXPECT_EQ(cache.stats().hits, 1U);
}

TEST(JwtCache, OwnsItsKeys) {
  JwtCache cache(10);
  {
    std::string token = "token";
    cache.insert(token, claims_of("x"));
    token = "other";
  }
  EXPECT_TRUE(holds(cache, "token"));
}

TEST(JwtCache, KeepsTheFirstOfEqualTokens) {
  JwtCache cache(10);
  cache.insert("a", claims_of("x"));
  cache.insert("a", claims_of("y"));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.find("a")->outcome->role, "x");
}

TEST(JwtCache, ZeroEntriesIsOff) {
  JwtCache cache(0);
  cache.insert("a", claims_of("x"));
  EXPECT_FALSE(holds(cache, "a"));
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.stats().requests, 0U);
}

TEST(JwtCache, WithoutUseTheOldestGoesFirst) {
  JwtCache cache(3);
  for (const char* token : {"a", "b", "c", "d"}) cache.insert(token, claims_of(token));
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_EQ(cache.stats().evictions, 1U);
  EXPECT_FALSE(holds(cache, "a"));
  EXPECT_TRUE(holds(cache, "b"));
}

// The example of the SIEVE paper (Zhang et al., NSDI 2024, figure 4): A, B and G were used.
TEST(JwtCache, SievesAsThePaperDoes) {
  JwtCache cache(7);
  for (const char* token : {"A", "B", "C", "D", "E", "F", "G"})
    cache.insert(token, claims_of(token));
  for (const char* token : {"A", "B", "G"}) EXPECT_TRUE(holds(cache, token));
  cache.insert("H", claims_of("H"));  // spares A and B, takes C
  for (const char* token : {"A", "D"}) EXPECT_TRUE(holds(cache, token));
  EXPECT_FALSE(holds(cache, "C"));
  cache.insert("I", claims_of("I"));  // spares D, takes E
  EXPECT_FALSE(holds(cache, "E"));
  EXPECT_TRUE(holds(cache, "B"));
  cache.insert("J", claims_of("J"));  // takes F
  EXPECT_FALSE(holds(cache, "F"));
  for (const char* token : {"A", "B", "D", "G", "H", "I", "J"}) EXPECT_TRUE(holds(cache, token));
}

TEST(JwtCache, EvictsWhenAllAreInUse) {
  JwtCache cache(2);
  cache.insert("a", claims_of("a"));
  cache.insert("b", claims_of("b"));
  EXPECT_TRUE(holds(cache, "a") && holds(cache, "b"));
  cache.insert("c", claims_of("c"));
  EXPECT_FALSE(holds(cache, "a"));
  EXPECT_TRUE(holds(cache, "b") && holds(cache, "c"));
}

TEST(JwtCache, OneEntry) {
  JwtCache cache(1);
  for (int i = 0; i < 10; i++) {
    const std::string token = std::to_string(i);
    cache.insert(token, claims_of(token));
    EXPECT_TRUE(holds(cache, token));
    EXPECT_EQ(cache.size(), 1U);
  }
}

TEST(JwtCache, StaysBoundedUnderChurn) {
  JwtCache cache(50);
  for (int i = 0; i < 5000; i++) {
    const std::string token = std::to_string(i);
    cache.insert(token, claims_of(token));
    cache.find(std::to_string(i - i % 7));
    ASSERT_LE(cache.size(), 50U);
  }
  EXPECT_EQ(cache.stats().evictions, 4950U);
}

TEST(JwtCache, ShrinksGrowsAndClears) {
  JwtCache cache(10);
  for (int i = 0; i < 10; i++) cache.insert(std::to_string(i), claims_of("x"));
  cache.set_max_entries(4);
  EXPECT_EQ(cache.size(), 4U);
  EXPECT_TRUE(holds(cache, "9"));
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_FALSE(holds(cache, "9"));
  cache.set_max_entries(20);
  for (int i = 0; i < 30; i++) cache.insert(std::to_string(i), claims_of("x"));
  EXPECT_EQ(cache.size(), 20U);
  cache.set_max_entries(0);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(JwtCache, LongTokensAreNotKept) {
  JwtCache cache(10);
  cache.insert(std::string(kMaxCachedTokenBytes, 'x'), claims_of("x"));
  EXPECT_EQ(cache.size(), 1U);
  cache.insert(std::string(kMaxCachedTokenBytes + 1, 'x'), claims_of("x"));
  EXPECT_EQ(cache.size(), 1U);
}

std::string token_in(std::string_view header) {
  const Headers headers = {{"Host", "h"}, {"authorization", std::string(header)}};
  return std::string(bearer_token(headers).value_or("none"));
}

TEST(BearerToken, ReadsTheScheme) {
  EXPECT_EQ(token_in("Bearer abc"), "abc");
  EXPECT_EQ(token_in("bearer abc"), "abc");
  EXPECT_EQ(token_in("BEARER \t  abc"), "abc");
  EXPECT_EQ(token_in("Bearer abc def "), "abc def ");
  EXPECT_EQ(token_in("Bearer"), "");
  EXPECT_EQ(token_in("Bearer  "), "");
  EXPECT_EQ(token_in("Basic abc"), "none");
  EXPECT_EQ(token_in("Bearerabc"), "none");
  EXPECT_EQ(token_in(" Bearer abc"), "none");
  EXPECT_EQ(token_in(""), "none");
  EXPECT_FALSE(bearer_token({}).has_value());
  EXPECT_EQ(bearer_token({{"Authorization", "Basic a"}, {"Authorization", "Bearer b"}}),
            std::nullopt);
}

class Authenticate : public ::testing::Test {
 protected:
  Authenticate() {
    settings_.keys = make_key_set(kSecret, false).value();
    settings_.anon_role = "anon";
  }

  Result<AuthResult> with_token(const std::string& token, int64_t now = kNow) {
    return authenticate({{"Authorization", "Bearer " + token}}, settings_, cache_, now);
  }

  AuthSettings settings_;
  JwtCache cache_{10};
};

TEST_F(Authenticate, WithoutATokenIsAnonymous) {
  const Result<AuthResult> result = authenticate({}, settings_, cache_, kNow);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->role, "anon");
  EXPECT_EQ(result->claims_json, R"({"role":"anon"})");
  EXPECT_TRUE(result->is_anonymous);
  EXPECT_EQ(cache_.stats().requests, 0U);
  // Another scheme is no token either.
  EXPECT_TRUE(authenticate({{"Authorization", "Basic eDp5"}}, settings_, cache_, kNow).ok());
  settings_.anon_role.reset();
  EXPECT_EQ(authenticate({}, settings_, cache_, kNow).error().code, "PGRST302");
}

TEST_F(Authenticate, WithoutASecretNoTokenIsAccepted) {
  settings_.keys.reset();
  EXPECT_EQ(with_token(hs256("{}")).error().code, "PGRST300");
  EXPECT_EQ(with_token("").error().code, "PGRST300");
  EXPECT_TRUE(authenticate({}, settings_, cache_, kNow).ok());
}

TEST_F(Authenticate, EmptyTokenIsAnError) {
  const Result<AuthResult> result = with_token("");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "Empty JWT is sent in Authorization header");
}

TEST_F(Authenticate, CachedAndFreshAnswersAreTheSame) {
  const std::string token = hs256(R"({"role":"u","id":1})");
  for (int i = 0; i < 3; i++) {
    const Result<AuthResult> result = with_token(token);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->role, "u");
    EXPECT_EQ(result->claims_json, R"({"role":"u","id":1})");
    EXPECT_FALSE(result->is_anonymous);
  }
  EXPECT_EQ(cache_.stats().hits, 2U);
}

TEST_F(Authenticate, ACachedTokenExpires) {
  const std::string token = hs256("{\"role\":\"u\",\"exp\":" + std::to_string(kNow) + "}");
  EXPECT_TRUE(with_token(token).ok());
  EXPECT_TRUE(with_token(token, kNow + 30).ok());
  EXPECT_EQ(with_token(token, kNow + 31).error().message, "JWT expired");
  EXPECT_TRUE(with_token(token, kNow).ok());
  EXPECT_EQ(cache_.stats().hits, 3U);
}

TEST_F(Authenticate, OnlyVerifiedTokensAreCached) {
  std::string forged = hs256(R"({"role":"u"})");
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(with_token(forged).ok());
  EXPECT_FALSE(with_token(hs256("[]")).ok());
  EXPECT_EQ(cache_.size(), 0U);
  // Verified, but expired: cached as in PostgREST, so that a client that retries costs little.
  EXPECT_FALSE(with_token(hs256(R"({"exp":1})")).ok());
  EXPECT_EQ(cache_.size(), 1U);
}

}  // namespace
}  // namespace pgrst
