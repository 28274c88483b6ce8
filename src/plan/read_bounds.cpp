#include "plan/read_bounds.hpp"

#include <algorithm>
#include <variant>

#include "core/postgres_limits.hpp"

namespace pgrst {

namespace {

// What it takes to plan an inner embed, in others: its rows decide on those of its parent, so that
// PostgreSQL looks for an order of both.
constexpr size_t kInnerEmbed = 4;

// 0 of a field.
size_t cost_of(const SelectItem& item) {
  const auto cost = [](const auto& embed) {
    return embed.join_type == JoinType::kInner ? kInnerEmbed : size_t{1};
  };
  if (const auto* relation = std::get_if<SelectRelation>(&item.item)) return cost(*relation);
  if (const auto* spread = std::get_if<SpreadRelation>(&item.item)) return cost(*spread);
  return 0;
}

size_t count_embeds(const std::vector<SelectItem>& items) {
  size_t count = 0;
  for (const auto& item : items) count += cost_of(item) + count_embeds(item.children);
  return count;
}

}  // namespace

Result<void> check_embeds(const std::vector<SelectItem>& select, const Config& config) {
  if (!config.db_max_embeds) return {};
  const auto limit = static_cast<size_t>(*config.db_max_embeds);
  if (count_embeds(select) > limit) return errors::too_many_embeds(limit);
  return {};
}

size_t columns_of(const SelectField& item, const Table* table) {
  const bool is_star = item.field.name == "*" && item.field.json_path.empty() && !item.aggregate;
  return is_star && table != nullptr ? std::max<size_t>(table->columns.size(), 1) : 1;
}

Result<void> check_columns(const ReadPlan& plan) {
  size_t columns = plan.select.size();
  for (const auto& child : plan.children) {
    columns += child.spread == Spread::kNone ? 1 : child.spread_select.size();
    PGRST_CHECK(check_columns(child));
  }
  if (columns > kMaxTargets) return errors::too_many_targets();
  return {};
}

}  // namespace pgrst
