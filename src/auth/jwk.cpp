#include "auth/jwk.hpp"

#include <simdjson.h>

#include <array>
#include <string>
#include <utility>

#include "auth/strict_json.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

namespace dom = simdjson::dom;

struct CurveName {
  std::string_view type;  // "kty"
  std::string_view name;  // "crv"
  KeyKind kind;
};

constexpr std::array<CurveName, 5> kCurves = {{
    {"EC", "P-256", KeyKind::kP256},
    {"EC", "P-384", KeyKind::kP384},
    {"EC", "P-521", KeyKind::kP521},
    {"OKP", "Ed25519", KeyKind::kEd25519},
    {"OKP", "Ed448", KeyKind::kEd448},
}};

// What is wrong with one key; parse_jwk_text() says which.
Error bad_key(const std::string& what) { return errors::internal(what); }

Error in_key(const std::string& which, const Error& error) {
  return errors::internal("JSON Web Key" + which + ": " + error.message);
}

// A member that is text; nothing if it is null or absent.
Result<std::optional<std::string_view>> text_member(const dom::object& key, const char* name) {
  dom::element value;
  std::string_view text;
  if (key.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) {
    return std::optional<std::string_view>();
  }
  if (value.get(text) != simdjson::SUCCESS)
    return bad_key(std::string(name) + " must be a string.");
  return std::optional(text);
}

// A member of bytes in base64url, which must be there.
Result<std::string> bytes_member(const dom::object& key, const char* name) {
  PGRST_TRY(const auto text, text_member(key, name));
  std::optional<std::string> bytes = text ? base64_decode(*text) : std::nullopt;
  if (!bytes || bytes->empty()) {
    return bad_key(std::string(name) + " is missing or not base64url.");
  }
  return *std::move(bytes);
}

// The kind that "kty" and "crv" tell; nothing for one that is unknown here.
Result<std::optional<KeyKind>> key_kind(const dom::object& key) {
  PGRST_TRY(const auto type, text_member(key, "kty"));
  if (!type) return bad_key("kty is missing.");
  if (*type == "oct") return std::optional(KeyKind::kSymmetric);
  if (*type == "RSA") return std::optional(KeyKind::kRsa);
  if (*type != "EC" && *type != "OKP") return std::optional<KeyKind>();
  PGRST_TRY(const auto curve, text_member(key, "crv"));
  if (!curve) return bad_key("crv is missing.");
  for (const CurveName& known : kCurves) {
    if (known.type == *type && known.name == *curve) return std::optional(known.kind);
  }
  return std::optional<KeyKind>();
}

Result<PublicKey> public_key(KeyKind kind, const dom::object& key) {
  if (kind == KeyKind::kRsa) {
    PGRST_TRY(const std::string n, bytes_member(key, "n"));
    PGRST_TRY(const std::string e, bytes_member(key, "e"));
    return PublicKey::from_rsa(n, e);
  }
  PGRST_TRY(const std::string x, bytes_member(key, "x"));
  if (kind == KeyKind::kEd25519 || kind == KeyKind::kEd448) return PublicKey::from_okp(kind, x);
  PGRST_TRY(const std::string y, bytes_member(key, "y"));
  return PublicKey::from_ec(kind, x, y);
}

Result<std::variant<HmacSecret, PublicKey>> key_material(KeyKind kind, const dom::object& key) {
  if (kind == KeyKind::kSymmetric) {
    PGRST_TRY(std::string bytes, bytes_member(key, "k"));
    PGRST_CHECK(check_secret_size(bytes));
    return std::variant<HmacSecret, PublicKey>(HmacSecret{std::move(bytes)});
  }
  PGRST_TRY(PublicKey made, public_key(kind, key));
  return std::variant<HmacSecret, PublicKey>(std::move(made));
}

// RFC 7517, 4, RFC 7518, 6 and RFC 8037, 2. Nothing for a key that can check no token.
Result<std::optional<JwtKey>> parse_key(const dom::object& object) {
  PGRST_TRY(const auto kind, key_kind(object));
  PGRST_TRY(const auto alg_name, text_member(object, "alg"));
  PGRST_TRY(const auto use, text_member(object, "use"));
  PGRST_TRY(const auto kid, text_member(object, "kid"));
  std::optional<JwsAlgorithm> alg;
  if (alg_name) alg = find_jws_algorithm(*alg_name);
  if (!kind || (alg_name && !alg) || (use && *use != "sig")) return std::optional<JwtKey>();
  if (alg && !serves(*kind, *alg)) return bad_key("alg does not fit kty and crv.");
  PGRST_TRY(auto material, key_material(*kind, object));
  JwtKey key{std::move(material), alg, std::nullopt};
  if (kid) key.kid = std::string(*kid);
  return std::optional(std::move(key));
}

Error bad_set(const std::string& what) { return errors::internal("JSON Web Key set: " + what); }

Result<JwtKeySet> parse_set(const dom::array& keys) {
  JwtKeySet set;
  size_t read = 0;
  for (const dom::element element : keys) {
    dom::object object;
    if (++read > kMaxKeys) return bad_set("holds too many keys.");
    if (element.get(object) != simdjson::SUCCESS) return bad_set("must hold objects.");
    Result<std::optional<JwtKey>> key = parse_key(object);
    if (!key.ok()) return in_key(" " + std::to_string(read) + " of the set", key.error());
    if (*key) set.keys.push_back(**std::move(key));
  }
  if (set.keys.empty()) return bad_set("holds no key that could check a token.");
  return set;
}

Result<JwtKeySet> parse_one(const dom::object& object) {
  Result<std::optional<JwtKey>> key = parse_key(object);
  if (!key.ok()) return in_key("", key.error());
  if (!*key) return in_key("", bad_key("kty, crv, alg or use is not one to check tokens with."));
  JwtKeySet set;
  set.keys.push_back(**std::move(key));
  return set;
}

bool begins_as_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

}  // namespace

std::optional<Result<JwtKeySet>> parse_jwk_text(std::string_view text) {
  if (!begins_as_json(text)) return std::nullopt;
  StrictJson json;
  if (!json.parse_object(text)) {
    if (text.find("\"kty\"") == std::string_view::npos) return std::nullopt;
    return in_key("", bad_key("the text is no JSON object, or names a member twice."));
  }
  dom::array keys;
  if (json.object().at_key("keys").get(keys) == simdjson::SUCCESS) return parse_set(keys);
  return parse_one(json.object());
}

}  // namespace pgrst
