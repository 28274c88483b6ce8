#include "auth/role.hpp"

#include <utility>

#include "auth/json_number.hpp"
#include "auth/json_text.hpp"
#include "auth/role_claim.hpp"
#include "auth/strict_json.hpp"
#include "core/json.hpp"

namespace pgrst {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr int64_t kClockSkewSeconds = 30;

std::optional<element> find_claim(const object& claims, std::string_view name) {
  element value;
  if (claims.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

// PostgREST reads what is no integer of 64 bits as 0, which is long past: an "exp" so written has
// expired. A "nbf" or "iat" of 0 would have come: those are read as they are, and rounded up.
enum class OddTime { kPast, kRoundedUp };

int64_t to_seconds(const JsonNumber& number, OddTime odd) {
  if (odd == OddTime::kRoundedUp) return ceiling_int64(number);
  return exact_int64(number).value_or(0);
}

TimeClaim read_time(const Claims& claims, const object& object, std::string_view name,
                    OddTime odd) {
  TimeClaim time;
  const std::optional<element> value = find_claim(object, name);
  if (!value) return time;
  time.is_number = value->is_number();
  if (!time.is_number) return time;
  // The document may hold another value than the text (StrictJson::has_huge_numbers).
  const auto number = read_json_number(member_text(claims.json, object, name).value_or(""));
  time.is_number = number.has_value();
  if (number) time.unix_seconds = to_seconds(*number, odd);
  return time;
}

AudienceCheck check_audience(const object& claims, const std::optional<std::string>& ours) {
  const std::optional<element> value = find_claim(claims, "aud");
  if (!value) return AudienceCheck::kAccepted;
  const auto is_ours = [&ours](std::string_view audience) { return !ours || audience == *ours; };
  std::string_view text;
  if (value->get(text) == simdjson::SUCCESS) {
    return is_ours(text) ? AudienceCheck::kAccepted : AudienceCheck::kNotInAudience;
  }
  array audiences;
  if (value->get(audiences) != simdjson::SUCCESS) return AudienceCheck::kMalformed;
  bool found = audiences.begin() == audiences.end();  // an empty list is no restriction
  for (const element item : audiences) {
    if (item.get(text) != simdjson::SUCCESS) return AudienceCheck::kMalformed;
    found = found || is_ours(text);
  }
  return found ? AudienceCheck::kAccepted : AudienceCheck::kNotInAudience;
}

// A string is the name itself, any other value its JSON text. nullopt: a value that cannot be
// trusted to come out as it went in. A NUL would cut the name short in PostgreSQL's C strings and
// so turn it into another role's name; a huge number is not held exactly.
std::optional<std::string> role_name(const element& value, const Claims& claims,
                                     bool has_huge_numbers) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    return std::string(text);
  }
  if (has_huge_numbers) return std::nullopt;
  return claim_text(value, claims.json);
}

Result<AuthResult> choose_role(const Claims& claims, const StrictJson& json,
                               const AuthSettings& settings) {
  std::optional<std::string> role = settings.anon_role;
  const RoleClaim claim = find_role_claim(settings.role_claim, json);
  if (claim.value) role = role_name(*claim.value, claims, json.has_huge_numbers());
  if (claim.is_unsure || (claim.value && !role)) return errors::jwt_claims("Parsing claims failed");
  if (!role) return errors::jwt_token_required();
  if (role->empty()) return errors::no_such_role(*role);
  AuthResult result;
  result.claims_json = with_member(claims.json, json.object(), "role", json_string(*role));
  result.is_anonymous = settings.anon_role == role;
  result.role = *std::move(role);
  return result;
}

}  // namespace

ResolvedClaims resolve_claims(const Claims& claims, const AuthSettings& settings) {
  StrictJson json;
  if (!json.parse_object(claims.json)) {
    return ResolvedClaims{{}, {}, {}, {}, errors::jwt_claims("Parsing claims failed")};
  }
  return ResolvedClaims{
      .exp = read_time(claims, json.object(), "exp", OddTime::kPast),
      .nbf = read_time(claims, json.object(), "nbf", OddTime::kRoundedUp),
      .iat = read_time(claims, json.object(), "iat", OddTime::kRoundedUp),
      .audience = check_audience(json.object(), settings.audience),
      .outcome = choose_role(claims, json, settings),
  };
}

Result<AuthResult> authorize_at(const ResolvedClaims& claims, int64_t now_unix_seconds) {
  const int64_t earliest = now_unix_seconds - kClockSkewSeconds;
  const int64_t latest = now_unix_seconds + kClockSkewSeconds;
  const auto is_past = [&](const TimeClaim& t) {
    return t.unix_seconds && *t.unix_seconds < earliest;
  };
  const auto is_future = [&](const TimeClaim& t) {
    return t.unix_seconds && *t.unix_seconds > latest;
  };

  if (!claims.exp.is_number) return errors::jwt_claims("The JWT 'exp' claim must be a number");
  if (is_past(claims.exp)) return errors::jwt_claims("JWT expired");
  if (!claims.nbf.is_number) return errors::jwt_claims("The JWT 'nbf' claim must be a number");
  if (is_future(claims.nbf)) return errors::jwt_claims("JWT not yet valid");
  if (!claims.iat.is_number) return errors::jwt_claims("The JWT 'iat' claim must be a number");
  if (is_future(claims.iat)) return errors::jwt_claims("JWT issued at future");
  switch (claims.audience) {
    case AudienceCheck::kAccepted:
      break;
    case AudienceCheck::kMalformed:
      return errors::jwt_claims("The JWT 'aud' claim must be a string or an array of strings");
    case AudienceCheck::kNotInAudience:
      return errors::jwt_claims("JWT not in audience");
  }
  return claims.outcome;
}

Result<AuthResult> resolve_role(const Claims& claims, const AuthSettings& settings,
                                int64_t now_unix_seconds) {
  return authorize_at(resolve_claims(claims, settings), now_unix_seconds);
}

Result<AuthResult> resolve_anonymous(const AuthSettings& settings) {
  if (!settings.anon_role) return errors::jwt_token_required();
  if (settings.anon_role->empty()) return errors::no_such_role(*settings.anon_role);
  AuthResult result;
  result.role = *settings.anon_role;
  result.claims_json.reserve(result.role.size() + 12);
  result.claims_json = "{\"role\":";
  append_json_string(result.claims_json, result.role);
  result.claims_json += '}';
  result.is_anonymous = true;
  return result;
}

}  // namespace pgrst
