// PostgREST's own syntax for the place of the role, deprecated since its v16: .a.b[0], and a last
// step like [?(@ ^== "x")].
//
// Input -> output: text -> DottedPath, or a complaint. What it selects is in auth/role_claim.hpp.
// Source: PostgREST v16.2, Config/DeprecatedJSPath.hs, and the documentation of v14.
// Ownership: everything by value.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "auth/text_cursor.hpp"

namespace pgrst {

// The member of that name of an object.
struct MemberStep {
  std::string name;

  bool operator==(const MemberStep&) const = default;
};

// That element of an array.
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

using DottedStep = std::variant<MemberStep, IndexStep, FilterStep>;

struct DottedPath {
  std::vector<DottedStep> steps;
};

// Reads a path to the end of the text; the cursor holds the complaint.
std::optional<DottedPath> parse_dotted_path(TextCursor& in);

}  // namespace pgrst
