#include "app/admin.hpp"

#include <utility>

#include "app/docs.hpp"

namespace pgrst {

namespace {

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
