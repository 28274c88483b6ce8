#include "api_request/api_request.hpp"

#include <algorithm>

#include "api_request/query_params.hpp"
#include "api_request/range.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

struct Resource {
  enum class Kind { kRelation, kRoutine, kSchema };
  Kind kind;
  std::string name;
};

// "/name", "/rpc/name" or "/"; segments are percent-decoded one by one.
Result<Resource> parse_path(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  if (path.empty()) return Resource{Resource::Kind::kSchema, ""};
  const auto segments = split(path, '/');
  const auto decode = [](std::string_view s) { return to_valid_utf8(percent_decode(s, false)); };
  if (segments.size() == 1) return Resource{Resource::Kind::kRelation, decode(segments[0])};
  if (segments.size() == 2 && decode(segments[0]) == "rpc") {
    return Resource{Resource::Kind::kRoutine, decode(segments[1])};
  }
  return errors::invalid_resource_path();
}

Result<Action> relation_action(std::string name, std::string_view method) {
  if (method == "GET") return Action(RelationRead{std::move(name), false});
  if (method == "HEAD") return Action(RelationRead{std::move(name), true});
  if (method == "POST") return Action(RelationMutation{std::move(name), Mutation::kCreate});
  if (method == "PUT") return Action(RelationMutation{std::move(name), Mutation::kSingleUpsert});
  if (method == "PATCH") return Action(RelationMutation{std::move(name), Mutation::kUpdate});
  if (method == "DELETE") return Action(RelationMutation{std::move(name), Mutation::kDelete});
  if (method == "OPTIONS") return Action(Info{Info::Of::kRelation, std::move(name)});
  return errors::unsupported_method(method);
}

Result<Action> routine_action(std::string name, std::string_view method) {
  if (method == "GET") return Action(RoutineCall{std::move(name), InvokeMethod::kGet});
  if (method == "HEAD") return Action(RoutineCall{std::move(name), InvokeMethod::kHead});
  if (method == "POST") return Action(RoutineCall{std::move(name), InvokeMethod::kPost});
  if (method == "OPTIONS") return Action(Info{Info::Of::kRoutine, std::move(name)});
  return errors::invalid_rpc_method(method);
}

Result<Action> schema_action(std::string_view method) {
  if (method == "GET") return Action(SchemaRead{false});
  if (method == "HEAD") return Action(SchemaRead{true});
  if (method == "OPTIONS") return Action(Info{Info::Of::kSchema, ""});
  return errors::unsupported_method(method);
}

Result<Action> make_action(Resource resource, std::string_view method) {
  switch (resource.kind) {
    case Resource::Kind::kRelation:
      return relation_action(std::move(resource.name), method);
    case Resource::Kind::kRoutine:
      return routine_action(std::move(resource.name), method);
    case Resource::Kind::kSchema:
      break;
  }
  return schema_action(method);
}

// The schema by Accept-Profile or Content-Profile, whichever the method uses; the first without
// one.
Result<std::pair<std::string, bool>> choose_schema(const HttpRequest& request,
                                                   const Config& config) {
  const std::string_view m = request.method;
  const bool writes = m == "DELETE" || m == "PATCH" || m == "POST" || m == "PUT";
  const auto* profile = find_header(request.headers, writes ? "Content-Profile" : "Accept-Profile");
  if (profile == nullptr)
    return std::pair(config.db_schemas.front(), config.db_schemas.size() != 1);
  const auto& exposed = config.db_schemas;
  if (std::find(exposed.begin(), exposed.end(), *profile) == exposed.end()) {
    return errors::unacceptable_schema(to_valid_utf8(*profile), exposed);
  }
  return std::pair(*profile, true);
}

// cookies = [ cookie, { ";", cookie }, [ ";" ] ] ;   cookie = { " " }, name, [ "=", value ] ;
// Quotes around a value are not part of it.
void read_cookies(std::string_view text, ApiRequest& out) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(';'), text.size());
    std::string_view cookie = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (cookie.starts_with(' ')) cookie.remove_prefix(1);
    const size_t name = std::min(cookie.find('='), cookie.size());
    std::string_view value = cookie.substr(std::min(name + 1, cookie.size()));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    out.cookies.emplace_back(cookie.substr(0, name), value);
  }
}

void read_headers(const HttpRequest& request, ApiRequest& out) {
  out.headers.reserve(request.headers.size());
  if (const auto* cookies = find_header(request.headers, "Cookie")) read_cookies(*cookies, out);
  for (const auto& header : request.headers) {
    if (!equals_ignoring_case(header.name, "Cookie")) {
      out.headers.emplace_back(to_lower_ascii(header.name), header.value);
    }
  }
  const auto* accept = find_header(request.headers, "Accept");
  if (accept != nullptr) {
    out.accept = parse_accept(*accept);
  } else {
    out.accept = {MediaType{MediaType::Kind::kAny, ""}};
  }
}

// Reads the body of those actions that have one.
std::unique_ptr<PayloadReader> body_reader(HttpRequest& request, const ApiRequest& out) {
  const auto* mutation = std::get_if<RelationMutation>(&out.action);
  const auto* call = std::get_if<RoutineCall>(&out.action);
  const bool mutates = mutation != nullptr && mutation->mutation != Mutation::kDelete;
  const bool calls = call != nullptr && call->method == InvokeMethod::kPost;
  if (!mutates && !calls) return nullptr;
  const bool takes_columns = !mutates || mutation->mutation != Mutation::kSingleUpsert;
  return std::make_unique<PayloadReader>(std::move(request.body), out.content_type, calls,
                                         takes_columns ? out.query_params.columns : std::nullopt);
}

}  // namespace

Result<ApiRequest> make_api_request(HttpRequest& request, const Config& config,
                                    std::unique_ptr<PayloadReader>& body) {
  ApiRequest out;
  // In PostgREST's order, which decides the error when a request has several faults.
  PGRST_TRY(Resource resource, parse_path(request.path));
  if (resource.kind == Resource::Kind::kSchema) {
    if (config.openapi_mode == OpenApiMode::kDisabled) return errors::openapi_disabled();
    if (config.db_root_spec) resource = {Resource::Kind::kRoutine, config.db_root_spec->name};
  }
  PGRST_TRY(auto schema, choose_schema(request, config));
  out.schema = std::move(schema.first);
  out.negotiated_by_profile = schema.second;
  PGRST_TRY(out.action, make_action(std::move(resource), request.method));
  const auto* call = std::get_if<RoutineCall>(&out.action);
  const bool is_rpc_read = call != nullptr && call->method != InvokeMethod::kPost;
  PGRST_TRY(out.query_params, parse_query_params(request.query, is_rpc_read));
  PGRST_TRY(out.top_level_range,
            top_level_range(request.method, find_header(request.headers, "Range"),
                            out.query_params.top_level_range));
  if (request.method == "PUT" && !out.top_level_range.is_all()) {
    return errors::put_limit_not_allowed();
  }
  const auto* content_type = find_header(request.headers, "Content-Type");
  out.content_type = content_type == nullptr ? MediaType{MediaType::Kind::kJson, ""}
                                             : parse_media_type(*content_type);
  body = body_reader(request, out);
  out.preferences = parse_preferences(request.headers, config.db_tx_allow_override);
  out.method = request.method;
  out.path = request.path;
  read_headers(request, out);
  return out;
}

}  // namespace pgrst
