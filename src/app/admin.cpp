#include "app/admin.hpp"

#include <utility>

#include "app/docs.hpp"
#include "core/server_errors.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

std::string_view setting(const AdminState& state, std::string_view name) {
  if (state.settings == nullptr) return {};
  for (const auto& setting : *state.settings) {
    if (setting.name == name) return setting.value;
  }
  return {};
}

// Without the port.
std::string_view host_of(std::string_view value) {
  if (!value.empty() && value[0] == '[') return value.substr(0, value.find(']') + 1);
  return value.substr(0, value.find(':'));
}

bool is_address(std::string_view host) {
  return !host.empty() &&
         (host[0] == '[' || host.find_first_not_of("0123456789.") == std::string_view::npos);
}

// A browser that is led to take a foreign name for this server's (DNS rebinding) sends that name.
bool is_known_host(std::string_view host, const AdminState& state) {
  if (is_address(host) || equals_ignoring_case(host, "localhost")) return true;
  if (equals_ignoring_case(host, setting(state, "admin_server_host"))) return true;
  for (const auto part : split(setting(state, "admin_server_allowed_hosts"), ',')) {
    const auto name = trim(part);
    if (name == "*" || (!name.empty() && equals_ignoring_case(host, name))) return true;
  }
  return false;
}

HttpResponse with_status(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

HttpResponse with_text(std::string text) {
  HttpResponse response;
  response.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  response.body = std::move(text);
  return response;
}

// 503: it will be ready soon, without anybody's doing. 500: it will not.
int readiness(const AdminState& state) {
  if (state.pending) return 503;
  return state.accepting && state.snapshot ? 200 : 500;
}

// As lines of postgresql.conf.
std::string config_text(const std::vector<SourcedSetting>& settings) {
  std::string out;
  for (const auto& setting : settings) {
    out.append("pgrst.").append(setting.name).append(" = '");
    for (const char c : setting.value) {
      if (c == '\'' || c == '\\') out += c;
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    out.append("'  # ").append(setting.source).append("\n");
  }
  return out;
}

HttpResponse with_pieces(std::shared_ptr<BodyPieces> pieces, const char* type) {
  HttpResponse response;
  response.headers.push_back({"Content-Type", type});
  response.pieces = std::move(pieces);
  response.result_body_size = HttpResponse::kUnknownSize;
  return response;
}

HttpResponse schema_cache_response(const SnapshotPtr& snapshot) {
  if (!snapshot) return with_status(503);
  return with_pieces(write_schema_cache(snapshot), "application/json; charset=utf-8");
}

}  // namespace

HttpResponse admin_response(const HttpRequest& request, const AdminState& state) {
  const std::string* host = find_header(request.headers, "Host");
  const bool has_name = setting(state, "admin_server_unix_socket").empty();
  if (has_name && host != nullptr && !host->empty() && !is_known_host(host_of(*host), state)) {
    return error_response(errors::host_not_allowed(host_of(*host)), ErrorVerbosity::kVerbose);
  }
  if (is_docs_path(request.path)) return docs_response(request, state);
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response = with_status(405);
    response.headers.push_back({"Allow", "GET, HEAD"});
    return response;
  }
  if (request.path == "/live") return with_status(state.accepting ? 200 : 500);
  if (request.path == "/ready") return with_status(readiness(state));
  if (request.path == "/metrics") {
    return with_pieces(state.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  }
  if (request.path == "/config") {
    return state.settings == nullptr ? with_status(503) : with_text(config_text(*state.settings));
  }
  if (request.path == "/schema_cache") return schema_cache_response(state.snapshot);
  return with_status(404);
}

}  // namespace pgrst
