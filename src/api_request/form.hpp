// Bodies of type application/x-www-form-urlencoded.
//
// Input -> output: raw bytes -> the decoded pairs in their order; or a JSON object of strings, in
// which the last of equal names counts. Split and decoded like a query string, with one '?' at the
// start passed over, as PostgREST's library does.
// Invariants: total on any bytes but for a bound: kMaxFields. Linear, but for the look-up of names.
// With more names than can be of use, or too long a one, the rest is not read. JSON is made only if
// the names can be of use, and if there is memory for it. The result does not depend on the size of
// the steps.
// Errors: PGRST102 for more fields.
// Ownership: the body and the gate outlive the reader. Pure; not thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api_request/json_output.hpp"
#include "api_request/name_bounds.hpp"
#include "api_request/query_string.hpp"
#include "core/result.hpp"

namespace pgrst {

struct Form {
  std::vector<std::pair<std::string, std::string>> pairs;  // unless it is read as JSON
  std::string json;                // if it is; an empty object if the names are of no use
  std::vector<std::string> names;  // sorted, no duplicates
  // The names are the first ones, and among them one that is too long, shortened, or one too many;
  // there is nothing else.
  bool has_excess = false;
};

class FormReader {
 public:
  static constexpr size_t kMaxFields = 65536;

  FormReader(std::string_view body, bool as_json, const BodyGate& gate);
  FormReader(const FormReader&) = delete;
  FormReader& operator=(const FormReader&) = delete;

  // Reads on for about max_bytes; true when there is nothing left to do.
  bool step(size_t max_bytes);
  // Once, after step() has returned true.
  Result<Form> take();

 private:
  enum class State { kSplit, kName, kValue, kJson, kDone };

  // Each does at most about `budget` bytes of work and returns how many it has done.
  size_t advance(size_t budget);
  size_t split(size_t budget);
  size_t decode(std::string_view& raw, size_t budget, std::string& out);
  size_t write(size_t budget);

  size_t end_pair();
  size_t end_in_excess();
  size_t fail(Error error);
  void end_fields();
  void begin_json();

  const std::string_view body_;
  const bool as_json_;
  const BodyGate& gate_;
  bool has_excess_ = false;
  State state_ = State::kSplit;
  std::optional<Error> error_;

  size_t pair_begin_ = 0;
  size_t searched_ = 0;    // for the end of the pair, up to here
  RawPair pair_;           // what of it is not decoded yet
  std::string undecided_;  // decoded bytes that may be the start of a UTF-8 sequence
  std::string name_;
  std::string value_;

  std::vector<std::pair<std::string, std::string>> pairs_;
  std::vector<std::string> names_;
  using Last = std::map<std::string, size_t, std::less<>>;
  Last last_;  // the last pair of each name

  JsonOutput json_;
  Last::const_iterator field_;  // being written, its name or its value
  bool in_value_ = false;
  size_t written_ = 0;
};

}  // namespace pgrst
