// ApiRequest and SchemaCache -> ActionPlan: what to do, checked against what there is.
#pragma once

#include "core/before_postgres.hpp"

#include <variant>

#include "api_request/api_request.hpp"
#include "core/result.hpp"
#include "plan/call_plan.hpp"
#include "plan/mutate_plan.hpp"
#include "plan/read_plan.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

// Asks nothing of the database.
struct InfoPlan {
  std::string allow;  // the methods, as the Allow header lists them
};

// Describes what a schema offers.
struct InspectPlan {
  std::string schema;
  OpenApiMode mode = OpenApiMode::kFollowPrivileges;
  OpenApiVersion version = OpenApiVersion::kSwagger20;
};

struct ActionPlan {
  ReadPlan read;  // of what the answer shows
  // What is done besides reading or instead of it: nothing, a write, a call, ...
  std::variant<std::monostate, MutatePlan, CallPlan, InspectPlan, InfoPlan> action;
  MediaType media_type;  // of the answer
  // What rows are made into: the same, unless the answer is how the statement would be executed.
  MediaType row_type;
  const MediaHandler* handler = nullptr;  // makes it; null: the server itself does
  // No rows are wanted: HEAD, or a write without return=representation.
  bool headers_only = false;

  const MutatePlan* mutation() const { return std::get_if<MutatePlan>(&action); }
  const CallPlan* call() const { return std::get_if<CallPlan>(&action); }
  const InspectPlan* inspect() const { return std::get_if<InspectPlan>(&action); }
  const InfoPlan* info() const { return std::get_if<InfoPlan>(&action); }
};

// Whether a body with these names may be planned: what the request names has such columns, or takes
// such arguments. If not, plan_action() refuses it.
bool takes_names(const ApiRequest& request, const std::vector<std::string>& names,
                 const SchemaCache& cache);

// Takes the payload of the request.
Result<ActionPlan> plan_action(ApiRequest& request, const SchemaCache& cache, const Config& config);

}  // namespace pgrst
