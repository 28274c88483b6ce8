#include "plan/plan.hpp"

namespace pgrst {

namespace {

bool is_produced(MediaType::Kind kind) {
  switch (kind) {
    case MediaType::Kind::kJson:
    case MediaType::Kind::kCsv:
    case MediaType::Kind::kGeoJson:
    case MediaType::Kind::kArrayStripped:
    case MediaType::Kind::kSingular:
    case MediaType::Kind::kSingularStripped:
      return true;
    default:
      return false;
  }
}

// The first accepted type that is produced, or PGRST107.
Result<MediaType> negotiate(const std::vector<MediaType>& accept) {
  for (const auto& type : accept) {
    if (type.kind == MediaType::Kind::kAny) return MediaType{MediaType::Kind::kJson, ""};
    if (is_produced(type.kind)) return type;
  }
  std::vector<std::string> mimes;
  mimes.reserve(accept.size());
  for (const auto& type : accept) mimes.push_back(to_mime(type));
  return errors::media_type(mimes);
}

Result<void> check_preferences(const Preferences& preferences) {
  if (preferences.handling == PreferHandling::kStrict && !preferences.invalid.empty()) {
    return errors::invalid_preferences(preferences.invalid);
  }
  return {};
}

struct Planner {
  const ApiRequest& request;
  const SchemaCache& cache;
  const Config& config;

  Result<ActionPlan> operator()(const RelationRead& read) const {
    PGRST_TRY(const Table* table, cache.find_table(request.schema, read.relation));
    ActionPlan plan;
    PGRST_TRY(plan.read, plan_read(*table, request, cache, config, config.db_max_rows));
    PGRST_TRY(plan.media_type, negotiate(request.accept));
    PGRST_CHECK(check_preferences(request.preferences));
    plan.headers_only = read.headers_only;
    return plan;
  }
  // This version reads relations; every other request is refused, each with a reason of its own.
  Result<ActionPlan> operator()(const RelationMutation& mutation) const {
    PGRST_CHECK(cache.find_table(request.schema, mutation.relation));
    return errors::unsupported_method(request.method);
  }
  Result<ActionPlan> operator()(const RoutineCall&) const {
    return errors::not_implemented("Functions are not served.");
  }
  Result<ActionPlan> operator()(const SchemaRead&) const { return errors::openapi_disabled(); }
  Result<ActionPlan> operator()(const Info&) const {
    return errors::unsupported_method(request.method);
  }
};

}  // namespace

Result<ActionPlan> plan_action(const ApiRequest& request, const SchemaCache& cache,
                               const Config& config) {
  return std::visit(Planner{request, cache, config}, request.action);
}

}  // namespace pgrst
