// JSON writing for the core. Reading is simdjson's, at the places that need it.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <string_view>

namespace pgrst {

// A JSON string literal with the escapes of RFC 8259, 7; other UTF-8 stays as it is. Ill-formed
// UTF-8 is replaced by U+FFFD first.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

}  // namespace pgrst
