#include "query/fragments.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace pgrst {

namespace {

void write_column(SqlBuilder& sql, const QualifiedIdentifier& table, const std::string& name) {
  sql.qualified(table.schema, table.name).raw(".");
  if (name == "*") {
    sql.raw("*");
  } else {
    sql.ident(name);
  }
}

void write_json_path(SqlBuilder& sql, const JsonPath& path) {
  for (const auto& step : path) {
    if (step.as_text) {
      sql.raw("->>");
    } else {
      sql.raw("->");
    }
    sql.param(step.operand);
    // A key stays untyped and becomes text; an index must say that it is none.
    if (step.is_index) sql.raw("::pg_catalog.int4");
  }
}

void write_language(SqlBuilder& sql, const std::optional<std::string>& language) {
  if (language) sql.param(*language).raw("::pg_catalog.regconfig, ");
}

SqlLiteral sql_of(SimpleOperator op) {
  switch (op) {
    case SimpleOperator::kNotEqual:
      return "<>";
    case SimpleOperator::kContains:
      return "@>";
    case SimpleOperator::kContained:
      return "<@";
    case SimpleOperator::kOverlap:
      return "&&";
    case SimpleOperator::kStrictlyLeft:
      return "<<";
    case SimpleOperator::kStrictlyRight:
      return ">>";
    case SimpleOperator::kNotExtendsRight:
      return "&<";
    case SimpleOperator::kNotExtendsLeft:
      return "&>";
    case SimpleOperator::kAdjacent:
      return "-|-";
  }
  return "=";
}

SqlLiteral sql_of(QuantOperator op) {
  switch (op) {
    case QuantOperator::kEqual:
      return "=";
    case QuantOperator::kGreaterThanEqual:
      return ">=";
    case QuantOperator::kGreaterThan:
      return ">";
    case QuantOperator::kLessThanEqual:
      return "<=";
    case QuantOperator::kLessThan:
      return "<";
    case QuantOperator::kLike:
      return "like";
    case QuantOperator::kILike:
      return "ilike";
    case QuantOperator::kMatch:
      return "~";
    case QuantOperator::kIMatch:
      return "~*";
  }
  return "=";
}

SqlLiteral sql_of(FtsOperator op) {
  switch (op) {
    case FtsOperator::kFts:
      return "pg_catalog.to_tsquery(";
    case FtsOperator::kPlain:
      return "pg_catalog.plainto_tsquery(";
    case FtsOperator::kPhrase:
      return "pg_catalog.phraseto_tsquery(";
    case FtsOperator::kWebsearch:
      return "pg_catalog.websearch_to_tsquery(";
  }
  return "pg_catalog.to_tsquery(";
}

SqlLiteral sql_of(IsValue value) {
  switch (value) {
    case IsValue::kNull:
      return " IS NULL";
    case IsValue::kNotNull:
      return " IS NOT NULL";
    case IsValue::kTrue:
      return " IS TRUE";
    case IsValue::kFalse:
      return " IS FALSE";
    case IsValue::kUnknown:
      return " IS UNKNOWN";
  }
  return " IS NULL";
}

SqlLiteral sql_of(AggregateFunction function) {
  switch (function) {
    case AggregateFunction::kSum:
      return "sum(";
    case AggregateFunction::kAvg:
      return "avg(";
    case AggregateFunction::kCount:
      return "count(";
    case AggregateFunction::kMax:
      return "max(";
    case AggregateFunction::kMin:
      return "min(";
  }
  return "count(";
}

// In like and ilike, * stands for % (it needs no percent-encoding in a URL).
std::string star_to_percent(std::string pattern) {
  std::replace(pattern.begin(), pattern.end(), '*', '%');
  return pattern;
}

class OperationWriter {
 public:
  explicit OperationWriter(SqlBuilder& sql) : sql_(sql) {}

  void operator()(const OpSimple& o) { sql_.raw(" ").raw(sql_of(o.op)).raw(" ").param(o.value); }
  void operator()(const OpQuant& o) {
    const bool like = o.op == QuantOperator::kLike || o.op == QuantOperator::kILike;
    std::string value = like ? star_to_percent(o.value) : o.value;
    sql_.raw(" ").raw(sql_of(o.op)).raw(" ");
    if (o.quantifier == Quantifier::kAny) sql_.raw("ANY(");
    if (o.quantifier == Quantifier::kAll) sql_.raw("ALL(");
    sql_.param(std::move(value));
    if (o.quantifier) sql_.raw(")");
  }
  // = ANY of one array parameter: any number of values is one statement.
  void operator()(const OpIn& o) {
    if (o.values.size() == 1 && o.values[0].empty()) {
      sql_.raw(" = ANY('{}')");
    } else {
      sql_.raw(" = ANY(").param(array_literal(o.values)).raw(")");
    }
  }
  void operator()(const OpIs& o) { sql_.raw(sql_of(o.value)); }
  void operator()(const OpIsDistinctFrom& o) { sql_.raw(" IS DISTINCT FROM ").param(o.value); }
  void operator()(const OpFts& o) {
    sql_.raw(" @@ ").raw(sql_of(o.op));
    write_language(sql_, o.language);
    sql_.param(o.value).raw(")");
  }

 private:
  SqlBuilder& sql_;
};

void write_filter(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedFilter& filter) {
  if (filter.negated) sql.raw("NOT ");
  write_field(sql, table, filter.field);
  std::visit(OperationWriter(sql), filter.operation);
}

bool has_aggregate(const std::vector<PlannedSelect>& select) {
  return std::any_of(select.begin(), select.end(),
                     [](const auto& item) { return item.aggregate.has_value(); });
}

}  // namespace

void write_field(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedField& field) {
  if (field.to_tsvector) {
    sql.raw("pg_catalog.to_tsvector(");
    write_language(sql, field.to_tsvector->language);
  }
  const bool to_json = field.to_json && !field.json_path.empty();
  if (to_json) sql.raw("pg_catalog.to_jsonb(");
  write_column(sql, table, field.name);
  if (to_json) sql.raw(")");
  write_json_path(sql, field.json_path);
  if (field.to_tsvector) sql.raw(")");
}

void write_select_item(SqlBuilder& sql, const QualifiedIdentifier& table,
                       const PlannedSelect& item) {
  if (item.aggregate_cast) sql.raw("CAST(");
  if (item.aggregate) sql.raw(sql_of(*item.aggregate));
  if (item.cast) sql.raw("CAST(");
  write_field(sql, table, item.field);
  if (item.cast) sql.raw(" AS ").type_name(*item.cast).raw(")");
  if (item.aggregate) sql.raw(")");
  if (item.aggregate_cast) sql.raw(" AS ").type_name(*item.aggregate_cast).raw(")");
  if (item.alias) sql.raw(" AS ").ident(*item.alias);
}

void write_logic(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedLogic& logic) {
  if (const auto* filter = std::get_if<PlannedFilter>(&logic.node)) {
    write_filter(sql, table, *filter);
    return;
  }
  const auto& expr = std::get<PlannedLogicExpr>(logic.node);
  if (expr.negated) sql.raw("NOT ");
  sql.raw("(");
  for (size_t i = 0; i < expr.children.size(); i++) {
    if (i > 0 && expr.op == LogicOperator::kAnd) sql.raw(" AND ");
    if (i > 0 && expr.op == LogicOperator::kOr) sql.raw(" OR ");
    write_logic(sql, table, expr.children[i]);
  }
  sql.raw(")");
}

void write_where(SqlBuilder& sql, const QualifiedIdentifier& table,
                 const std::vector<PlannedLogic>& where) {
  for (size_t i = 0; i < where.size(); i++) {
    if (i == 0) {
      sql.raw(" WHERE ");
    } else {
      sql.raw(" AND ");
    }
    write_logic(sql, table, where[i]);
  }
}

void write_group_by(SqlBuilder& sql, const QualifiedIdentifier& table,
                    const std::vector<PlannedSelect>& select) {
  if (!has_aggregate(select)) return;
  bool first = true;
  for (const auto& item : select) {
    if (item.aggregate) continue;
    if (first) {
      sql.raw(" GROUP BY ");
    } else {
      sql.raw(", ");
    }
    first = false;
    if (item.alias) {
      sql.ident(*item.alias);
    } else {
      write_field(sql, table, item.field);
    }
  }
}

void write_order_by(SqlBuilder& sql, const QualifiedIdentifier& table,
                    const std::vector<PlannedOrder>& order) {
  for (size_t i = 0; i < order.size(); i++) {
    if (i == 0) {
      sql.raw(" ORDER BY ");
    } else {
      sql.raw(", ");
    }
    write_field(sql, table, order[i].field);
    if (order[i].direction == OrderDirection::kAsc) sql.raw(" ASC");
    if (order[i].direction == OrderDirection::kDesc) sql.raw(" DESC");
    if (order[i].nulls == OrderNulls::kFirst) sql.raw(" NULLS FIRST");
    if (order[i].nulls == OrderNulls::kLast) sql.raw(" NULLS LAST");
  }
}

void write_range(SqlBuilder& sql, const NonnegRange& range) {
  if (range.limit) sql.raw(" LIMIT ").param(std::to_string(*range.limit));
  if (range.offset != 0) sql.raw(" OFFSET ").param(std::to_string(range.offset));
}

}  // namespace pgrst
