#include "response/guc_header.hpp"

#include <simdjson.h>

#include <algorithm>

#include "core/text.hpp"

namespace pgrst {

namespace {

// [{"Name": "value"}, ...]: every object has exactly one member, a string.
bool parse_headers(std::string_view json, Headers& out) {
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(simdjson::padded_string(json)).get(array) != simdjson::SUCCESS) return false;
  for (const auto element : array) {
    simdjson::dom::object object;
    if (element.get(object) != simdjson::SUCCESS || object.size() != 1) return false;
    const auto member = *object.begin();
    std::string_view value;
    if (member.value.get(value) != simdjson::SUCCESS) return false;
    if (!is_safe_header(member.key, value)) return false;
    out.push_back({std::string(member.key), std::string(value)});
  }
  return true;
}

}  // namespace

Result<void> apply_guc_overrides(std::string_view headers_json, std::string_view status,
                                 HttpResponse& response) {
  if (!status.empty()) {
    const size_t digits = std::min(status.find_first_not_of("0123456789"), status.size());
    const auto code = parse_unsigned(status.substr(0, digits));
    if (!code || *code < 200 || *code > 999) return errors::guc_status();
    response.status = static_cast<int>(*code);
  }
  if (headers_json.empty()) return {};
  Headers own;
  if (!parse_headers(headers_json, own)) return errors::guc_headers();
  for (auto& header : response.headers) {
    if (find_header(own, header.name) == nullptr) own.push_back(std::move(header));
  }
  response.headers = std::move(own);
  return {};
}

}  // namespace pgrst
