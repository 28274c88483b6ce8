// Fuzzes what is read from single header fields and from raw text. The first byte chooses: Accept
// and Content-Type, Prefer, Range with limit and offset, or the text functions below them all.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api_request/media_type.hpp"
#include "api_request/preferences.hpp"
#include "api_request/range.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace {

using pgrst::MediaType;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_media_types(const std::string& text) {
  const auto types = pgrst::parse_accept(text);
  const auto commas = static_cast<size_t>(std::count(text.begin(), text.end(), ','));
  require(types.size() == (text.empty() ? 0 : 1 + commas));
  for (const auto& type : types) {
    (void)pgrst::to_content_type(type);
    if (type.kind != MediaType::Kind::kOther) {
      require(pgrst::parse_media_type(pgrst::to_mime(type)) == type);
    }
  }
  require(pgrst::parse_media_type(text) == pgrst::parse_media_type(text));
}

// What is applied means the same when it is asked for.
void check_preferences(const std::string& text) {
  const pgrst::Headers headers = {{"Prefer", text}, {"prefer", text}};
  for (const bool allow_tx : {false, true}) {
    const std::string applied =
        pgrst::preference_applied(pgrst::parse_preferences(headers, allow_tx));
    const auto again = pgrst::parse_preferences({{"Prefer", applied}}, true);
    require(again.invalid.empty());
    require(pgrst::preference_applied(again) == applied);
  }
}

void check_range(std::string_view text) {
  // header NUL two numbers of eight bytes: offset and limit
  const size_t end = std::min(text.find('\0'), text.size());
  const std::string header(text.substr(0, end));
  std::optional<pgrst::NonnegRange> query;
  if (text.size() >= end + 17) {
    int64_t numbers[2];
    text.copy(reinterpret_cast<char*>(numbers), sizeof numbers, end + 1);
    constexpr int64_t kBound = (int64_t{1} << 62) - 1;
    query = pgrst::NonnegRange{std::clamp(numbers[0], -kBound, kBound),
                               std::clamp(numbers[1], -kBound, kBound)};
  }
  const auto range = pgrst::top_level_range("GET", &header, query);
  if (!range.ok()) {
    require(range.error().status == 416);
    return;
  }
  require(range->offset >= 0 && range->limit.value_or(0) >= 0);
  const auto cut = pgrst::restrict_range(*range, 10);
  require(cut.offset == range->offset && *cut.limit <= 10);
  const int64_t rows = std::min<int64_t>(range->limit.value_or(3), 3);
  (void)pgrst::content_range(range->offset, rows, rows);
  (void)pgrst::range_status(range->offset, rows, rows);
}

void check_text(const std::string& text) {
  std::string encoded;
  pgrst::append_percent_encoded(encoded, text);
  require(pgrst::percent_decode(encoded, true) == text);
  (void)pgrst::percent_decode(text, true);
  const std::string valid = pgrst::to_valid_utf8(text);
  require(pgrst::is_valid_utf8(valid));
  require(pgrst::is_valid_utf8(text) == (valid == text));
  simdjson::dom::parser parser;
  std::string_view back;
  require(
      parser.parse(simdjson::padded_string("[" + pgrst::json_string(text) + "]")).at(0).get(back) ==
      simdjson::SUCCESS);
  require(back == valid);
  const std::string quoted = pgrst::quote_ident(text);
  require(quoted.size() >= 2 && quoted.find('\0') == std::string::npos);
  require(std::count(quoted.begin(), quoted.end(), '"') % 2 == 0);
  (void)pgrst::base64_decode(text);
  (void)pgrst::parse_unsigned(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'a':
      check_media_types(text);
      break;
    case 'p':
      check_preferences(text);
      break;
    case 'r':
      check_range(text);
      break;
    default:
      check_text(text);
  }
  return 0;
}
