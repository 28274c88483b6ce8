// The plan of a function call: which overload, and what its arguments are.
//
// Input -> output: ApiRequest and SchemaCache -> CallPlan; PGRST202 when no function takes these
// arguments, PGRST203 when several do. An overload fits when it has a parameter for each argument
// and an argument for each parameter without a default; a function of one unnamed parameter takes
// the whole body.
// Ownership: pointers lead into the schema cache.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api_request/api_request.hpp"
#include "core/result.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

// Arguments of the query string or a form; several values only for a variadic parameter.
struct DirectArgument {
  const RoutineParam* param = nullptr;
  std::vector<std::string> values;
};
using DirectArguments = std::vector<DirectArgument>;

// Arguments that are members of a JSON object.
struct JsonArguments {
  std::vector<const RoutineParam*> params;
  bool is_object = true;
};

// The body itself.
struct BodyArgument {
  const RoutineParam* param = nullptr;
};

struct CallPlan {
  const Routine* routine = nullptr;
  std::variant<DirectArguments, JsonArguments, BodyArgument> arguments;
  std::string payload;  // of the latter two: the body, in the input format of its type
};

// Whether a function of that name takes arguments of these names. A body of them may be one
// argument all the same.
bool takes_names(const RoutineCall& call, const ApiRequest& request,
                 const std::vector<std::string>& names, const SchemaCache& cache);

// Takes the payload of the request.
Result<CallPlan> plan_call(const RoutineCall& call, ApiRequest& request, const SchemaCache& cache);

}  // namespace pgrst
