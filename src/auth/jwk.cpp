#include "auth/jwk.hpp"

#include <simdjson.h>

#include "core/text.hpp"

namespace pgrst {

namespace {

namespace dom = simdjson::dom;

constexpr size_t kMaxKeys = 100;

std::optional<std::string> text_member(dom::object object, std::string_view name) {
  std::string_view text;
  if (object.at_key(name).get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

Error bad_key(const std::string& what) { return errors::internal("JSON Web Key: " + what); }

// RFC 7518, 6.4: kty "oct", k the bytes in base64url; alg and kid as in RFC 7517, 4.
Result<JwtKey> parse_key(dom::object object) {
  const auto type = text_member(object, "kty");
  if (!type) return bad_key("kty is missing.");
  if (*type != "oct") return bad_key("keys of the type \"" + *type + "\" are not supported.");
  const auto encoded = text_member(object, "k");
  const auto bytes = encoded ? base64_decode(*encoded) : std::nullopt;
  if (!bytes || bytes->empty()) return bad_key("k is missing or not base64url.");
  JwtKey key;
  key.secret = *bytes;
  key.kid = text_member(object, "kid");
  const auto alg = text_member(object, "alg");
  if (alg) {
    if (*alg == "HS256") {
      key.alg = JwsAlgorithm::kHs256;
    } else if (*alg == "HS384") {
      key.alg = JwsAlgorithm::kHs384;
    } else if (*alg == "HS512") {
      key.alg = JwsAlgorithm::kHs512;
    } else {
      return bad_key("alg \"" + *alg + "\" does not fit a key of the type \"oct\".");
    }
  }
  return key;
}

Result<JwtKeySet> parse_set(dom::array keys) {
  JwtKeySet set;
  for (const auto element : keys) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return bad_key("keys must hold objects.");
    if (set.keys.size() == kMaxKeys) return bad_key("the set holds too many keys.");
    PGRST_TRY(JwtKey key, parse_key(object));
    set.keys.push_back(std::move(key));
  }
  if (set.keys.empty()) return bad_key("the set holds no key.");
  return set;
}

Result<JwtKeySet> parse_one(dom::object object) {
  PGRST_TRY(JwtKey key, parse_key(object));
  JwtKeySet set;
  set.keys.push_back(std::move(key));
  return set;
}

}  // namespace

std::optional<Result<JwtKeySet>> parse_jwk_text(std::string_view text) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(text.data(), text.size(), true).get(object) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  dom::array keys;
  if (object.at_key("keys").get(keys) == simdjson::SUCCESS) return parse_set(keys);
  return parse_one(object);
}

}  // namespace pgrst
