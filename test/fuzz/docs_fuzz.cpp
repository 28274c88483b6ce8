// Fuzzes what a client says to the API explorer: the first line is a Host header, the rest a body
// of /docs/sql. Whatever it is, the policy of the page names one more place than itself at most,
// and the answers are JSON.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "app/docs.hpp"
#include "unit/fixtures.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void require_json(const pgrst::HttpResponse& response) {
  simdjson::dom::parser parser;
  require(parser.parse(response.body).error() == simdjson::SUCCESS);
}

pgrst::AdminState make_state() {
  pgrst::AdminState state;
  state.snapshot = pgrst::test::snapshot({{"db_plan_enabled", "on"}});
  state.api_port = 3000;
  state.plan = [snapshot = state.snapshot](pgrst::HttpRequest request) {
    pgrst::JwtCache cache(0);
    return pgrst::begin(std::move(request), snapshot, cache, pgrst::test::kNow);
  };
  return state;
}

void check_host(const pgrst::AdminState& state, const std::string& host) {
  const std::string_view name = pgrst::host_name(host);
  require(name.size() <= 255 && host.starts_with(name));
  require(name.find_first_of(" ;,'\"/\\@<>*?#%\r\n") == std::string_view::npos);
  const pgrst::Headers headers = {{"Host", host}};
  const auto page = docs_response(pgrst::test::request("GET", "/docs", headers), state);
  const auto* policy = pgrst::find_header(page.headers, "Content-Security-Policy");
  require(policy != nullptr && std::count(policy->begin(), policy->end(), ';') == 7);
  require(pgrst::is_safe_header("Content-Security-Policy", *policy));
  const auto address = docs_response(pgrst::test::request("GET", "/docs/api.json", headers), state);
  require(address.status == 200);
  require_json(address);
}

void check_sql(const pgrst::AdminState& state, std::string body) {
  auto request = pgrst::test::request("POST", "/docs/sql", {{"Content-Type", "application/json"}});
  request.body = std::move(body);
  const auto response = docs_response(request, state);
  require(response.status == 200 || response.status == 400);
  if (response.status == 200) require_json(response);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const pgrst::AdminState state = make_state();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), input.size());
  check_host(state, std::string(input.substr(0, line)));
  check_sql(state, std::string(input.substr(std::min(line + 1, input.size()))));
  return 0;
}
