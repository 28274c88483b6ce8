#include "auth/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "auth/json_number.hpp"
#include "auth/strict_json.hpp"
#include "core/json.hpp"

namespace pgrst {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

// A reader of JSON keeps the value of such a number, not how it was written, and that decides on
// its text: 1e2 is 100, 100.0 stays. So it is looked up among the numbers of the document.
std::optional<std::string> real_text(double value, std::string_view document) {
  std::optional<std::string> found;
  bool differ = false;
  for_each_number(document, [&](std::string_view token) {
    if (token.find_first_of(".eE") == std::string_view::npos) return;
    double read = 0;
    (void)std::from_chars(token.data(), token.data() + token.size(), read);
    const std::optional<JsonNumber> number = read_json_number(token);
    if (!number || read != value) return;
    std::string text = number_text(*number);
    differ = differ || (found && *found != text);
    found = std::move(text);
  });
  if (differ) return std::nullopt;
  return found;
}

// Recursion is bounded by kMaxJsonDepth. False when it cannot be told.
bool append_text(std::string& out, const element& value, std::string_view document) {
  switch (value.type()) {
    case element_type::ARRAY: {
      out += '[';
      bool first = true;
      for (const element item : array(value)) {
        if (!std::exchange(first, false)) out += ',';
        if (!append_text(out, item, document)) return false;
      }
      out += ']';
      return true;
    }
    case element_type::OBJECT: {
      std::vector<std::pair<std::string_view, element>> members;
      for (const auto& member : object(value)) members.emplace_back(member.key, member.value);
      std::sort(members.begin(), members.end(),
                [](const auto& a, const auto& b) { return a.first < b.first; });
      out += '{';
      bool first = true;
      for (const auto& [name, item] : members) {
        if (!std::exchange(first, false)) out += ',';
        append_json_string(out, name);
        out += ':';
        if (!append_text(out, item, document)) return false;
      }
      out += '}';
      return true;
    }
    case element_type::DOUBLE: {
      const std::optional<std::string> text = real_text(double(value), document);
      if (text) out += *text;
      return text.has_value();
    }
    case element_type::STRING:
      append_json_string(out, std::string_view(value));
      return true;
    default:  // integers, true, false and null
      out += simdjson::minify(value);
      return true;
  }
}

}  // namespace

std::optional<std::string> claim_text(const element& value, std::string_view document) {
  std::string out;
  if (!append_text(out, value, document)) return std::nullopt;
  return out;
}

}  // namespace pgrst
