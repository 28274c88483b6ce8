#include "auth/bearer.hpp"

#include <algorithm>

namespace pgrst {

namespace {

// White space of Latin-1, which is what the header is to PostgREST.
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || static_cast<unsigned char>(c) == 0xA0;
}

}  // namespace

//   credentials = scheme *space token
std::optional<std::string_view> bearer_token(const Headers& headers) {
  const std::string* header = find_header(headers, "Authorization");
  if (header == nullptr) return std::nullopt;
  const std::string_view value = *header;
  const auto scheme_end = std::find_if(value.begin(), value.end(), is_space);
  const auto scheme_size = static_cast<size_t>(scheme_end - value.begin());
  if (!equals_ignoring_case(value.substr(0, scheme_size), "bearer")) return std::nullopt;
  const auto token = std::find_if_not(scheme_end, value.end(), is_space);
  return value.substr(static_cast<size_t>(token - value.begin()));
}

}  // namespace pgrst
