// The bearer token of a request: the way into the auth stage.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string_view>

#include "core/http_message.hpp"

namespace pgrst {

// The token of the first Authorization header, if its scheme is Bearer in any spelling: all that
// follows the white space behind the scheme, so empty when nothing does. Another scheme, or no
// header: none (RFC 6750, 2.1, as PostgREST's HTTP library reads it). Points into `headers`.
std::optional<std::string_view> bearer_token(const Headers& headers);

}  // namespace pgrst
