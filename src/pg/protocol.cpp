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
  out.number(message.known_fingerprint.value_or(0));
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
  const auto fingerprint = in.number<uint64_t>();
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
  out.number(head.verdict.fingerprint);
  out.text(head.verdict.pre_config_problem);
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
  head.verdict.fingerprint = in.number<uint64_t>();
  head.verdict.pre_config_problem = in.text();
  if (in.failed()) return std::nullopt;
  auto result = decode_head(in.rest());
  if (!result) return std::nullopt;
  head.result = std::move(*result);
  return head;
}

}  // namespace pgrst::pg
