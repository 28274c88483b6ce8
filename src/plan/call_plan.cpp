#include "plan/call_plan.hpp"

#include <algorithm>
#include <set>

namespace pgrst {

namespace {

using Body = errors::RoutineSearch::Body;
using Names = std::set<std::string>;

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

bool takes_arguments(const Routine& routine, const Names& arguments, Body body) {
  if (routine.params.empty()) return arguments.empty() && !is_whole(body);
  Names left = arguments;
  for (const auto& param : routine.params) {
    if (left.erase(param.name) == 0 && param.required && arguments.count(param.name) == 0) {
      return false;
    }
  }
  return left.empty();
}

// -- PGRST202 and PGRST203 -----------------------------------------------------------------------

std::string parameter_list(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string out = "(";
  for (size_t i = 0; i < names.size(); i++) {
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
  std::vector<std::string> names;
  for (const auto& param : routine.params) names.push_back(param.name);
  return parameter_list(std::move(names));
}

// The nearest name of the schema; if the name is right, the nearest list of parameters. Fills in
// which functions that means.
std::optional<std::string> nearest(const errors::RoutineSearch& search, const SchemaCache& cache,
                                   const std::vector<Routine>* overloads,
                                   std::vector<uint32_t>& meant) {
  FuzzySet set;
  if (overloads == nullptr) {
    const auto names = cache.routine_names(search.schema);
    if (names.size() >= SchemaCache::kMaxNamesForHints) return std::nullopt;
    for (const auto& name : names) set.add(name);
    auto found = set.get_one(search.name, kNameMinScore);
    if (found) meant = oids_of(*cache.routines(search.schema, *found));
    return found;
  }
  for (auto it = overloads->rbegin(); it != overloads->rend(); ++it) set.add(parameter_list(*it));
  const auto found = set.get_one(parameter_list(search.arguments));
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
  const errors::RoutineSearch search{schema, name, {arguments.begin(), arguments.end()}, body};
  std::vector<uint32_t> meant;
  Error error = errors::routine_not_found(search, nearest(search, cache, overloads, meant));
  if (error.hint) {
    error.hinted = {HintedObject::Kind::kRoutine, schema, {}, std::move(meant)};
  }
  return error;
}

// -- arguments -----------------------------------------------------------------------------------

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Of several values the last counts, but a variadic parameter takes them all.
DirectArguments direct_arguments(const Routine& routine, const Pairs& pairs) {
  DirectArguments out;
  for (const auto& param : routine.params) {
    DirectArgument argument{&param, {}};
    for (const auto& [name, value] : pairs) {
      if (name != param.name) continue;
      if (!param.variadic) argument.values.clear();
      argument.values.push_back(value);
    }
    if (!argument.values.empty()) out.push_back(std::move(argument));
  }
  return out;
}

Names names_of(const Pairs& pairs) {
  Names out;
  for (const auto& [name, value] : pairs) out.insert(name);
  return out;
}

JsonArguments json_arguments(const Routine& routine, const Payload& payload, const Names& names) {
  JsonArguments out;
  for (const auto& param : routine.params) {
    if (names.count(param.name) > 0) out.params.push_back(&param);
  }
  out.is_object = payload.is_object;
  return out;
}

// The input format of bytea that any bytes have.
std::string hex_literal(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\\x";
  out.reserve(2 + 2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xf];
  }
  return out;
}

bool is_body_argument(const Routine& routine) {
  return routine.params.size() == 1 && routine.params[0].name.empty();
}

}  // namespace

Result<CallPlan> plan_call(const RoutineCall& call, ApiRequest& request, const SchemaCache& cache) {
  const bool by_post = call.method == InvokeMethod::kPost;
  Payload* payload = by_post && request.payload ? &*request.payload : nullptr;
  const auto& query = request.query_params.rpc_params;
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
    plan.payload =
        routine.params[0].type == "bytea" ? hex_literal(payload->body) : std::move(payload->body);
  } else {
    plan.arguments = json_arguments(routine, *payload, names);
    plan.payload = std::move(payload->body);
  }
  return plan;
}

}  // namespace pgrst
