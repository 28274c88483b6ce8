#include "app/pipeline.hpp"

#include "query/mutate_builder.hpp"
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

ResponseContext::Kind kind_of(const ActionPlan& plan) {
  using Kind = ResponseContext::Kind;
  if (plan.media_type.kind == MediaType::Kind::kPlan) return Kind::kPlan;
  if (plan.call() != nullptr) return Kind::kCall;
  if (plan.mutation() == nullptr) return Kind::kRead;
  switch (plan.mutation()->mutation) {
    case Mutation::kCreate:
      return Kind::kCreate;
    case Mutation::kUpdate:
      return Kind::kUpdate;
    case Mutation::kSingleUpsert:
      return Kind::kSingleUpsert;
    case Mutation::kDelete:
      break;
  }
  return Kind::kDelete;
}

// Those preferences that a request of this kind heeds.
std::string applied_preferences(const ApiRequest& request, const ActionPlan& plan) {
  using Kind = ResponseContext::Kind;
  const Preferences& asked = request.preferences;
  const Kind kind = kind_of(plan);
  Preferences applied;
  applied.count = asked.count;
  applied.transaction = asked.transaction;
  applied.handling = asked.handling;
  applied.timezone = asked.timezone;
  if (const MutatePlan* mutation = plan.mutation()) {
    applied.representation = asked.representation;
    const bool resolvable =
        !mutation->table->pk_columns.empty() || request.query_params.on_conflict;
    if (kind == Kind::kCreate && resolvable) applied.resolution = asked.resolution;
    if (kind == Kind::kCreate || kind == Kind::kUpdate) applied.missing = asked.missing;
  }
  if (kind == Kind::kUpdate || kind == Kind::kDelete || kind == Kind::kCall) {
    applied.max_affected = asked.max_affected;
  }
  return preference_applied(applied);
}

void describe_mutation(const ApiRequest& request, const ActionPlan& plan, const MainQuery& query,
                       ResponseContext& context) {
  const MutatePlan* mutation = plan.mutation();
  if (mutation == nullptr) return;
  context.merges = mutation->mutation == Mutation::kSingleUpsert ||
                   request.preferences.resolution == PreferResolution::kMergeDuplicates;
  if (query.transaction.statements[0].format == ResultFormat::kRecords) {
    context.location_columns = location_columns(plan.read, *mutation);
  }
}

ResponseContext response_context(const ApiRequest& request, const ActionPlan& plan,
                                 const MainQuery& query, const Config& config) {
  ResponseContext context;
  context.kind = kind_of(plan);
  context.relation = plan.read.relation;
  context.schema = request.schema;
  context.negotiated_by_profile = request.negotiated_by_profile;
  context.has_body = !plan.headers_only;
  context.canonical_query = request.query_params.canonical;
  context.media_type = plan.media_type;
  context.preference_applied = applied_preferences(request, plan);
  if (config.url_use_legacy_target_names) context.warning = legacy_warning(plan.read);
  context.range = request.top_level_range;
  const Preferences& preferences = request.preferences;
  context.counted = preferences.count && *preferences.count != PreferCount::kPlanned;
  context.total_at = query.total_at;
  context.planned_at = query.planned_at;
  context.max_rows = config.db_max_rows;
  if (query.transaction.max_rows != UINT64_MAX && preferences.max_affected &&
      preferences.handling == PreferHandling::kStrict) {
    context.max_affected = static_cast<uint64_t>(*preferences.max_affected);
  }
  if (const CallPlan* call = plan.call()) {
    context.returns_void = call->routine->returns_void();
    context.returns_single = call->routine->returns_single();
  }
  describe_mutation(request, plan, query, context);
  return context;
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

// The stages of a request in order: authentication, request, body, plan, query.
Beginning::Beginning(HttpRequest request, const SnapshotPtr& snapshot, JwtCache& jwt_cache,
                     int64_t now)
    : request_(std::move(request)) {
  pending_.snapshot = snapshot;
  pending_.headers_only = request_.method == "HEAD";
  pending_.trace = trace_header(request_, snapshot->config);
  auto started = start(jwt_cache, now);
  if (!started.ok()) error_ = std::move(started).error();
}

Result<void> Beginning::start(JwtCache& jwt_cache, int64_t now) {
  const Snapshot& snapshot = *pending_.snapshot;
  PGRST_TRY(auth_, authenticate(request_.headers, snapshot.auth, jwt_cache, now));
  PGRST_TRY(api_request_, make_api_request(request_, snapshot.config, body_));
  return {};
}

bool Beginning::step(size_t max_bytes) { return error_ || !body_ || body_->step(max_bytes); }

BeginResult Beginning::take() {
  if (error_) return fail(pending_, *error_);
  auto planned = plan();
  if (!planned.ok()) return fail(pending_, planned.error());
  if (auto* response = std::get_if<HttpResponse>(&*planned))
    add_common_headers(pending_, *response);
  return std::move(planned).value();
}

Result<BeginResult> Beginning::plan() {
  const Config& config = pending_.snapshot->config;
  const SchemaCache& cache = pending_.snapshot->schema_cache;
  if (body_) {
    PGRST_TRY(api_request_.payload, body_->take());
  }
  PGRST_TRY(ActionPlan plan, plan_action(api_request_, cache, config));
  if (const InfoPlan* info = plan.info()) return BeginResult(info_response(info->allow));
  MainQuery query = main_query(plan, api_request_, config);
  add_pre_query(query.transaction, api_request_, plan, auth_.role, auth_.claims_json, config,
                cache);
  pending_.context = response_context(api_request_, plan, query, config);
  pending_.authenticated = !auth_.is_anonymous;
  return BeginResult(DatabaseWork{std::move(query.transaction), std::move(pending_)});
}

BeginResult begin(HttpRequest request, const SnapshotPtr& snapshot, JwtCache& jwt_cache,
                  int64_t now) {
  Beginning beginning(std::move(request), snapshot, jwt_cache, now);
  while (!beginning.step(SIZE_MAX)) {
  }
  return beginning.take();
}

HttpResponse finish(const PendingRequest& pending, const TransactionResult& result) {
  if (result.error) {
    return fail(pending, errors::from_postgres(*result.error, pending.authenticated));
  }
  auto response =
      make_response(pending.context, result, pending.snapshot->config.client_error_verbosity);
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
