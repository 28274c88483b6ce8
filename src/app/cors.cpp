#include "app/cors.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/text.hpp"

namespace pgrst {

namespace {

using Names = std::vector<std::string_view>;

constexpr auto kMethods =
    std::to_array<std::string_view>({"GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "HEAD"});

// Allowed without being asked for; Content-Type is not one of them.
constexpr auto kSimpleHeaders =
    std::to_array<std::string_view>({"Accept", "Accept-Language", "Content-Language"});

constexpr std::string_view kExposedHeaders =
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, "
    "Transfer-Encoding, Range-Unit";

constexpr std::string_view kMaxAgeSeconds = "86400";

// Bytes of names that are repeated in the answer.
constexpr size_t kMaxRequestedHeaders = 8192;

template <typename List>
std::string join(const List& parts) {
  std::string out;
  for (const std::string_view part : parts) {
    if (!out.empty()) out += ", ";
    out += part;
  }
  return out;
}

bool contains_name(const Names& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view n) { return equals_ignoring_case(n, name); });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Without a comparison of each with each.
bool contains_all(Names names, Names wanted) {
  const auto is_less = [](std::string_view a, std::string_view b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](char x, char y) { return lower(x) < lower(y); });
  };
  std::sort(names.begin(), names.end(), is_less);
  std::sort(wanted.begin(), wanted.end(), is_less);
  return std::includes(names.begin(), names.end(), wanted.begin(),
                       std::unique(wanted.begin(), wanted.end(), &equals_ignoring_case), is_less);
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view skip_spaces(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view leading_name(std::string_view text) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={}";
  const auto is_name_byte = [&](char c) {
    return c > ' ' && c < 0x7F && kSeparators.find(c) == std::string_view::npos;
  };
  const auto end = std::find_if_not(text.begin(), text.end(), is_name_byte);
  return text.substr(0, static_cast<size_t>(end - text.begin()));
}

// The names at the start of an Access-Control-Request-Headers value; what follows them is not read:
//   names = *space [name *space *("," name *space)]
Names leading_names(std::string_view text) {
  Names names;
  text = skip_spaces(text);
  for (;;) {
    const std::string_view name = leading_name(text);
    if (name.empty()) return names;
    names.push_back(name);
    text = skip_spaces(text.substr(name.size()));
    if (text.empty() || text.front() != ',') return names;
    text.remove_prefix(1);
  }
}

// Everything that was asked for, Authorization and the simple ones.
Names supported_headers(std::string_view requested) {
  Names names = {"Authorization"};
  if (!requested.empty()) {
    for (const auto part : split(requested, ',')) names.push_back(trim(part));
  }
  for (const auto simple : kSimpleHeaders) {
    if (!contains_name(names, simple)) names.push_back(simple);
  }
  return names;
}

// The headers of a preflight's answer beside those of every answer; nothing when it asks for what
// cannot be granted.
std::optional<Headers> preflight_headers(const HttpRequest& request) {
  const auto* method = find_header(request.headers, "Access-Control-Request-Method");
  if (method == nullptr || std::find(kMethods.begin(), kMethods.end(), *method) == kMethods.end()) {
    return std::nullopt;
  }
  Headers out = {{"Access-Control-Allow-Methods", join(kMethods)}};
  if (const auto* asked = find_header(request.headers, "Access-Control-Request-Headers")) {
    if (asked->size() > kMaxRequestedHeaders) return std::nullopt;
    const Names supported = supported_headers(*asked);
    if (!contains_all(supported, leading_names(*asked))) return std::nullopt;
    out.push_back({"Access-Control-Allow-Headers", join(supported)});
  }
  out.push_back({"Access-Control-Max-Age", std::string(kMaxAgeSeconds)});
  return out;
}

bool asks_for_websocket(const HttpRequest& request) {
  const auto* upgrade = find_header(request.headers, "Upgrade");
  return upgrade != nullptr && equals_ignoring_case(*upgrade, "websocket");
}

}  // namespace

CorsDecision decide_cors(const HttpRequest& request,
                         const std::vector<std::string>& allowed_origins) {
  CorsDecision out;
  const auto* origin = find_header(request.headers, "Origin");
  if (origin == nullptr || asks_for_websocket(request)) return out;
  if (allowed_origins.empty()) {
    out.headers = {{"Access-Control-Allow-Origin", "*"}};
  } else {
    const auto& allowed = allowed_origins;
    if (std::find(allowed.begin(), allowed.end(), *origin) == allowed.end()) return out;
    out.headers = {{"Access-Control-Allow-Origin", *origin},
                   {"Access-Control-Allow-Credentials", "true"}};
  }
  if (request.method != "OPTIONS") {
    out.headers.push_back({"Access-Control-Expose-Headers", std::string(kExposedHeaders)});
    return out;
  }
  auto more = preflight_headers(request);
  if (!more) return {};
  out.is_preflight = true;
  out.headers.insert(out.headers.end(), more->begin(), more->end());
  return out;
}

}  // namespace pgrst
