// The admin server: what monitoring asks of one database's service.
//
// Input -> output: request and state -> response. Pure. PostgREST's /live, /ready, /metrics and
// /schema_cache, and /config; and the explorer of the API (app/docs.hpp). Nobody is asked who he
// is, as in PostgREST: the admin server belongs on an address that only operators reach. Secrets
// are never shown.
#pragma once

#include "core/before_postgres.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/pipeline.hpp"
#include "app/snapshot.hpp"
#include "core/http_message.hpp"

namespace pgrst {

struct AdminState {
  bool accepting = false;  // the API's listener is open
  bool pending = false;  // the schema cache is being read for the first time, or could not be read
  SnapshotPtr snapshot;  // null: none yet
  const std::vector<SourcedSetting>* settings = nullptr;  // effective_settings()
  std::function<std::shared_ptr<BodyPieces>()> metrics;
  // Where the API is, for those who reach the admin server.
  int api_port = 0;  // 0: on a unix socket, or nowhere
  std::string_view api_scheme = "http";
  // begin() of the API's pipeline: what a request would run.
  std::function<BeginResult(HttpRequest)> plan;
};

HttpResponse admin_response(const HttpRequest& request, const AdminState& state);

// The schema cache as JSON, piece by piece: it can be large.
std::shared_ptr<BodyPieces> write_schema_cache(SnapshotPtr snapshot);

}  // namespace pgrst
