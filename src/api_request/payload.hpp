// Request bodies: the stage between the request line and the plan.
//
// Input -> output: body, its media type, whether a function is called, columns= -> Payload, in the
// form in which it reaches SQL, and the names by which its columns or arguments are chosen.
// Semantics are PostgREST's (ApiRequest/Payload), but that ill-formed UTF-8 is PGRST102 in CSV and
// becomes U+FFFD in forms, where PostgREST ends with an internal error.
//
// Bodies are large, and the gateway has other things to do: a reader works in steps, and none takes
// much longer than reading max_bytes does. JSON is not copied; what is made of other bodies is
// measured before it is written, so that nothing large is copied while it grows, and nothing is
// written that no relation and no function takes (BodyGate). Two things still
// take time at once, of which no honest body has much: a copy of a name of many megabytes, and the
// growth of a value of a form as large that is ill-formed UTF-8.
// Invariants: the result does not depend on the size of the steps; what is read as JSON is
// well-formed UTF-8 and valid. What is taken unread (JSON with columns=, raw bodies) may be
// anything, zero bytes included.
// Errors: PGRST102.
// Ownership: the reader owns the body, and its parts point into it: it is neither copied nor moved.
// Pure; not thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api_request/csv.hpp"
#include "api_request/form.hpp"
#include "api_request/json_scanner.hpp"
#include "api_request/media_type.hpp"
#include "api_request/name_bounds.hpp"
#include "core/result.hpp"

namespace pgrst {

struct Payload {
  enum class Kind { kJson, kForm, kRaw };
  Kind kind = Kind::kJson;
  // kJson: JSON text, an object or an array. kRaw: the bytes as they came, but application/octet-
  // stream in hexadecimal digits, as bytea is written.
  std::string body;
  bool is_object = false;  // kJson: the text is one object
  // Sorted, no duplicates: the names that all objects have; kForm: its names.
  std::vector<std::string> keys;
  // There are more names than can be of use, or too long a one (name_bounds.hpp): keys are some of
  // them, of which one can be no column and no argument. The body is what it was, or nothing.
  bool has_excess = false;
  std::vector<std::pair<std::string, std::string>> form;  // kForm: decoded, in order

  bool operator==(const Payload&) const = default;
};

class PayloadReader {
 public:
  // columns: of the columns= parameter, sorted and deduplicated, where the action honours it.
  PayloadReader(std::string body, MediaType type, bool is_rpc,
                std::optional<std::vector<std::string>> columns);
  PayloadReader(const PayloadReader&) = delete;
  PayloadReader& operator=(const PayloadReader&) = delete;

  // Before the first step.
  void set_gate(BodyGate gate) { gate_ = std::move(gate); }
  // Reads on for about max_bytes; true when there is nothing left to do.
  bool step(size_t max_bytes);
  // Once, after step() has returned true.
  Result<Payload> take();

 private:
  // What becomes of the body. Of kUnreadJson only the first character is looked at.
  enum class Way {
    kUnreadJson,
    kEmptyCall,
    kJson,
    kCsv,
    kForm,
    kFormAsJson,
    kRaw,
    kBytes,
    kRefused
  };

  static Way choose_way(std::string_view body, const MediaType& type, bool is_rpc,
                        bool has_columns);
  bool step_over_blanks(size_t max_bytes);
  bool step_utf8(size_t max_bytes);
  bool step_hex(size_t max_bytes);
  void begin_reading();

  Result<Payload> take_json();
  Result<Payload> take_csv();
  Result<Payload> take_form();

  std::string body_;
  const MediaType type_;
  std::optional<std::vector<std::string>> columns_;
  const bool is_rpc_;
  const Way way_;
  BodyGate gate_;

  size_t at_ = 0;  // done up to here: well-formed UTF-8, blanks of kUnreadJson, digits of kBytes
  bool ill_formed_ = false;
  std::string hex_;
  std::optional<Error> error_;
  std::variant<std::monostate, JsonScanner, CsvReader, FormReader> reader_;
};

// All at once.
Result<Payload> read_payload(std::string body, const MediaType& type, bool is_rpc,
                             const std::optional<std::vector<std::string>>& columns);

}  // namespace pgrst
