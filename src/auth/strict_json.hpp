// Reading of the JSON inside a token, stricter than JSON itself. Internal to auth/.
//
// Input -> output: text -> one JSON object, or a refusal; and an object's text with one member set.
// Invariants of an accepted text: well-formed UTF-8, an object at the top, at most kMaxJsonDepth
// levels, and no object in it, at whatever level, names a member twice. RFC 7515, 4 and RFC 7519, 4
// leave the choice between refusing a duplicate and taking the last one; refusing it keeps this
// server and the database from ever seeing two different values of a claim.
// Ownership: object() and root() point into the reader and live as long as it, and until the next
// parse.
#pragma once

#include "core/before_postgres.hpp"

#include <simdjson.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pgrst {

inline constexpr size_t kMaxJsonDepth = 64;

class StrictJson {
 public:
  // False when `text` breaks one of the invariants above.
  bool parse_object(std::string_view text);

  const simdjson::dom::element& root() const { return root_; }
  const simdjson::dom::object& object() const { return object_; }

  // True when a number did not fit into 64 bits or a double: such numbers read as 0.
  bool has_huge_numbers() const { return has_huge_numbers_; }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
  simdjson::dom::object object_;
  bool has_huge_numbers_ = false;
};

// The text of `object` without insignificant white space and with the member `name` set to the JSON
// `value`: in its place if there is one, else at the end. Other members keep their text. `object`
// is what StrictJson read from `text`.
std::string with_member(std::string_view text, const simdjson::dom::object& object,
                        std::string_view name, std::string_view value);

// The text of the value of that member, without insignificant white space; nullopt: there is none.
std::optional<std::string> member_text(std::string_view text, const simdjson::dom::object& object,
                                       std::string_view name);

// Hands over what may be a number in a JSON text, in order: no part of a string ever.
void for_each_number(std::string_view text, const std::function<void(std::string_view)>& take);

}  // namespace pgrst
