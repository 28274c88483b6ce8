#include "auth/role_claim_path.hpp"

#include <optional>
#include <string>
#include <utility>

#include "core/text.hpp"

namespace pgrst {

namespace {

std::optional<RoleClaimPath> parse(TextCursor& in) {
  if (in.peek() != '$') {
    std::optional<DottedPath> dotted = parse_dotted_path(in);
    if (!dotted) return std::nullopt;
    return RoleClaimPath{*std::move(dotted)};
  }
  std::optional<jsonpath::Path> path = jsonpath::parse_path(in);
  // The claims as a whole are no role's name.
  if (path && path->segments.empty()) in.fail("expected a segment");
  if (!path || in.complaint()) return std::nullopt;
  return RoleClaimPath{*std::move(path)};
}

}  // namespace

Result<RoleClaimPath> parse_role_claim_path(std::string_view text) {
  const auto refused = [text](std::string_view why) {
    return errors::internal("failed to parse role-claim-key value (" + to_valid_utf8(text) +
                            "): " + std::string(why));
  };
  if (!is_valid_utf8(text)) return refused("not well-formed UTF-8");
  TextCursor in(text);
  std::optional<RoleClaimPath> path = parse(in);
  if (!path) return refused(in.complaint().value_or("not understood"));
  return *std::move(path);
}

}  // namespace pgrst
