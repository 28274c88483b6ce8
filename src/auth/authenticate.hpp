// The auth stage as the pipeline sees it.
//
// Input -> output: headers, settings, time -> AuthResult{role, claims_json}, or PGRST300-303.
// A request without a token parses nothing; one with a known token costs a lookup and four
// comparisons.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>

#include "auth/jwt_cache.hpp"
#include "auth/role.hpp"
#include "core/http_message.hpp"
#include "core/result.hpp"

namespace pgrst {

// `cache` must have served no other settings since it was last cleared. The time is in seconds
// since the epoch, rounded down.
Result<AuthResult> authenticate(const Headers& headers, const AuthSettings& settings,
                                JwtCache& cache, int64_t now_unix_seconds);

}  // namespace pgrst
