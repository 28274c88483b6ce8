// The HTTP vocabulary of the core: what the http/ shell hands in and takes out.
//
// Input -> output: none; plain values. Header names keep the spelling they came with and are
// compared without regard to ASCII case. `path` and `query` are raw: percent-encoding is undone by
// the parsers, because '+', "%2C" and quotes mean different things in different places of the
// dialect.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgrst {

struct Header {
  std::string name;
  std::string value;

  bool operator==(const Header&) const = default;
};

using Headers = std::vector<Header>;

// ASCII-case-insensitive equality, as header names are compared (RFC 9110, 5.1).
bool equals_ignoring_case(std::string_view a, std::string_view b);

// The value of the first header with that name, or nullptr.
const std::string* find_header(const Headers& headers, std::string_view name);

// Whether a field with that name and value can be sent without smuggling in others (RFC 9110, 5.1
// and 5.5).
bool is_safe_header(std::string_view name, std::string_view value);

struct HttpRequest {
  std::string method;  // as sent, case-sensitive
  std::string path;    // raw, from the first '/' up to '?'
  std::string query;   // raw, without the '?'
  Headers headers;
  std::string body;
};

// A body that is written while it is sent, because it is too large to be held.
class BodyPieces {
 public:
  virtual ~BodyPieces() = default;
  // Appends the next piece to `out`; false: there was none left.
  virtual bool next(std::string& out) = 0;
  // Begins anew: the pieces are the same as before.
  virtual void rewind() = 0;
};

// What logs and statistics say of a request besides its response.
struct RequestAccount {
  std::string role;      // empty: nobody was authenticated
  std::string schema;    // of the resource
  std::string resource;  // a relation or a routine that exists; empty: none
  bool is_routine = false;
  uint64_t rows = 0;             // of the main result
  std::vector<std::string> sql;  // what was run; only where pgrst.log_query asks for it
};

struct HttpResponse {
  static constexpr uint64_t kUnknownSize = UINT64_MAX;  // until the last piece is written

  int status = 200;
  std::string reason;  // empty: the standard phrase of the status
  Headers headers;
  std::string body;
  // true: `body` is empty and the body bytes are those of the transaction's main result set, which
  // the shell streams; `result_body_size` says how many bytes they are.
  bool body_is_result = false;
  // Not null: `body` is empty, and these are it, `result_body_size` bytes in all.
  std::shared_ptr<BodyPieces> pieces;
  uint64_t result_body_size = 0;
  RequestAccount account;
};

}  // namespace pgrst
