// The stages, in PostgREST's order as far as errors tell it:
//
//   tree of embeds -> filters, orders, ranges find their nodes -> relationships -> fields against
//   the tables -> aliases -> aggregates of spreads move up
//
// Fields are planned after relationships, since only then the table of an embed is known.

#include "plan/read_plan.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "api_request/range.hpp"
#include "core/postgres_limits.hpp"
#include "core/text.hpp"
#include "plan/field_planner.hpp"
#include "plan/find_relationship.hpp"
#include "plan/read_bounds.hpp"

namespace pgrst {

namespace {

constexpr size_t kMaxIdentifier = 63;  // NAMEDATALEN - 1: PostgreSQL cuts longer ones

// -- the tree ------------------------------------------------------------------------------------

// What the request says of one node, until its table is known.
struct Node {
  ReadPlan* plan;
  std::vector<const SelectField*> select;
  std::vector<const LogicTree*> logic;
  std::vector<const Filter*> filters;
  const std::vector<OrderTerm>* order = nullptr;
  size_t last_named = 0;  // when a filter, an order or a range last named it; 0: never
  std::vector<Node> children;
};

// What PostgREST calls the subquery of an embed; it is cut where PostgreSQL cuts it.
std::string embed_alias(const ReadPlan& parent, const ReadPlan& child) {
  return parent.from.name + "_" + child.name() + "_" + std::to_string(child.depth);
}

ReadPlan make_child(const ReadPlan& parent, const SelectItem& item) {
  ReadPlan child;
  child.depth = parent.depth + 1;
  if (const auto* embed = std::get_if<SelectRelation>(&item.item)) {
    child.relation = embed->relation;
    child.request_alias = embed->alias;
    child.hint = embed->hint;
    child.join_type = embed->join_type;
  } else {
    const auto& spread = std::get<SpreadRelation>(item.item);
    child.relation = spread.relation;
    child.hint = spread.hint;
    child.join_type = spread.join_type;
    child.spread = Spread::kToOne;
  }
  return child;
}

Node make_node(ReadPlan& plan, const std::vector<SelectItem>& items) {
  Node node{&plan, {}, {}, {}, nullptr, 0, {}};
  std::vector<const std::vector<SelectItem>*> below;
  for (const auto& item : items) {
    if (const auto* field = std::get_if<SelectField>(&item.item)) {
      node.select.push_back(field);
    } else {
      plan.children.push_back(make_child(plan, item));
      below.push_back(&item.children);
    }
  }
  for (size_t i = 0; i < below.size(); i++) {
    node.children.push_back(make_node(plan.children[i], *below[i]));
  }
  return node;
}

// PostgreSQL refuses longer lists only when it has read them all, and here "*" may become a list.
Result<void> check_lists(const Node& node) {
  size_t columns = node.children.size();
  for (const auto* item : node.select) columns += columns_of(*item, node.plan->table);
  const size_t terms = node.order == nullptr ? 0 : node.order->size();
  if (columns > kMaxTargets || terms > kMaxTargets) return errors::too_many_targets();
  for (const auto& child : node.children) PGRST_CHECK(check_lists(child));
  return {};
}

// Operands of AND or of OR. Whether there is a related row is asked once: the question may be long.
class Conditions {
 public:
  explicit Conditions(const ReadPlan& plan) : asked_(2 * plan.children.size(), false) {}

  void add(PlannedLogic condition) {
    if (const auto* embed = std::get_if<PlannedEmbedFilter>(&condition.node)) {
      const size_t question = 2 * embed->child + (embed->exists ? 1 : 0);
      if (asked_[question]) return;
      asked_[question] = true;
    }
    conditions_.push_back(std::move(condition));
  }
  std::vector<PlannedLogic> take() { return std::move(conditions_); }

 private:
  std::vector<bool> asked_;  // for each embed: that it is not there, that it is
  std::vector<PlannedLogic> conditions_;
};

class Tree {
 public:
  Tree(const SchemaCache& cache, const Config& config, const std::string& schema)
      : cache_(cache), config_(config), schema_(schema) {}

  // From the last to the first, as PostgREST: of several orders of a level the first counts, of
  // several names that are not embedded the last is the one to tell. `mutates`: the filters of the
  // root say which rows to write, and there are no ranges.
  Result<void> attach(const QueryParams& params, bool mutates, Node& root) {
    for (auto filter = params.filters.rbegin(); filter != params.filters.rend(); ++filter) {
      if (mutates && filter->path.empty()) continue;
      PGRST_TRY(Node * node, node_at(root, filter->path));
      node->filters.push_back(&filter->value);
    }
    for (auto order = params.order.rbegin(); order != params.order.rend(); ++order) {
      PGRST_TRY(Node * node, node_at(root, order->path));
      node->order = &order->value;
    }
    for (const auto& range : params.ranges) {
      if (mutates) break;
      PGRST_TRY(Node * node, node_at(root, range.path));
      node->plan->range = range.value;
    }
    for (auto logic = params.logic.rbegin(); logic != params.logic.rend(); ++logic) {
      if (mutates && logic->path.empty()) continue;
      PGRST_TRY(Node * node, node_at(root, logic->path));
      node->logic.push_back(&logic->value);
    }
    bring_to_front(root);
    return {};
  }

  // `above`: the alias of what is above `parent`, which conditions of `parent` name.
  Result<void> add_relationships(ReadPlan& parent, const std::string& above = "") const {
    std::set<std::string> taken = {name_in_sql(parent), above};
    for (auto& child : parent.children) {
      PGRST_TRY(child.relationship,
                find_relationship(cache_, schema_, parent.from.name, child.relation, child.hint));
      const Relationship& r = *child.relationship;
      child.from = r.foreign_table;
      child.table = cache_.table_or_null(child.from.schema, child.from.name);
      if (child.spread == Spread::kToOne && !r.is_to_one()) child.spread = Spread::kToMany;
      name_child(parent, child, taken);
      PGRST_CHECK(add_relationships(child, name_in_sql(parent)));
    }
    return {};
  }

  void add_fields(const Node& node) const {
    ReadPlan& plan = *node.plan;
    const FieldPlanner fields(cache_, plan.table);
    for (const auto* field : node.select) {
      plan.select.push_back(fields.select(*field));
      add_alias(plan, plan.select.back());
    }
    // Both were attached from the last to the first.
    Conditions where(plan);
    for (auto logic = node.logic.rbegin(); logic != node.logic.rend(); ++logic) {
      where.add(plan_logic(plan, fields, **logic));
    }
    for (auto filter = node.filters.rbegin(); filter != node.filters.rend(); ++filter) {
      where.add(plan_filter(plan, fields, **filter));
    }
    plan.where = where.take();
    for (const auto& child : node.children) add_fields(child);
  }

  Result<void> add_orders(const Node& node) const {
    ReadPlan& plan = *node.plan;
    const FieldPlanner fields(cache_, plan.table);
    if (node.order != nullptr) {
      for (const auto& term : *node.order) {
        PlannedOrder order{std::nullopt, fields.field(term.field), term.direction, term.nulls};
        if (term.relation) {
          PGRST_TRY(order.child, related_child(plan, *term.relation));
          order.field.to_json = false;
        }
        plan.order.push_back(std::move(order));
      }
    }
    for (const auto& child : node.children) PGRST_CHECK(add_orders(child));
    return {};
  }

  // "*" stands for the columns one by one where they are grouped by, aggregated one by one, or one
  // of them has a representation of its own.
  void expand_stars(ReadPlan& plan, bool grouped) const {
    const bool one_by_one = grouped || plan.grouped || plan.spread == Spread::kToMany;
    const FieldPlanner fields(cache_, plan.table);
    if (plan.table != nullptr) expand_star(plan, fields, one_by_one);
    for (auto& child : plan.children) expand_stars(child, one_by_one);
  }

 private:
  // The node that a path of embed names leads to, or PGRST108.
  Result<Node*> node_at(Node& root, const EmbedPath& path) {
    Node* node = &root;
    for (const auto& name : path) {
      Node* child = child_by_name(*node, name, config_.url_use_legacy_target_names);
      if (child == nullptr) {
        const Node* legacy = child_by_name(*node, name, true);
        if (legacy == nullptr) return errors::not_embedded(name);
        return errors::not_embedded_by_alias(name, legacy->plan->name());
      }
      if (child->plan->name() != name) child->plan->legacy_name = true;
      child->last_named = ++named_;
      node = child;
    }
    return node;
  }

  // Of several the one that was named last, else the first.
  static Node* child_by_name(Node& node, const std::string& name, bool by_relation) {
    Node* found = nullptr;
    for (auto& child : node.children) {
      const bool fits = child.plan->name() == name || (by_relation && child.plan->relation == name);
      if (fits && (found == nullptr || child.last_named > found->last_named)) found = &child;
    }
    return found;
  }

  // What a filter, an order or a range names comes first among the members, what was named last
  // before all others, as in PostgREST.
  static void bring_to_front(Node& node) {
    auto& plans = node.plan->children;
    std::vector<size_t> order(plans.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return node.children[a].last_named > node.children[b].last_named;
    });
    std::vector<ReadPlan> ordered_plans;
    std::vector<Node> ordered;
    ordered_plans.reserve(order.size());
    ordered.reserve(order.size());
    for (const size_t i : order) {
      ordered_plans.push_back(std::move(plans[i]));
      ordered.push_back(std::move(node.children[i]));
    }
    plans = std::move(ordered_plans);
    node.children = std::move(ordered);
    for (size_t i = 0; i < plans.size(); i++) {
      node.children[i].plan = &plans[i];
      bring_to_front(node.children[i]);
    }
  }

  static const std::string& name_in_sql(const ReadPlan& plan) {
    return plan.alias.empty() ? plan.from.name : plan.alias;
  }

  // PostgREST's aliases, which error messages show; others where PostgreSQL would cut them, or
  // where they would hide the parent that conditions name.
  static void name_child(const ReadPlan& parent, ReadPlan& child, std::set<std::string>& taken) {
    const std::string depth = "_" + std::to_string(child.depth);
    // A relation behind a junction has its own name, which nothing else between has.
    child.alias = child.from.name;
    if (child.relationship->cardinality != Cardinality::kManyToMany) child.alias += depth;
    if (child.alias.size() > kMaxIdentifier || child.alias == name_in_sql(parent)) {
      child.alias = "pgrst" + depth;
    }
    child.join_alias = embed_alias(parent, child);
    if (child.join_alias.size() > kMaxIdentifier || !taken.insert(child.join_alias).second) {
      child.join_alias = "pgrst_embed" + depth + "_" + std::to_string(taken.size());
      taken.insert(child.join_alias);
    }
  }

  static void add_alias(const ReadPlan& plan, PlannedSelect& item) {
    if (item.alias) return;
    if (item.aggregate) {
      // What is counted in a spread has to have a name for the parent to take it by.
      if (plan.spread != Spread::kNone) item.alias = name_of(*item.aggregate);
    } else if (!item.field.json_path.empty()) {
      item.alias = json_path_alias(item.field);
    } else if (item.field.transform != nullptr) {
      item.alias = item.field.name;
    }
  }

  // The last key of the path; of one that ends in an index the key before it.
  static Alias json_path_alias(const PlannedField& field) {
    for (auto it = field.json_path.rbegin(); it != field.json_path.rend(); ++it) {
      if (!it->is_index) return it->operand;
    }
    return field.name;
  }

  static const char* name_of(AggregateFunction function) {
    switch (function) {
      case AggregateFunction::kSum:
        return "sum";
      case AggregateFunction::kAvg:
        return "avg";
      case AggregateFunction::kMax:
        return "max";
      case AggregateFunction::kMin:
        return "min";
      case AggregateFunction::kCount:
        break;
    }
    return "count";
  }

  // Filters of embeds are by the name that is in the result.
  static std::optional<size_t> child_by_name(const ReadPlan& plan, const std::string& name) {
    for (size_t i = 0; i < plan.children.size(); i++) {
      if (plan.children[i].name() == name) return i;
    }
    return std::nullopt;
  }

  PlannedLogic plan_filter(const ReadPlan& plan, const FieldPlanner& fields,
                           const Filter& filter) const {
    const auto* is = std::get_if<OpIs>(&filter.operation);
    if (is != nullptr && is->value == IsValue::kNull && filter.field.json_path.empty()) {
      const auto child = child_by_name(plan, filter.field.name);
      if (child) return {PlannedEmbedFilter{*child, filter.negated}};
    }
    return {fields.filter(filter)};
  }

  PlannedLogic plan_logic(const ReadPlan& plan, const FieldPlanner& fields,
                          const LogicTree& tree) const {
    if (const auto* filter = std::get_if<Filter>(&tree.node)) {
      return plan_filter(plan, fields, *filter);
    }
    const auto& expr = std::get<LogicExpr>(tree.node);
    Conditions children(plan);
    for (const auto& child : expr.children) children.add(plan_logic(plan, fields, child));
    return {PlannedLogicExpr{expr.negated, expr.op, children.take()}};
  }

  static Result<size_t> related_child(const ReadPlan& plan, const std::string& name) {
    const auto child = child_by_name(plan, name);
    if (!child) return errors::not_embedded(name);
    if (!plan.children[*child].relationship->is_to_one()) {
      // PostgREST names the rows of a write or a call as it does in SQL.
      const bool is_source = plan.source != RootSource::kRelation;
      return errors::related_order_not_to_one(is_source ? "pgrst_source" : plan.from.name, name);
    }
    return *child;
  }

  void expand_star(ReadPlan& plan, const FieldPlanner& fields, bool one_by_one) const {
    const auto& columns = plan.table->columns;
    const bool represented = std::any_of(columns.begin(), columns.end(), [&](const Column& c) {
      return fields.has_representation(c);
    });
    if (!one_by_one && !represented) return;
    std::vector<PlannedSelect> expanded;
    for (auto& item : plan.select) {
      if (!item.is_star()) {
        expanded.push_back(std::move(item));
        continue;
      }
      for (const auto& column : columns) {
        expanded.push_back(fields.column(item, column));
        add_alias(plan, expanded.back());
      }
    }
    plan.select = std::move(expanded);
  }

  const SchemaCache& cache_;
  const Config& config_;
  const std::string& schema_;
  size_t named_ = 0;  // how often a filter, an order or a range has named an embed
};

// -- spreads and aggregates ----------------------------------------------------------------------

bool any_aggregate(const ReadPlan& plan) {
  return plan.has_aggregate() ||
         std::any_of(plan.children.begin(), plan.children.end(), any_aggregate);
}

// What a parent takes of a spread: its columns, and what it takes of embeds and spreads itself.
std::vector<SpreadSelect> columns_of_spread(const ReadPlan& plan) {
  std::vector<SpreadSelect> out;
  for (const auto& item : plan.select) out.push_back({item.name(), {}, {}, {}});
  for (const auto& child : plan.children) {
    if (child.spread != Spread::kNone) {
      for (const auto& column : child.spread_select) out.push_back({column.name, {}, {}, {}});
    } else if (!child.is_empty()) {
      out.push_back({child.name(), {}, {}, {}});
    }
  }
  return out;
}

// An aggregate that is applied further up than it stands, to a column of this name.
struct HoistedAggregate {
  std::string name;
  AggregateFunction aggregate;
  std::optional<Cast> cast;
  std::optional<Alias> alias;
};
using HoistedAggregates = std::vector<HoistedAggregate>;

// Takes the aggregates off the node's own columns.
HoistedAggregates take_aggregates(ReadPlan& plan) {
  HoistedAggregates out;
  for (auto& item : plan.select) {
    if (!item.aggregate) continue;
    // count(*) of a spread counts the related rows.
    if (item.field.name == "*") item.field.full_row = true;
    out.push_back({item.name(), *item.aggregate, item.aggregate_cast, item.alias});
    item.aggregate.reset();
    item.aggregate_cast.reset();
  }
  return out;
}

void apply_aggregates(const HoistedAggregates& hoisted, ReadPlan& spread) {
  for (auto& column : spread.spread_select) {
    for (const auto& h : hoisted) {
      if (h.name != column.name) continue;
      column.aggregate = h.aggregate;
      column.aggregate_cast = h.cast;
      column.alias = h.alias;
      break;
    }
  }
}

// Within a to-one spread there is one row, so an aggregate there is one over the rows of the
// nearest node above that is no such spread. Returns those that the node passes on to its parent.
Result<HoistedAggregates> hoist_aggregates(ReadPlan& plan) {
  HoistedAggregates up;
  const bool passes_on = plan.spread == Spread::kToOne;
  if (passes_on) up = take_aggregates(plan);
  bool grouped = plan.has_aggregate();
  for (auto& child : plan.children) {
    PGRST_TRY(HoistedAggregates hoisted, hoist_aggregates(child));
    if (passes_on) {
      up.insert(up.end(), hoisted.begin(), hoisted.end());
    } else if (!hoisted.empty()) {
      apply_aggregates(hoisted, child);
      grouped = true;
    }
  }
  plan.grouped = grouped;
  if (plan.spread == Spread::kToMany && grouped) {
    return errors::not_implemented(
        "Aggregates are not implemented for one-to-many or many-to-many spreads.");
  }
  return up;
}

void add_spread_selects(ReadPlan& plan) {
  for (auto& child : plan.children) {
    add_spread_selects(child);
    if (child.spread != Spread::kNone) child.spread_select = columns_of_spread(child);
  }
}

// A write that is asked for rows, but for nothing of them, returns their key.
void select_key_instead_of_nothing(ReadPlan& root) {
  if (!root.select.empty() || !root.children.empty() || root.table == nullptr) return;
  for (const auto& name : root.table->pk_columns) root.select.emplace_back().field.name = name;
}

void restrict_ranges(ReadPlan& plan, std::optional<int64_t> max_rows) {
  plan.range = restrict_range(plan.range, max_rows);
  for (auto& child : plan.children) restrict_ranges(child, max_rows);
}

}  // namespace

bool ReadPlan::has_aggregate() const {
  return std::any_of(select.begin(), select.end(),
                     [](const auto& item) { return item.aggregate.has_value(); });
}

bool ReadPlan::is_empty() const {
  return select.empty() &&
         std::all_of(children.begin(), children.end(), [](const auto& c) { return c.is_empty(); });
}

Result<ReadPlan> plan_read(const QualifiedIdentifier& relation, RootSource source,
                           const ApiRequest& request, const SchemaCache& cache,
                           const Config& config) {
  ReadPlan root;
  root.from = relation;
  root.table = cache.table_or_null(relation.schema, relation.name);
  root.relation = relation.name;
  root.source = source;
  if (source != RootSource::kRelation) root.alias = relation.name;
  const bool mutates = source == RootSource::kMutation;
  const QueryParams& params = request.query_params;
  Tree tree(cache, config, request.schema);
  PGRST_CHECK(check_embeds(params.select, config));
  Node node = make_node(root, params.select);
  PGRST_CHECK(tree.attach(params, mutates, node));
  PGRST_CHECK(tree.add_relationships(root));
  PGRST_CHECK(check_lists(node));
  tree.add_fields(node);
  PGRST_CHECK(tree.add_orders(node));
  if (!config.db_aggregates_enabled && any_aggregate(root)) return errors::aggregates_not_allowed();
  tree.expand_stars(root, any_aggregate(root));
  if (mutates) select_key_instead_of_nothing(root);
  add_spread_selects(root);
  PGRST_CHECK(check_columns(root));
  PGRST_CHECK(hoist_aggregates(root));
  if (!mutates) {
    root.range = request.top_level_range;
    restrict_ranges(root, config.db_max_rows);
  }
  return root;
}

Result<void> check_embed_names(const ReadPlan& plan) {
  std::set<std::string_view> names;
  for (const auto& child : plan.children) {
    PGRST_CHECK(check_embed_names(child));
    if (names.insert(child.name()).second) continue;
    std::string alias = embed_alias(plan, child);
    if (alias.size() > kMaxIdentifier) alias.resize(utf8_boundary(alias.substr(0, kMaxIdentifier)));
    return errors::duplicate_table_name(alias);
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> legacy_names(const ReadPlan& plan) {
  std::vector<std::pair<std::string, std::string>> out;
  if (plan.legacy_name) out.emplace_back(plan.relation, plan.name());
  for (const auto& child : plan.children) {
    const auto below = legacy_names(child);
    out.insert(out.end(), below.begin(), below.end());
  }
  return out;
}

}  // namespace pgrst
