#include "query/statements.hpp"

#include <algorithm>

#include "query/call_builder.hpp"
#include "query/inspect_builder.hpp"
#include "query/mutate_builder.hpp"
#include "query/query_builder.hpp"

namespace pgrst {

namespace {

bool wants_rollback(const Preferences& preferences, const Config& config) {
  if (preferences.transaction) return *preferences.transaction == PreferTransaction::kRollback;
  return config.db_tx_rollback_all;
}

ResultFormat rows_format(const ActionPlan& plan) {
  if (plan.handler != nullptr) return ResultFormat::kRaw;
  switch (plan.row_type.kind) {
    case MediaType::Kind::kSingular:
      return ResultFormat::kJsonObject;
    case MediaType::Kind::kSingularStripped:
      return ResultFormat::kJsonObjectStripped;
    case MediaType::Kind::kArrayStripped:
      return ResultFormat::kJsonArrayStripped;
    case MediaType::Kind::kCsv:
      return ResultFormat::kCsv;
    case MediaType::Kind::kGeoJson:
      return ResultFormat::kGeoJson;
    default:
      return ResultFormat::kJsonArray;
  }
}

ResultFormat read_format(const ActionPlan& plan) {
  return plan.headers_only ? ResultFormat::kCount : rows_format(plan);
}

ResultFormat mutation_format(const ActionPlan& plan, const Preferences& preferences) {
  if (!plan.headers_only) return rows_format(plan);
  const MutatePlan& mutation = *plan.mutation();
  const bool located = mutation.mutation == Mutation::kCreate &&
                       preferences.representation == PreferRepresentation::kHeadersOnly &&
                       !location_columns(plan.read, mutation).empty();
  return located ? ResultFormat::kRecords : ResultFormat::kCount;
}

// A function that returns one value or one row gives that, not an array of it.
ResultFormat call_format(const ActionPlan& plan) {
  const Routine& routine = *plan.call()->routine;
  if (plan.headers_only || routine.returns_void()) return ResultFormat::kCount;
  if (plan.handler != nullptr) return ResultFormat::kRaw;
  const bool array = plan.row_type.kind == MediaType::Kind::kJson;
  const bool stripped = plan.row_type.kind == MediaType::Kind::kArrayStripped;
  const bool singular = plan.row_type.kind == MediaType::Kind::kSingular;
  if (singular && routine.returns_scalar()) return ResultFormat::kJsonValue;
  if (plan.row_type.kind == MediaType::Kind::kSingularStripped && routine.returns_scalar()) {
    return ResultFormat::kJsonValueStripped;
  }
  if (!array && !stripped) return rows_format(plan);
  if (routine.returns_scalar()) {
    return stripped ? ResultFormat::kJsonValueStripped : ResultFormat::kJsonValue;
  }
  if (routine.returns_set_of_scalar()) {
    return stripped ? ResultFormat::kJsonValuesStripped : ResultFormat::kJsonValues;
  }
  if (routine.returns_single_composite()) {
    return stripped ? ResultFormat::kJsonObjectStripped : ResultFormat::kJsonObject;
  }
  return rows_format(plan);
}

ResultShape shape_of(const ActionPlan& plan, ResultFormat format) {
  const bool one_value = plan.call() != nullptr && plan.call()->routine->returns_scalar();
  return {format, plan.handler, one_value};
}

// Adds what tells the total. Where neither a range nor db_max_rows takes rows away, the page does.
void add_count(const ActionPlan& plan, PreferCount count, const Config& config, MainQuery& out) {
  auto& statements = out.transaction.statements;
  if (count != PreferCount::kPlanned && !plan.read.range.is_all()) {
    out.total_at = statements.size();
    std::optional<int64_t> limit;
    // One more than db_max_rows is enough to know that an estimate is due.
    if (count == PreferCount::kEstimated && config.db_max_rows) limit = *config.db_max_rows + 1;
    statements.push_back(count_statement(plan.read, limit));
  }
  if (count != PreferCount::kExact) {
    out.planned_at = statements.size();
    statements.push_back(explain_count_statement(plan.read));
  }
}

// Nullopt: not even PostgreSQL can count so far.
std::optional<RowWindow> window_of(const NonnegRange& range) {
  const auto offset = to_bigint(range.offset);
  const auto limit = to_bigint(range.limit.value_or(0));
  if (!offset || !limit) return std::nullopt;
  RowWindow window;
  window.offset = static_cast<uint64_t>(*offset);
  if (range.limit) window.limit = static_cast<uint64_t>(*limit);
  return window;
}

// With a count the function's rows are all counted, and the page is cut out of them.
void add_call(const ActionPlan& plan, const CallPlan& call, const ApiRequest& request,
              Transaction& t) {
  const bool by_post = std::get<RoutineCall>(request.action).method == InvokeMethod::kPost;
  if (by_post && call.routine->volatility == Volatility::kVolatile) {
    t.access = AccessMode::kReadWrite;
  }
  const auto& count = request.preferences.count;
  const auto window = window_of(plan.read.range);
  const ResultShape shape = shape_of(plan, call_format(plan));
  const bool whole = plan.read.range.is_all() || shape.format == ResultFormat::kRaw;
  if (!count || *count == PreferCount::kPlanned || whole || !window) {
    t.statements.push_back(call_statement(plan.read, call, shape));
    return;
  }
  ReadPlan all = plan.read;
  all.range = {};
  t.statements.push_back(call_statement(all, call, shape));
  t.statements.back().window = *window;
}

// The plan of the first statement alone, instead of its rows.
void explain(const MediaType& type, Transaction& t) {
  t.statements.resize(1);
  std::string& text = t.statements[0].text;
  if (!text.empty()) text = explain_options(type) + text;
  t.statements[0].format = ResultFormat::kLines;
  t.statements[0].window = {};
}

std::string take_payload(ActionPlan& plan) {
  if (auto* mutation = std::get_if<MutatePlan>(&plan.action)) return std::move(mutation->payload);
  if (auto* call = std::get_if<CallPlan>(&plan.action)) return std::move(call->payload);
  return "";
}

// What has to be one row, or no more than so many, is undone otherwise.
void limit_rows(const ActionPlan& plan, const Preferences& preferences, MainQuery& out) {
  Transaction& t = out.transaction;
  const MutatePlan* mutation = plan.mutation();
  const bool singular = plan.media_type.kind == MediaType::Kind::kSingular ||
                        plan.media_type.kind == MediaType::Kind::kSingularStripped;
  const bool put = mutation != nullptr && mutation->mutation == Mutation::kSingleUpsert;
  const bool one_anyway = plan.call() != nullptr && plan.call()->routine->returns_single();
  if (put || (singular && !one_anyway)) t.min_rows = t.max_rows = 1;
  const bool limited =
      plan.call() != nullptr || (mutation != nullptr && (mutation->mutation == Mutation::kUpdate ||
                                                         mutation->mutation == Mutation::kDelete));
  if (!limited || preferences.handling != PreferHandling::kStrict || !preferences.max_affected) {
    return;
  }
  out.max_affected = *preferences.max_affected;
  t.max_rows = std::min(t.max_rows, static_cast<uint64_t>(std::max<int64_t>(*out.max_affected, 0)));
  // Less than none is never enough.
  if (*out.max_affected < 0) t.min_rows = 1;
}

}  // namespace

MainQuery main_query(ActionPlan& plan, const ApiRequest& request, const Config& config) {
  MainQuery out;
  Transaction& t = out.transaction;
  const Preferences& preferences = request.preferences;
  t.access = AccessMode::kReadOnly;
  t.rollback = wants_rollback(preferences, config);
  if (config.server_max_response_size > 0 && plan.inspect() == nullptr) {
    t.max_bytes = static_cast<uint64_t>(config.server_max_response_size);
  }
  if (const MutatePlan* mutation = plan.mutation()) {
    t.access = AccessMode::kReadWrite;
    t.statements.push_back(mutation_statement(plan.read, *mutation,
                                              shape_of(plan, mutation_format(plan, preferences))));
  } else if (const CallPlan* call = plan.call()) {
    add_call(plan, *call, request, t);
  } else if (const InspectPlan* inspection = plan.inspect()) {
    if (!plan.headers_only) t.statements = inspect_statements(*inspection);
  } else {
    t.statements.push_back(read_statement(plan.read, shape_of(plan, read_format(plan))));
    if (preferences.count) add_count(plan, *preferences.count, config, out);
  }
  t.payload = take_payload(plan);
  if (plan.media_type.kind == MediaType::Kind::kPlan) {
    explain(plan.media_type, t);
    return out;
  }
  limit_rows(plan, preferences, out);
  return out;
}

}  // namespace pgrst
