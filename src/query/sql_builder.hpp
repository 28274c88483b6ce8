// SqlBuilder: SQL text and its parameters, built so that request text cannot become SQL.
//
// Input -> output: pieces -> text with $1, $2, ... and the parameter values. Invariant: the only
// ways in are string literals of this program (checked at compile time), quoted identifiers,
// parameters, and type names that hold nothing but the characters of type names.
//
// A request can ask for the same thing in many places: filters of an embed are written wherever the
// embed is a filter itself. So the statement is bounded: when it is_full() nothing is added any
// more, and there is none.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrst {

// A string literal of the source code.
class SqlLiteral {
 public:
  template <size_t N>
  consteval SqlLiteral(const char (&text)[N]) : text_(text, N - 1) {}  // NOLINT: implicit
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

// Parameters travel as text; the statement decides their types, as PREPARE does for untyped ones.
using SqlParam = std::optional<std::string>;  // nullopt: NULL

class SqlBuilder {
 public:
  // Bytes of text and parameters. A request without its body has a sixteenth of it at most, and
  // filters become a few times as long.
  static constexpr size_t kMaxSize = 1024 * 1024;

  SqlBuilder& raw(SqlLiteral sql) { return add(sql.view()); }
  SqlBuilder& ident(std::string_view name);
  // "schema"."name", or "name" when the schema is empty.
  SqlBuilder& qualified(std::string_view schema, std::string_view name);
  SqlBuilder& param(std::string value);
  // The payload of the transaction as a parameter; one, however often it is written.
  SqlBuilder& payload();
  // What PostgreSQL itself printed as SQL: types (format_type) and defaults (pg_get_expr).
  SqlBuilder& catalog_sql(std::string_view sql) { return add(sql); }
  SqlBuilder& number(size_t value) { return add(std::to_string(value)); }
  // A type name as casts write it ("int", "double precision"): letters, digits, '_', '$', spaces
  // and bytes above ASCII as they are; anything else makes it a quoted identifier.
  SqlBuilder& type_name(std::string_view name);

  bool is_full() const { return text_.size() + param_size_ > kMaxSize; }
  // Empty when it is full.
  std::string take_text() { return is_full() ? std::string() : std::move(text_); }
  std::vector<SqlParam> take_params() { return std::move(params_); }
  // The parameter that is the payload.
  const std::optional<size_t>& payload_at() const { return payload_at_; }

 private:
  SqlBuilder& add(std::string_view sql) {
    if (!is_full()) text_ += sql;
    return *this;
  }

  std::string text_;
  std::vector<SqlParam> params_;
  size_t param_size_ = 0;
  std::optional<size_t> payload_at_;
};

}  // namespace pgrst
