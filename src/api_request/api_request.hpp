// HttpRequest -> ApiRequest: what the client wants, before anybody asks whether it exists.
//
// Input -> output: HttpRequest and Config -> ApiRequest, or a PGRST1xx error. Nothing here looks at
// the schema cache. The ApiRequest owns everything it holds.
#pragma once

#include "core/before_postgres.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api_request/media_type.hpp"
#include "api_request/payload.hpp"
#include "api_request/preferences.hpp"
#include "api_request/types.hpp"
#include "core/config.hpp"
#include "core/http_message.hpp"
#include "core/result.hpp"

namespace pgrst {

// GET or HEAD of a table or view.
struct RelationRead {
  std::string relation;
  bool headers_only = false;
};
// POST, PATCH, PUT, DELETE of a table or view.
struct RelationMutation {
  std::string relation;
  Mutation mutation = Mutation::kCreate;
};
// /rpc/name.
struct RoutineCall {
  std::string routine;
  InvokeMethod method = InvokeMethod::kGet;
};
// GET or HEAD of the root.
struct SchemaRead {
  bool headers_only = false;
};
// OPTIONS of a relation, of a function, of the root.
struct Info {
  enum class Of { kRelation, kRoutine, kSchema };
  Of of = Of::kSchema;
  std::string name;
};

using Action = std::variant<RelationRead, RelationMutation, RoutineCall, SchemaRead, Info>;

struct ApiRequest {
  Action action;
  std::string method;
  std::string path;  // raw
  std::string schema;
  bool negotiated_by_profile = false;  // the answer names the schema in Content-Profile
  QueryParams query_params;
  NonnegRange top_level_range;
  std::optional<Payload> payload;  // of writes but DELETE, and of calls by POST
  MediaType content_type;
  Preferences preferences;
  std::vector<MediaType> accept;                             // most wanted first, never empty
  std::vector<std::pair<std::string, std::string>> headers;  // lower-case names, without Cookie
  std::vector<std::pair<std::string, std::string>> cookies;
};

// Takes the body of the request: `body` is what reads it, if the action has one, and what it gives
// becomes `payload`.
Result<ApiRequest> make_api_request(HttpRequest& request, const Config& config,
                                    std::unique_ptr<PayloadReader>& body);

}  // namespace pgrst
