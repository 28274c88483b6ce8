// The messages between gateway and executor: what goes through the two rings of a slot.
//
//   request:  uint64 bytes of the message · kind · [introspection: what is known] · uint64 bytes of
//   the payload · Transaction without it · payload
//   response: uint64 bytes of the head · [introspection: the verdict] · TransactionResult head ·
//   bodies
//
// Both ends come from one library; a message is checked all the same, because it may be cut short.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.hpp"
#include "core/wire.hpp"
#include "query/transaction.hpp"

namespace pgrst::pg {

enum class MessageKind : uint8_t {
  kRequest,
  kIntrospection,  // fingerprint the catalogs, and run the catalog queries if it is a new one
};

// Sums over the catalogs (pg/introspection.hpp).
struct Fingerprint {
  uint64_t objects = 0;  // of the database
  uint64_t roles = 0;    // of the whole server, and their settings

  bool operator==(const Fingerprint&) const = default;
};

// What an introspection looks at.
struct IntrospectionSubject {
  std::vector<std::string> schemas;
  std::optional<QualifiedName> pre_config;
  std::string authenticator;
};

struct RequestMessage {
  MessageKind kind = MessageKind::kRequest;
  std::optional<Fingerprint> known_fingerprint;
  bool only_roles = false;  // nothing hints at a change of anything else
  IntrospectionSubject subject;
  Transaction transaction;
  uint64_t payload_size = 0;  // of transaction.payload, which travels behind the message
};

struct IntrospectionVerdict {
  bool extension_present = false;
  uint32_t reload_marker = 0;  // oid of the view pgrst.status (pg/invalidation.hpp)
  bool unchanged = false;      // the fingerprint is the known one; there are no result sets
  Fingerprint fingerprint;
  std::string pre_config_problem;  // why db_pre_config could not be run; empty: it was, or there is
                                   // none
  std::string left_out;            // what could not be read, a line each
  bool read_again = false;         // it may be readable soon
  std::vector<uint64_t> times_us;  // the fingerprint, the definitions, each query
};

struct ResponseHead {
  IntrospectionVerdict verdict;  // of kIntrospection
  TransactionResult result;
};

constexpr size_t kSizePrefix = sizeof(uint64_t);

// The order in which the bodies of `count` result sets follow the head: the first result set, which
// is the one that can be large, comes last, so that all the others are known before it is passed
// on.
std::vector<size_t> body_order(size_t count);

// With the size in front, without the payload.
std::string encode_request(const RequestMessage& message);
// Without both.
std::optional<RequestMessage> decode_request(std::string_view bytes);
std::string encode_response_head(const ResponseHead& head);
std::optional<ResponseHead> decode_response_head(std::string_view bytes);

}  // namespace pgrst::pg
