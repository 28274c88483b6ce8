#include "query/select_writer.hpp"

#include <algorithm>
#include <set>

#include "query/fragments.hpp"

namespace pgrst {

namespace {

bool is_computed(const ReadPlan& node) {
  return node.relationship->cardinality == Cardinality::kComputed;
}
bool is_to_one(const ReadPlan& node) { return node.relationship->is_to_one(); }
bool is_inner(const ReadPlan& node) { return node.join_type == JoinType::kInner; }

// The columns of a parent that a child's join condition names.
const ColumnPairs& parent_columns(const ReadPlan& child) { return child.relationship->columns; }

// -- what a child sees of its parent -------------------------------------------------------------

// Names a parent's columns for its children: its own, or those of the page that was cut out of it,
// where the columns of join conditions have names of their own.
class Scope {
 public:
  explicit Scope(const ReadPlan& node) : Scope(node, node.alias) {}
  // `alias`: what the relation is called instead.
  Scope(const ReadPlan& node, std::string alias) : node_(node), alias_(std::move(alias)) {}

  QualifiedIdentifier table() const {
    if (paged_) return {"", alias()};
    return alias_.empty() ? node_.from : QualifiedIdentifier{"", alias_};
  }
  const std::string& alias() const { return alias_.empty() ? node_.from.name : alias_; }
  const ReadPlan& node() const { return node_; }

  // From here on children see the page.
  void cut_page() {
    paged_ = true;
    for (const auto& child : node_.children) {
      if (is_computed(child)) {
        needs_row_ = true;
        continue;
      }
      for (const auto& [column, other] : parent_columns(child)) {
        if (std::find(keys_.begin(), keys_.end(), column) == keys_.end()) keys_.push_back(column);
      }
    }
  }
  const std::vector<std::string>& keys() const { return keys_; }
  bool needs_row() const { return needs_row_; }

  void write_column(SqlBuilder& sql, const std::string& column) const {
    const QualifiedIdentifier qualifier = table();
    sql.qualified(qualifier.schema, qualifier.name).raw(".");
    if (!paged_) {
      sql.ident(column);
    } else {
      const auto it = std::find(keys_.begin(), keys_.end(), column);
      sql.ident(key_name(static_cast<size_t>(it - keys_.begin())));
    }
  }
  // The row as the argument of a function.
  void write_row(SqlBuilder& sql) const {
    const QualifiedIdentifier qualifier = table();
    // What a WITH query returns has no type of its own.
    const bool is_record = node_.source == RootSource::kMutation;
    if (is_record) sql.raw("ROW(");
    sql.qualified(qualifier.schema, qualifier.name);
    if (paged_) {
      sql.raw(".").ident(kRowName);
    } else {
      sql.raw(".*");
    }
    if (is_record) sql.raw(")::").qualified(node_.from.schema, node_.from.name);
  }

  static std::string key_name(size_t i) { return "pgrst_key_" + std::to_string(i + 1); }
  static std::string order_name(size_t i) { return "pgrst_order_" + std::to_string(i + 1); }
  static constexpr const char* kRowName = "pgrst_row";

 private:
  const ReadPlan& node_;
  std::string alias_;
  bool paged_ = false;
  bool needs_row_ = false;
  std::vector<std::string> keys_;
};

// -- the writer ----------------------------------------------------------------------------------

class SelectWriter {
 public:
  SelectWriter(SqlBuilder& sql, const WriteSource& source) : sql_(sql), source_(source) {}

  struct SelectOptions {
    EmbedType embeds = EmbedType::kRow;
    bool one_row = false;  // no more than one row is wanted
  };

  // The SELECT of a node's rows.
  void write_select(const ReadPlan& node, const Scope* parent, SelectOptions options) {
    write_select(node, parent, Scope(node), options);
  }

  void write_select(const ReadPlan& node, const Scope* parent, Scope scope, SelectOptions options) {
    if (node.grouped) options.embeds = EmbedType::kJsonb;
    if (can_cut_page(node)) {
      write_paged(node, parent, scope, options);
    } else {
      write_plain(node, parent, scope, options);
    }
  }

  // Everything of a node but what is selected: FROM and WHERE, with embeds as conditions.
  void write_rows(const ReadPlan& node, const Scope* parent) {
    write_rows(node, parent, Scope(node));
  }

  void write_rows(const ReadPlan& node, const Scope* parent, const Scope& scope) {
    write_from(node, parent, scope);
    write_where(node, parent, scope, InnerJoins::kAsConditions);
  }

 private:
  // Inner joins with to-one embeds are joins, unless the rows are wanted without the embeds.
  enum class InnerJoins { kAsJoins, kAsConditions };

  static NonnegRange range_of(const ReadPlan& node, const SelectOptions& options) {
    NonnegRange range = node.range;
    if (options.one_row && range.limit.value_or(2) > 1) range.limit = 1;
    return range;
  }

  // -- plain: embeds beside the rows ---

  void write_plain(const ReadPlan& node, const Scope* parent, const Scope& scope,
                   const SelectOptions& options) {
    sql_.raw("SELECT ");
    write_select_list(node, scope, options.embeds);
    write_from(node, parent, scope);
    write_joins(node, scope, {options.embeds, false});
    write_where(node, parent, scope, InnerJoins::kAsJoins);
    write_group_by(node, scope);
    // Of a spread the arrays are ordered; a range has to cut in that order nevertheless.
    if (node.spread != Spread::kToMany || !node.range.is_all()) write_order_by(node, scope);
    write_range(sql_, range_of(node, options));
  }

  void write_select_list(const ReadPlan& node, const Scope& scope, EmbedType embeds) {
    Separator separate(sql_, "", ", ");
    for (const auto& item : node.select) {
      separate();
      // The parent groups by it, which json cannot be.
      const bool to_jsonb = embeds == EmbedType::kJsonb && node.spread == Spread::kToOne &&
                            item.field.transform != nullptr && !item.cast;
      if (to_jsonb) sql_.raw("pg_catalog.to_jsonb(");
      write_select_value(sql_, scope.table(), item);
      if (to_jsonb) sql_.raw(")");
      if (item.alias) sql_.raw(" AS ").ident(*item.alias);
    }
    if (node.select.empty() && node.children.empty()) {
      separate();
      write_star(scope);
    }
    if (node.spread == Spread::kToMany) {
      for (size_t i = 0; i < node.order.size(); i++) {
        separate();
        write_order_value(node, scope, node.order[i]);
        sql_.raw(" AS ").ident(Scope::order_name(i));
      }
    }
    write_embeds(node, scope, embeds, separate);
  }

  void write_star(const Scope& scope) {
    const QualifiedIdentifier table = scope.table();
    sql_.qualified(table.schema, table.name).raw(".*");
  }

  // -- paged: the page is cut first, and only its rows are embedded ---

  // A page can be cut first unless its order is by an embed, or rows are grouped.
  static bool can_cut_page(const ReadPlan& node) {
    if (node.range.is_all() || node.children.empty() || node.grouped ||
        node.spread == Spread::kToMany) {
      return false;
    }
    const bool nothing_joined = std::all_of(node.children.begin(), node.children.end(),
                                            [](const ReadPlan& child) { return child.is_empty(); });
    const bool ordered_by_embed = std::any_of(node.order.begin(), node.order.end(),
                                              [](const auto& term) { return term.child; });
    // All columns of a relation that is not known have no names here.
    const bool nameless =
        node.table == nullptr && std::any_of(node.select.begin(), node.select.end(),
                                             [](const auto& item) { return item.is_star(); });
    return !nothing_joined && !ordered_by_embed && !nameless;
  }

  // The items of a page, "*" as columns.
  static std::vector<PlannedSelect> page_items(const ReadPlan& node) {
    std::vector<PlannedSelect> items;
    for (const auto& item : node.select) {
      if (!item.is_star()) {
        items.push_back(item);
        continue;
      }
      for (const auto& column : node.table->columns) {
        items.push_back(item);
        items.back().field.name = column.name;
      }
    }
    return items;
  }

  static std::string item_name(size_t i) { return "pgrst_" + std::to_string(i + 1); }

  // Up to so many rows are joined one by one. Each finds its related row by a key, and they keep
  // their order even where none was asked for.
  static constexpr int64_t kMaxRowsOneByOne = 1000;

  void write_paged(const ReadPlan& node, const Scope* parent, Scope& scope,
                   const SelectOptions& options) {
    const auto items = page_items(node);
    const Scope inside = scope;
    scope.cut_page();
    sql_.raw("SELECT ");
    Separator separate(sql_, "", ", ");
    for (size_t i = 0; i < items.size(); i++) {
      separate();
      sql_.ident(scope.alias()).raw(".").ident(item_name(i));
      sql_.raw(" AS ").ident(items[i].name());
    }
    write_embeds(node, scope, options.embeds, separate);
    sql_.raw(" FROM (");
    write_page(node, parent, inside, scope, items, options);
    sql_.raw(") AS ").ident(scope.alias());
    const bool one_by_one = node.range.limit.value_or(kMaxRowsOneByOne + 1) <= kMaxRowsOneByOne;
    write_joins(node, scope, {options.embeds, one_by_one});
    write_page_order(node, scope);
    // What should be one row, of a view or a function, may be several.
    if (!one_by_one) write_range(sql_, {0, node.range.limit});
  }

  void write_page(const ReadPlan& node, const Scope* parent, const Scope& inside,
                  const Scope& scope, const std::vector<PlannedSelect>& items,
                  const SelectOptions& options) {
    sql_.raw("SELECT");
    Separator separate(sql_, " ", ", ");
    for (size_t i = 0; i < items.size(); i++) {
      separate();
      write_select_value(sql_, inside.table(), items[i]);
      sql_.raw(" AS ").ident(item_name(i));
    }
    for (size_t i = 0; i < scope.keys().size(); i++) {
      separate();
      inside.write_column(sql_, scope.keys()[i]);
      sql_.raw(" AS ").ident(Scope::key_name(i));
    }
    if (scope.needs_row()) {
      separate();
      write_row_value(node, inside);
      sql_.raw(" AS ").ident(Scope::kRowName);
    }
    for (size_t i = 0; i < node.order.size(); i++) {
      separate();
      write_field(sql_, inside.table(), node.order[i].field);
      sql_.raw(" AS ").ident(Scope::order_name(i));
    }
    write_from(node, parent, inside);
    write_where(node, parent, inside, InnerJoins::kAsConditions);
    Separator order(sql_, " ORDER BY ", ", ");
    for (size_t i = 0; i < node.order.size(); i++) {
      order();
      sql_.ident(Scope::order_name(i));
      write_direction(sql_, node.order[i]);
    }
    write_range(sql_, range_of(node, options));
  }

  // The bare name of a relation means its row only where no column is called the same.
  void write_row_value(const ReadPlan& node, const Scope& scope) {
    sql_.raw("ROW(");
    scope.write_row(sql_);
    sql_.raw(")::").qualified(node.from.schema, node.from.name);
  }

  // Joins need not keep the order of the page.
  void write_page_order(const ReadPlan& node, const Scope& scope) {
    Separator separate(sql_, " ORDER BY ", ", ");
    for (size_t i = 0; i < node.order.size(); i++) {
      separate();
      sql_.ident(scope.alias()).raw(".").ident(Scope::order_name(i));
      write_direction(sql_, node.order[i]);
    }
  }

  // -- FROM, WHERE and the rest ---

  void write_from(const ReadPlan& node, const Scope* parent, const Scope& scope) {
    sql_.raw(" FROM ");
    if (node.source != RootSource::kRelation) {
      source_(sql_);
      sql_.raw(" AS ").ident(scope.alias());
      return;
    }
    if (parent == nullptr) {
      sql_.qualified(node.from.schema, node.from.name);
      return;
    }
    const Relationship& r = *node.relationship;
    if (is_computed(node)) {
      sql_.qualified(r.function.schema, r.function.name).raw("(");
      parent->write_row(sql_);
      sql_.raw(")");
    } else {
      sql_.qualified(node.from.schema, node.from.name);
    }
    sql_.raw(" AS ").ident(scope.alias());
    if (r.cardinality == Cardinality::kManyToMany) {
      sql_.raw(", ").qualified(r.junction.schema, r.junction.name);
      sql_.raw(" AS ").ident(junction_alias(node));
    }
  }

  static std::string junction_alias(const ReadPlan& node) {
    return "pgrst_junction_" + std::to_string(node.depth);
  }

  void write_where(const ReadPlan& node, const Scope* parent, const Scope& scope,
                   InnerJoins inner_joins) {
    Separator separate(sql_, " WHERE ", " AND ");
    for (const auto& logic : node.where) {
      separate();
      write_logic(node, scope, logic, inner_joins);
    }
    if (parent != nullptr) write_join_conditions(node, *parent, scope, separate);
    for (const auto& child : node.children) {
      if (!is_inner(child)) continue;
      if (inner_joins == InnerJoins::kAsJoins && is_inner_joined(child)) continue;
      separate();
      write_exists(child, scope, inner_joins);
    }
  }

  void write_join_conditions(const ReadPlan& node, const Scope& parent, const Scope& scope,
                             Separator& separate) {
    const Relationship& r = *node.relationship;
    const bool through_junction = r.cardinality == Cardinality::kManyToMany;
    for (const auto& [column, other] : r.columns) {
      separate();
      if (through_junction) {
        sql_.ident(junction_alias(node)).raw(".").ident(other);
      } else {
        scope.write_column(sql_, other);
      }
      sql_.raw(" = ");
      parent.write_column(sql_, column);
    }
    for (const auto& [column, other] : r.foreign_columns) {
      separate();
      scope.write_column(sql_, column);
      sql_.raw(" = ").ident(junction_alias(node)).raw(".").ident(other);
    }
  }

  void write_logic(const ReadPlan& node, const Scope& scope, const PlannedLogic& logic,
                   InnerJoins inner_joins) {
    if (const auto* filter = std::get_if<PlannedFilter>(&logic.node)) {
      write_filter(sql_, scope.table(), *filter);
      return;
    }
    if (const auto* embed = std::get_if<PlannedEmbedFilter>(&logic.node)) {
      if (!embed->exists) sql_.raw("NOT ");
      write_exists(node.children[embed->child], scope, inner_joins);
      return;
    }
    const auto& expr = std::get<PlannedLogicExpr>(logic.node);
    if (expr.negated) sql_.raw("NOT ");
    sql_.raw("(");
    Separator separate(sql_, "", expr.op == LogicOperator::kAnd ? SqlLiteral(" AND ") : " OR ");
    for (const auto& child : expr.children) {
      separate();
      write_logic(node, scope, child, inner_joins);
    }
    sql_.raw(")");
  }

  // An aggregate gives a row where there is none; a range may take away all of them. Where the
  // embed itself stands beside it, that one has the name that plans and messages show.
  void write_exists(const ReadPlan& child, const Scope& scope, InnerJoins inner_joins) {
    if (sql_.is_full()) return;
    const bool stands_beside = inner_joins == InnerJoins::kAsJoins && !child.is_empty();
    const Scope inside =
        stands_beside ? Scope(child, "pgrst_exists_" + std::to_string(child.depth)) : Scope(child);
    sql_.raw("EXISTS (");
    if (child.grouped || !child.range.is_all()) {
      write_select(child, &scope, inside, {});
    } else {
      sql_.raw("SELECT");
      write_rows(child, &scope, inside);
    }
    sql_.raw(")");
  }

  // What is selected is made of the field. Of a representation, which is json and cannot be grouped
  // by, and where the order is by the field itself, the groups are the field's.
  static bool groups_by_field(const ReadPlan& node, const PlannedSelect& item) {
    if (item.field.transform != nullptr) return true;
    return item.cast && !item.alias &&
           std::any_of(node.order.begin(), node.order.end(), [&](const PlannedOrder& term) {
             return !term.child && term.field.name == item.field.name &&
                    term.field.json_path.empty();
           });
  }

  void write_group_by(const ReadPlan& node, const Scope& scope) {
    if (!node.grouped) return;
    Separator separate(sql_, " GROUP BY ", ", ");
    size_t position = 0;
    for (const auto& item : node.select) {
      position++;
      if (item.aggregate) continue;
      if (groups_by_field(node, item)) {
        separate();
        write_field(sql_, scope.table(), item.field);
      } else {
        write_position(position, separate);
      }
    }
    for (const auto& child : node.children) {
      if (child.spread == Spread::kNone) {
        if (!child.is_empty()) write_position(++position, separate);
        continue;
      }
      for (const auto& column : child.spread_select) {
        position++;
        if (!column.aggregate) write_position(position, separate);
      }
    }
  }

  // By position: a name could mean a column of the table instead.
  void write_position(size_t position, Separator& separate) {
    separate();
    sql_.number(position);
  }

  void write_order_by(const ReadPlan& node, const Scope& scope) {
    Separator separate(sql_, " ORDER BY ", ", ");
    for (const auto& term : node.order) {
      separate();
      write_order_value(node, scope, term);
      write_direction(sql_, term);
    }
  }

  void write_order_value(const ReadPlan& node, const Scope& scope, const PlannedOrder& term) {
    const auto table =
        term.child ? QualifiedIdentifier{"", node.children[*term.child].join_alias} : scope.table();
    write_field(sql_, table, term.field);
  }

  // -- embeds ---

  // To-one embeds and spreads are joined; to-many embeds are columns of their own.
  static bool is_joined(const ReadPlan& child) {
    return !child.is_empty() && (child.spread != Spread::kNone || is_to_one(child));
  }

  // Of arrays there always is one, if an empty one: EXISTS has to find their rows.
  static bool is_inner_joined(const ReadPlan& child) {
    return is_inner(child) && is_joined(child) && child.spread != Spread::kToMany;
  }

  // An order needs its embed even where nothing is selected of it.
  static bool is_ordered_by(const ReadPlan& node, size_t child) {
    return std::any_of(node.order.begin(), node.order.end(),
                       [child](const auto& term) { return term.child == child; });
  }

  void write_embeds(const ReadPlan& node, const Scope& scope, EmbedType embeds,
                    Separator& separate) {
    for (const auto& child : node.children) {
      if (child.is_empty()) continue;
      if (child.spread != Spread::kNone) {
        write_spread_columns(child, separate);
        continue;
      }
      separate();
      if (embeds == EmbedType::kJsonb) sql_.raw("pg_catalog.to_jsonb(");
      if (is_to_one(child)) {
        sql_.ident(child.join_alias);
      } else {
        sql_.raw("ARRAY(SELECT ").ident(child.join_alias).raw(" FROM (");
        write_select(child, &scope, {});
        sql_.raw(") AS ").ident(child.join_alias).raw(")");
      }
      if (embeds == EmbedType::kJsonb) sql_.raw(")");
      sql_.raw(" AS ").ident(child.name());
    }
  }

  void write_spread_columns(const ReadPlan& child, Separator& separate) {
    for (const auto& column : child.spread_select) {
      separate();
      write_aggregate_head(sql_, column.aggregate, column.aggregate_cast);
      write_spread_column(child, column);
      write_aggregate_tail(sql_, column.aggregate, column.aggregate_cast);
      if (column.alias) sql_.raw(" AS ").ident(*column.alias);
    }
  }

  void write_spread_column(const ReadPlan& child, const SpreadSelect& column) {
    sql_.ident(child.join_alias).raw(".");
    if (column.name == "*") {
      sql_.raw("*");
    } else {
      sql_.ident(column.name);
    }
  }

  void write_joins(const ReadPlan& node, const Scope& scope, const SelectOptions& options) {
    for (size_t i = 0; i < node.children.size(); i++) {
      const ReadPlan& child = node.children[i];
      if (!is_joined(child) && !is_ordered_by(node, i)) continue;
      const bool arrays = child.spread == Spread::kToMany;
      if (is_inner_joined(child)) {
        sql_.raw(" JOIN LATERAL (");
      } else {
        sql_.raw(" LEFT JOIN LATERAL (");
      }
      if (arrays) {
        write_arrays(child, scope);
      } else {
        const EmbedType embeds = child.spread == Spread::kToOne ? options.embeds : EmbedType::kRow;
        write_select(child, &scope, {embeds, options.one_row});
      }
      sql_.raw(") AS ").ident(child.join_alias).raw(" ON TRUE");
    }
  }

  // One array for each column of the rows of a to-many spread, all in one order.
  void write_arrays(const ReadPlan& child, const Scope& scope) {
    sql_.raw("SELECT ");
    Separator separate(sql_, "", ", ");
    for (const auto& column : child.spread_select) {
      if (sql_.is_full()) return;
      separate();
      sql_.raw("COALESCE(pg_catalog.jsonb_agg(");
      write_spread_column(child, column);
      Separator order(sql_, " ORDER BY ", ", ");
      for (size_t i = 0; i < child.order.size(); i++) {
        order();
        sql_.ident(child.join_alias).raw(".").ident(Scope::order_name(i));
        write_direction(sql_, child.order[i]);
      }
      sql_.raw("), '[]') AS ").ident(column.name);
    }
    sql_.raw(" FROM (");
    write_select(child, &scope, {});
    sql_.raw(") AS ").ident(child.join_alias);
  }

  SqlBuilder& sql_;
  const WriteSource& source_;
};

void write_filters(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedLogic& logic) {
  if (const auto* filter = std::get_if<PlannedFilter>(&logic.node)) {
    write_filter(sql, table, *filter);
    return;
  }
  const auto& expr = std::get<PlannedLogicExpr>(logic.node);
  if (expr.negated) sql.raw("NOT ");
  sql.raw("(");
  Separator separate(sql, "", expr.op == LogicOperator::kAnd ? SqlLiteral(" AND ") : " OR ");
  for (const auto& child : expr.children) {
    separate();
    write_filters(sql, table, child);
  }
  sql.raw(")");
}

}  // namespace

void write_select(SqlBuilder& sql, const ReadPlan& plan, const WriteSource& source,
                  EmbedType embeds) {
  SelectWriter(sql, source).write_select(plan, nullptr, {embeds, false});
}

void write_rows(SqlBuilder& sql, const ReadPlan& plan) {
  const WriteSource none;
  SelectWriter(sql, none).write_rows(plan, nullptr);
}

void write_where(SqlBuilder& sql, const QualifiedIdentifier& table,
                 const std::vector<PlannedLogic>& where) {
  Separator separate(sql, " WHERE ", " AND ");
  for (const auto& logic : where) {
    separate();
    write_filters(sql, table, logic);
  }
}

void write_select_items(SqlBuilder& sql, const QualifiedIdentifier& table, const ReadPlan& plan) {
  Separator separate(sql, "", ", ");
  for (const auto& item : plan.select) {
    separate();
    write_select_value(sql, table, item);
    if (item.alias) sql.raw(" AS ").ident(*item.alias);
  }
  // Nothing is selected of a table without a key.
  if (plan.select.empty()) sql.raw("1");
}

namespace {

void add_names(const PlannedLogic& logic, std::set<std::string>& names) {
  if (const auto* filter = std::get_if<PlannedFilter>(&logic.node)) {
    names.insert(filter->field.name);
  } else if (const auto* expr = std::get_if<PlannedLogicExpr>(&logic.node)) {
    for (const auto& child : expr->children) add_names(child, names);
  }
}

}  // namespace

std::vector<std::string> columns_read(const ReadPlan& plan) {
  std::set<std::string> names;
  for (const auto& item : plan.select) names.insert(item.field.name);
  for (const auto& term : plan.order) {
    if (!term.child) names.insert(term.field.name);
  }
  for (const auto& logic : plan.where) add_names(logic, names);
  for (const auto& child : plan.children) {
    if (is_computed(child)) {
      names.insert("*");
      continue;
    }
    for (const auto& [column, other] : parent_columns(child)) names.insert(column);
  }
  if (plan.select.empty() && plan.children.empty()) names.insert("*");
  if (!names.empty() && names.count("*") == 0) return {names.begin(), names.end()};
  std::vector<std::string> columns = {"*"};
  if (plan.table == nullptr) return columns;
  for (const auto& name : names) {
    if (name != "*" && plan.table->find_column(name) == nullptr) columns.push_back(name);
  }
  return columns;
}

ReadPlan plan_over_source(const ReadPlan& plan) {
  ReadPlan out = plan;
  out.source = RootSource::kMutation;
  const auto columns = columns_read(plan);
  if (columns.front() != "*" || columns.size() == 1) return out;
  if (out.select.empty() && out.children.empty()) {
    out.select.emplace_back();
    out.select.back().field.name = "*";
  }
  std::vector<PlannedSelect> items;
  for (const auto& item : out.select) {
    if (!item.is_star()) {
      items.push_back(item);
      continue;
    }
    for (const auto& column : plan.table->columns) {
      items.push_back(item);
      items.back().field.name = column.name;
    }
  }
  out.select = std::move(items);
  return out;
}

void write_column(SqlBuilder& sql, const QualifiedIdentifier& table, const std::string& column) {
  sql.qualified(table.schema, table.name).raw(".");
  if (column == "*") {
    sql.raw("*");
  } else {
    sql.ident(column);
  }
}

}  // namespace pgrst
