#include "auth/jwt.hpp"

#include <gtest/gtest.h>

#include "jwt_signing.hpp"

namespace pgrst {
namespace {

using test::base64url;
using test::hs256;
using test::kSecret;
using test::sign;

constexpr char kNoSuitableKey[] = "No suitable key was found to decode the JWT";
constexpr char kNoKeyDecodes[] = "None of the keys was able to decode the JWT";

const std::string& secret_of(const JwtKey& key) { return std::get<HmacSecret>(key.material).bytes; }

JwtKeySet keys() { return make_key_set(kSecret, false).value(); }

// PGRST301 with that message and, unless null, those details.
::testing::AssertionResult refused(const Result<Claims>& result, std::string_view message,
                                   const char* details = nullptr) {
  if (result.ok()) return ::testing::AssertionFailure() << "accepted: " << result->json;
  const Error& e = result.error();
  const std::string json = details == nullptr ? "" : "\"" + std::string(details) + "\"";
  if (e.status == 401 && e.code == "PGRST301" && e.message == message &&
      e.details_json.value_or("") == json) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << e.status << " " << e.code << " " << e.message << " " << e.details_json.value_or("-");
}

::testing::AssertionResult bad_crypto(const std::string& token) {
  return refused(verify_jwt(token, keys()), "JWT cryptographic operation failed");
}

::testing::AssertionResult bad_claims(const std::string& payload) {
  const Result<Claims> result = verify_jwt(hs256(payload), keys());
  if (result.ok()) return ::testing::AssertionFailure() << "accepted: " << result->json;
  const Error& e = result.error();
  if (e.status == 401 && e.code == "PGRST303" && e.message == "Parsing claims failed") {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << e.code << " " << e.message;
}

TEST(MakeKeySet, DemandsThirtyTwoBytes) {
  EXPECT_TRUE(make_key_set(std::string(32, 'x'), false).ok());
  const Result<JwtKeySet> result = make_key_set(std::string(31, 'x'), false);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "The JWT secret must be at least 32 characters long.");
  EXPECT_FALSE(make_key_set("", false).ok());
  EXPECT_FALSE(make_key_set("", true).ok());
}

TEST(MakeKeySet, DecodesBase64OfBothAlphabetsWithDotsAsPadding) {
  const std::string bytes = std::string(32, '\xFB') + "\xFF";
  for (const char* text : {"+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/8=",
                           " -_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_8. \n"}) {
    const Result<JwtKeySet> result = make_key_set(text, true);
    ASSERT_TRUE(result.ok()) << text;
    EXPECT_EQ(secret_of(result->keys.at(0)).size(), 32U);
  }
  const Result<JwtKeySet> padded =
      make_key_set("+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7/w==", true);
  ASSERT_TRUE(padded.ok());
  EXPECT_EQ(secret_of(padded->keys.at(0)).size(), 34U);
}

TEST(MakeKeySet, RefusesBadAndShortBase64) {
  EXPECT_FALSE(make_key_set(std::string(44, '%'), true).ok());
  EXPECT_FALSE(make_key_set("c2hvcnQ=", true).ok());
}

// An attacker knows a public key; it must not double as the HMAC secret.
TEST(MakeKeySet, RefusesJsonObjects) {
  EXPECT_FALSE(
      make_key_set(R"({"kty":"RSA","alg":"RS256","e":"AQAB","n":"0etQ2Tg187jb"})", false).ok());
  EXPECT_FALSE(make_key_set(R"( {"keys":[]}                               )", false).ok());
  EXPECT_TRUE(make_key_set("{ no json, but a long enough secret }", false).ok());
}

TEST(VerifyJwt, Rfc7515AppendixA1) {
  const std::string token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const Result<JwtKeySet> set = make_key_set(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
      true);
  ASSERT_TRUE(set.ok());
  const Result<Claims> result = verify_jwt(token, *set);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->json,
            "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
}

// A token of PostgREST's own tests.
TEST(VerifyJwt, AcceptsAForeignToken) {
  const Result<Claims> result = verify_jwt(
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
      "eyJyb2xlIjoicG9zdGdyZXN0X3Rlc3RfYXV0aG9yIiwiaWQiOiJqZG9lIn0."
      "B-lReuGNDwAlU1GOC476MlO0vAt9JNoHIlxg2vwMaO0",
      keys());
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->json, R"({"role":"postgrest_test_author","id":"jdoe"})");
}

TEST(VerifyJwt, CountsParts) {
  EXPECT_TRUE(refused(verify_jwt("", keys()), "Empty JWT is sent in Authorization header"));
  EXPECT_TRUE(refused(verify_jwt("a", keys()), "Expected 3 parts in JWT; got 1"));
  EXPECT_TRUE(refused(verify_jwt("a.b", keys()), "Expected 3 parts in JWT; got 2"));
  EXPECT_TRUE(refused(verify_jwt("a.b.c.d.e", keys()), "Expected 3 parts in JWT; got 5"));
  EXPECT_TRUE(bad_crypto(".."));
}

TEST(VerifyJwt, RefusesWhatIsNotBase64Url) {
  EXPECT_TRUE(bad_crypto("quifquirndsjagnrgniur.fonvoienqhhdj.iuqvnvhojah"));
  const std::string good = hs256(R"({"role":"a"})");
  ASSERT_TRUE(verify_jwt(good, keys()).ok());
  EXPECT_TRUE(bad_crypto(good + "="));
  EXPECT_TRUE(bad_crypto(good + "\n"));
  EXPECT_TRUE(bad_crypto(" " + good));
  EXPECT_TRUE(bad_crypto("e30=.e30.e30"));
  EXPECT_TRUE(bad_crypto(base64url(R"({"alg":"HS256"})") + ".a+/_.e30"));
}

// 43 characters hold 32 bytes and two bits; other values of the bits would be other names of one
// token.
TEST(VerifyJwt, RefusesStrayTrailingBits) {
  std::string token = hs256("{}");
  const char last = token.back();
  token.back() = last == 'A' ? 'B' : static_cast<char>(last + 1);
  EXPECT_TRUE(bad_crypto(token));
}

TEST(VerifyJwt, RefusesForgeries) {
  const std::string header = R"({"alg":"HS256","typ":"JWT"})";
  const std::string good = sign(header, R"({"role":"user"})");
  const std::string signature = good.substr(good.rfind('.'));
  const char* message = "No suitable key or wrong key type";

  const std::string other_payload =
      base64url(header) + "." + base64url(R"({"role":"admin"})") + signature;
  EXPECT_TRUE(refused(verify_jwt(other_payload, keys()), message, kNoKeyDecodes));

  const std::string other_secret = sign(header, "{}", "wrong secret");
  EXPECT_TRUE(refused(verify_jwt(other_secret, keys()), message, kNoKeyDecodes));

  const std::string no_signature = good.substr(0, good.rfind('.') + 1);
  EXPECT_TRUE(refused(verify_jwt(no_signature, keys()), message, kNoKeyDecodes));

  // 28 of the 32 bytes of the right signature.
  const std::string truncated = good.substr(0, good.rfind('.') + 1 + 36);
  EXPECT_TRUE(refused(verify_jwt(truncated, keys()), message, kNoKeyDecodes));

  // The right MAC, but of another digest.
  const std::string sha512 = sign(header, "{}", kSecret, EVP_sha512());
  EXPECT_TRUE(refused(verify_jwt(sha512, keys()), message, kNoKeyDecodes));
}

// Whatever the length of a broken signature, no key fits, unless no base64url is that long.
TEST(VerifyJwt, SaysOfEveryCutSignatureWhatPostgrestSays) {
  const char* message = "No suitable key or wrong key type";
  const std::string good = hs256(R"({"role":"user"})");
  const size_t start = good.rfind('.') + 1;
  for (size_t size = 0; size < good.size() - start + 6; size++) {
    std::string token = good.substr(0, start + size);
    token.append(start + size - token.size(), 'Q');
    if (token == good) continue;
    if (size % 4 == 1) {
      EXPECT_TRUE(bad_crypto(token)) << size;
    } else {
      EXPECT_TRUE(refused(verify_jwt(token, keys()), message, kNoKeyDecodes)) << size;
    }
  }
}

TEST(VerifyJwt, EveryFlippedCharacterIsRefused) {
  const std::string good = hs256(R"({"role":"user"})");
  for (size_t i = 0; i < good.size(); i++) {
    std::string token = good;
    token[i] = token[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(verify_jwt(token, keys()).ok()) << i;
  }
}

TEST(VerifyJwt, RefusesUnsecuredTokens) {
  const char* details = "JWT is unsecured but expected 'alg' was not 'none'";
  const char* message = "Wrong or unsupported encoding algorithm";
  EXPECT_TRUE(refused(verify_jwt("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.e30."
                                 "yOBhlOIqn56T-4NvyEXCjfi3UmyQZ-BzXtePMO2NgRI",
                                 keys()),
                      message, details));
  EXPECT_TRUE(
      refused(verify_jwt(base64url(R"({"alg":"none"})") + ".e30.", keys()), message, details));
  // Signed with the right key all the same.
  EXPECT_TRUE(refused(verify_jwt(sign(R"({"alg":"none"})", "{}"), keys()), message, details));
  for (const char* alg : {"None", "NONE", "nOnE", ""}) {
    EXPECT_TRUE(bad_crypto(sign("{\"alg\":\"" + std::string(alg) + "\"}", "{}"))) << alg;
  }
}

// A secret from the setting serves HS256 only, as in PostgREST.
TEST(VerifyJwt, TheKeyDecidesTheAlgorithm) {
  const char* message = "No suitable key or wrong key type";
  for (const char* alg :
       {"HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"}) {
    const std::string token = sign("{\"alg\":\"" + std::string(alg) + "\"}", "{}");
    EXPECT_TRUE(refused(verify_jwt(token, keys()), message, kNoSuitableKey)) << alg;
  }
  for (const char* alg : {"PS256", "ES256K", "hs256", "HS1", "A128KW", "dir"}) {
    EXPECT_TRUE(bad_crypto(sign("{\"alg\":\"" + std::string(alg) + "\"}", "{}"))) << alg;
  }
  EXPECT_TRUE(refused(verify_jwt(hs256("{}"), JwtKeySet{}), message, kNoSuitableKey));
}

TEST(VerifyJwt, AnUnboundSymmetricKeyServesAllOfHmac) {
  JwtKeySet set = keys();
  set.keys[0].alg.reset();
  EXPECT_TRUE(verify_jwt(hs256("{}"), set).ok());
  EXPECT_TRUE(verify_jwt(sign(R"({"alg":"HS384"})", "{}", kSecret, EVP_sha384()), set).ok());
  EXPECT_TRUE(verify_jwt(sign(R"({"alg":"HS512"})", "{}", kSecret, EVP_sha512()), set).ok());
  EXPECT_FALSE(verify_jwt(sign(R"({"alg":"HS512"})", "{}", kSecret, EVP_sha256()), set).ok());
  EXPECT_FALSE(verify_jwt(sign(R"({"alg":"RS256"})", "{}", kSecret, EVP_sha256()), set).ok());
}

TEST(VerifyJwt, KidSelectsTheKey) {
  const std::string token = sign(R"({"alg":"HS256","kid":"b"})", "{}");
  EXPECT_TRUE(
      refused(verify_jwt(token, keys()), "No suitable key or wrong key type", kNoSuitableKey));
  JwtKeySet set = keys();
  set.keys[0].kid = "a";
  EXPECT_TRUE(refused(verify_jwt(token, set), "No suitable key or wrong key type", kNoSuitableKey));
  set.keys.push_back(set.keys[0]);
  set.keys[1].kid = "b";
  EXPECT_TRUE(verify_jwt(token, set).ok());
  // The other key would fit, but is not the one named.
  set.keys[1].material = HmacSecret{"another"};
  EXPECT_TRUE(refused(verify_jwt(token, set), "No suitable key or wrong key type", kNoKeyDecodes));
  // Without kid every key is tried.
  std::swap(set.keys[0], set.keys[1]);
  EXPECT_TRUE(verify_jwt(hs256("{}"), set).ok());
  EXPECT_TRUE(verify_jwt(sign(R"({"alg":"HS256","kid":null})", "{}"), set).ok());
}

TEST(VerifyJwt, RefusesBadHeaders) {
  for (const char* header : {
           "",
           "null",
           "[]",
           "\"HS256\"",
           "{}",
           R"({"alg":256})",
           R"({"alg":null})",
           R"({"typ":"JWT"})",
           R"({"alg":"HS256",})",
           R"({"alg":"HS256"} x)",
           R"({"alg":"HS256","alg":"HS256"})",
           R"({"alg":"none","alg":"HS256"})",
           R"({"alg":"HS256","\u0061lg":"none"})",
           R"({"alg":"HS256","kid":1})",
           R"({"alg":"HS256","typ":[]})",
           R"({"alg":"HS256","cty":{}})",
           R"({"alg":"HS256","enc":"A128GCM"})",
           R"({"alg":"HS256","enc":null})",
           R"({"alg":"HS256","crit":["b64"],"b64":false})",
           "{\"alg\":\"HS256\",\"x\":\"\xFF\"}",
           "\xEF\xBB\xBF{\"alg\":\"HS256\"}",
           R"({"alg":"HS256","x":"\ud800"})",
           R"({"alg":"HS256","x":{"a":1,"a":2}})",
       }) {
    EXPECT_TRUE(bad_crypto(sign(header, "{}"))) << header;
  }
  EXPECT_TRUE(
      verify_jwt(sign(R"({"alg":"HS256","typ":null,"x":1,"jku":"http://e"})", "{}"), keys()).ok());
}

TEST(VerifyJwt, RefusesBadClaims) {
  for (const char* payload : {
           "",
           " ",
           "null",
           "[]",
           "\"role\"",
           "1",
           "not json",
           "{",
           "{}{}",
           R"({"role":"a",})",
           R"({"role":"a","role":"b"})",
           R"({"role":"a","r\u006fle":"b"})",
           R"({"a":[{"b":{"c":1,"d":2,"c":1}}]})",
           "{\"role\":\"\xC3\"}",
           "{\"role\":\"\xED\xA0\x80\"}",
           "{\"role\":\"\xC0\xAF\"}",
           R"({"role":"\ud800"})",
           "{\"role\":\"a\nb\"}",
           R"({"exp":01})",
           R"({"exp":1.})",
           R"({"exp":99999999999999999999x})",
           R"({"exp":+1})",
           "\xEF\xBB\xBF{}",
       }) {
    EXPECT_TRUE(bad_claims(payload)) << payload;
  }
}

TEST(VerifyJwt, KeepsTheClaimsAsTheyWere) {
  for (const char* payload : {
           "{}",
           " { } ",
           "{\"role\":\"a\"}\n",
           R"({"a":{"x":1},"b":{"x":1}})",
           R"({"id":123456789012345678901234567890,"x":1e999,"y":-9999999999999999999})",
           R"({"x":1.5e-300,"y":1E+2})",
           "{\"r\":\"\xC3\xA9\xF0\x9F\x98\x80\"}",
       }) {
    const Result<Claims> result = verify_jwt(hs256(payload), keys());
    ASSERT_TRUE(result.ok()) << payload;
    EXPECT_EQ(result->json, payload);
  }
}

TEST(VerifyJwt, BoundsDepth) {
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(verify_jwt(hs256(nested(40)), keys()).ok());
  EXPECT_TRUE(bad_claims(nested(100)));
  EXPECT_TRUE(bad_claims(nested(20000)));
  EXPECT_TRUE(bad_crypto(sign(nested(20000), "{}")));
}

TEST(VerifyJwt, BoundsSize) {
  const auto of_size = [](size_t n) { return hs256("{\"a\":\"" + std::string(n, 'x') + "\"}"); };
  EXPECT_TRUE(verify_jwt(of_size(40000), keys()).ok());
  EXPECT_TRUE(bad_crypto(of_size(50000)));
  EXPECT_TRUE(bad_crypto(of_size(5000000)));
  EXPECT_TRUE(refused(verify_jwt(std::string(1000000, '.'), keys()),
                      "Expected 3 parts in JWT; got 1000001"));
}

}  // namespace
}  // namespace pgrst
