#include "plan/read_plan.hpp"

#include <algorithm>

#include "api_request/range.hpp"

namespace pgrst {

namespace {

// -- fields --------------------------------------------------------------------------------------

PlannedField plan_field(const Table* table, const Field& field) {
  PlannedField out;
  out.name = field.name;
  out.json_path = field.json_path;
  if (const Column* column = table == nullptr ? nullptr : table->find_column(field.name)) {
    out.nominal_type = column->nominal_type;
    out.base_type = column->base_type;
  }
  out.to_json = out.nominal_type != "json" && out.nominal_type != "jsonb";
  return out;
}

PlannedFilter plan_filter(const Table* table, const Filter& filter) {
  PlannedFilter out{plan_field(table, filter.field), filter.negated, filter.operation};
  const auto* fts = std::get_if<OpFts>(&filter.operation);
  // A column that the cache does not know is taken as it is: it may be a computed tsvector.
  if (fts != nullptr && !out.field.nominal_type.empty() && out.field.base_type != "tsvector") {
    out.field.to_tsvector = ToTsVector{fts->language};
  }
  return out;
}

PlannedLogic plan_logic(const Table* table, const LogicTree& tree) {
  if (const auto* filter = std::get_if<Filter>(&tree.node)) return {plan_filter(table, *filter)};
  const auto& expr = std::get<LogicExpr>(tree.node);
  PlannedLogicExpr out{expr.negated, expr.op, {}};
  out.children.reserve(expr.children.size());
  for (const auto& child : expr.children) out.children.push_back(plan_logic(table, child));
  return {std::move(out)};
}

// The name of a JSON path in the result: its last key; of a path that ends in an index the key
// before it.
std::optional<Alias> json_path_alias(const PlannedField& field) {
  for (auto it = field.json_path.rbegin(); it != field.json_path.rend(); ++it) {
    if (!it->is_index) return it->operand;
  }
  return field.json_path.empty() ? std::nullopt : std::optional(field.name);
}

PlannedSelect plan_select(const Table* table, const SelectField& item) {
  PlannedSelect out{plan_field(table, item.field), item.aggregate, item.aggregate_cast, item.cast,
                    item.alias};
  if (!out.alias && !out.aggregate) out.alias = json_path_alias(out.field);
  return out;
}

// -- the tree ------------------------------------------------------------------------------------

void add_select(const Table* table, const std::vector<SelectItem>& items, ReadPlan& node);

ReadPlan plan_child(const std::string& schema, std::string relation,
                    const std::vector<SelectItem>& items) {
  ReadPlan child;
  child.from = {schema, relation};
  child.relation = std::move(relation);
  add_select(nullptr, items, child);
  return child;
}

void add_select(const Table* table, const std::vector<SelectItem>& items, ReadPlan& node) {
  for (const auto& item : items) {
    if (const auto* field = std::get_if<SelectField>(&item.item)) {
      node.select.push_back(plan_select(table, *field));
    } else if (const auto* embed = std::get_if<SelectRelation>(&item.item)) {
      ReadPlan child = plan_child(node.from.schema, embed->relation, item.children);
      child.alias = embed->alias;
      child.hint = embed->hint;
      child.join_type = embed->join_type;
      node.children.push_back(std::move(child));
    } else {
      const auto& spread = std::get<SpreadRelation>(item.item);
      ReadPlan child = plan_child(node.from.schema, spread.relation, item.children);
      child.hint = spread.hint;
      child.join_type = spread.join_type;
      child.is_spread = true;
      node.children.push_back(std::move(child));
    }
  }
}

// The node that a path of embed names leads to, or PGRST108.
Result<ReadPlan*> node_at(ReadPlan& root, const EmbedPath& path) {
  ReadPlan* node = &root;
  for (const auto& name : path) {
    const auto it = std::find_if(node->children.begin(), node->children.end(), [&](const auto& c) {
      return c.relation == name || c.alias == name;
    });
    if (it == node->children.end()) return errors::not_embedded(name);
    node = &*it;
  }
  return node;
}

Result<void> add_filters(const Table* table, const QueryParams& params, ReadPlan& root) {
  for (const auto& logic : params.logic) {
    PGRST_TRY(ReadPlan * node, node_at(root, logic.path));
    node->where.push_back(plan_logic(node == &root ? table : nullptr, logic.value));
  }
  for (const auto& filter : params.filters) {
    PGRST_TRY(ReadPlan * node, node_at(root, filter.path));
    node->where.push_back({plan_filter(node == &root ? table : nullptr, filter.value)});
  }
  return {};
}

Result<void> add_order(const Table* table, const QueryParams& params, ReadPlan& root) {
  for (const auto& order : params.order) {
    PGRST_TRY(ReadPlan * node, node_at(root, order.path));
    node->order.clear();  // the last order= of a level counts
    for (const auto& term : order.value) {
      if (term.relation) PGRST_CHECK(node_at(*node, {*term.relation}));
      node->order.push_back({plan_field(table, term.field), term.direction, term.nulls});
    }
  }
  return {};
}

Result<void> add_ranges(const QueryParams& params, ReadPlan& root) {
  for (const auto& range : params.ranges) {
    PGRST_TRY(ReadPlan * node, node_at(root, range.path));
    node->range = range.value;
  }
  return {};
}

// Finds the relationship of every embed, or PGRST200.
Result<void> add_relationships(const std::string& schema, const ReadPlan& node) {
  for (const auto& child : node.children) {
    return errors::no_relationship(node.from.name, child.relation, child.hint, schema,
                                   std::nullopt);
  }
  return {};
}

bool has_aggregates(const ReadPlan& node) {
  return std::any_of(node.select.begin(), node.select.end(),
                     [](const auto& s) { return s.aggregate.has_value(); }) ||
         std::any_of(node.children.begin(), node.children.end(), has_aggregates);
}

// "*" beside an aggregate stands for the columns one by one: they are what is grouped by.
void expand_stars(const Table& table, ReadPlan& root) {
  std::vector<PlannedSelect> expanded;
  for (auto& item : root.select) {
    if (item.field.name != "*" || item.aggregate || !item.field.json_path.empty()) {
      expanded.push_back(std::move(item));
      continue;
    }
    for (const auto& column : table.columns) {
      PlannedSelect one = item;
      one.field = plan_field(&table, {column.name, {}});
      expanded.push_back(std::move(one));
    }
  }
  root.select = std::move(expanded);
}

}  // namespace

Result<ReadPlan> plan_read(const Table& table, const ApiRequest& request, const SchemaCache&,
                           const Config& config, std::optional<int64_t> max_rows) {
  ReadPlan root;
  root.from = table.id;
  root.relation = table.id.name;
  const QueryParams& params = request.query_params;
  add_select(&table, params.select, root);
  PGRST_CHECK(add_filters(&table, params, root));
  PGRST_CHECK(add_order(&table, params, root));
  PGRST_CHECK(add_ranges(params, root));
  PGRST_CHECK(add_relationships(request.schema, root));
  if (has_aggregates(root)) {
    if (!config.db_aggregates_enabled) return errors::aggregates_not_allowed();
    expand_stars(table, root);
  }
  root.range = restrict_range(request.top_level_range, max_rows);
  return root;
}

}  // namespace pgrst
