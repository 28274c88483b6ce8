#include "app/pipeline.hpp"

#include <algorithm>

#include "app/cors.hpp"
#include "query/inspect_builder.hpp"
#include "query/mutate_builder.hpp"
#include "query/pre_query.hpp"
#include "query/sql_builder.hpp"
#include "query/statements.hpp"
#include "response/openapi.hpp"

namespace pgrst {

namespace {

// The Warning header for embeds that are named by relation in spite of their alias.
std::string legacy_warning(const ReadPlan& plan) {
  std::string names;
  for (const auto& [relation, alias] : legacy_names(plan)) {
    if (!names.empty()) names += ", ";
    names += '`';
    names += relation;
    names += "` to `";
    names += alias;
    names += '`';
  }
  if (names.empty()) return names;
  return "299 PostgRESTv16.2 \"Embedded resource was referenced by relation name even though it "
         "has an alias. This is deprecated and will stop working in a future release. Update " +
         names + " in query string filters, orders or limits.\"";
}

ResponseContext::Kind kind_of(const ActionPlan& plan) {
  using Kind = ResponseContext::Kind;
  if (plan.media_type.kind == MediaType::Kind::kPlan) return Kind::kPlan;
  if (plan.call() != nullptr) return Kind::kCall;
  if (plan.inspect() != nullptr) return Kind::kInspect;
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
  if (kind == Kind::kInspect) return "";
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

void describe_mutation(const ActionPlan& plan, const MainQuery& query, ResponseContext& context) {
  const MutatePlan* mutation = plan.mutation();
  if (mutation == nullptr) return;
  context.merges = mutation->counts_inserted;
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
  context.max_affected = query.max_affected;
  if (const CallPlan* call = plan.call()) {
    context.returns_void = call->routine->returns_void();
    context.returns_single = call->routine->returns_single();
  }
  if (const InspectPlan* inspection = plan.inspect()) {
    context.openapi_version = inspection->version;
  }
  describe_mutation(plan, query, context);
  return context;
}

// Comes with every response; empty when the request does not carry it.
std::optional<Header> trace_header(const HttpRequest& request, const Config& config) {
  if (!config.server_trace_header) return std::nullopt;
  const auto* value = find_header(request.headers, *config.server_trace_header);
  return Header{*config.server_trace_header, value == nullptr ? "" : *value};
}

// What is known of a request before its first stage.
PendingRequest make_pending(const HttpRequest& request, const SnapshotPtr& snapshot,
                            const CorsDecision& cors) {
  PendingRequest pending;
  pending.snapshot = snapshot;
  pending.headers_only = request.method == "HEAD";
  if (snapshot) pending.trace = trace_header(request, snapshot->config);
  pending.cors = cors.headers;
  return pending;
}

// The routes of the statistics are resources that exist: a client cannot make up new ones.
void account_for(const ActionPlan& plan, const std::string& schema, const Transaction& transaction,
                 const Config& config, RequestAccount& account) {
  account.schema = schema;
  if (const CallPlan* call = plan.call()) {
    account.is_routine = true;
    account.resource = call->routine->id.name;
  } else if (plan.inspect() == nullptr) {
    account.resource = plan.read.relation;
  }
  if (!config.log_query) return;
  if (!transaction.pre_request.empty()) account.sql.push_back(transaction.pre_request);
  for (const auto& statement : transaction.statements) account.sql.push_back(statement.text);
}

bool has_too_large_statement(const Transaction& t) {
  return std::any_of(t.statements.begin(), t.statements.end(),
                     [](const Statement& statement) { return statement.text.empty(); });
}

Error too_large_statement() {
  PgError error;
  error.sqlstate = "54001";
  error.message = "the request makes a statement of more than " +
                  std::to_string(SqlBuilder::kMaxSize) + " bytes";
  return errors::from_postgres(error, false);
}

// What every response has.
void add_frame(const PendingRequest& pending, HttpResponse& response) {
  response.account = pending.account;
  Headers& headers = response.headers;
  if (response.status == 503 && find_header(headers, "Retry-After") == nullptr) {
    headers.push_back({"Retry-After", "1"});
  }
  headers.insert(headers.end(), pending.cors.begin(), pending.cors.end());
  if (pending.trace) headers.insert(headers.begin(), *pending.trace);
}

// What responses of resources have: neither errors nor preflights.
void complete(const PendingRequest& pending, const PhaseTimer& timer, HttpResponse& response) {
  if (auto timing = timer.header()) response.headers.push_back(std::move(*timing));
  if (find_header(response.headers, "Vary") == nullptr) {
    response.headers.push_back({"Vary", "Accept, Prefer, Range"});
  }
  add_frame(pending, response);
}

// With the body as one, however large.
HttpResponse finish_whole(const PendingRequest& pending, const TransactionResult& result) {
  Finishing finishing(pending, result);
  while (!finishing.step(SIZE_MAX)) {
  }
  HttpResponse response = finishing.take();
  if (!response.pieces) return response;
  response.body.reserve(response.result_body_size);
  while (response.pieces->next(response.body)) {
  }
  response.pieces.reset();
  return response;
}

}  // namespace

// The stages of a request in order: authentication, request, body, plan, query.
Beginning::Beginning(HttpRequest request, const SnapshotPtr& snapshot, JwtCache& jwt_cache,
                     int64_t now, Clock clock, TakeMemory take_memory)
    : request_(std::move(request)) {
  const Config& config = snapshot->config;
  const CorsDecision cors = decide_cors(request_, config.server_cors_allowed_origins);
  pending_ = make_pending(request_, snapshot, cors);
  is_preflight_ = cors.is_preflight;
  if (is_preflight_) return;
  pending_.timer = PhaseTimer(config.server_timing_enabled ? clock : nullptr);
  auto started = start(jwt_cache, now, std::move(take_memory));
  if (!started.ok()) error_ = std::move(started).error();
}

Result<void> Beginning::start(JwtCache& jwt_cache, int64_t now, TakeMemory take_memory) {
  const Snapshot& snapshot = *pending_.snapshot;
  PGRST_TRY(auth_, authenticate(request_.headers, snapshot.auth, jwt_cache, now));
  pending_.account.role = auth_.role;
  pending_.timer.lap(Phase::kJwt);
  PGRST_TRY(api_request_, make_api_request(request_, snapshot.config, body_));
  if (body_) {
    const auto wants = [this](const std::vector<std::string>& names) {
      return takes_names(api_request_, names, pending_.snapshot->schema_cache);
    };
    body_->set_gate({wants, std::move(take_memory)});
  }
  return {};
}

bool Beginning::step(size_t max_bytes) { return error_ || !body_ || body_->step(max_bytes); }

BeginResult Beginning::take() {
  if (is_preflight_) {
    HttpResponse response;
    add_frame(pending_, response);
    return response;
  }
  if (error_) return fail(*error_);
  auto planned = plan();
  if (!planned.ok()) {
    Error error = std::move(planned).error();
    if (error.hinted) return check_hint(std::move(error));
    return fail(error);
  }
  if (auto* response = std::get_if<HttpResponse>(&*planned)) {
    complete(pending_, pending_.timer, *response);
  }
  return std::move(planned).value();
}

HttpResponse Beginning::fail(const Error& error) const { return pgrst::fail(pending_, error); }

Result<BeginResult> Beginning::plan() {
  const Config& config = pending_.snapshot->config;
  const SchemaCache& cache = pending_.snapshot->schema_cache;
  if (body_) {
    PGRST_TRY(api_request_.payload, body_->take());
  }
  pending_.timer.lap(Phase::kParse);
  PGRST_TRY(ActionPlan plan, plan_action(api_request_, cache, config));
  if (const InfoPlan* info = plan.info()) {
    pending_.timer.lap(Phase::kPlan);
    return BeginResult(info_response(info->allow));
  }
  MainQuery query = main_query(plan, api_request_, config);
  if (has_too_large_statement(query.transaction)) return too_large_statement();
  add_pre_query(query.transaction, api_request_, plan, auth_.role, auth_.claims_json, config,
                cache);
  account_for(plan, api_request_.schema, query.transaction, config, pending_.account);
  pending_.context = response_context(api_request_, plan, query, config);
  pending_.authenticated = !auth_.is_anonymous;
  pending_.timer.lap(Phase::kPlan);
  return BeginResult(DatabaseWork{std::move(query.transaction), std::move(pending_)});
}

DatabaseWork Beginning::check_hint(Error error) {
  DatabaseWork work;
  work.transaction.role = auth_.role;
  work.transaction.statements.push_back(may_use_statement(*error.hinted));
  pending_.refusal = std::move(error);
  work.pending = std::move(pending_);
  return work;
}

BeginResult begin(HttpRequest request, const SnapshotPtr& snapshot, JwtCache& jwt_cache,
                  int64_t now, Clock clock) {
  Beginning beginning(std::move(request), snapshot, jwt_cache, now, clock);
  while (!beginning.step(SIZE_MAX)) {
  }
  return beginning.take();
}

HttpResponse finish(const PendingRequest& pending, const TransactionResult& result) {
  if (pending.refusal) {
    Error error = *pending.refusal;
    if (result.error || result.result_sets[0].rows == 0) error.hint.reset();
    return fail(pending, error);
  }
  if (pending.writes_body()) return finish_whole(pending, result);
  PhaseTimer timer = pending.timer;
  timer.lap(Phase::kTransaction);
  if (result.error) {
    return fail(pending, errors::from_postgres(*result.error, pending.authenticated));
  }
  auto response =
      make_response(pending.context, result, pending.snapshot->config.client_error_verbosity);
  if (!response.ok()) return fail(pending, response.error());
  timer.lap(Phase::kResponse);
  complete(pending, timer, *response);
  if (!result.result_sets.empty()) response->account.rows = result.result_sets[0].rows;
  return std::move(response).value();
}

Finishing::Finishing(PendingRequest pending, const TransactionResult& result,
                     DescriptionCache* cache)
    : pending_(std::move(pending)), cache_(cache) {
  pending_.timer.lap(Phase::kTransaction);
  auto started = start(result);
  if (!started.ok()) error_ = std::move(started).error();
}

Result<void> Finishing::start(const TransactionResult& result) {
  if (result.error) return errors::from_postgres(*result.error, pending_.authenticated);
  if (!pending_.context.has_body) return {};
  if (cache_ != nullptr) {
    cache_key_ = DescriptionCache::key_of(pending_.context, result);
    if (take_from_cache()) return {};
  }
  const SnapshotPtr& snapshot = pending_.snapshot;
  const std::string& schema = pending_.context.schema;
  PGRST_TRY(ApiDescription api,
            describe_api(result.result_sets, schema, {snapshot, &snapshot->schema_cache}));
  pieces_ = write_openapi(std::move(api), api_server(snapshot->config, schema),
                          pending_.context.openapi_version);
  return {};
}

bool Finishing::take_from_cache() {
  const auto* entry = cache_->find(pending_.snapshot, cache_key_);
  if (entry == nullptr) return false;
  is_known_ = true;
  held_ = entry->body;
  too_large_ = held_.empty();
  dropped_ = too_large_ ? entry->size : 0;
  return !too_large_;
}

void Finishing::put_into_cache() {
  if (cache_ == nullptr || is_known_ || !pieces_) return;
  DescriptionCache::Entry entry;
  if (!too_large_) entry.body = held_;
  entry.size = too_large_ ? dropped_ : held_.size();
  cache_->insert(pending_.snapshot, std::move(cache_key_), std::move(entry));
}

bool Finishing::step(size_t max_bytes) {
  if (error_ || !pieces_ || is_known_) return true;
  for (size_t written = 0; written < max_bytes;) {
    const size_t had = held_.size();
    if (!pieces_->next(held_)) return true;
    written += held_.size() - had;
    too_large_ = too_large_ || held_.size() > kMaxHeldBody;
    if (too_large_) {
      dropped_ += held_.size();
      held_.clear();
    }
  }
  return false;
}

HttpResponse Finishing::take() {
  if (error_) return fail(*error_);
  put_into_cache();
  HttpResponse response = description_response(pending_.context);
  if (too_large_) {
    pieces_->rewind();
    response.pieces = std::move(pieces_);
    response.result_body_size = dropped_;
  } else {
    response.body = std::move(held_);
  }
  pending_.timer.lap(Phase::kResponse);
  complete(pending_, pending_.timer, response);
  return response;
}

HttpResponse Finishing::fail(const Error& error) const { return pgrst::fail(pending_, error); }

HttpResponse fail(const PendingRequest& pending, const Error& error) {
  const auto verbosity =
      pending.snapshot ? pending.snapshot->config.client_error_verbosity : ErrorVerbosity::kVerbose;
  HttpResponse response = error_response(error, verbosity);
  add_frame(pending, response);
  return response;
}

HttpResponse refuse(const HttpRequest& request, const SnapshotPtr& snapshot, const Error& error) {
  CorsDecision cors;
  if (snapshot) cors = decide_cors(request, snapshot->config.server_cors_allowed_origins);
  return fail(make_pending(request, snapshot, cors), error);
}

}  // namespace pgrst
