#include "pg/protocol.hpp"

#include <cstring>

namespace pgrst::pg {

namespace {

// Room for the size in front, filled in when the rest is known.
void begin_sized(std::string& out) { out.assign(kSizePrefix, '\0'); }

void finish_sized(std::string& out) {
  const uint64_t size = out.size() - kSizePrefix;
  std::memcpy(out.data(), &size, sizeof size);
}

void write(WireWriter& out, const Fingerprint& fingerprint) {
  out.number(fingerprint.objects);
  out.number(fingerprint.roles);
}

Fingerprint read_fingerprint(WireReader& in) {
  Fingerprint fingerprint;
  fingerprint.objects = in.number<uint64_t>();
  fingerprint.roles = in.number<uint64_t>();
  return fingerprint;
}

void write(WireWriter& out, const IntrospectionSubject& subject) {
  out.number(static_cast<uint32_t>(subject.schemas.size()));
  for (const auto& schema : subject.schemas) out.text(schema);
  out.boolean(subject.pre_config.has_value());
  const QualifiedName function = subject.pre_config.value_or(QualifiedName());
  out.text(function.schema);
  out.text(function.name);
  out.text(subject.authenticator);
}

IntrospectionSubject read_subject(WireReader& in) {
  IntrospectionSubject subject;
  const auto count = in.number<uint32_t>();
  for (uint32_t i = 0; i < count && !in.failed(); i++) subject.schemas.emplace_back(in.text());
  const bool has_function = in.boolean();
  QualifiedName function;
  function.schema = in.text();
  function.name = in.text();
  subject.authenticator = in.text();
  if (has_function) subject.pre_config = std::move(function);
  return subject;
}

}  // namespace

std::vector<size_t> body_order(size_t count) {
  std::vector<size_t> order;
  for (size_t i = 1; i < count; i++) order.push_back(i);
  if (count > 0) order.push_back(0);
  return order;
}

std::string encode_request(const RequestMessage& message) {
  std::string bytes;
  begin_sized(bytes);
  WireWriter out(bytes);
  out.enumerator(message.kind);
  out.boolean(message.known_fingerprint.has_value());
  write(out, message.known_fingerprint.value_or(Fingerprint()));
  out.boolean(message.only_roles);
  write(out, message.subject);
  out.number(static_cast<uint64_t>(message.transaction.payload.size()));
  encode(message.transaction, bytes);
  finish_sized(bytes);
  return bytes;
}

std::optional<RequestMessage> decode_request(std::string_view bytes) {
  WireReader in(bytes);
  RequestMessage message;
  message.kind = in.enumerator<MessageKind>();
  const bool known = in.boolean();
  const auto fingerprint = read_fingerprint(in);
  message.only_roles = in.boolean();
  message.subject = read_subject(in);
  if (known) message.known_fingerprint = fingerprint;
  message.payload_size = in.number<uint64_t>();
  if (in.failed()) return std::nullopt;
  auto transaction = decode_transaction(in.rest());
  if (!transaction) return std::nullopt;
  message.transaction = std::move(*transaction);
  return message;
}

std::string encode_response_head(const ResponseHead& head) {
  std::string bytes;
  begin_sized(bytes);
  WireWriter out(bytes);
  out.boolean(head.verdict.extension_present);
  out.number(head.verdict.reload_marker);
  out.boolean(head.verdict.unchanged);
  write(out, head.verdict.fingerprint);
  out.text(head.verdict.pre_config_problem);
  out.text(head.verdict.left_out);
  out.boolean(head.verdict.read_again);
  out.number(static_cast<uint32_t>(head.verdict.times_us.size()));
  for (const uint64_t time : head.verdict.times_us) out.number(time);
  bytes += encode_head(head.result);
  finish_sized(bytes);
  return bytes;
}

std::optional<ResponseHead> decode_response_head(std::string_view bytes) {
  WireReader in(bytes);
  ResponseHead head;
  head.verdict.extension_present = in.boolean();
  head.verdict.reload_marker = in.number<uint32_t>();
  head.verdict.unchanged = in.boolean();
  head.verdict.fingerprint = read_fingerprint(in);
  head.verdict.pre_config_problem = in.text();
  head.verdict.left_out = in.text();
  head.verdict.read_again = in.boolean();
  head.verdict.times_us.resize(in.count(sizeof(uint64_t)));
  for (uint64_t& time : head.verdict.times_us) time = in.number<uint64_t>();
  if (in.failed()) return std::nullopt;
  auto result = decode_head(in.rest());
  if (!result) return std::nullopt;
  head.result = std::move(*result);
  return head;
}

}  // namespace pgrst::pg
