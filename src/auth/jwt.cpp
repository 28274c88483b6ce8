#include "auth/jwt.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <variant>

#include "auth/jwk.hpp"
#include "auth/strict_json.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

constexpr size_t kMinSecretBytes = 32;

constexpr char kEmptyToken[] = "Empty JWT is sent in Authorization header";
constexpr char kKeyError[] = "No suitable key or wrong key type";
constexpr char kBadAlgorithm[] = "Wrong or unsupported encoding algorithm";
constexpr char kBadCrypto[] = "JWT cryptographic operation failed";
constexpr char kBadClaims[] = "Parsing claims failed";
constexpr char kUnsecured[] = "JWT is unsecured but expected 'alg' was not 'none'";
constexpr char kNoSuitableKey[] = "No suitable key was found to decode the JWT";
constexpr char kNoKeyDecodes[] = "None of the keys was able to decode the JWT";

Error bad_crypto() { return errors::jwt_decode(kBadCrypto, std::nullopt); }

// The protected header (RFC 7515, 4), as far as it matters here.
struct JwsHeader {
  bool unsecured = false;
  JwsAlgorithm alg = JwsAlgorithm::kHs256;
  std::optional<std::string> kid;
};

int base64url_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return -1;
}

// base64url without padding (RFC 7515, 2). Bits left over at the end should be zero, so that there
// is one text only for each sequence of bytes: `stray_bits` is set when they are not.
std::optional<std::string> base64url_decode(std::string_view text, bool& stray_bits) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = base64url_value(c);
    if (value < 0) return std::nullopt;
    bits = ((bits << 6) | static_cast<uint32_t>(value)) & 0xFFFF;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xFF);
    }
  }
  if ((bits & ((1U << count) - 1)) != 0) stray_bits = true;
  return out;
}

// A header parameter that is text, null or absent; false for any other type.
bool read_optional_text(const simdjson::dom::object& header, std::string_view name,
                        std::optional<std::string>& out) {
  simdjson::dom::element value;
  if (header.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return true;
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return false;
  out = std::string(text);
  return true;
}

// A token with "enc" is encrypted and has five parts; "crit" demands extensions that this server
// does not know (RFC 7515, 4.1.11). Both are refused.
std::optional<JwsHeader> read_header(std::string_view text) {
  StrictJson json;
  if (!json.parse_object(text)) return std::nullopt;
  const simdjson::dom::object& object = json.object();
  std::string_view alg;
  if (object.at_key("alg").get(alg) != simdjson::SUCCESS) return std::nullopt;
  JwsHeader header;
  if (alg == "none") {
    header.unsecured = true;
    return header;
  }
  for (const char* name : {"enc", "crit"}) {
    if (object.at_key(name).error() != simdjson::NO_SUCH_FIELD) return std::nullopt;
  }
  const std::optional<JwsAlgorithm> known = find_jws_algorithm(alg);
  if (!known) return std::nullopt;
  header.alg = *known;
  std::optional<std::string> ignored;
  if (!read_optional_text(object, "typ", ignored) || !read_optional_text(object, "cty", ignored) ||
      !read_optional_text(object, "kid", header.kid)) {
    return std::nullopt;
  }
  return header;
}

// The digest of an HMAC algorithm; nullptr for the others.
const EVP_MD* hmac_digest(JwsAlgorithm alg) {
  switch (alg) {
    case JwsAlgorithm::kHs256:
      return EVP_sha256();
    case JwsAlgorithm::kHs384:
      return EVP_sha384();
    case JwsAlgorithm::kHs512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

KeyKind kind_of(const JwtKey& key) {
  const auto* const public_key = std::get_if<PublicKey>(&key.material);
  return public_key != nullptr ? public_key->kind() : KeyKind::kSymmetric;
}

bool suits(const JwtKey& key, const JwsHeader& header) {
  if (header.kid && key.kid != header.kid) return false;
  if (key.alg && *key.alg != header.alg) return false;
  return serves(kind_of(key), header.alg);
}

bool hmac_verifies(const EVP_MD* digest, std::string_view secret, std::string_view signed_text,
                   std::string_view signature) {
  if (secret.size() > INT_MAX) return false;
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(digest, secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), mac,
           &size) == nullptr) {
    ERR_clear_error();
    return false;
  }
  return signature.size() == size && CRYPTO_memcmp(mac, signature.data(), size) == 0;
}

bool verifies(const JwtKey& key, JwsAlgorithm alg, std::string_view signed_text,
              std::string_view signature) {
  if (const auto* const public_key = std::get_if<PublicKey>(&key.material)) {
    return public_key->verifies(alg, signed_text, signature);
  }
  const EVP_MD* const digest = hmac_digest(alg);
  return digest != nullptr &&
         hmac_verifies(digest, std::get<HmacSecret>(key.material).bytes, signed_text, signature);
}

// Tries every key that suits the header until one verifies the signature. An algorithm unknown to
// PostgREST stays unknown where no key serves it.
Result<void> check_signature(const JwtKeySet& keys, const JwsHeader& header,
                             std::string_view signed_text, std::string_view signature) {
  bool any_suits = false;
  for (const JwtKey& key : keys.keys) {
    if (!suits(key, header)) continue;
    any_suits = true;
    if (verifies(key, header.alg, signed_text, signature)) return {};
  }
  if (!any_suits && is_rsa_pss(header.alg)) return bad_crypto();
  return errors::jwt_decode(kKeyError, any_suits ? kNoKeyDecodes : kNoSuitableKey);
}

// PostgREST lets a base64 secret be of either alphabet, with '.' for '=', and blanks around it.
std::optional<std::string> decode_secret(std::string_view secret) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const size_t first = secret.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return std::string();
  std::string text(secret.substr(first, secret.find_last_not_of(kBlanks) - first + 1));
  std::replace(text.begin(), text.end(), '.', '=');
  return base64_decode(text);
}

bool is_public_pem(std::string_view text) {
  const auto has = [text](std::string_view part) { return text.find(part) != text.npos; };
  return has("-----BEGIN ") && (has(" PUBLIC KEY-----") || has(" CERTIFICATE-----"));
}

}  // namespace

Result<void> check_secret_size(std::string_view bytes) {
  if (bytes.size() >= kMinSecretBytes) return {};
  return errors::internal("The JWT secret must be at least 32 characters long.");
}

Result<JwtKeySet> make_key_set(std::string_view secret, bool is_base64) {
  std::string bytes(secret);
  if (is_base64) {
    std::optional<std::string> decoded = decode_secret(secret);
    if (!decoded) return errors::internal("The JWT secret is not valid base64.");
    bytes = *std::move(decoded);
  }
  if (auto keys = parse_jwk_text(bytes)) return *std::move(keys);
  if (is_public_pem(bytes)) {
    return errors::internal("The JWT secret is a public key in PEM: make it a JSON Web Key.");
  }
  PGRST_CHECK(check_secret_size(bytes));
  JwtKeySet set;
  set.keys.push_back(JwtKey{HmacSecret{std::move(bytes)}, JwsAlgorithm::kHs256, std::nullopt});
  return set;
}

//   token = base64url(header) "." base64url(payload) "." base64url(signature)
Result<Claims> verify_jwt(std::string_view token, const JwtKeySet& keys) {
  if (token.empty()) return errors::jwt_decode(kEmptyToken, std::nullopt);
  const auto dots = std::count(token.begin(), token.end(), '.');
  if (dots != 2) {
    return errors::jwt_decode("Expected 3 parts in JWT; got " + std::to_string(dots + 1),
                              std::nullopt);
  }
  if (token.size() > kMaxTokenBytes) return bad_crypto();
  const size_t first = token.find('.');
  const size_t second = token.rfind('.');

  bool stray_bits = false;
  const std::optional<std::string> header_text =
      base64url_decode(token.substr(0, first), stray_bits);
  if (!header_text) return bad_crypto();
  const std::optional<JwsHeader> header = read_header(*header_text);
  if (!header) return bad_crypto();
  std::optional<std::string> payload =
      base64url_decode(token.substr(first + 1, second - first - 1), stray_bits);
  if (!payload) return bad_crypto();
  if (header->unsecured) return errors::jwt_decode(kBadAlgorithm, kUnsecured);
  const std::optional<std::string> signature =
      base64url_decode(token.substr(second + 1), stray_bits);
  if (!signature) return bad_crypto();
  PGRST_CHECK(check_signature(keys, *header, token.substr(0, second), *signature));
  // Only now: of a broken signature PostgREST says that no key fits, whatever its last bits are.
  if (stray_bits) return bad_crypto();

  StrictJson json;
  if (!json.parse_object(*payload)) return errors::jwt_claims(kBadClaims);
  return Claims{*std::move(payload)};
}

}  // namespace pgrst
