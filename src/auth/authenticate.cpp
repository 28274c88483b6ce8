#include "auth/authenticate.hpp"

#include <utility>

#include "auth/bearer.hpp"

namespace pgrst {

Result<AuthResult> authenticate(const Headers& headers, const AuthSettings& settings,
                                JwtCache& cache, int64_t now_unix_seconds) {
  const std::optional<std::string_view> token = bearer_token(headers);
  if (!token) return resolve_anonymous(settings);
  if (!settings.keys) return errors::jwt_secret_missing();
  if (const ResolvedClaims* known = cache.find(*token)) {
    return authorize_at(*known, now_unix_seconds);
  }
  PGRST_TRY(const Claims claims, verify_jwt(*token, *settings.keys));
  ResolvedClaims resolved = resolve_claims(claims, settings);
  Result<AuthResult> result = authorize_at(resolved, now_unix_seconds);
  cache.insert(*token, std::move(resolved));
  return result;
}

}  // namespace pgrst
