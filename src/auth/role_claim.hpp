// Where the path of jwt-role-claim-key leads in the claims of a token. Internal to auth/.
//
// Input -> output: RoleClaimPath, claims -> the value that names the role, or nothing.
// Of several nodes the first is taken, as in PostgREST.
// Ownership: the value points into the claims.
#pragma once

#include "core/before_postgres.hpp"

#include <simdjson.h>

#include <optional>

#include "auth/role_claim_path.hpp"
#include "auth/strict_json.hpp"

namespace pgrst {

struct RoleClaim {
  std::optional<simdjson::dom::element> value;  // none: the claims name no role
  bool is_unsure = false;  // jsonpath::run_query() gave up; there is no value then
};

RoleClaim find_role_claim(const RoleClaimPath& path, const StrictJson& claims);

}  // namespace pgrst
