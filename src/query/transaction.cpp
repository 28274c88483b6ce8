#include "query/transaction.hpp"

#include "core/wire.hpp"

namespace pgrst {

namespace {

void write(WireWriter& out, const SettingList& settings) {
  out.number(static_cast<uint32_t>(settings.size()));
  for (const auto& [name, value] : settings) {
    out.text(name);
    out.text(value);
  }
}

SettingList read_settings(WireReader& in) {
  SettingList settings(in.count(16));
  for (auto& [name, value] : settings) {
    name = in.text();
    value = in.text();
  }
  return settings;
}

void write(WireWriter& out, const Statement& statement) {
  out.text(statement.text);
  out.enumerator(statement.format);
  out.number(statement.window.offset);
  out.number(statement.window.limit);
  out.boolean(statement.has_marks);
  out.number(statement.payload_at ? static_cast<int32_t>(*statement.payload_at) : int32_t{-1});
  out.number(static_cast<uint32_t>(statement.params.size()));
  for (const auto& param : statement.params) {
    out.boolean(param.has_value());
    if (param) out.text(*param);
  }
}

Statement read_statement(WireReader& in) {
  Statement statement;
  statement.text = in.text();
  statement.format = in.enumerator<ResultFormat>();
  statement.window.offset = in.number<uint64_t>();
  statement.window.limit = in.number<uint64_t>();
  statement.has_marks = in.boolean();
  const auto payload_at = in.number<int32_t>();
  if (payload_at >= 0) statement.payload_at = static_cast<size_t>(payload_at);
  statement.params.resize(in.count(1));
  for (auto& param : statement.params) {
    if (in.boolean()) param = std::string(in.text());
  }
  return statement;
}

// The members of PgError, in one order for both directions.
template <class E, class F>
void each_member(E& error, F f) {
  f(error.sqlstate);
  f(error.message);
  f(error.detail);
  f(error.hint);
  f(error.schema_name);
  f(error.table_name);
  f(error.column_name);
  f(error.constraint_name);
  f(error.datatype_name);
}

}  // namespace

std::string encode(const Transaction& t) {
  std::string bytes;
  encode(t, bytes);
  return bytes;
}

void encode(const Transaction& t, std::string& bytes) {
  WireWriter out(bytes);
  out.enumerator(t.access);
  out.enumerator(t.isolation);
  out.boolean(t.rollback);
  write(out, t.role_settings);
  out.text(t.role);
  write(out, t.settings);
  out.text(t.pre_request);
  out.number(t.min_rows);
  out.number(t.max_rows);
  out.number(t.max_bytes);
  out.number(static_cast<uint32_t>(t.statements.size()));
  for (const auto& statement : t.statements) write(out, statement);
}

std::optional<Transaction> decode_transaction(std::string_view message) {
  WireReader in(message);
  Transaction t;
  t.access = in.enumerator<AccessMode>();
  t.isolation = in.enumerator<Isolation>();
  t.rollback = in.boolean();
  t.role_settings = read_settings(in);
  t.role = in.text();
  t.settings = read_settings(in);
  t.pre_request = in.text();
  t.min_rows = in.number<uint64_t>();
  t.max_rows = in.number<uint64_t>();
  t.max_bytes = in.number<uint64_t>();
  t.statements.resize(in.count(8));
  for (auto& statement : t.statements) statement = read_statement(in);
  if (in.failed() || !in.at_end()) return std::nullopt;
  return t;
}

std::string encode_head(const TransactionResult& r) {
  std::string bytes;
  WireWriter out(bytes);
  out.boolean(r.error.has_value());
  if (r.error) each_member(*r.error, [&](const std::string& member) { out.text(member); });
  out.number(static_cast<uint32_t>(r.result_sets.size()));
  for (const auto& set : r.result_sets) {
    out.number(set.rows);
    out.number(set.total);
    out.number(set.body_size);
  }
  out.text(r.response_headers);
  out.text(r.response_status);
  out.text(r.inserted);
  out.enumerator(r.completion);
  return bytes;
}

std::optional<TransactionResult> decode_head(std::string_view message) {
  WireReader in(message);
  TransactionResult r;
  if (in.boolean()) {
    r.error.emplace();
    each_member(*r.error, [&](std::string& member) { member = in.text(); });
  }
  r.result_sets.resize(in.count(24));
  for (auto& set : r.result_sets) {
    set.rows = in.number<uint64_t>();
    set.total = in.number<uint64_t>();
    set.body_size = in.number<uint64_t>();
  }
  r.response_headers = in.text();
  r.response_status = in.text();
  r.inserted = in.text();
  r.completion = in.enumerator<Completion>();
  if (in.failed() || !in.at_end()) return std::nullopt;
  return r;
}

}  // namespace pgrst
