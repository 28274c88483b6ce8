#include "query/pre_query.hpp"

#include <algorithm>
#include <unordered_map>
#include <variant>

#include "core/json.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

// "schema", "extra", ...: the schema of the request first.
std::string search_path(const std::string& schema, const Config& config) {
  std::string out = quote_ident(schema);
  for (const auto& extra : config.db_extra_search_path) {
    out += ", ";
    append_quoted_ident(out, extra);
  }
  return out;
}

// A JSON object; of several values with one name the last counts.
std::string json_object(const std::vector<std::pair<std::string, std::string>>& members) {
  std::unordered_map<std::string_view, const std::string*> last;
  for (const auto& [name, value] : members) last[name] = &value;
  std::string out = "{";
  for (const auto& [name, value] : members) {
    if (last[name] != &value) continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
  }
  return out + "}";
}

// The plan chose the characteristics of the transaction, and they are in force when these settings
// come: PostgREST's transactions begin with theirs, and refuse such a setting of a role. Here it
// would come before the first snapshot and be taken.
bool is_of_transaction(std::string_view name) {
  const std::string lower = to_lower_ascii(name);
  return lower == "transaction_read_only" || lower == "transaction_isolation" ||
         lower == "transaction_deferrable";
}

// Related rows that a node must have, and those of the nodes below.
size_t count_conditions_on_embeds(const std::vector<PlannedLogic>& conditions) {
  size_t count = 0;
  for (const auto& condition : conditions) {
    if (const auto* expr = std::get_if<PlannedLogicExpr>(&condition.node)) {
      count += count_conditions_on_embeds(expr->children);
    } else if (std::holds_alternative<PlannedEmbedFilter>(condition.node)) {
      count++;
    }
  }
  return count;
}
size_t count_inner_embeds(const ReadPlan& plan) {
  size_t count = count_conditions_on_embeds(plan.where);
  for (const auto& child : plan.children) {
    count += (child.join_type == JoinType::kInner ? 1 : 0) + count_inner_embeds(child);
  }
  return count;
}

// Looking for the best order of many joins takes PostgreSQL seconds. Theirs is a good one: from
// the rows that are wanted to those that are related.
void add_join_limits(const ReadPlan& plan, SettingList& settings) {
  constexpr size_t kMaxFreeJoins = 8;  // what both are by default
  if (count_inner_embeds(plan) < kMaxFreeJoins) return;
  settings.emplace_back("from_collapse_limit", "1");
  settings.emplace_back("join_collapse_limit", "1");
}

// Those settings of the function that are to hold for the whole transaction.
void add_routine_settings(const Routine& routine, const Config& config, Transaction& t) {
  if (routine.isolation) t.isolation = *routine.isolation;
  const auto& hoisted = config.db_hoisted_tx_settings;
  for (const auto& setting : routine.settings) {
    const bool is_hoisted =
        std::find(hoisted.begin(), hoisted.end(), setting.first) != hoisted.end();
    if (is_hoisted && !is_of_transaction(setting.first)) t.settings.push_back(setting);
  }
}

}  // namespace

std::string call_sql(const QualifiedName& function) {
  SqlBuilder sql;
  sql.raw("SELECT ").qualified(function.schema, function.name).raw("()");
  return sql.take_text();
}

void add_pre_query(Transaction& t, const ApiRequest& request, const ActionPlan& plan,
                   const std::string& role, const std::string& claims_json, const Config& config,
                   const SchemaCache& cache) {
  t.role = role;
  // A role may have a search_path of its own.
  t.role_settings.emplace_back("search_path", search_path(request.schema, config));
  if (const RoleSettings* own = cache.role_settings(role)) {
    t.isolation = own->isolation;
    for (const auto& setting : own->settings) {
      if (!is_of_transaction(setting.first)) t.role_settings.push_back(setting);
    }
  }
  t.settings.reserve(8 + config.app_settings.size());
  t.settings.emplace_back("request.jwt.claims", claims_json);
  t.settings.emplace_back("request.method", request.method);
  t.settings.emplace_back("request.path", request.path);
  t.settings.emplace_back("request.headers", json_object(request.headers));
  t.settings.emplace_back("request.cookies", json_object(request.cookies));
  if (request.preferences.timezone) {
    t.settings.emplace_back("timezone", *request.preferences.timezone);
  }
  add_join_limits(plan.read, t.settings);
  if (plan.call() != nullptr) add_routine_settings(*plan.call()->routine, config, t);
  t.settings.insert(t.settings.end(), config.app_settings.begin(), config.app_settings.end());
  if (config.db_pre_request) t.pre_request = call_sql(*config.db_pre_request);
}

}  // namespace pgrst
