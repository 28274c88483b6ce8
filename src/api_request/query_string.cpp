#include "api_request/query_string.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace pgrst {

RawPair split_pair(std::string_view pair) {
  const size_t equal = pair.find('=');
  if (equal == std::string_view::npos) return {pair, std::nullopt};
  return {pair.substr(0, equal), pair.substr(equal + 1)};
}

std::string decode_component(std::string_view raw) {
  const bool encoded =
      raw.find('%') != std::string_view::npos || raw.find('+') != std::string_view::npos;
  return encoded ? percent_decode(raw, true) : std::string(raw);
}

// A '%' is never in the middle of an encoded byte.
size_t decodable_prefix(std::string_view raw, size_t max_bytes) {
  if (raw.size() <= max_bytes) return raw.size();
  if (raw[max_bytes - 1] == '%') return max_bytes - 1;
  if (raw[max_bytes - 2] == '%') return max_bytes - 2;
  return max_bytes;
}

void make_valid_utf8(std::string& text) {
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii && !is_valid_utf8(text)) text = to_valid_utf8(text);
}

}  // namespace pgrst
