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
  return plan.media_type.kind == MediaType::Kind::kSingular ? ResultFormat::kJsonObject
                                                            : ResultFormat::kJsonArray;
}

}  // namespace

MainQuery main_query(const ActionPlan& plan, const ApiRequest& request, const Config& config) {
  MainQuery out;
  Transaction& t = out.transaction;
  t.access = AccessMode::kReadOnly;
  t.rollback = wants_rollback(request.preferences, config);
  t.statements.push_back(read_statement(plan.read, result_format(plan)));
  // Without a range the page is everything: its row count is the total.
  if (request.preferences.count == PreferCount::kExact && !plan.read.range.is_all()) {
    out.total_at = t.statements.size();
    t.statements.push_back(count_statement(plan.read));
  }
  return out;
}

}  // namespace pgrst
