// JSON Web Keys (RFC 7517): the secret as an object rather than as text.
//
// Input -> output: the text of the setting jwt-secret -> its keys; nothing when it is no JSON
// object. An error is one of configuration. Only symmetric keys ("kty":"oct") are understood: with
// them a secret can serve HS384 and HS512, or several keys can be told apart by "kid".
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string_view>

#include "auth/jwt.hpp"
#include "core/result.hpp"

namespace pgrst {

std::optional<Result<JwtKeySet>> parse_jwk_text(std::string_view text);

}  // namespace pgrst
