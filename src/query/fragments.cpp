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
  // `parser`: the function that makes the operand's type from text, or null.
  OperationWriter(SqlBuilder& sql, const QualifiedIdentifier* parser)
      : sql_(sql), parser_(parser) {}

  void operator()(const OpSimple& o) {
    sql_.raw(" ").raw(sql_of(o.op)).raw(" ");
    operand(o.value);
  }
  void operator()(const OpQuant& o) {
    const bool like = o.op == QuantOperator::kLike || o.op == QuantOperator::kILike;
    sql_.raw(" ").raw(sql_of(o.op)).raw(" ");
    if (o.quantifier == Quantifier::kAny) sql_.raw("ANY(");
    if (o.quantifier == Quantifier::kAll) sql_.raw("ALL(");
    if (like) {
      sql_.param(star_to_percent(o.value));
    } else {
      operand(o.value);
    }
    if (o.quantifier) sql_.raw(")");
  }
  // = ANY of one array parameter: any number of values is one statement.
  void operator()(const OpIn& o) {
    if (o.values.size() == 1 && o.values[0].empty()) {
      sql_.raw(" = ANY('{}')");
    } else if (parser_ != nullptr) {
      sql_.raw(" = ANY(SELECT ").qualified(parser_->schema, parser_->name);
      sql_.raw("(pg_catalog.unnest(").param(array_literal(o.values)).raw("::pg_catalog.text[])))");
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
  void operand(const std::string& value) {
    if (parser_ != nullptr) sql_.qualified(parser_->schema, parser_->name).raw("(");
    sql_.param(value);
    if (parser_ != nullptr) sql_.raw(")");
  }

  SqlBuilder& sql_;
  const QualifiedIdentifier* parser_;
};

}  // namespace

void write_field(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedField& field) {
  if (field.full_row) {
    sql.ident(table.name);
    return;
  }
  if (field.to_tsvector) {
    // Unqualified: a schema of the search_path may have one for types of its own.
    sql.raw("to_tsvector(");
    write_language(sql, field.to_tsvector->language);
  }
  const bool to_json = field.to_json && !field.json_path.empty();
  if (to_json) sql.raw("pg_catalog.to_jsonb(");
  write_column(sql, table, field.name);
  if (to_json) sql.raw(")");
  write_json_path(sql, field.json_path);
  if (field.to_tsvector) sql.raw(")");
}

void write_aggregate_head(SqlBuilder& sql, const std::optional<AggregateFunction>& aggregate,
                          const std::optional<Cast>& cast) {
  if (aggregate && cast) sql.raw("CAST(");
  if (aggregate) sql.raw(sql_of(*aggregate));
}

void write_aggregate_tail(SqlBuilder& sql, const std::optional<AggregateFunction>& aggregate,
                          const std::optional<Cast>& cast) {
  if (aggregate) sql.raw(")");
  if (aggregate && cast) sql.raw(" AS ").type_name(*cast).raw(")");
}

void write_select_value(SqlBuilder& sql, const QualifiedIdentifier& table,
                        const PlannedSelect& item) {
  const QualifiedIdentifier* transform = item.field.transform;
  write_aggregate_head(sql, item.aggregate, item.aggregate_cast);
  if (item.cast) sql.raw("CAST(");
  if (transform != nullptr) sql.qualified(transform->schema, transform->name).raw("(");
  write_field(sql, table, item.field);
  if (transform != nullptr) sql.raw(")");
  if (item.cast) sql.raw(" AS ").type_name(*item.cast).raw(")");
  write_aggregate_tail(sql, item.aggregate, item.aggregate_cast);
}

void write_filter(SqlBuilder& sql, const QualifiedIdentifier& table, const PlannedFilter& filter) {
  if (filter.negated) sql.raw("NOT ");
  write_field(sql, table, filter.field);
  std::visit(OperationWriter(sql, filter.field.transform), filter.operation);
}

void write_direction(SqlBuilder& sql, const PlannedOrder& term) {
  if (term.direction == OrderDirection::kAsc) sql.raw(" ASC");
  if (term.direction == OrderDirection::kDesc) sql.raw(" DESC");
  if (term.nulls == OrderNulls::kFirst) sql.raw(" NULLS FIRST");
  if (term.nulls == OrderNulls::kLast) sql.raw(" NULLS LAST");
}

void write_range(SqlBuilder& sql, const NonnegRange& range) {
  if (range.limit) sql.raw(" LIMIT ").param(to_string(*range.limit));
  if (range.offset != 0) sql.raw(" OFFSET ").param(to_string(range.offset));
}

}  // namespace pgrst
