#include "app/pipeline.hpp"

#include "query/pre_query.hpp"
#include "query/statements.hpp"

namespace pgrst {

namespace {

// The Warning header for embeds that are named by relation in spite of their alias.
std::string legacy_warning(const ReadPlan& plan) {
  std::string names;
  for (const auto& [relation, alias] : legacy_names(plan)) {
    if (!names.empty()) names += ", ";
    names += "`" + relation + "` to `" + alias + "`";
  }
  if (names.empty()) return names;
  return "299 PostgRESTv16.2 \"Embedded resource was referenced by relation name even though it "
         "has "
         "an alias. This is deprecated and will stop working in a future release. Update " +
         names + " in query string filters, orders or limits.\"";
}

ReadContext read_context(const ApiRequest& request, const ActionPlan& plan, const MainQuery& query,
                         const Config& config) {
  ReadContext context;
  context.relation = plan.read.relation;
  context.schema = request.schema;
  context.negotiated_by_profile = request.negotiated_by_profile;
  context.headers_only = plan.headers_only;
  context.canonical_query = request.query_params.canonical;
  context.range = request.top_level_range;
  context.preferences = request.preferences;
  context.media_type = plan.media_type;
  context.total_at = query.total_at;
  context.planned_at = query.planned_at;
  context.max_rows = config.db_max_rows;
  const auto count = request.preferences.count;
  context.count_from_page = count && *count != PreferCount::kPlanned && !query.total_at;
  if (config.url_use_legacy_target_names) context.warning = legacy_warning(plan.read);
  return context;
}

// The stages of a request in order: authentication, request, plan, query.
Result<DatabaseWork> run_stages(const HttpRequest& request, const SnapshotPtr& snapshot,
                                JwtCache& jwt_cache, int64_t now) {
  const Config& config = snapshot->config;
  PGRST_TRY(const AuthResult auth, authenticate(request.headers, snapshot->auth, jwt_cache, now));
  PGRST_TRY(const ApiRequest api_request, make_api_request(request, config));
  PGRST_TRY(const ActionPlan plan, plan_action(api_request, snapshot->schema_cache, config));
  MainQuery query = main_query(plan, api_request, config);
  add_pre_query(query.transaction, api_request, auth.role, auth.claims_json, config,
                snapshot->schema_cache);
  DatabaseWork work;
  work.pending.context = read_context(api_request, plan, query, config);
  work.pending.authenticated = !auth.is_anonymous;
  work.transaction = std::move(query.transaction);
  return work;
}

// The trace header comes back with every response to a request that carries it.
std::optional<Header> trace_header(const HttpRequest& request, const Config& config) {
  if (!config.server_trace_header) return std::nullopt;
  const auto* value = find_header(request.headers, *config.server_trace_header);
  return Header{*config.server_trace_header, value == nullptr ? "" : *value};
}

void add_common_headers(const PendingRequest& pending, HttpResponse& response) {
  if (find_header(response.headers, "Vary") == nullptr) {
    response.headers.push_back({"Vary", "Accept, Prefer, Range"});
  }
  if (pending.trace) response.headers.push_back(*pending.trace);
}

}  // namespace

BeginResult begin(const HttpRequest& request, const SnapshotPtr& snapshot, JwtCache& jwt_cache,
                  int64_t now) {
  PendingRequest pending;
  pending.snapshot = snapshot;
  pending.headers_only = request.method == "HEAD";
  pending.trace = trace_header(request, snapshot->config);
  auto work = run_stages(request, snapshot, jwt_cache, now);
  if (!work.ok()) return fail(pending, work.error());
  work->pending.snapshot = std::move(pending.snapshot);
  work->pending.headers_only = pending.headers_only;
  work->pending.trace = std::move(pending.trace);
  return std::move(work).value();
}

HttpResponse finish(const PendingRequest& pending, const TransactionResult& result) {
  if (result.error) {
    return fail(pending, errors::from_postgres(*result.error, pending.authenticated));
  }
  auto response =
      read_response(pending.context, result, pending.snapshot->config.client_error_verbosity);
  if (!response.ok()) return fail(pending, response.error());
  add_common_headers(pending, *response);
  return std::move(response).value();
}

HttpResponse fail(const PendingRequest& pending, const Error& error) {
  const auto verbosity =
      pending.snapshot ? pending.snapshot->config.client_error_verbosity : ErrorVerbosity::kVerbose;
  HttpResponse response = error_response(error, verbosity);
  add_common_headers(pending, response);
  return response;
}

}  // namespace pgrst
