// From claims to a role: the second half of the auth stage.
//
// Input -> output: Claims, AuthSettings, time -> AuthResult{role, claims_json}.
// What depends on claims and settings alone is worked out once (resolve_claims) and can be kept;
// what depends on the time is decided anew for each request (authorize_at). Behaviour and order of
// the checks: PostgREST v16.2, docs/references/auth.rst, "JWT Claims Validation" and "JWT Role
// Extraction".
// Ownership: everything by value.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include "auth/jwt.hpp"
#include "auth/role_claim_path.hpp"
#include "core/result.hpp"

namespace pgrst {

struct AuthSettings {
  std::optional<JwtKeySet> keys;         // none: no jwt-secret, so every token is refused
  std::optional<std::string> audience;   // none: every audience is ours
  RoleClaimPath role_claim;              // $.role unless set
  std::optional<std::string> anon_role;  // none: anonymous access is off
};

struct AuthResult {
  std::string role;           // never empty
  std::string claims_json;    // the claims object with "role" set to `role`
  bool is_anonymous = false;  // `role` is the anonymous role, by whatever way it was chosen
};

// exp, nbf or iat. A number outside int64 or with a fraction counts as 0 in "exp", as in PostgREST,
// and is rounded up in the others, where a 0 would let in who must wait.
struct TimeClaim {
  bool is_number = true;
  std::optional<int64_t> unix_seconds;
};

enum class AudienceCheck { kAccepted, kMalformed, kNotInAudience };

// All that requests need of one token's claims.
struct ResolvedClaims {
  TimeClaim exp;
  TimeClaim nbf;
  TimeClaim iat;
  AudienceCheck audience = AudienceCheck::kAccepted;
  // PGRST302 when neither claims nor settings name a role; 22023 when that has no letter
  Result<AuthResult> outcome;
};

ResolvedClaims resolve_claims(const Claims& claims, const AuthSettings& settings);

// The outcome, unless a claim forbids it: exp, nbf, iat and aud are checked in this order, with 30
// s of tolerance for clocks, and the first fault is reported (PGRST303).
Result<AuthResult> authorize_at(const ResolvedClaims& claims, int64_t now_unix_seconds);

// Both of the above.
Result<AuthResult> resolve_role(const Claims& claims, const AuthSettings& settings,
                                int64_t now_unix_seconds);

// A request without a token: the anonymous role, else PGRST302.
Result<AuthResult> resolve_anonymous(const AuthSettings& settings);

}  // namespace pgrst
