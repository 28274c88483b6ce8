// Fuzzes the auth stage. The first byte chooses what the rest is: a whole token, the claims or the
// header of a correctly signed one, or a path to the role claim.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "auth/authenticate.hpp"
#include "auth/strict_json.hpp"
#include "unit/jwt_signing.hpp"

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const AuthSettings& plain = *new AuthSettings(make_settings("$.role"));
  static const AuthSettings& nested = *new AuthSettings(make_settings("$.a[-1]['b']"));
  static const AuthSettings& filtered = *new AuthSettings(make_settings(R"(.roles[?(@ ^== "r")])"));
  switch (data[0]) {
    case 't':
      authenticate(text, plain);
      break;
    case 'c':
      authenticate(pgrst::test::hs256(text), plain);
      authenticate(pgrst::test::hs256(text), nested);
      authenticate(pgrst::test::hs256(text), filtered);
      break;
    case 'h':
      authenticate(pgrst::test::sign(text, R"({"role":"u"})"), plain);
      break;
    case 'p':
      authenticate(pgrst::test::hs256(R"({"a":[1,{"b":["x",null]}],"role":"u"})"),
                   make_settings(text));
      break;
    default:
      (void)pgrst::make_key_set(text, (data[0] & 1) != 0);
  }
  return 0;
}
