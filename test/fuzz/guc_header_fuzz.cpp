// Fuzzes what SQL code says of the response. Byte 'g': response.status, a line end,
// response.headers; otherwise MESSAGE and DETAIL of RAISE SQLSTATE 'PGRST', a line end between
// them.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "response/guc_header.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_overrides(std::string_view status, std::string_view headers) {
  pgrst::HttpResponse response;
  response.headers = {{"Content-Type", "a"}, {"Vary", "b"}};
  const pgrst::Headers before = response.headers;
  const auto result = pgrst::apply_guc_overrides(headers, status, response);
  if (!result.ok()) {
    require(result.error().code == "PGRST111" || result.error().code == "PGRST112");
    require(response.headers == before);
    return;
  }
  require(response.status >= 100 && response.status <= 999);
  require(pgrst::find_header(response.headers, "Content-Type") != nullptr);
  require(pgrst::find_header(response.headers, "Vary") != nullptr);
  for (const auto& header : response.headers) {
    require(!header.name.empty());
    require(header.name.find_first_of(std::string_view("\0\r\n\t :", 6)) == std::string::npos);
    require(header.value.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos);
  }
}

void check_raise(std::string_view message, std::string_view detail) {
  pgrst::PgError raised;
  raised.sqlstate = "PGRST";
  raised.message = message;
  raised.detail = detail;
  const pgrst::Error error = pgrst::errors::from_postgres(raised, true);
  require(error.status >= 100 && error.status <= 999);
  simdjson::dom::parser parser;
  for (const auto verbosity : {pgrst::ErrorVerbosity::kVerbose, pgrst::ErrorVerbosity::kMinimal}) {
    const simdjson::padded_string body(pgrst::error_body(error, verbosity));
    require(parser.parse(body).is_object());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string first(text.substr(0, end));
  const std::string second(end < text.size() ? text.substr(end + 1) : std::string_view());
  if (data[0] == 'g') {
    check_overrides(first, second);
  } else {
    check_raise(first, second);
  }
  return 0;
}
