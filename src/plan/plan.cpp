#include "plan/plan.hpp"

#include <algorithm>

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

bool has_default_select(const ReadPlan& plan) {
  return plan.select.size() == 1 && plan.select[0].field.name == "*" && plan.children.empty();
}

// What makes this type of the relation or function, unless columns were selected; then of anything.
const MediaHandler* find_handler(const ReadPlan& read, const std::string& type,
                                 const SchemaCache& cache) {
  if (has_default_select(read)) {
    for (const std::string& wanted : {std::string("*/*"), type}) {
      if (const auto* handler = cache.media_handler(&read.from, wanted)) return handler;
    }
  }
  return cache.media_handler(nullptr, type);
}

// Whether this type can be made; the plan says then what makes it, and which one it is.
bool produce(const MediaType& type, const SchemaCache& cache, ActionPlan& plan) {
  const bool vendored = type.kind == MediaType::Kind::kArrayStripped ||
                        type.kind == MediaType::Kind::kSingular ||
                        type.kind == MediaType::Kind::kSingularStripped;
  plan.handler = vendored ? nullptr : find_handler(plan.read, to_mime(type), cache);
  if (plan.handler != nullptr) {
    plan.row_type = parse_media_type(plan.handler->media_type);
    return true;
  }
  plan.row_type = type;
  if (type.kind == MediaType::Kind::kAny) plan.row_type = parse_media_type("application/json");
  return is_produced(plan.row_type.kind);
}

Error none_acceptable(const std::vector<MediaType>& accept) {
  std::vector<std::string> mimes;
  mimes.reserve(accept.size());
  for (const auto& type : accept) mimes.push_back(to_mime(type));
  return errors::media_type(mimes);
}

// Takes the first accepted type that is produced, or refuses with PGRST107.
Result<void> negotiate(const std::vector<MediaType>& accept, const SchemaCache& cache,
                       const Config& config, ActionPlan& plan) {
  for (const auto& type : accept) {
    const bool explains = type.kind == MediaType::Kind::kPlan;
    if (explains && !config.db_plan_enabled) continue;
    if (!produce(explains ? parse_media_type(type.other) : type, cache, plan)) continue;
    plan.media_type = explains ? type : plan.row_type;
    return {};
  }
  return none_acceptable(accept);
}

// The version that a media type asks for, of those that there are; a number alone is a major one.
std::optional<OpenApiVersion> asked_version(const MediaType& type, OpenApiVersion configured) {
  switch (type.kind) {
    case MediaType::Kind::kJson:
    case MediaType::Kind::kAny:
      return configured;
    case MediaType::Kind::kOpenApi:
      if (type.version.empty()) return configured;
      if (type.version == "2.0" || type.version == "2") return OpenApiVersion::kSwagger20;
      if (type.version == "3.1" || type.version == "3") return OpenApiVersion::kOpenApi31;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// A description is OpenAPI whichever of these was asked for.
Result<OpenApiVersion> negotiate_description(std::vector<MediaType> accept,
                                             OpenApiVersion configured) {
  for (const auto& type : accept) {
    if (const auto version = asked_version(type, configured)) return *version;
  }
  for (auto& type : accept) {
    if (type.version.empty()) continue;
    type = {MediaType::Kind::kOther, to_mime(type) + ";version=" + type.version};
  }
  return none_acceptable(accept);
}

MediaType description_type(OpenApiVersion version) {
  MediaType type = parse_media_type("application/openapi+json");
  // The Content-Type of Swagger 2.0 is PostgREST's.
  if (version == OpenApiVersion::kOpenApi31) type.version = "3.1";
  return type;
}

Result<void> check_preferences(const Preferences& preferences) {
  if (preferences.handling == PreferHandling::kStrict && !preferences.invalid.empty()) {
    return errors::invalid_preferences(preferences.invalid);
  }
  return {};
}

const char* allowed_methods(const Routine& routine) {
  return routine.volatility == Volatility::kVolatile ? "OPTIONS,POST" : "OPTIONS,GET,HEAD,POST";
}

std::string allowed_methods(const Table& table) {
  std::string out = "OPTIONS,GET,HEAD";
  if (table.insertable) out += ",POST";
  if (table.insertable && table.updatable && !table.pk_columns.empty()) out += ",PUT";
  if (table.updatable) out += ",PATCH";
  if (table.deletable) out += ",DELETE";
  return out;
}

ActionPlan info(std::string allow) {
  ActionPlan plan;
  plan.action = InfoPlan{std::move(allow)};
  return plan;
}

struct Planner {
  ApiRequest& request;
  const SchemaCache& cache;
  const Config& config;

  Result<ActionPlan> operator()(const RelationRead& read) const {
    PGRST_TRY(const Table* table, cache.find_table(request.schema, read.relation));
    ActionPlan plan;
    PGRST_TRY(plan.read, plan_read(table->id, RootSource::kRelation, request, cache, config));
    PGRST_CHECK(negotiate(request.accept, cache, config, plan));
    PGRST_CHECK(check_preferences(request.preferences));
    PGRST_CHECK(check_embed_names(plan.read));
    plan.headers_only = read.headers_only;
    return plan;
  }

  Result<ActionPlan> operator()(const RelationMutation& mutation) const {
    PGRST_TRY(const Table* table, cache.find_table(request.schema, mutation.relation));
    ActionPlan plan;
    PGRST_TRY(plan.read, plan_read(table->id, RootSource::kMutation, request, cache, config));
    PGRST_TRY(plan.action, plan_mutation(*table, mutation.mutation, request, cache));
    PGRST_CHECK(check_preferences(request.preferences));
    PGRST_CHECK(negotiate(request.accept, cache, config, plan));
    plan.headers_only = request.preferences.representation != PreferRepresentation::kFull;
    if (!plan.headers_only) PGRST_CHECK(check_embed_names(plan.read));
    return plan;
  }

  Result<ActionPlan> operator()(const RoutineCall& call) const {
    PGRST_TRY(ActionPlan plan, plan_routine(call, RootSource::kCall));
    PGRST_CHECK(check_embed_names(plan.read));
    return plan;
  }

  // With all that PostgREST checks before it runs the function, or answers OPTIONS.
  Result<ActionPlan> plan_routine(const RoutineCall& call, RootSource source) const {
    ActionPlan plan;
    PGRST_TRY(CallPlan call_plan, plan_call(call, request, cache));
    const Routine& routine = *call_plan.routine;
    plan.action = std::move(call_plan);
    const auto& name = routine.returns_composite ? routine.return_type.name : routine.id.name;
    PGRST_TRY(plan.read, plan_read({routine.id.schema, name}, source, request, cache, config));
    PGRST_CHECK(negotiate(request.accept, cache, config, plan));
    PGRST_CHECK(check_preferences(request.preferences));
    const bool strict = request.preferences.handling == PreferHandling::kStrict;
    if (strict && request.preferences.max_affected && routine.returns_single()) {
      return errors::max_affected_rpc();
    }
    plan.headers_only = call.method == InvokeMethod::kHead;
    return plan;
  }

  Result<ActionPlan> operator()(const SchemaRead& read) const {
    PGRST_TRY(const OpenApiVersion version,
              negotiate_description(request.accept, config.openapi_version));
    ActionPlan plan;
    plan.action = InspectPlan{request.schema, config.openapi_mode, version};
    plan.media_type = description_type(version);
    plan.headers_only = read.headers_only;
    return plan;
  }

  Result<ActionPlan> operator()(const Info& about) const {
    switch (about.of) {
      case Info::Of::kRelation: {
        PGRST_TRY(const Table* table, cache.find_table(request.schema, about.name));
        return info(allowed_methods(*table));
      }
      case Info::Of::kRoutine: {
        PGRST_TRY(ActionPlan plan,
                  plan_routine({about.name, InvokeMethod::kHead}, RootSource::kRelation));
        return info(allowed_methods(*plan.call()->routine));
      }
      case Info::Of::kSchema:
        break;
    }
    return info("OPTIONS,GET,HEAD");
  }
};

}  // namespace

bool takes_names(const ApiRequest& request, const std::vector<std::string>& names,
                 const SchemaCache& cache) {
  if (const auto* call = std::get_if<RoutineCall>(&request.action)) {
    return takes_names(*call, request, names, cache);
  }
  const auto* mutation = std::get_if<RelationMutation>(&request.action);
  if (mutation == nullptr) return false;
  const Table* table = cache.table_or_null(request.schema, mutation->relation);
  return table != nullptr && std::all_of(names.begin(), names.end(), [&](const auto& name) {
           return table->find_column(name) != nullptr;
         });
}

Result<ActionPlan> plan_action(ApiRequest& request, const SchemaCache& cache,
                               const Config& config) {
  return std::visit(Planner{request, cache, config}, request.action);
}

}  // namespace pgrst
