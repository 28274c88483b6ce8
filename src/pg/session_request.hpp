// A request without HTTP: pgrst.request() and pgrst.to_sql() in the calling session.
//
// Input -> output: method, path, headers and body -> what the pipeline answers, run in the caller's
// transaction and with the caller's rights; or the transaction it would run, as JSON. The snapshot
// is kept for the session and checked by fingerprint at every call.
#pragma once

#include <optional>
#include <string>

#include "core/error.hpp"
#include "core/http_message.hpp"

namespace pgrst::pg {

struct SessionAnswer {
  std::optional<PgError> error;  // introspection failed; to be raised
  HttpResponse response;
  std::string headers_json;      // [{"Name": "value"}, ...]
  std::string transaction_json;  // of to_sql, when the request got that far
};

SessionAnswer session_request(const HttpRequest& request);
// `by_owner`: the caller may see what the database's owner may (PlanReader).
SessionAnswer session_to_sql(const HttpRequest& request, bool by_owner);

}  // namespace pgrst::pg
