// The setting jwt-role-claim-key: where in the claims the role's name stands.
//
// Input -> output: text -> RoleClaimPath. What it finds in claims is in auth/role_claim.hpp.
// Two dialects, told apart by the first character: a JSONPath (auth/json_path.hpp) starts with '$',
// PostgREST's deprecated syntax (auth/dotted_path.hpp) does not. What is wrong with a path is said
// when the setting is read, not when a request comes.
// Ownership: everything by value.
#pragma once

#include "core/before_postgres.hpp"

#include <string_view>
#include <variant>

#include "auth/dotted_path.hpp"
#include "auth/json_path.hpp"
#include "core/result.hpp"

namespace pgrst {

struct RoleClaimPath {
  std::variant<jsonpath::Path, DottedPath> path = jsonpath::path_to_member("role");

  bool is_deprecated() const { return std::holds_alternative<DottedPath>(path); }
};

// An error is one of configuration: its message says what is wrong at which byte, for the
// administrator.
Result<RoleClaimPath> parse_role_claim_path(std::string_view text);

}  // namespace pgrst
