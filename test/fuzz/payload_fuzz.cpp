// Fuzzes request bodies. The first byte chooses the media type, the second whether a function is
// called and whether there is columns=. Beyond "no crash, no hang": steps of one byte and one step
// for all give the same; what is accepted as JSON is read again as JSON with the same names; what
// is refused is PGRST102.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "api_request/payload.hpp"
#include "core/text.hpp"

namespace {

using pgrst::JsonScanner;
using pgrst::MediaType;
using pgrst::Payload;
using pgrst::PayloadReader;
using pgrst::Result;
using Columns = std::optional<std::vector<std::string>>;

void require(bool condition) {
  if (!condition) std::abort();
}

MediaType::Kind kind_of(uint8_t letter) {
  switch (letter) {
    case 'c':
      return MediaType::Kind::kCsv;
    case 'f':
      return MediaType::Kind::kUrlEncoded;
    case 't':
      return MediaType::Kind::kPlainText;
    case 'o':
      return MediaType::Kind::kOctetStream;
    case 'g':
      return MediaType::Kind::kGeoJson;
    default:
      return MediaType::Kind::kJson;
  }
}

Result<Payload> read(const std::string& body, MediaType::Kind kind, bool is_rpc,
                     const Columns& columns, size_t max_bytes) {
  PayloadReader reader(body, {kind, ""}, is_rpc, columns);
  while (!reader.step(max_bytes)) {
  }
  return reader.take();
}

void check_json(const Payload& payload) {
  require(simdjson::validate_utf8(payload.body));
  JsonScanner scanner(payload.body);
  while (!scanner.step(7)) {
  }
  require(scanner.valid() && scanner.same_names());
  require(scanner.top() ==
          (payload.is_object ? JsonScanner::Top::kObject : JsonScanner::Top::kArray));
  require(scanner.take_names() == payload.keys);
}

void check_form(const Payload& payload) {
  for (const auto& [name, value] : payload.form) {
    require(pgrst::is_valid_utf8(name) && pgrst::is_valid_utf8(value));
    require(std::binary_search(payload.keys.begin(), payload.keys.end(), name));
  }
  require(payload.keys.size() <= payload.form.size());
}

void check(const std::string& body, MediaType::Kind kind, bool is_rpc, const Columns& columns) {
  const Result<Payload> whole = read(body, kind, is_rpc, columns, std::string::npos);
  const Result<Payload> stepped = read(body, kind, is_rpc, columns, 1);
  require(whole.ok() == stepped.ok());
  if (!whole.ok()) {
    require(whole.error().code == "PGRST102" && whole.error().message == stepped.error().message);
    return;
  }
  require(whole.value() == stepped.value());
  require(std::is_sorted(whole->keys.begin(), whole->keys.end()));
  require(std::adjacent_find(whole->keys.begin(), whole->keys.end()) == whole->keys.end());
  if (whole->has_excess) {
    require(!whole->keys.empty() && whole->form.empty());
  } else if (whole->kind == Payload::Kind::kForm) {
    check_form(*whole);
  } else if (whole->kind == Payload::Kind::kRaw || (columns && kind == MediaType::Kind::kJson)) {
    const bool is_hex = kind == MediaType::Kind::kOctetStream;
    require(is_hex ? whole->body.size() == 2 + 2 * body.size() : whole->body == body);
  } else if (!whole->body.empty()) {
    check_json(*whole);
  } else {
    require(is_rpc && whole->is_object && whole->keys.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Columns columns =
      data[1] == 'C' || data[1] == 'D' ? Columns(std::vector<std::string>{"a", "b"}) : std::nullopt;
  check(body, kind_of(data[0]), data[1] == 'r' || data[1] == 'D', columns);
  return 0;
}
