// What goes through the rings: transactions, results and the messages around them.
#include "query/transaction.hpp"

#include <gtest/gtest.h>

#include "pg/protocol.hpp"

namespace pgrst {
namespace {

Transaction example_transaction() {
  Transaction t;
  t.access = AccessMode::kReadWrite;
  t.isolation = Isolation::kSerializable;
  t.rollback = true;
  t.role_settings = {{"statement_timeout", "5s"}};
  t.role = "web";
  t.settings = {{"search_path", "\"a\""}, {"x", ""}};
  t.pre_request = "SELECT \"f\"()";
  t.statements = {
      {"SELECT $1", {"a", std::nullopt, ""}, ResultFormat::kCsv, {5, 10}, true, 2},
      {"", {}, ResultFormat::kRecords, {}, false, std::nullopt},
      {std::string("a\0b", 3), {std::string(1000, 'x')}, ResultFormat::kCount, {}, false, 0},
  };
  t.min_rows = 1;
  t.max_rows = 7;
  t.max_bytes = 1000;
  return t;
}

void expect_same(const Transaction& a, const Transaction& b) {
  EXPECT_EQ(a.access, b.access);
  EXPECT_EQ(a.isolation, b.isolation);
  EXPECT_EQ(a.rollback, b.rollback);
  EXPECT_EQ(a.role_settings, b.role_settings);
  EXPECT_EQ(a.role, b.role);
  EXPECT_EQ(a.settings, b.settings);
  EXPECT_EQ(a.pre_request, b.pre_request);
  ASSERT_EQ(a.statements.size(), b.statements.size());
  for (size_t i = 0; i < a.statements.size(); i++) {
    EXPECT_EQ(a.statements[i].text, b.statements[i].text);
    EXPECT_EQ(a.statements[i].params, b.statements[i].params);
    EXPECT_EQ(a.statements[i].format, b.statements[i].format);
    EXPECT_EQ(a.statements[i].window.offset, b.statements[i].window.offset);
    EXPECT_EQ(a.statements[i].window.limit, b.statements[i].window.limit);
    EXPECT_EQ(a.statements[i].has_marks, b.statements[i].has_marks);
    EXPECT_EQ(a.statements[i].payload_at, b.statements[i].payload_at);
  }
  EXPECT_EQ(a.min_rows, b.min_rows);
  EXPECT_EQ(a.max_rows, b.max_rows);
  EXPECT_EQ(a.max_bytes, b.max_bytes);
}

TransactionResult example_result() {
  TransactionResult r;
  r.result_sets.resize(2);
  r.result_sets[0].rows = 7;
  r.result_sets[0].total = 70;
  r.result_sets[0].body_size = uint64_t{1} << 40;
  r.result_sets[1].rows = ~uint64_t{0};
  r.response_headers = "[{\"a\": \"b\"}]";
  r.response_status = "201";
  r.inserted = "3";
  r.completion = Completion::kUnconfirmed;
  return r;
}

PgError example_error() {
  return {"23505", "message", "detail", "hint", "schema", "table", "column", "constraint", "type"};
}

void expect_same(const TransactionResult& a, const TransactionResult& b) {
  EXPECT_EQ(a.error.has_value(), b.error.has_value());
  ASSERT_EQ(a.result_sets.size(), b.result_sets.size());
  for (size_t i = 0; i < a.result_sets.size(); i++) {
    EXPECT_EQ(a.result_sets[i].rows, b.result_sets[i].rows);
    EXPECT_EQ(a.result_sets[i].total, b.result_sets[i].total);
    EXPECT_EQ(a.result_sets[i].body_size, b.result_sets[i].body_size);
  }
  EXPECT_EQ(a.response_headers, b.response_headers);
  EXPECT_EQ(a.response_status, b.response_status);
  EXPECT_EQ(a.inserted, b.inserted);
  EXPECT_EQ(a.completion, b.completion);
}

// Every prefix but the whole is refused, and so is one byte more.
template <class F>
void expect_exact_length(const std::string& whole, F decode) {
  for (size_t length = 0; length < whole.size(); length++) {
    const std::string cut(whole.data(), length);
    EXPECT_FALSE(decode(cut).has_value()) << length;
  }
  EXPECT_TRUE(decode(whole).has_value());
  EXPECT_FALSE(decode(whole + '\0').has_value());
}

TEST(TransactionCodec, RoundTrip) {
  const auto back = decode_transaction(encode(example_transaction()));
  ASSERT_TRUE(back.has_value());
  expect_same(*back, example_transaction());
  const auto empty = decode_transaction(encode(Transaction{}));
  ASSERT_TRUE(empty.has_value());
  expect_same(*empty, Transaction{});
}

TEST(TransactionCodec, TakesOnlyTheWholeMessage) {
  expect_exact_length(encode(example_transaction()),
                      [](std::string_view bytes) { return decode_transaction(bytes); });
}

// A count that promises more than the message holds must not make room for it.
TEST(TransactionCodec, HostileCounts) {
  std::string bytes = encode(Transaction{});
  for (size_t at = 0; at + 4 <= bytes.size(); at++) {
    std::string damaged = bytes;
    damaged.replace(at, 4, "\xFF\xFF\xFF\xFF");
    (void)decode_transaction(damaged);
    (void)decode_head(damaged);
  }
}

TEST(ResultCodec, RoundTrip) {
  const auto back = decode_head(encode_head(example_result()));
  ASSERT_TRUE(back.has_value());
  expect_same(*back, example_result());
}

TEST(ResultCodec, Errors) {
  TransactionResult r;
  r.error = example_error();
  const auto back = decode_head(encode_head(r));
  ASSERT_TRUE(back.has_value() && back->error.has_value());
  EXPECT_EQ(back->error->sqlstate, "23505");
  EXPECT_EQ(back->error->message, "message");
  EXPECT_EQ(back->error->detail, "detail");
  EXPECT_EQ(back->error->hint, "hint");
  EXPECT_EQ(back->error->schema_name, "schema");
  EXPECT_EQ(back->error->table_name, "table");
  EXPECT_EQ(back->error->column_name, "column");
  EXPECT_EQ(back->error->constraint_name, "constraint");
  EXPECT_EQ(back->error->datatype_name, "type");
}

TEST(ResultCodec, TakesOnlyTheWholeMessage) {
  const auto decode = [](std::string_view bytes) { return decode_head(bytes); };
  expect_exact_length(encode_head(example_result()), decode);
  TransactionResult r;
  r.error = example_error();
  expect_exact_length(encode_head(r), decode);
}

// -- pg/protocol ---------------------------------------------------------------------------------

// What follows the size in front, which must be right.
std::string payload(const std::string& message) {
  WireReader in(message);
  EXPECT_EQ(in.number<uint64_t>(), message.size() - pg::kSizePrefix);
  return std::string(in.rest());
}

TEST(Protocol, Requests) {
  pg::RequestMessage m;
  m.transaction = example_transaction();
  auto back = pg::decode_request(payload(pg::encode_request(m)));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->kind, pg::MessageKind::kRequest);
  EXPECT_FALSE(back->known_fingerprint.has_value());
  expect_same(back->transaction, m.transaction);
  EXPECT_EQ(back->payload_size, 0u);
  m.kind = pg::MessageKind::kIntrospection;
  m.known_fingerprint = pg::Fingerprint{};
  m.only_roles = true;
  m.subject = {{"api", "b"}, QualifiedName{"api", "configure"}, "authenticator"};
  back = pg::decode_request(payload(pg::encode_request(m)));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->kind, pg::MessageKind::kIntrospection);
  EXPECT_EQ(back->known_fingerprint, pg::Fingerprint{});
  EXPECT_TRUE(back->only_roles);
  EXPECT_EQ(back->subject.schemas, m.subject.schemas);
  EXPECT_EQ(back->subject.pre_config, m.subject.pre_config);
  EXPECT_EQ(back->subject.authenticator, m.subject.authenticator);
  m.known_fingerprint = {~uint64_t{0}, 1};
  EXPECT_EQ(pg::decode_request(payload(pg::encode_request(m)))->known_fingerprint,
            m.known_fingerprint);
}

// The payload follows the message, which only tells its size.
TEST(Protocol, PayloadsAreNotInTheMessage) {
  pg::RequestMessage m;
  m.transaction = example_transaction();
  const std::string without = payload(pg::encode_request(m));
  m.transaction.payload = std::string(1000, 'p');
  const std::string with = payload(pg::encode_request(m));
  EXPECT_EQ(with.size(), without.size());
  const auto back = pg::decode_request(with);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->payload_size, 1000u);
  EXPECT_EQ(back->transaction.payload, "");
}

TEST(Protocol, ResponseHeads) {
  pg::ResponseHead h;
  h.verdict = {true, 16384, true, {0x0123456789ABCDEF, 7}, "problem", "a view", true, {1, 2, 3}};
  h.result = example_result();
  const auto back = pg::decode_response_head(payload(pg::encode_response_head(h)));
  ASSERT_TRUE(back.has_value());
  EXPECT_TRUE(back->verdict.extension_present);
  EXPECT_EQ(back->verdict.reload_marker, 16384u);
  EXPECT_TRUE(back->verdict.unchanged);
  EXPECT_EQ(back->verdict.fingerprint, h.verdict.fingerprint);
  EXPECT_EQ(back->verdict.pre_config_problem, "problem");
  EXPECT_EQ(back->verdict.left_out, "a view");
  EXPECT_TRUE(back->verdict.read_again);
  EXPECT_EQ(back->verdict.times_us, h.verdict.times_us);
  expect_same(back->result, h.result);
}

TEST(Protocol, TakesOnlyWholeMessages) {
  pg::RequestMessage m;
  m.transaction = example_transaction();
  m.known_fingerprint = {5, 6};
  m.subject = {{"api"}, std::nullopt, "authenticator"};
  expect_exact_length(payload(pg::encode_request(m)),
                      [](std::string_view bytes) { return pg::decode_request(bytes); });
  pg::ResponseHead h;
  h.result = example_result();
  expect_exact_length(payload(pg::encode_response_head(h)),
                      [](std::string_view bytes) { return pg::decode_response_head(bytes); });
}

TEST(Protocol, TheFirstBodyComesLast) {
  EXPECT_EQ(pg::body_order(0), (std::vector<size_t>{}));
  EXPECT_EQ(pg::body_order(1), (std::vector<size_t>{0}));
  EXPECT_EQ(pg::body_order(3), (std::vector<size_t>{1, 2, 0}));
}

}  // namespace
}  // namespace pgrst
