#include "plan/mutate_plan.hpp"

#include <algorithm>
#include <set>

#include "plan/field_planner.hpp"

namespace pgrst {

namespace {

PlannedLogic plan_logic(const FieldPlanner& fields, const LogicTree& tree) {
  if (const auto* filter = std::get_if<Filter>(&tree.node)) return {fields.filter(*filter)};
  const auto& expr = std::get<LogicExpr>(tree.node);
  PlannedLogicExpr out{expr.negated, expr.op, {}};
  for (const auto& child : expr.children) out.children.push_back(plan_logic(fields, child));
  return {std::move(out)};
}

// The filters of the root; those of embeds concern what is returned.
std::vector<PlannedLogic> plan_where(const FieldPlanner& fields, const QueryParams& params) {
  std::vector<PlannedLogic> where;
  for (const auto& filter : params.filters) {
    if (filter.path.empty()) where.emplace_back().node = fields.filter(filter.value);
  }
  for (const auto& logic : params.logic) {
    if (logic.path.empty()) where.push_back(plan_logic(fields, logic.value));
  }
  return where;
}

Result<std::vector<MutateColumn>> plan_columns(const Table& table,
                                               const std::vector<std::string>& names,
                                               const SchemaCache& cache) {
  std::vector<MutateColumn> columns;
  for (const auto& name : names) {
    const Column* column = table.find_column(name);
    if (column == nullptr) return errors::column_not_found(table.id.name, name);
    columns.push_back({column, cache.representation("json", column->nominal_type)});
  }
  return columns;
}

bool is_plain_equality(const Filter& filter) {
  const auto* op = std::get_if<OpQuant>(&filter.operation);
  return !filter.negated && op != nullptr && op->op == QuantOperator::kEqual && !op->quantifier;
}

bool is_primary_key(const Table& table, const std::vector<std::string>& names) {
  return !names.empty() &&
         std::set<std::string>(names.begin(), names.end()) ==
             std::set<std::string>(table.pk_columns.begin(), table.pk_columns.end());
}

// A PUT names its row: all columns of the primary key, each by eq, and nothing else.
bool names_one_row(const Table& table, const QueryParams& params) {
  return params.logic.empty() && is_primary_key(table, params.filter_fields) &&
         std::all_of(params.filters.begin(), params.filters.end(), [](const auto& filter) {
           return !filter.path.empty() || is_plain_equality(filter.value);
         });
}

std::optional<OnConflict> plan_on_conflict(const Table& table, const ApiRequest& request) {
  const auto& resolution = request.preferences.resolution;
  if (!resolution) return std::nullopt;
  const auto& columns = request.query_params.on_conflict;
  OnConflict out{*resolution, columns ? *columns : table.pk_columns};
  if (out.columns.empty()) return std::nullopt;
  return out;
}

}  // namespace

Result<MutatePlan> plan_mutation(const Table& table, Mutation mutation, ApiRequest& request,
                                 const SchemaCache& cache) {
  const QueryParams& params = request.query_params;
  const FieldPlanner fields(cache, &table);
  MutatePlan plan;
  plan.mutation = mutation;
  plan.table = &table;
  if (mutation == Mutation::kSingleUpsert && !names_one_row(table, params)) {
    return errors::invalid_filters();
  }
  if (mutation != Mutation::kCreate) plan.where = plan_where(fields, params);
  plan.counts_inserted = mutation == Mutation::kSingleUpsert ||
                         (mutation == Mutation::kCreate &&
                          request.preferences.resolution == PreferResolution::kMergeDuplicates);
  if (mutation == Mutation::kCreate) plan.on_conflict = plan_on_conflict(table, request);
  if (mutation == Mutation::kSingleUpsert) {
    plan.on_conflict = OnConflict{PreferResolution::kMergeDuplicates, table.pk_columns};
  }
  if (mutation == Mutation::kDelete || !request.payload) return plan;
  PGRST_TRY(plan.columns, plan_columns(table, request.payload->keys, cache));
  plan.payload = std::move(request.payload->body);
  plan.payload_is_object = request.payload->is_object;
  plan.missing_is_default =
      mutation != Mutation::kSingleUpsert && request.preferences.missing == PreferMissing::kDefault;
  return plan;
}

}  // namespace pgrst
