#include "auth/jwk.hpp"

#include <gtest/gtest.h>

#include "auth/jwt.hpp"
#include "jwt_signing.hpp"

namespace pgrst {
namespace {

constexpr char kPayload[] = R"({"role":"web"})";
const std::string kBytes(64, 'k');

std::string jwk(const std::string& more) {
  return R"({"kty":"oct","k":")" + test::base64url(kBytes) + '"' + more + "}";
}

bool accepts(const std::string& secret, const std::string& header, const EVP_MD* digest) {
  const auto keys = make_key_set(secret, false);
  EXPECT_TRUE(keys.ok());
  return keys.ok() && verify_jwt(test::sign(header, kPayload, kBytes, digest), *keys).ok();
}

// RFC 7515, A.1: the key and the token of the first example.
TEST(Jwk, Rfc7515AppendixA1) {
  const auto keys = make_key_set(
      R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
      false);
  ASSERT_TRUE(keys.ok());
  EXPECT_TRUE(verify_jwt("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                         "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
                         "bS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                         *keys)
                  .ok());
}

TEST(Jwk, ServesTheAlgorithmsOfItsKind) {
  EXPECT_TRUE(accepts(jwk(""), R"({"alg":"HS256"})", EVP_sha256()));
  EXPECT_TRUE(accepts(jwk(""), R"({"alg":"HS384"})", EVP_sha384()));
  EXPECT_TRUE(accepts(jwk(""), R"({"alg":"HS512"})", EVP_sha512()));
  EXPECT_FALSE(accepts(jwk(""), R"({"alg":"HS512"})", EVP_sha256()));
  EXPECT_FALSE(accepts(jwk(""), R"({"alg":"none"})", EVP_sha256()));
}

TEST(Jwk, ItsAlgBindsIt) {
  const std::string bound = jwk(R"(,"alg":"HS512")");
  EXPECT_TRUE(accepts(bound, R"({"alg":"HS512"})", EVP_sha512()));
  EXPECT_FALSE(accepts(bound, R"({"alg":"HS256"})", EVP_sha256()));
}

TEST(Jwk, KeysOfASetAreToldApartByKid) {
  const std::string other =
      R"({"kty":"oct","k":")" + test::base64url(std::string(32, 'A')) + R"(","kid":"old"})";
  const std::string set = R"({"keys":[)" + other + "," + jwk(R"(,"kid":"new")") + "]}";
  EXPECT_TRUE(accepts(set, R"({"alg":"HS256","kid":"new"})", EVP_sha256()));
  EXPECT_TRUE(accepts(set, R"({"alg":"HS256"})", EVP_sha256()));
  EXPECT_FALSE(accepts(set, R"({"alg":"HS256","kid":"old"})", EVP_sha256()));
  EXPECT_FALSE(accepts(set, R"({"alg":"HS256","kid":"unknown"})", EVP_sha256()));
}

// A secret that can be guessed is one in a JSON Web Key, too.
TEST(Jwk, DemandsThirtyTwoBytesOfASecret) {
  const auto of_size = [](size_t size, const std::string& more = "") {
    return R"({"kty":"oct","k":")" + test::base64url(std::string(size, 'A')) + '"' + more + "}";
  };
  const auto in_set = [](const std::string& keys) { return R"({"keys":[)" + keys + "]}"; };
  for (const size_t size : {1, 2, 31}) {
    const auto alone = make_key_set(of_size(size), false);
    ASSERT_FALSE(alone.ok()) << size;
    EXPECT_EQ(alone.error().message,
              "JSON Web Key: The JWT secret must be at least 32 characters long.");
    const auto second = make_key_set(in_set(jwk("") + "," + of_size(size)), false);
    ASSERT_FALSE(second.ok()) << size;
    EXPECT_EQ(second.error().message,
              "JSON Web Key 2 of the set: The JWT secret must be at least 32 characters long.");
  }
  EXPECT_TRUE(make_key_set(of_size(32), false).ok());
  EXPECT_TRUE(make_key_set(in_set(of_size(32)), false).ok());
  // It checks no token, so it may be as it is.
  EXPECT_TRUE(make_key_set(in_set(of_size(16, R"(,"use":"enc")") + "," + jwk("")), false).ok());
}

TEST(Jwk, RefusesWhatItDoesNotUnderstand) {
  for (const char* text :
       {R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", R"({"k":"AAAA"})", R"({"kty":"oct"})",
        R"({"kty":"oct","k":"%%%"})", R"({"kty":"oct","k":""})",
        R"({"kty":"oct","k":"AAAA","alg":"RS256"})", R"({"kty":"oct","k":null})",
        R"({"kty":7,"k":"AAAA"})", R"({"keys":[]})", R"({"keys":[1]})", R"({"keys":"x"})", "{}"}) {
    const auto keys = parse_jwk_text(text);
    ASSERT_TRUE(keys.has_value()) << text;
    EXPECT_FALSE(keys->ok()) << text;
  }
}

TEST(Jwk, IsNoneWhenTheTextIsNoObject) {
  for (const char* text : {"", "secret", "[]", "{ no json", "[1", "12345", "\"kty\""}) {
    EXPECT_FALSE(parse_jwk_text(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace pgrst
