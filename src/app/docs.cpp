#include "app/docs.hpp"

#include <algorithm>
#include <utility>

#include "app/planned.hpp"
#include "core/json_builder.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

HttpResponse with_message(int status, std::string message) {
  HttpResponse response;
  response.status = status;
  response.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  response.body = std::move(message);
  return response;
}

HttpResponse with_json(std::string json) {
  HttpResponse response;
  response.headers.push_back({"Content-Type", "application/json; charset=utf-8"});
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = std::move(json);
  return response;
}

HttpResponse not_allowed(const char* allow) {
  HttpResponse response;
  response.status = 405;
  response.headers.push_back({"Allow", allow});
  return response;
}

bool is_usual_port(std::string_view scheme, int port) {
  return (scheme == "http" && port == 80) || (scheme == "https" && port == 443);
}

// Where the API is. An empty host: nobody can tell.
ProxyUri api_address(const HttpRequest& request, const AdminState& state) {
  if (state.snapshot->config.openapi_server_proxy_uri) {
    ProxyUri uri = *state.snapshot->config.openapi_server_proxy_uri;
    // More can stand in a host than in a policy.
    if (host_name(uri.host) != uri.host) uri.host.clear();
    return uri;
  }
  ProxyUri uri{std::string(state.api_scheme), "", state.api_port, "/"};
  const std::string* host = find_header(request.headers, "Host");
  if (host != nullptr && state.api_port != 0) uri.host = host_name(*host);
  return uri;
}

// scheme://host[:port]
std::string origin_of(const ProxyUri& uri) {
  std::string out = uri.scheme + "://" + uri.host;
  if (!is_usual_port(uri.scheme, uri.port)) out += ":" + std::to_string(uri.port);
  return out;
}

// What the page may load and ask. A policy cannot name an IPv6 address: the scheme has to do.
std::string content_policy(const ProxyUri& api) {
  std::string out =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; ";
  out += "connect-src 'self'";
  if (api.host.starts_with('[')) {
    out += " " + api.scheme + ":";
  } else if (!api.host.empty()) {
    out += " " + origin_of(api);
  }
  return out + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

HttpResponse file_response(const DocsFile& file, const HttpRequest& request,
                           const AdminState& state) {
  HttpResponse response;
  response.headers.push_back({"Content-Type", std::string(file.type)});
  response.headers.push_back({"Cache-Control", "no-cache"});
  if (file.path == "/docs") {
    // No ETag: the policy is not the file's.
    const ProxyUri api = state.snapshot ? api_address(request, state) : ProxyUri();
    response.headers.push_back({"Content-Security-Policy", content_policy(api)});
  } else {
    response.headers.push_back({"ETag", file.etag});
    const std::string* known = find_header(request.headers, "If-None-Match");
    if (known != nullptr && *known == file.etag) {
      response.status = 304;
      return response;
    }
  }
  response.body = file.text;
  return response;
}

// {"url": "http://127.0.0.1:3000", "schemas": ["api"], "sql": true}; url is null when nobody can
// tell.
HttpResponse api_response(const HttpRequest& request, const AdminState& state) {
  if (!state.snapshot) return with_message(503, "the schema cache is being read");
  const ProxyUri api = api_address(request, state);
  std::string url = origin_of(api) + api.path;
  while (url.ends_with('/')) url.pop_back();
  std::string out;
  JsonBuilder json(out);
  json.begin_object().key("url");
  if (api.host.empty()) {
    json.json("null");
  } else {
    json.string(url);
  }
  json.key("schemas").begin_array();
  for (const auto& schema : state.snapshot->config.db_schemas) json.string(schema);
  json.end_array().key("sql").boolean(state.snapshot->config.db_plan_enabled).end_object();
  return with_json(std::move(out));
}

bool is_json(const HttpRequest& request) {
  const std::string* type = find_header(request.headers, "Content-Type");
  if (type == nullptr) return false;
  const std::string_view essence = std::string_view(*type).substr(0, type->find(';'));
  return equals_ignoring_case(trim(essence), "application/json");
}

// The snapshot may be older than the last change of a table by the time that the gateway takes to
// notice it: nothing is run, so nothing waits for that.
HttpResponse sql_response(const HttpRequest& request, const AdminState& state) {
  if (!state.snapshot || !state.plan) return with_message(503, "the schema cache is being read");
  if (!state.snapshot->config.db_plan_enabled) {
    return with_message(403, "the setting pgrst.db_plan_enabled allows this");
  }
  if (!is_json(request)) return with_message(415, "this takes application/json");
  auto asked = parse_request_object(request.body);
  const auto is_safe = [](const Header& h) { return is_safe_header(h.name, h.value); };
  if (!asked || !std::all_of(asked->headers.begin(), asked->headers.end(), is_safe)) {
    return with_message(400, R"(this takes {"method", "path", "headers", "body"})");
  }
  return with_json(planned_json(state.plan(std::move(*asked)), PlanReader::kAnybody));
}

HttpResponse respond(const HttpRequest& request, const AdminState& state) {
  if (request.path == "/docs/sql") {
    return request.method == "POST" ? sql_response(request, state) : not_allowed("POST");
  }
  const DocsFile* file = find_docs_file(request.path);
  if (file == nullptr && request.path != "/docs/api.json") {
    HttpResponse response;
    response.status = 404;
    return response;
  }
  if (request.method != "GET" && request.method != "HEAD") return not_allowed("GET, HEAD");
  return file == nullptr ? api_response(request, state) : file_response(*file, request, state);
}

bool is_label_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

bool is_docs_path(std::string_view path) { return path == "/docs" || path.starts_with("/docs/"); }

HttpResponse docs_response(const HttpRequest& request, const AdminState& state) {
  HttpResponse response = respond(request, state);
  response.headers.push_back({"X-Content-Type-Options", "nosniff"});
  response.headers.push_back({"Referrer-Policy", "no-referrer"});
  return response;
}

// EBNF: host = (1*label-byte / "[" 1*(hex-digit / ":" / ".") "]") [":" *digit]
std::string_view host_name(std::string_view host) {
  constexpr size_t kMaxName = 255;
  size_t length = 0;
  if (host.starts_with('[')) {
    length = 1;
    while (length < host.size() &&
           (hex_value(host[length]) >= 0 || host[length] == ':' || host[length] == '.')) {
      length++;
    }
    if (length < 3 || length == host.size() || host[length] != ']') return {};
    length++;
  } else {
    while (length < host.size() && is_label_byte(host[length])) length++;
  }
  const std::string_view port = host.substr(length);
  const bool good_port =
      port.empty() || (port.front() == ':' && (port.size() == 1 || parse_unsigned(port.substr(1))));
  return length <= kMaxName && good_port ? host.substr(0, length) : std::string_view();
}

}  // namespace pgrst
