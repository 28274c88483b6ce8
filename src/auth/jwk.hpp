// JSON Web Keys (RFC 7517): the secret as an object rather than as text.
//
// Input -> output: the text of the setting jwt-secret -> its keys; nothing when it is no JSON Web
// Key. An error is one of configuration.
// Understood are symmetric keys ("kty":"oct"), RSA, and the curves P-256, P-384, P-521, Ed25519 and
// Ed448. Only what verifying needs is read: private parts, "key_ops" and certificates are passed
// over. A key of another type, curve, "alg" or "use" can check no token: a set may hold it, as in
// PostgREST, but not alone.
// Bounds: kMaxKeys in a set, those of auth/public_key.hpp, and StrictJson's.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

#include "auth/jwt.hpp"
#include "core/result.hpp"

namespace pgrst {

inline constexpr size_t kMaxKeys = 100;

// A text that is no JSON object, but begins as one and names a "kty", is an error too.
std::optional<Result<JwtKeySet>> parse_jwk_text(std::string_view text);

}  // namespace pgrst
