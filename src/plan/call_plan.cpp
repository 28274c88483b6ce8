#include "plan/call_plan.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "core/text.hpp"

namespace pgrst {

namespace {

using Body = errors::RoutineSearch::Body;
using Names = std::vector<std::string_view>;  // sorted, no duplicates

bool has(const Names& names, const std::string& name) {
  return std::binary_search(names.begin(), names.end(), name);
}

Body body_of(const ApiRequest& request, InvokeMethod method) {
  if (method != InvokeMethod::kPost) return Body::kNone;
  switch (request.content_type.kind) {
    case MediaType::Kind::kJson:
      return Body::kJson;
    case MediaType::Kind::kPlainText:
      return Body::kText;
    case MediaType::Kind::kXml:
      return Body::kXml;
    case MediaType::Kind::kOctetStream:
      return Body::kBytes;
    default:
      return Body::kNone;
  }
}

bool is_whole(Body body) {
  return body == Body::kText || body == Body::kXml || body == Body::kBytes;
}

bool takes_body(const Routine& routine, Body body) {
  if (routine.params.size() != 1 || !routine.params[0].name.empty()) return false;
  const std::string& type = routine.params[0].type;
  switch (body) {
    case Body::kJson:
      return type == "json" || type == "jsonb";
    case Body::kText:
      return type == "text";
    case Body::kXml:
      return type == "xml";
    case Body::kBytes:
      return type == "bytea";
    case Body::kNone:
      break;
  }
  return false;
}

// Every argument has a parameter, and every parameter without a default an argument.
bool takes_arguments(const Routine& routine, const Names& arguments, Body body) {
  if (routine.params.empty()) return arguments.empty() && !is_whole(body);
  if (arguments.size() > routine.params.size()) return false;
  const auto& params = routine.params;
  return std::all_of(
             params.begin(), params.end(),
             [&](const auto& param) { return !param.required || has(arguments, param.name); }) &&
         std::all_of(arguments.begin(), arguments.end(), [&](const auto& name) {
           return std::any_of(params.begin(), params.end(),
                              [&](const auto& param) { return param.name == name; });
         });
}

// -- PGRST202 and PGRST203 -----------------------------------------------------------------------

// Bytes of lists of parameters that are compared for a hint: making an index of more takes time.
constexpr size_t kMaxListsForHints = 8 * 1024;

std::string parameter_list(Names names) {
  std::sort(names.begin(), names.end());
  std::string out = "(";
  for (size_t i = 0; i < names.size() && out.size() <= kMaxListsForHints; i++) {
    if (i > 0) out += ", ";
    out += names[i];
  }
  return out + ")";
}

std::vector<uint32_t> oids_of(const std::vector<Routine>& overloads) {
  std::vector<uint32_t> oids;
  oids.reserve(overloads.size());
  for (const auto& routine : overloads) oids.push_back(routine.oid);
  return oids;
}

std::string parameter_list(const Routine& routine) {
  Names names;
  names.reserve(routine.params.size());
  for (const auto& param : routine.params) names.emplace_back(param.name);
  return parameter_list(std::move(names));
}

std::optional<std::string> nearest_list(const Names& arguments,
                                        const std::vector<Routine>& overloads) {
  const std::string wanted = parameter_list(arguments);
  if (wanted.size() > kMaxListsForHints) return std::nullopt;
  FuzzySet set;
  size_t bytes = 0;
  for (auto it = overloads.rbegin(); it != overloads.rend(); ++it) {
    const std::string list = parameter_list(*it);
    bytes += list.size();
    if (bytes > kMaxListsForHints) return std::nullopt;
    set.add(list);
  }
  return set.get_one(wanted);
}

// The nearest name of the schema; if the name is right, the nearest list of parameters. Fills in
// which functions that means.
std::optional<std::string> nearest(const errors::RoutineSearch& search, const Names& arguments,
                                   const SchemaCache& cache, const std::vector<Routine>* overloads,
                                   std::vector<uint32_t>& meant) {
  if (overloads == nullptr) {
    auto found = cache.nearest_routine(search.schema, search.name);
    if (found) meant = oids_of(*cache.routines(search.schema, *found));
    return found;
  }
  const auto found = nearest_list(arguments, *overloads);
  if (!found) return std::nullopt;
  for (const auto& routine : *overloads) {
    if (parameter_list(routine) == *found) meant.push_back(routine.oid);
  }
  return search.name + *found;
}

std::string signature(const Routine& routine) {
  std::string out = routine.id.schema + "." + routine.id.name + "(";
  for (size_t i = 0; i < routine.params.size(); i++) {
    if (i > 0) out += ", ";
    out += routine.params[i].name + " => " + routine.params[i].type;
  }
  return out + ")";
}

Error ambiguous(const std::vector<const Routine*>& routines) {
  std::vector<std::string> signatures;
  signatures.reserve(routines.size());
  for (const auto* routine : routines) signatures.push_back(signature(*routine));
  return errors::ambiguous_routine(signatures);
}

Result<const Routine*> find_routine(const std::string& schema, const std::string& name,
                                    const Names& arguments, Body body, const SchemaCache& cache) {
  const auto* overloads = cache.routines(schema, name);
  std::vector<const Routine*> by_arguments, by_body;
  if (overloads != nullptr) {
    for (const auto& routine : *overloads) {
      if (takes_arguments(routine, arguments, body)) {
        by_arguments.push_back(&routine);
      } else if (takes_body(routine, body)) {
        by_body.push_back(&routine);
      }
    }
  }
  const auto& found = by_arguments.empty() ? by_body : by_arguments;
  if (found.size() == 1) return found[0];
  if (!found.empty()) return ambiguous(found);
  const auto shown =
      arguments.begin() + static_cast<std::ptrdiff_t>(std::min(arguments.size(), kMaxNames));
  const errors::RoutineSearch search{schema, name, {arguments.begin(), shown}, body};
  std::vector<uint32_t> meant;
  Error error =
      errors::routine_not_found(search, nearest(search, arguments, cache, overloads, meant));
  if (error.hint) {
    error.hinted = {HintedObject::Kind::kRoutine, schema, {}, std::move(meant)};
  }
  return error;
}

// -- arguments -----------------------------------------------------------------------------------

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Of several values the last counts, but a variadic parameter takes them all. Takes the values.
DirectArguments direct_arguments(const Routine& routine, Pairs& pairs) {
  DirectArguments out;
  out.reserve(routine.params.size());
  std::map<std::string_view, DirectArgument*> by_name;
  for (const auto& param : routine.params) {
    out.push_back({&param, {}});
    by_name[param.name] = &out.back();
  }
  for (auto& [name, value] : pairs) {
    const auto at = by_name.find(name);
    if (at == by_name.end()) continue;
    DirectArgument& argument = *at->second;
    if (!argument.param->variadic) argument.values.clear();
    argument.values.push_back(std::move(value));
  }
  out.erase(std::remove_if(out.begin(), out.end(),
                           [](const DirectArgument& argument) { return argument.values.empty(); }),
            out.end());
  return out;
}

Names names_of(const Pairs& pairs) {
  Names out;
  out.reserve(pairs.size());
  for (const auto& [name, value] : pairs) out.emplace_back(name);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

JsonArguments json_arguments(const Routine& routine, const Payload& payload, const Names& names) {
  JsonArguments out;
  for (const auto& param : routine.params) {
    if (has(names, param.name)) out.params.push_back(&param);
  }
  out.is_object = payload.is_object;
  return out;
}

// In the input format of the parameter's type. It is already, unless a parameter with a default
// takes a body of another type than its own.
std::string body_as(const RoutineParam& param, Body body, Payload& payload) {
  const bool is_hex = body == Body::kBytes;
  if (is_hex == (param.type == "bytea")) return std::move(payload.body);
  std::string out;
  if (is_hex) {
    for (size_t i = 2; i + 1 < payload.body.size(); i += 2) {
      out += static_cast<char>(hex_value(payload.body[i]) << 4 | hex_value(payload.body[i + 1]));
    }
  } else {
    out = "\\x";
    append_hex(out, payload.body);
  }
  return out;
}

bool is_body_argument(const Routine& routine) {
  return routine.params.size() == 1 && routine.params[0].name.empty();
}

}  // namespace

bool takes_names(const RoutineCall& call, const ApiRequest& request,
                 const std::vector<std::string>& names, const SchemaCache& cache) {
  const auto* overloads = cache.routines(request.schema, call.routine);
  if (overloads == nullptr) return false;
  const Names arguments(names.begin(), names.end());
  const Body body = body_of(request, call.method);
  return std::any_of(overloads->begin(), overloads->end(), [&](const Routine& routine) {
    return takes_arguments(routine, arguments, body);
  });
}

Result<CallPlan> plan_call(const RoutineCall& call, ApiRequest& request, const SchemaCache& cache) {
  const bool by_post = call.method == InvokeMethod::kPost;
  Payload* payload = by_post && request.payload ? &*request.payload : nullptr;
  auto& query = request.query_params.rpc_params;
  const Names names =
      payload == nullptr ? names_of(query) : Names(payload->keys.begin(), payload->keys.end());
  const Body body = body_of(request, call.method);
  CallPlan plan;
  PGRST_TRY(plan.routine, find_routine(request.schema, call.routine, names, body, cache));
  const Routine& routine = *plan.routine;
  if (payload == nullptr) {
    plan.arguments = direct_arguments(routine, query);
  } else if (payload->kind == Payload::Kind::kForm) {
    plan.arguments = direct_arguments(routine, payload->form);
  } else if (is_body_argument(routine)) {
    plan.arguments = BodyArgument{&routine.params[0]};
    plan.payload = body_as(routine.params[0], body, *payload);
  } else {
    plan.arguments = json_arguments(routine, *payload, names);
    plan.payload = std::move(payload->body);
  }
  return plan;
}

}  // namespace pgrst
