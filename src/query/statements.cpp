#include "query/statements.hpp"

#include "query/query_builder.hpp"

namespace pgrst {

namespace {

bool wants_rollback(const Preferences& preferences, const Config& config) {
  if (preferences.transaction) return *preferences.transaction == PreferTransaction::kRollback;
  return config.db_tx_rollback_all;
}

ResultFormat result_format(const ActionPlan& plan) {
  if (plan.headers_only) return ResultFormat::kCount;
  switch (plan.media_type.kind) {
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

}  // namespace

MainQuery main_query(const ActionPlan& plan, const ApiRequest& request, const Config& config) {
  MainQuery out;
  Transaction& t = out.transaction;
  t.access = AccessMode::kReadOnly;
  t.rollback = wants_rollback(request.preferences, config);
  t.statements.push_back(read_statement(plan.read, result_format(plan)));
  if (request.preferences.count) add_count(plan, *request.preferences.count, config, out);
  return out;
}

}  // namespace pgrst
