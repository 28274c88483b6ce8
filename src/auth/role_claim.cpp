#include "auth/role_claim.hpp"

#include <string_view>

#include "auth/json_path_query.hpp"

namespace pgrst {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

bool matches(const FilterStep& filter, std::string_view text) {
  const std::string_view wanted = filter.text;
  switch (filter.op) {
    case FilterOperator::kEquals:
      return text == wanted;
    case FilterOperator::kNotEquals:
      return text != wanted;
    case FilterOperator::kStartsWith:
      return text.substr(0, wanted.size()) == wanted;
    case FilterOperator::kEndsWith:
      return text.size() >= wanted.size() && text.substr(text.size() - wanted.size()) == wanted;
    case FilterOperator::kContains:
      return text.find(wanted) != std::string_view::npos;
  }
  return false;
}

std::optional<element> step_to(const element& from, const MemberStep& step) {
  object members;
  element found;
  if (from.get(members) != simdjson::SUCCESS) return std::nullopt;
  if (members.at_key(step.name).get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

std::optional<element> step_to(const element& from, const IndexStep& step) {
  array elements;
  element found;
  if (from.get(elements) != simdjson::SUCCESS) return std::nullopt;
  const auto index = static_cast<size_t>(step.index);
  if (elements.at(index).get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

std::optional<element> step_to(const element& from, const FilterStep& step) {
  array elements;
  if (from.get(elements) != simdjson::SUCCESS) return std::nullopt;
  for (const element item : elements) {
    std::string_view text;
    if (item.get(text) == simdjson::SUCCESS && matches(step, text)) return item;
  }
  return std::nullopt;
}

std::optional<element> select(const DottedPath& path, const element& document) {
  std::optional<element> current = document;
  for (const DottedStep& step : path.steps) {
    current = std::visit([&current](const auto& s) { return step_to(*current, s); }, step);
    if (!current) return std::nullopt;
  }
  return current;
}

}  // namespace

RoleClaim find_role_claim(const RoleClaimPath& path, const StrictJson& claims) {
  RoleClaim claim;
  if (const auto* dotted = std::get_if<DottedPath>(&path.path)) {
    claim.value = select(*dotted, claims.root());
    return claim;
  }
  const jsonpath::NodeSink take_first = [&claim](const simdjson::dom::element& node) {
    claim.value = node;
    return false;
  };
  claim.is_unsure = !jsonpath::run_query(std::get<jsonpath::Path>(path.path), claims, take_first);
  if (claim.is_unsure) claim.value.reset();
  return claim;
}

}  // namespace pgrst
