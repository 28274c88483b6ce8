// The text of a claim that is no string, as PostgREST takes it for a role's name. Internal to
// auth/.
//
// Input -> output: element of a document -> JSON text with the members of objects in the order of
// their names, no white space, and numbers as auth/json_number.hpp writes them.
// Ownership: by value.
#pragma once

#include "core/before_postgres.hpp"

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace pgrst {

// `document` is the text that `value` was read from, without huge numbers (StrictJson). nullopt
// when it cannot be told: the document writes one and the same number in ways that differ in their
// text.
std::optional<std::string> claim_text(const simdjson::dom::element& value,
                                      std::string_view document);

}  // namespace pgrst
