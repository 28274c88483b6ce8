// The setting jwt-role-claim-key: where in the claims the role's name stands.
//
// Input -> output: text -> RoleClaimPath, the steps from the claims object to the role.
// Two dialects, told apart by the first character: a JSONPath (RFC 9535) starts with '$',
// PostgREST's deprecated dotted syntax does not. Of JSONPath, name and index selectors are
// supported, one for each segment; anything else is refused when the setting is read, not when a
// request comes.
// Ownership: everything by value.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"

namespace pgrst {

// The member of that name of an object.
struct MemberStep {
  std::string name;

  bool operator==(const MemberStep&) const = default;
};

// That element of an array; a negative index counts from the end.
struct IndexStep {
  int64_t index = 0;

  bool operator==(const IndexStep&) const = default;
};

enum class FilterOperator { kEquals, kNotEquals, kStartsWith, kEndsWith, kContains };

// The first string of an array that compares so with `text`; elements of other types are passed
// over.
struct FilterStep {
  FilterOperator op = FilterOperator::kEquals;
  std::string text;

  bool operator==(const FilterStep&) const = default;
};

using PathStep = std::variant<MemberStep, IndexStep, FilterStep>;

struct RoleClaimPath {
  std::vector<PathStep> steps{MemberStep{"role"}};
  bool deprecated = false;  // in the dotted syntax, which PostgREST warns about

  bool operator==(const RoleClaimPath&) const = default;
};

// An error is one of configuration: its message says what is wrong at which byte, for the
// administrator.
Result<RoleClaimPath> parse_role_claim_path(std::string_view text);

}  // namespace pgrst
