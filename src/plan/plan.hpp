// ApiRequest and SchemaCache -> ActionPlan: what to do, checked against what there is.
#pragma once

#include "core/before_postgres.hpp"

#include "api_request/api_request.hpp"
#include "core/result.hpp"
#include "plan/read_plan.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

struct ActionPlan {
  ReadPlan read;
  MediaType media_type;  // of the answer
  bool headers_only = false;
};

Result<ActionPlan> plan_action(const ApiRequest& request, const SchemaCache& cache,
                               const Config& config);

}  // namespace pgrst
