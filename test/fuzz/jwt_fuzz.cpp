// Fuzzes the auth stage. The first byte chooses what the rest is: a whole token, the claims or the
// header of a correctly signed one, a signature, a secret or JSON Web Key, a path to the role
// claim, a JSONPath and a document, or a regular expression and a text (the first line and the
// rest).
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "auth/authenticate.hpp"
#include "auth/json_path_query.hpp"
#include "auth/strict_json.hpp"
#include "core/text.hpp"
#include "unit/jwt_signing.hpp"
#include "unit/jwt_vectors.hpp"

namespace {

using pgrst::AuthResult;
using pgrst::AuthSettings;
using pgrst::Result;

void require(bool condition) {
  if (!condition) std::abort();
}

AuthSettings make_settings(std::string_view path) {
  AuthSettings settings;
  settings.keys = pgrst::make_key_set(pgrst::test::kSecret, false).value();
  settings.anon_role = "anon";
  Result<pgrst::RoleClaimPath> parsed = pgrst::parse_role_claim_path(path);
  if (parsed.ok()) settings.role_claim = std::move(parsed).value();
  return settings;
}

// The claims handed to the database are one sound object whose "role" is the role.
void check(const Result<AuthResult>& result) {
  if (!result.ok()) {
    require(result.error().status == 401);
    return;
  }
  pgrst::StrictJson json;
  require(json.parse_object(result->claims_json));
  std::string_view role;
  require(json.object().at_key("role").get(role) == simdjson::SUCCESS);
  require(role == result->role);
}

void authenticate(const std::string& token, const AuthSettings& settings) {
  pgrst::JwtCache cache(4);
  const pgrst::Headers headers = {{"Authorization", "Bearer " + token}};
  const Result<AuthResult> fresh = pgrst::authenticate(headers, settings, cache, 1700000000);
  const Result<AuthResult> again = pgrst::authenticate(headers, settings, cache, 1700000000);
  check(fresh);
  require(fresh.ok() == again.ok());
  if (fresh.ok()) require(fresh->claims_json == again->claims_json);
}

// Public keys of every kind: nobody has a private one, so every token is forged.
AuthSettings make_asymmetric() {
  AuthSettings settings;
  settings.keys =
      pgrst::make_key_set(R"({"keys":[)" + std::string(pgrst::test::kRfc7515A2Key) + "," +
                              pgrst::test::kRfc7515A3Key + "," + pgrst::test::kRfc7515A4Key + "," +
                              pgrst::test::kRfc8037Key + "]}",
                          false)
          .value();
  return settings;
}

// The bytes as the signature of one text by every algorithm.
void forge(const std::string& signature, const AuthSettings& settings) {
  for (const char* alg : {"RS256", "PS512", "ES256", "ES512", "EdDSA"}) {
    const std::string text = pgrst::test::base64url("{\"alg\":\"" + std::string(alg) + "\"}") +
                             "." + pgrst::test::base64url(R"({"role":"admin"})");
    require(
        !pgrst::verify_jwt(text + "." + pgrst::test::base64url(signature), *settings.keys).ok());
  }
}

// What is wrong with a key is said without a part of it: messages are ours, and short.
void read_key(const std::string& text, bool is_base64) {
  const Result<pgrst::JwtKeySet> keys = pgrst::make_key_set(text, is_base64);
  if (!keys.ok()) {
    require(keys.error().message.size() < 100);
    return;
  }
  require(!keys->keys.empty());
  for (const char* token : {pgrst::test::kRfc7515A2Token, pgrst::test::kRfc7515A3Token}) {
    (void)pgrst::verify_jwt(token, *keys).ok();
  }
}

void run_path(const std::string& path, const std::string& document) {
  if (!pgrst::is_valid_utf8(path)) return;
  pgrst::TextCursor in(path);
  const auto parsed = pgrst::jsonpath::parse_path(in);
  require(parsed.has_value() != in.complaint().has_value());
  pgrst::StrictJson json;
  if (!parsed || !json.parse_object(document)) return;
  size_t n = 0;
  const auto count = [&n](const simdjson::dom::element&) { return ++n > 0; };
  const bool sure = pgrst::jsonpath::run_query(*parsed, json, count);
  if (sure && parsed->is_singular()) require(n <= 1);
}

// Both ways to match, and no more steps than they may take.
void run_regexp(const std::string& pattern, const std::string& text) {
  if (!pgrst::is_valid_utf8(pattern) || !pgrst::is_valid_utf8(text)) return;
  const auto compiled = pgrst::Iregexp::compile(pattern);
  const auto* const regexp = std::get_if<pgrst::Iregexp>(&compiled);
  if (regexp == nullptr) return;
  size_t steps = 1 << 20;
  const bool whole = regexp->matches(text, pgrst::MatchMode::kWhole, steps);
  const bool somewhere = regexp->matches(text, pgrst::MatchMode::kSomewhere, steps);
  if (whole && steps > 0) require(somewhere);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const AuthSettings& plain = *new AuthSettings(make_settings("$.role"));
  static const AuthSettings& nested = *new AuthSettings(make_settings("$.a[-1]['b']"));
  static const AuthSettings& filtered = *new AuthSettings(make_settings(R"(.roles[?(@ ^== "r")])"));
  static const AuthSettings& asymmetric = *new AuthSettings(make_asymmetric());
  static const AuthSettings& searched =
      *new AuthSettings(make_settings("$..roles[?search(@, $.a) || @.x == $..x || @ > 1]"));
  const size_t line = std::min(text.find('\n'), text.size());
  const std::string first_line = text.substr(0, line);
  const std::string rest = text.substr(std::min(line + 1, text.size()));
  switch (data[0]) {
    case 't':
      authenticate(text, plain);
      authenticate(text, asymmetric);
      break;
    case 'c':
      authenticate(pgrst::test::hs256(text), plain);
      authenticate(pgrst::test::hs256(text), nested);
      authenticate(pgrst::test::hs256(text), filtered);
      authenticate(pgrst::test::hs256(text), searched);
      break;
    case 'h':
      authenticate(pgrst::test::sign(text, R"({"role":"u"})"), plain);
      authenticate(pgrst::test::sign(text, R"({"role":"u"})"), asymmetric);
      break;
    case 's':
      forge(text, asymmetric);
      break;
    case 'j':
      run_path(first_line, rest);
      break;
    case 'r':
      run_regexp(first_line, rest);
      break;
    case 'p':
      authenticate(pgrst::test::hs256(R"({"a":[1,{"b":["x",null]}],"role":"u"})"),
                   make_settings(text));
      break;
    default:
      read_key(text, (data[0] & 1) != 0);
  }
  return 0;
}
