#include "core/error.hpp"

#include <simdjson.h>

#include <charconv>

#include "core/json.hpp"
#include "core/postgres_limits.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

std::optional<std::string> details_string(std::string_view text) { return json_string(text); }

Error make(int status, std::string code, std::string message) {
  Error e;
  e.status = status;
  e.code = std::move(code);
  e.message = std::move(message);
  return e;
}

std::string concat(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const auto part : parts) out += part;
  return out;
}

// Bytes of a list of what the server has. The schemas of a server are a few, overloads and
// relationships that fit a request as well.
constexpr size_t kMaxListed = 64 * 1024;

std::string join(const std::vector<std::string>& parts, size_t max_bytes = errors::kMaxQuoted) {
  std::string out;
  for (size_t i = 0; i < parts.size() && out.size() <= max_bytes; i++) {
    if (i > 0) out += ", ";
    out += shorten(parts[i], max_bytes);
  }
  return shorten(out, max_bytes);
}

void add_optional(std::string& out, std::string_view key, const std::optional<std::string>& json) {
  out += ",\"";
  out += key;
  out += "\":";
  out += json ? std::string_view(*json) : std::string_view("null");
}

bool starts_with(std::string_view s, std::string_view prefix) {
  return s.substr(0, prefix.size()) == prefix;
}

bool ends_with(std::string_view s, std::string_view suffix) {
  return s.size() >= suffix.size() && s.substr(s.size() - suffix.size()) == suffix;
}

// The status of a SQLSTATE that is mapped by its class alone, or 0.
int status_of_class(std::string_view sqlstate) {
  struct Row {
    std::string_view prefix;
    int status;
  };
  static constexpr Row kRows[] = {
      {"08", 503},  // connection exception
      {"09", 500},  // triggered action exception
      {"0L", 403},  // invalid grantor
      {"0P", 403},  // invalid role specification
      {"25", 500},  // invalid transaction state
      {"28", 403},  // invalid authorization specification
      {"2D", 500},  // invalid transaction termination
      {"38", 500},  // external routine exception
      {"39", 500},  // external routine invocation exception
      {"3B", 500},  // savepoint exception
      {"40", 500},  // transaction rollback
      {"53", 503},  // insufficient resources
      {"54", 500},  // program limit exceeded
      {"55", 500},  // object not in prerequisite state
      {"57", 500},  // operator intervention
      {"58", 500},  // system error
      {"F0", 500},  // configuration file error
      {"HV", 500},  // foreign data wrapper error
      {"P0", 500},  // PL/pgSQL error
      {"XX", 500},  // internal error
  };
  for (const auto& row : kRows) {
    if (starts_with(sqlstate, row.prefix)) return row.status;
  }
  return 0;
}

// 1xx answers no request: whoever gets it waits for more.
bool is_final_status(int64_t status) { return status >= 200 && status <= 999; }

// PostgREST's table of statuses (docs/references/errors.rst, "HTTP Status Codes").
int status_of_sqlstate(const PgError& e, bool authenticated) {
  const std::string_view s = e.sqlstate;
  if (s == "23503" || s == "23505") return 409;
  if (s == "25006") return 405;
  if (s == "21000") return ends_with(e.message, "requires a WHERE clause") ? 400 : 500;
  if (s == "22023") {
    return starts_with(e.message, "role") && ends_with(e.message, "does not exist") ? 401 : 400;
  }
  if (s == "53400") return 500;
  if (s == "57P01") return 503;
  if (s == "P0001") return 400;
  if (s == "42883") return starts_with(e.message, "function xmlagg(") ? 406 : 404;
  if (s == "42P01") return 404;
  if (s == "42P17") return 500;
  if (s == "42501") return authenticated ? 403 : 401;
  if (starts_with(s, "PT")) {
    int status = 0;
    const auto digits = s.substr(2);
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
    const bool is_number = ec == std::errc() && end == digits.data() + digits.size();
    return is_number && is_final_status(status) ? status : 500;
  }
  const int by_class = status_of_class(s);
  return by_class != 0 ? by_class : 400;
}

Error raise_parse_error(std::string_view details, bool about_message) {
  Error e = make(500, "PGRST121", "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error");
  e.details_json = details_string(details);
  e.hint =
      about_message
          ? "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional "
            "keys: 'details', 'hint'."
          : "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional "
            "key: 'status_text'.";
  return e;
}

// Reads an optional string member; false when it is there with another type than string or null.
bool read_optional(simdjson::dom::object object, std::string_view key,
                   std::optional<std::string>& out) {
  simdjson::dom::element member;
  if (object.at_key(key).get(member) != simdjson::SUCCESS || member.is_null()) return true;
  std::string_view text;
  if (member.get(text) != simdjson::SUCCESS) return false;
  out = std::string(text);
  return true;
}

bool parse_raise_message(std::string_view json, Error& out) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  std::string_view code, message;
  std::optional<std::string> details;
  if (parser.parse(simdjson::padded_string(json)).get(object) != simdjson::SUCCESS) return false;
  if (object.at_key("code").get(code) != simdjson::SUCCESS) return false;
  if (object.at_key("message").get(message) != simdjson::SUCCESS) return false;
  if (!read_optional(object, "details", details)) return false;
  if (!read_optional(object, "hint", out.hint)) return false;
  out.code = code;
  out.message = message;
  if (details) out.details_json = json_string(*details);
  return true;
}

bool parse_raise_detail(std::string_view json, Error& out) {
  simdjson::dom::parser parser;
  simdjson::dom::object object, headers;
  int64_t status = 0;
  std::optional<std::string> reason;
  if (parser.parse(simdjson::padded_string(json)).get(object) != simdjson::SUCCESS) return false;
  if (object.at_key("status").get(status) != simdjson::SUCCESS) return false;
  if (!read_optional(object, "status_text", reason)) return false;
  if (object.at_key("headers").get(headers) != simdjson::SUCCESS) return false;
  for (const auto& field : headers) {
    std::string_view value;
    if (field.value.get(value) != simdjson::SUCCESS) return false;
    if (!is_safe_header(field.key, value)) return false;
    out.headers.push_back({std::string(field.key), std::string(value)});
  }
  out.status = is_final_status(status) ? static_cast<int>(status) : 500;
  if (reason && is_safe_header("reason", *reason)) out.reason = std::move(*reason);
  return true;
}

// RAISE SQLSTATE 'PGRST': MESSAGE and DETAIL hold the whole response as JSON
// (docs/references/errors.rst).
Error from_raise(const PgError& e) {
  Error out;
  if (!parse_raise_message(e.message, out)) {
    return raise_parse_error(concat({"Invalid JSON value for MESSAGE: '", e.message, "'"}), true);
  }
  if (e.detail.empty()) return raise_parse_error("DETAIL is missing in the RAISE statement", false);
  if (!parse_raise_detail(e.detail, out)) {
    return raise_parse_error(concat({"Invalid JSON value for DETAIL: '", e.detail, "'"}), false);
  }
  return out;
}

}  // namespace

std::string error_body(const Error& error, ErrorVerbosity verbosity) {
  std::string out = "{\"code\":";
  append_json_string(out, error.code);
  if (verbosity == ErrorVerbosity::kVerbose) {
    add_optional(out, "details", error.details_json);
    add_optional(out, "hint", error.hint ? std::optional(json_string(*error.hint)) : std::nullopt);
  }
  out += ",\"message\":";
  append_json_string(out, error.message);
  out += '}';
  return out;
}

HttpResponse error_response(const Error& error, ErrorVerbosity verbosity) {
  HttpResponse r;
  r.status = error.status;
  r.reason = error.reason;
  r.body = error_body(error, verbosity);
  r.headers.push_back({"Content-Type", "application/json; charset=utf-8"});
  r.headers.push_back({"Proxy-Status", "PostgREST; error=" + error.code});
  r.headers.insert(r.headers.end(), error.headers.begin(), error.headers.end());
  return r;
}

namespace errors {

std::string quotable(std::string_view text) { return shorten(text, kMaxQuoted); }

Error connection_failed(std::optional<std::string> details) {
  Error e = make(503, "PGRST000", "Database connection error.");
  if (details) e.details_json = details_string(*details);
  return e;
}

Error executor_lost() {
  Error e = make(503, "PGRST001", "Database client error. Retrying the connection.");
  e.details_json = details_string("The process that ran the request was ended.");
  return e;
}

Error no_schema_cache() {
  return make(503, "PGRST002", "Could not query the database for the schema cache. Retrying.");
}

Error acquisition_timeout() {
  return make(504, "PGRST003", "Timed out acquiring connection from connection pool.");
}

// PostgreSQL warns of it with these details (syncrep.c). 40003: statement_completion_unknown.
Error unconfirmed_commit() {
  Error e = make(504, "40003", "canceling wait for synchronous replication due to user request");
  e.details_json = details_string(
      "The transaction has already committed locally, but might not have been replicated to the "
      "standby.");
  return e;
}

Error request_timeout() { return make(504, "57014", "canceling statement due to request timeout"); }

Error query_param(std::string message, std::string_view details) {
  Error e = make(400, "PGRST100", std::move(message));
  e.details_json = details_string(details);
  return e;
}

Error invalid_rpc_method(std::string_view method) {
  return make(405, "PGRST101", concat({"Cannot use the ", quotable(method), " method on RPC"}));
}

Error invalid_body(std::string message) { return make(400, "PGRST102", std::move(message)); }

namespace {
Error invalid_range(std::string_view details) {
  Error e = make(416, "PGRST103", "Requested range not satisfiable");
  e.details_json = details_string(details);
  return e;
}
}  // namespace

Error range_negative_limit() {
  return invalid_range("Limit should be greater than or equal to zero.");
}

Error range_lower_gt_upper() {
  return invalid_range(
      "The lower boundary must be lower than or equal to the upper boundary in the Range header.");
}

Error range_out_of_bounds(std::string_view offset, std::string_view total) {
  return invalid_range(
      concat({"An offset of ", offset, " was requested, but there are only ", total, " rows."}));
}

Error unacceptable_schema(std::string_view schema, const std::vector<std::string>& exposed) {
  Error e = make(406, "PGRST106", concat({"Invalid schema: ", quotable(schema)}));
  e.hint = concat({"Only the following schemas are exposed: ", join(exposed, kMaxListed)});
  return e;
}

Error media_type(const std::vector<std::string>& accepted) {
  return make(406, "PGRST107",
              concat({"None of these media types are available: ", join(accepted)}));
}

Error not_embedded(std::string_view resource) {
  const std::string name = quotable(resource);
  Error e =
      make(400, "PGRST108", concat({"'", name, "' is not an embedded resource in this request"}));
  e.hint = concat({"Verify that '", name, "' is included in the 'select' query parameter."});
  return e;
}

Error not_embedded_by_alias(std::string_view relation, std::string_view alias) {
  Error e = not_embedded(relation);
  e.details_json = details_string("Target names are not allowed in filters if they have an alias");
  e.hint = concat({"Change '", quotable(relation), "' to '", quotable(alias),
                   "' in filters, orders or limits."});
  return e;
}

Error duplicate_table_name(std::string_view name) {
  return make(400, "42712", concat({"table name \"", name, "\" specified more than once"}));
}

Error invalid_filters() {
  return make(405, "PGRST105",
              "Filters must include all and only primary key columns with 'eq' operators");
}

Error put_limit_not_allowed() {
  return make(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT");
}

Error put_matching_pk() {
  return make(400, "PGRST115", "Payload values do not match URL in primary key column(s)");
}

Error max_affected_violation(uint64_t rows) {
  Error e = make(400, "PGRST124", "Query result exceeds max-affected preference constraint");
  e.details_json = details_string(concat({"The query affects ", std::to_string(rows), " rows"}));
  return e;
}

Error max_affected_rpc() {
  return make(400, "PGRST128",
              "Function must return SETOF or TABLE when max-affected preference is used with "
              "handling=strict");
}

Error guc_headers() {
  return make(
      500, "PGRST111",
      "response.headers guc must be a JSON array composed of objects with a single key and a "
      "string value");
}

Error guc_status() {
  return make(500, "PGRST112", "response.status guc must be a valid status code");
}

Error singularity(uint64_t rows) {
  Error e = make(406, "PGRST116", "Cannot coerce the result to a single JSON object");
  e.details_json = details_string(concat({"The result contains ", std::to_string(rows), " rows"}));
  return e;
}

Error unsupported_method(std::string_view method) {
  return make(405, "PGRST117", concat({"Unsupported HTTP method: ", quotable(method)}));
}

Error invalid_preferences(const std::vector<std::string>& invalid) {
  Error e = make(400, "PGRST122", "Invalid preferences given with handling=strict");
  e.details_json = details_string(concat({"Invalid preferences: ", join(invalid)}));
  return e;
}

Error related_order_not_to_one(std::string_view origin, std::string_view target) {
  const std::string name = quotable(target);
  Error e = make(400, "PGRST118", concat({"A related order on '", name, "' is not possible"}));
  e.details_json = details_string(concat(
      {"'", origin, "' and '", name, "' do not form a many-to-one or one-to-one relationship"}));
  return e;
}

Error aggregates_not_allowed() {
  return make(400, "PGRST123", "Use of aggregate functions is not allowed");
}

Error invalid_resource_path() {
  return make(404, "PGRST125", "Invalid path specified in request URL");
}

Error openapi_disabled() { return make(404, "PGRST126", "Root endpoint metadata is disabled"); }

Error not_implemented(std::string_view details) {
  Error e = make(400, "PGRST127", "Feature not implemented");
  e.details_json = details_string(details);
  return e;
}

Error no_relationship(std::string_view parent_name, std::string_view child_name,
                      const std::optional<std::string>& embed_hint, std::string_view schema,
                      std::optional<std::string> hint) {
  const std::string parent = quotable(parent_name), child = quotable(child_name);
  Error e = make(400, "PGRST200",
                 concat({"Could not find a relationship between '", parent, "' and '", child,
                         "' in the schema cache"}));
  e.details_json = details_string(
      concat({"Searched for a foreign key relationship between '", parent, "' and '", child,
              embed_hint ? "' using the hint '" : "", embed_hint ? quotable(*embed_hint) : "",
              "' in the schema '", schema, "', but no matches were found."}));
  e.hint = std::move(hint);
  return e;
}

namespace {
std::string relationship_json(const RelationshipText& text) {
  if (text.cardinality.empty()) return "{}";
  std::string out = "{\"cardinality\":";
  append_json_string(out, text.cardinality);
  out += ",\"embedding\":";
  append_json_string(out, text.embedding);
  out += ",\"relationship\":";
  append_json_string(out, text.relationship);
  return out + "}";
}
}  // namespace

Error ambiguous_relationship(std::string_view parent_name, std::string_view child_name,
                             const std::vector<RelationshipText>& found) {
  const std::string parent = quotable(parent_name), child = quotable(child_name);
  Error e = make(300, "PGRST201",
                 concat({"Could not embed because more than one relationship was found for '",
                         parent, "' and '", child, "'"}));
  std::string details = "[", hints;
  for (size_t i = 0; i < found.size() && details.size() <= kMaxListed; i++) {
    if (i > 0) details += ',';
    details += relationship_json(found[i]);
    if (i > 0) hints += ", ";
    if (!found[i].disambiguated.empty()) hints += "'" + found[i].disambiguated + "'";
  }
  e.details_json = details + "]";
  e.hint = concat({"Try changing '", child, "' to one of the following: ", hints,
                   ". Find the desired relationship in the 'details' key."});
  return e;
}

Error routine_not_found(const RoutineSearch& search, const std::optional<std::string>& nearest) {
  using Body = RoutineSearch::Body;
  const bool whole_body = search.body != Body::kNone && search.body != Body::kJson;
  const std::string function = search.schema + "." + quotable(search.name);
  const std::string names = join(search.arguments);
  const char* without = " without parameters";
  std::string message = "Could not find the function " + function;
  if (!whole_body) message += search.arguments.empty() ? without : "(" + names + ")";
  Error e = make(404, "PGRST202", message + " in the schema cache");
  const char* plural = search.arguments.size() > 1 ? "s " : " ";
  std::string with =
      search.arguments.empty() ? std::string(without) : concat({" with parameter", plural, names});
  if (search.body == Body::kJson) with += " or with a single unnamed json/jsonb parameter";
  if (search.body == Body::kText) with = " with a single unnamed text parameter";
  if (search.body == Body::kXml) with = " with a single unnamed xml parameter";
  if (search.body == Body::kBytes) with = " with a single unnamed bytea parameter";
  e.details_json = details_string(concat({"Searched for the function ", function, with,
                                          ", but no matches were found in the schema cache."}));
  if (nearest && !whole_body) {
    e.hint = concat({"Perhaps you meant to call the function ", search.schema, ".", *nearest});
  }
  return e;
}

Error ambiguous_routine(const std::vector<std::string>& signatures) {
  Error e = make(300, "PGRST203",
                 concat({"Could not choose the best candidate function between: ",
                         join(signatures, kMaxListed)}));
  e.hint =
      "Try renaming the parameters or the function itself in the database so function overloading "
      "can be resolved";
  return e;
}

Error column_not_found(std::string_view relation, std::string_view column) {
  return make(400, "PGRST204",
              concat({"Could not find the '", quotable(column), "' column of '", relation,
                      "' in the schema cache"}));
}

Error table_not_found(std::string_view schema, std::string_view table,
                      const std::optional<std::string>& hint_table) {
  Error e = make(404, "PGRST205",
                 concat({"Could not find the table '", schema, ".", quotable(table),
                         "' in the schema cache"}));
  if (hint_table) {
    e.hint = concat({"Perhaps you meant the table '", schema, ".", *hint_table, "'"});
    e.hinted = {HintedObject::Kind::kRelation, std::string(schema), *hint_table, {}};
  }
  return e;
}

Error jwt_secret_missing() { return make(500, "PGRST300", "Server lacks JWT secret"); }

namespace {
Error invalid_token(std::string code, std::string message) {
  Error e = make(401, std::move(code), std::move(message));
  e.headers.push_back(
      {"WWW-Authenticate",
       concat({"Bearer error=\"invalid_token\", error_description=", json_string(e.message)})});
  return e;
}
}  // namespace

Error jwt_decode(std::string message, std::optional<std::string> details) {
  Error e = invalid_token("PGRST301", std::move(message));
  if (details) e.details_json = details_string(*details);
  return e;
}

Error jwt_token_required() {
  Error e = make(401, "PGRST302", "Anonymous access is disabled");
  e.headers.push_back({"WWW-Authenticate", "Bearer"});
  return e;
}

Error jwt_claims(std::string message) { return invalid_token("PGRST303", std::move(message)); }

Error no_such_role(std::string_view role) {
  PgError error;
  error.sqlstate = "22023";
  error.message = concat({"role \"", role, "\" does not exist"});
  return from_postgres(error, true);
}

Error payload_too_large(uint64_t limit_bytes) {
  return make(413, "PGRST102",
              concat({"The request body is larger than the limit of ", std::to_string(limit_bytes),
                      " bytes"}));
}

Error no_room_for_body() {
  return make(503, "PGRST102", "There is no room for the request body at the moment");
}

Error too_many_embeds(size_t limit) {
  return make(400, "PGRST100",
              concat({"The request embeds more than ", std::to_string(limit), " resources"}));
}

Error too_many_targets() {
  PgError e;
  e.sqlstate = "54011";
  e.message = concat({"target lists can have at most ", std::to_string(kMaxTargets), " entries"});
  return from_postgres(e, false);
}

Error internal(std::string_view what) { return make(500, "PGRSTX00", std::string(what)); }

Error from_postgres(const PgError& error, bool authenticated) {
  Error e;
  if (error.sqlstate == "PGRST") return from_raise(error);
  e.status = status_of_sqlstate(error, authenticated);
  e.code = error.sqlstate;
  e.message = error.message;
  if (!error.detail.empty()) e.details_json = details_string(error.detail);
  if (!error.hint.empty()) e.hint = error.hint;
  if (starts_with(error.sqlstate, "PT")) e.reason = error.message;
  if (e.status == 401) e.headers.push_back({"WWW-Authenticate", "Bearer"});
  return e;
}

}  // namespace errors
}  // namespace pgrst
