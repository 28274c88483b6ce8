// Tokens signed with private keys: what public keys accept, and the forgeries that they refuse.
#include <gtest/gtest.h>

#include <functional>

#include "auth/authenticate.hpp"
#include "auth/jwk.hpp"
#include "auth/jwt.hpp"
#include "core/text.hpp"
#include "jwt_signing.hpp"
#include "jwt_vectors.hpp"

namespace pgrst {
namespace {

using test::base64url;
using test::SigningKey;

constexpr char kPayload[] = R"({"role":"web"})";
constexpr char kKeyError[] = "No suitable key or wrong key type";
constexpr char kNoSuitableKey[] = "No suitable key was found to decode the JWT";
constexpr char kNoKeyDecodes[] = "None of the keys was able to decode the JWT";

const SigningKey& rsa() {
  static const SigningKey key = SigningKey::rsa(2048);
  return key;
}
const SigningKey& p256() {
  static const SigningKey key = SigningKey::ec("P-256");
  return key;
}
const SigningKey& p384() {
  static const SigningKey key = SigningKey::ec("P-384");
  return key;
}
const SigningKey& p521() {
  static const SigningKey key = SigningKey::ec("P-521");
  return key;
}
const SigningKey& ed25519() {
  static const SigningKey key = SigningKey::okp("ED25519");
  return key;
}

std::string okp_jwk(const SigningKey& key, const std::string& name) {
  std::string text = key.jwk();
  const std::string upper = name == "Ed448" ? "ED448" : "ED25519";
  return text.replace(text.find(upper), upper.size(), name);
}

JwtKeySet keys_of(const std::string& text) {
  Result<JwtKeySet> keys = make_key_set(text, false);
  EXPECT_TRUE(keys.ok()) << keys.error().message;
  return keys.ok() ? *std::move(keys) : JwtKeySet{};
}

std::string set_of(const std::vector<std::string>& keys) {
  std::string out;
  for (const std::string& key : keys) out += (out.empty() ? "" : ",") + key;
  return R"({"keys":[)" + out + "]}";
}

bool accepts(const std::string& jwk, const std::string& token) {
  return verify_jwt(token, keys_of(jwk)).ok();
}

// "" for an accepted token, else code, message and details.
std::string verdict(const std::string& jwk, const std::string& token) {
  const Result<Claims> result = verify_jwt(token, keys_of(jwk));
  if (result.ok()) return "";
  EXPECT_EQ(result.error().status, 401);
  return result.error().code + " " + result.error().message + " " +
         result.error().details_json.value_or("null");
}

std::string key_error(const char* details) {
  return "PGRST301 " + std::string(kKeyError) + " \"" + details + "\"";
}

std::string problem(const std::string& secret) {
  const Result<JwtKeySet> keys = make_key_set(secret, false);
  return keys.ok() ? "" : keys.error().message;
}

std::string changed(std::string text, size_t from_end) {
  char& c = text[text.size() - from_end];
  c = c == 'A' ? 'B' : 'A';
  return text;
}

// -- what is right --------------------------------------------------------------------------------

TEST(JwtAsymmetric, VectorsOfRfc7515) {
  EXPECT_EQ(verdict(test::kRfc7515A2Key, test::kRfc7515A2Token), "");
  EXPECT_EQ(verdict(test::kRfc7515A3Key, test::kRfc7515A3Token), "");
  EXPECT_EQ(verdict(test::kRfc7515A4Key, test::kRfc7515A4Token),
            "PGRST303 Parsing claims failed null");
  for (const auto& [key, token] : {std::pair(test::kRfc7515A2Key, test::kRfc7515A2Token),
                                   std::pair(test::kRfc7515A3Key, test::kRfc7515A3Token),
                                   std::pair(test::kRfc7515A4Key, test::kRfc7515A4Token)}) {
    EXPECT_EQ(verdict(key, changed(token, 20)), key_error(kNoKeyDecodes));
  }
}

TEST(JwtAsymmetric, VectorsOfRfc8037) {
  EXPECT_EQ(verdict(test::kRfc8037Key, test::kRfc8037Token), "PGRST303 Parsing claims failed null");
  EXPECT_EQ(verdict(test::kRfc8037Key, changed(test::kRfc8037Token, 20)), key_error(kNoKeyDecodes));
}

TEST(JwtAsymmetric, TokenOfPostgrestsTests) {
  EXPECT_EQ(verdict(test::kPostgrestKey, test::kPostgrestToken), "");
  EXPECT_EQ(verdict(set_of({test::kPostgrestKey}), test::kPostgrestToken), "");
}

TEST(JwtAsymmetric, EveryAlgorithmOfAKey) {
  for (const char* alg : {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}) {
    EXPECT_EQ(verdict(rsa().jwk(), rsa().token(alg, kPayload)), "") << alg;
    EXPECT_EQ(verdict(rsa().jwk(), changed(rsa().token(alg, kPayload), 99)),
              key_error(kNoKeyDecodes));
  }
  EXPECT_EQ(verdict(p256().jwk(), p256().token("ES256", kPayload)), "");
  EXPECT_EQ(verdict(p384().jwk(), p384().token("ES384", kPayload)), "");
  EXPECT_EQ(verdict(p521().jwk(), p521().token("ES512", kPayload)), "");
  EXPECT_EQ(verdict(okp_jwk(ed25519(), "Ed25519"), ed25519().token("EdDSA", kPayload)), "");
  const SigningKey ed448 = SigningKey::okp("ED448");
  EXPECT_EQ(verdict(okp_jwk(ed448, "Ed448"), ed448.token("EdDSA", kPayload)), "");
}

// r and s begin with zeros now and then; none may get lost.
TEST(JwtAsymmetric, ManySignaturesOfTheSameKey) {
  const JwtKeySet keys = keys_of(set_of({p256().jwk(), p521().jwk()}));
  for (int i = 0; i < 300; i++) {
    ASSERT_TRUE(verify_jwt(p256().token("ES256", kPayload), keys).ok()) << i;
  }
  for (int i = 0; i < 20; i++) {
    ASSERT_TRUE(verify_jwt(p521().token("ES512", kPayload), keys).ok()) << i;
  }
}

TEST(JwtAsymmetric, ItsAlgBindsAKey) {
  const std::string bound = rsa().jwk(R"(,"alg":"RS512")");
  EXPECT_TRUE(accepts(bound, rsa().token("RS512", kPayload)));
  EXPECT_EQ(verdict(bound, rsa().token("RS256", kPayload)), key_error(kNoSuitableKey));
  // PostgREST does not know PS*, so a key that does not serve it makes no other answer.
  EXPECT_EQ(verdict(bound, rsa().token("PS512", kPayload)),
            "PGRST301 JWT cryptographic operation failed null");
}

TEST(JwtAsymmetric, KidSelectsAmongKeys) {
  const SigningKey other = SigningKey::ec("P-256");
  const std::string set =
      set_of({p256().jwk(R"(,"kid":"a")"), other.jwk(R"(,"kid":"b")"),
              R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoAyM1SysPpbw"})"});
  const auto with_kid = [](const SigningKey& key, const std::string& kid) {
    return key.token("ES256", R"({"alg":"ES256","kid":")" + kid + "\"}", kPayload);
  };
  EXPECT_TRUE(accepts(set, with_kid(p256(), "a")));
  EXPECT_TRUE(accepts(set, with_kid(other, "b")));
  EXPECT_EQ(verdict(set, with_kid(p256(), "b")), key_error(kNoKeyDecodes));
  EXPECT_EQ(verdict(set, with_kid(p256(), "c")), key_error(kNoSuitableKey));
  EXPECT_EQ(verdict(set, with_kid(p256(), "")), key_error(kNoSuitableKey));
  // Without kid each key is tried.
  EXPECT_TRUE(accepts(set, p256().token("ES256", kPayload)));
  EXPECT_TRUE(accepts(set, other.token("ES256", kPayload)));
  EXPECT_EQ(verdict(set, SigningKey::ec("P-256").token("ES256", kPayload)),
            key_error(kNoKeyDecodes));
  // A key without kid is nobody's kid.
  EXPECT_EQ(verdict(p256().jwk(), with_kid(p256(), "a")), key_error(kNoSuitableKey));
}

// Identity providers publish encryption keys and keys of other types in the same set.
TEST(JwtAsymmetric, ASetMayHoldKeysOfNoUse) {
  const std::string usable = p256().jwk(R"(,"use":"sig")");
  for (const std::string& other :
       {rsa().jwk(R"(,"alg":"RSA-OAEP","use":"enc")"), rsa().jwk(R"(,"use":"enc")"),
        std::string(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"),
        std::string(R"({"kty":"OKP","crv":"X25519","x":"AA"})"),
        std::string(R"({"kty":"AKP","alg":"ML-DSA-44","pub":"AA"})"),
        p384().jwk(R"(,"alg":"ES256K")")}) {
    EXPECT_TRUE(accepts(set_of({other, usable}), p256().token("ES256", kPayload))) << other;
    EXPECT_EQ(problem(set_of({other})), "JSON Web Key set: holds no key that could check a token.");
    EXPECT_EQ(problem(other),
              "JSON Web Key: kty, crv, alg or use is not one to check tokens with.");
  }
  EXPECT_EQ(verdict(set_of({rsa().jwk(R"(,"use":"enc")"), usable}), rsa().token("RS256", kPayload)),
            key_error(kNoSuitableKey));
}

TEST(JwtAsymmetric, CoordinatesMayLackZeros) {
  const std::string short_x =
      R"({"kty":"EC","crv":"P-256","x":"AA_3zidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
  EXPECT_NE(problem(short_x), "");  // not a point
  const auto decoded = base64_decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
  const std::string long_x = base64url(std::string(2, '\0') + *decoded);
  EXPECT_EQ(verdict(R"({"kty":"EC","crv":"P-256","x":")" + long_x +
                        R"(","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
                    test::kRfc7515A3Token),
            "");
}

// -- what is forged -------------------------------------------------------------------------------

TEST(JwtForged, WithoutASignature) {
  for (const std::string& jwk : {rsa().jwk(), p256().jwk(), okp_jwk(ed25519(), "Ed25519")}) {
    EXPECT_EQ(verdict(jwk, base64url(R"({"alg":"none"})") + "." + base64url(kPayload) + "."),
              "PGRST301 Wrong or unsupported encoding algorithm "
              "\"JWT is unsecured but expected 'alg' was not 'none'\"");
    for (const char* alg : {"RS256", "PS256", "ES256", "EdDSA"}) {
      const std::string header = "{\"alg\":\"" + std::string(alg) + "\"}";
      EXPECT_FALSE(accepts(jwk, base64url(header) + "." + base64url(kPayload) + ".")) << alg;
    }
  }
}

// The public key as the secret of an HMAC, in every form that an attacker can know it.
TEST(JwtForged, HmacWithThePublicKey) {
  for (const std::string& jwk : {rsa().jwk(), p256().jwk(), okp_jwk(ed25519(), "Ed25519")}) {
    for (const std::string& secret : {jwk, set_of({jwk}), jwk.substr(1, jwk.size() - 2)}) {
      for (const char* alg : {"HS256", "HS384", "HS512"}) {
        const std::string header = "{\"alg\":\"" + std::string(alg) + "\"}";
        EXPECT_EQ(verdict(jwk, test::sign(header, kPayload, secret)), key_error(kNoSuitableKey));
      }
    }
  }
}

TEST(JwtForged, AnotherAlgorithmThanSigned) {
  const std::vector<const char*> algs = {"HS256", "RS256", "RS384", "PS256", "PS384",
                                         "ES256", "ES384", "ES512", "EdDSA"};
  const std::string set =
      set_of({rsa().jwk(), p256().jwk(), p384().jwk(), okp_jwk(ed25519(), "Ed25519")});
  const std::vector<std::pair<const SigningKey*, std::string>> signers = {{&rsa(), "RS256"},
                                                                          {&rsa(), "PS256"},
                                                                          {&p256(), "ES256"},
                                                                          {&p384(), "ES384"},
                                                                          {&ed25519(), "EdDSA"}};
  for (const auto& [key, signed_with] : signers) {
    for (const char* alg : algs) {
      const std::string header = "{\"alg\":\"" + std::string(alg) + "\"}";
      const std::string token = key->token(signed_with, header, kPayload);
      EXPECT_EQ(accepts(set, token), alg == signed_with) << alg << " " << signed_with;
    }
  }
}

// PostgREST would check ES256 with a key of P-384.
TEST(JwtForged, AnotherCurve) {
  const std::string header = R"({"alg":"ES256"})";
  EXPECT_EQ(verdict(p384().jwk(), p384().token("ES256", header, kPayload)),
            key_error(kNoSuitableKey));
  EXPECT_EQ(verdict(set_of({p256().jwk(), p384().jwk()}), p384().token("ES256", header, kPayload)),
            key_error(kNoKeyDecodes));
  EXPECT_EQ(problem(p384().jwk(R"(,"alg":"ES256")")),
            "JSON Web Key: alg does not fit kty and crv.");
  EXPECT_EQ(problem(rsa().jwk(R"(,"alg":"HS256")")), "JSON Web Key: alg does not fit kty and crv.");
}

TEST(JwtForged, SignaturesOfAnotherLength) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {rsa().jwk(), rsa().token("RS256", kPayload)},
      {rsa().jwk(), rsa().token("PS256", kPayload)},
      {p256().jwk(), p256().token("ES256", kPayload)},
      {p521().jwk(), p521().token("ES512", kPayload)},
      {okp_jwk(ed25519(), "Ed25519"), ed25519().token("EdDSA", kPayload)}};
  for (const auto& [jwk, token] : cases) {
    const std::string text = token.substr(0, token.rfind('.') + 1);
    const std::string signature = *base64_decode(token.substr(text.size()));
    ASSERT_TRUE(accepts(jwk, text + base64url(signature)));
    for (const std::string& other :
         {std::string(), signature.substr(1), signature.substr(0, signature.size() - 1),
          signature.substr(0, signature.size() / 2), signature + signature,
          signature + std::string(1, '\0'), signature + std::string(2, '\0'),
          std::string(1, '\0') + signature, std::string(2, '\0') + signature,
          std::string(signature.size(), '\0'), std::string(signature.size(), '\xFF'),
          std::string(10000, '\1')}) {
      EXPECT_EQ(verdict(jwk, text + base64url(other)), key_error(kNoKeyDecodes)) << other.size();
    }
  }
}

TEST(JwtForged, EcdsaInDer) {
  std::string token = p256().token("ES256", kPayload);
  const std::string text = token.substr(0, token.rfind('.') + 1);
  const std::string halves = *base64_decode(token.substr(text.size()));
  const std::string der = std::string("\x30\x44\x02\x20", 4) + halves.substr(0, 32) +
                          std::string("\x02\x20", 2) + halves.substr(32);
  EXPECT_EQ(verdict(p256().jwk(), text + base64url(der)), key_error(kNoKeyDecodes));
}

TEST(JwtForged, EveryChangedCharacter) {
  const std::string good = p256().token("ES256", kPayload);
  const JwtKeySet keys = keys_of(p256().jwk());
  for (size_t i = 0; i < good.size(); i++) {
    std::string token = good;
    token[i] = token[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(verify_jwt(token, keys).ok()) << i;
  }
}

TEST(JwtForged, TheRestOfTheList) {
  const std::string jwk = p256().jwk();
  const std::string bad_crypto = "PGRST301 JWT cryptographic operation failed null";
  const std::string bad_claims = "PGRST303 Parsing claims failed null";
  const auto with_header = [](const std::string& header) {
    return p256().token("ES256", header, kPayload);
  };
  const auto with_claims = [](const std::string& claims) { return p256().token("ES256", claims); };
  EXPECT_EQ(verdict(jwk, with_claims("{\"a\":\"" + std::string(60000, 'x') + "\"}")), bad_crypto);
  EXPECT_EQ(verdict(jwk, with_claims(R"({"role":"a","role":"b"})")), bad_claims);
  EXPECT_EQ(verdict(jwk, with_claims("{\"role\":\"\xFF\"}")), bad_claims);
  EXPECT_EQ(verdict(jwk, with_header(R"({"alg":"ES256","alg":"ES256"})")), bad_crypto);
  EXPECT_EQ(verdict(jwk, with_header("{\"alg\":\"ES256\",\"kid\":\"\xC3\"}")), bad_crypto);
  EXPECT_EQ(verdict(jwk, with_header(R"({"alg":"ES256","crit":["b64"],"b64":false})")), bad_crypto);
  // A key that the token brings along is no key.
  const SigningKey own = SigningKey::ec("P-256");
  EXPECT_EQ(
      verdict(jwk, own.token("ES256", R"({"alg":"ES256","jwk":)" + own.jwk() + "}", kPayload)),
      key_error(kNoKeyDecodes));
}

// -- keys -----------------------------------------------------------------------------------------

TEST(JwkAsymmetric, RefusesBadKeysWithoutQuotingThem) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"kty":"RSA","e":"AQAB"})", "n is missing or not base64url."},
      {R"({"kty":"RSA","n":"c2VjcmV0"})", "e is missing or not base64url."},
      {R"({"kty":"RSA","n":"c2VjcmV0","e":"AQAB"})", "n has less than 1024 bits."},
      {R"({"kty":"RSA","n":7,"e":"AQAB"})", "n must be a string."},
      {R"({"kty":"EC","x":"c2VjcmV0","y":"c2VjcmV0"})", "crv is missing."},
      {R"({"kty":"EC","crv":"P-256","x":"c2VjcmV0"})", "y is missing or not base64url."},
      {R"({"kty":"EC","crv":"P-256","x":"c2VjcmV0","y":"c2VjcmV0"})",
       "x and y are no point of the curve."},
      {R"({"kty":"EC","crv":"P-256","x":")" + std::string(60, 'x') + R"(","y":"AQ"})",
       "x or y is too long."},
      {R"({"kty":"OKP","crv":"Ed25519","x":"c2VjcmV0"})", "x has the wrong length."},
      {R"({"kty":"OKP","crv":"Ed448","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       "x has the wrong length."},
      {R"({"kty":"oct","k":"c2VjcmV0","kid":1})", "kid must be a string."},
      {R"({"kty":"oct","k":"c2VjcmV0","k":"c2VjcmV0"})",
       "the text is no JSON object, or names a member twice."},
      {R"({"kty":"oct","k":"c2VjcmV0")", "the text is no JSON object, or names a member twice."},
      {R"([{"kty":"oct","k":"c2VjcmV0"}])",
       "the text is no JSON object, or names a member twice."}};
  for (const auto& [text, message] : cases) {
    EXPECT_EQ(problem(text), "JSON Web Key: " + message) << text;
    EXPECT_EQ(problem(text).find("c2VjcmV0"), std::string::npos);
  }
  EXPECT_EQ(problem(set_of({p256().jwk(), R"({"kty":"OKP","crv":"Ed25519"})"})),
            "JSON Web Key 2 of the set: x is missing or not base64url.");
}

TEST(JwkAsymmetric, BoundsTheSizeOfRsaKeys) {
  EXPECT_EQ(problem(SigningKey::rsa(1024).jwk()), "");
  EXPECT_EQ(problem(SigningKey::rsa(1016).jwk()), "JSON Web Key: n has less than 1024 bits.");
  const auto rsa_key = [](size_t n_bytes, const std::string& e) {
    return R"({"kty":"RSA","n":")" + base64url(std::string(n_bytes, '\xFF')) + R"(","e":")" +
           base64url(e) + "\"}";
  };
  EXPECT_EQ(problem(rsa_key(1025, "\1")), "JSON Web Key: n is too long.");
  EXPECT_EQ(problem(rsa_key(256, std::string(9, '\1'))), "JSON Web Key: e is too long.");
}

// With e = 1 every text is its own signature; an even modulus has a known factor.
TEST(JwkAsymmetric, RefusesRsaKeysThatProtectNothing) {
  const std::string good = rsa().jwk();
  const auto with = [&good](const std::string& member, const std::string& value) {
    std::string out = good;
    const size_t at = out.find("\"" + member + "\":\"") + 5;
    return out.replace(at, out.find('"', at) - at, base64url(value));
  };
  ASSERT_EQ(problem(with("e", "\3")), "");
  for (const std::string& e : {std::string("\1"), std::string("\2"), std::string(3, '\0')}) {
    EXPECT_EQ(problem(with("e", e)), "JSON Web Key: n and e are no RSA public key.");
  }
  EXPECT_EQ(problem(with("n", std::string(255, '\xFF') + '\xFE')),
            "JSON Web Key: n and e are no RSA public key.");
}

TEST(JwkAsymmetric, PublicKeysInPemAreNoSecrets) {
  const std::string pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n";
  for (const std::string& text :
       {pem + "-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\n" + std::string(100, 'M') + "\n-----END CERTIFICATE-----",
        "-----BEGIN RSA PUBLIC KEY-----\n" + std::string(100, 'M') +
            "\n-----END RSA PUBLIC KEY---"}) {
    EXPECT_EQ(problem(text), "The JWT secret is a public key in PEM: make it a JSON Web Key.");
  }
}

TEST(JwkAsymmetric, BoundsTheNumberOfKeys) {
  const std::string key = R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoAyM1SysPpbw"})";
  EXPECT_EQ(problem(set_of(std::vector<std::string>(kMaxKeys, key))), "");
  EXPECT_EQ(problem(set_of(std::vector<std::string>(kMaxKeys + 1, key))),
            "JSON Web Key set: holds too many keys.");
}

// -- the cache ------------------------------------------------------------------------------------

class JwtCacheAsymmetric : public ::testing::Test {
 protected:
  JwtCacheAsymmetric() { settings_.keys = keys_of(set_of({p256().jwk(), rsa().jwk()})); }

  Result<AuthResult> with_token(const std::string& token, int64_t now = 1700000000) {
    return authenticate({{"Authorization", "Bearer " + token}}, settings_, cache_, now);
  }

  AuthSettings settings_;
  JwtCache cache_{10};
};

TEST_F(JwtCacheAsymmetric, VerifiesATokenOnce) {
  const std::string token = rsa().token("PS256", kPayload);
  ASSERT_TRUE(with_token(token).ok());
  // Without keys nothing could be verified any more: the answer is the cached one.
  settings_.keys = JwtKeySet{};
  EXPECT_EQ(with_token(token)->role, "web");
  EXPECT_EQ(cache_.stats().hits, 1U);
  cache_.clear();
  EXPECT_FALSE(with_token(token).ok());
}

TEST_F(JwtCacheAsymmetric, KeepsNoForgery) {
  const std::string token = p256().token("ES256", kPayload);
  ASSERT_TRUE(with_token(token).ok());
  const SigningKey other = SigningKey::ec("P-256");
  for (const std::string& forged :
       {changed(token, 1), changed(token, 40), token.substr(0, token.size() - 4), token + "=",
        token.substr(0, token.rfind('.') + 1), other.token("ES256", kPayload),
        test::sign(R"({"alg":"HS256"})", kPayload, p256().jwk())}) {
    for (int i = 0; i < 2; i++) EXPECT_FALSE(with_token(forged).ok());
  }
  EXPECT_EQ(cache_.size(), 1U);
}

// (r, n - s) is a signature too: another token, verified on its own, with the same claims.
TEST_F(JwtCacheAsymmetric, ATokenIsItsWholeText) {
  ASSERT_TRUE(with_token(p256().token("ES256", kPayload)).ok());
  ASSERT_TRUE(with_token(p256().token("ES256", kPayload)).ok());
  EXPECT_EQ(cache_.size(), 2U);
  EXPECT_EQ(cache_.stats().hits, 0U);
}

TEST_F(JwtCacheAsymmetric, ACachedTokenExpires) {
  const std::string token = rsa().token("RS256", R"({"role":"web","exp":1700000000})");
  EXPECT_TRUE(with_token(token).ok());
  EXPECT_TRUE(with_token(token, 1700000030).ok());
  const Result<AuthResult> late = with_token(token, 1700000031);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().message, "JWT expired");
  EXPECT_EQ(cache_.stats().hits, 2U);
}

TEST_F(JwtCacheAsymmetric, CopiesOfTheSettingsShareTheKeys) {
  const AuthSettings copy = settings_;
  settings_.keys.reset();
  JwtCache cache(0);
  EXPECT_TRUE(
      authenticate({{"Authorization", "Bearer " + p256().token("ES256", kPayload)}}, copy, cache, 0)
          .ok());
}

}  // namespace
}  // namespace pgrst
