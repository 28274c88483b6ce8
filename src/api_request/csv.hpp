// Bodies of type text/csv: RFC 4180 with a header line -> a JSON array of objects of strings.
//
// Input -> output: well-formed UTF-8 (the caller has checked it) -> the JSON and the names that all
// objects have. The text NULL becomes null, in quotes too. Read as PostgREST's library does
// (cassava, decodeByName): lines that hold one empty field are dropped, the header excepted; fields
// are paired with the names of the header, the surplus of either is ignored; of equal names the
// last counts; the header must end in a line break.
// It does so but for one case: cassava takes a field whose closing quote is missing and drops its
// last byte; here it is an error.
//
// Invariants: all objects have the same names. Linear in the body and the JSON; neither the header
// (kMaxHeaderSize, kMaxNames) nor the JSON (kMaxJsonSize) is of any size. The body is read twice,
// first to check and to measure, then to write: but only if the names can be of use, and if there
// is memory for the JSON. The result does not depend on the size of the steps. Errors: PGRST102.
// Ownership: the body and the gate outlive the reader. Pure; not thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api_request/json_output.hpp"
#include "api_request/name_bounds.hpp"
#include "core/result.hpp"

namespace pgrst {

struct CsvJson {
  std::string json;                // an empty array if the names are of no use
  std::vector<std::string> names;  // sorted, no duplicates; none if there is no object
};

class CsvReader {
 public:
  // More than 1600 columns of 64 bytes each, all in quotes.
  static constexpr size_t kMaxHeaderSize = 256 * 1024;
  // A little less than what PostgreSQL takes in one value.
  static constexpr size_t kMaxJsonSize = 1000 * 1000 * 1000;

  explicit CsvReader(std::string_view body, const BodyGate& gate);
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  // Reads on for about max_bytes; true when there is nothing left to do.
  bool step(size_t max_bytes);
  // Once, after step() has returned true.
  Result<CsvJson> take();

 private:
  enum class State {
    kField,     // at the start of a field
    kUnquoted,  // inside a field
    kQuoted,    // inside one in quotes
    kHeader,    // making columns of a header that has been read
    kRecord,    // writing a record that has been read
    kDone
  };

  struct Field {
    size_t begin = 0;  // without the quotes
    size_t end = 0;
    bool has_quote = false;  // two of them, which mean one
  };

  struct Column {
    std::string name;
    std::string prefix;         // "name": with the quotes
    size_t next_same_name = 0;  // the next column of that name, or the number of columns
    size_t distinct = 0;        // different names up to this one
  };

  // Each does at most about `budget` bytes of work and returns how many it has done.
  size_t advance(size_t budget);
  size_t begin_field(size_t budget);
  size_t read_unquoted(size_t budget);
  size_t read_quoted(size_t budget);
  size_t add_column();
  size_t write_record(size_t budget);

  void end_field(size_t end);
  void end_record();
  void begin_header();
  void begin_records();
  void begin_record();
  void end_records();
  void begin_writing();
  bool is_blank_line() const;
  size_t write_name(Field& field, size_t budget);
  size_t write_value(Field& field, size_t budget);
  size_t fail(std::string message);

  const std::string_view body_;
  const BodyGate& gate_;
  State state_ = State::kField;
  std::optional<Error> error_;
  size_t at_ = 0;

  bool in_header_ = true;
  size_t records_begin_ = 0;  // behind the header
  std::vector<Column> columns_;
  std::map<std::string_view, size_t> last_column_;  // of each name, while the header is read

  Field field_;                // being read
  std::vector<Field> fields_;  // of the header, or of the record as far as there are columns
  size_t field_count_ = 0;     // of all of it
  bool last_record_ = false;

  size_t first_size_ = 0;  // fields_.size() of the first record; 0: there is none so far
  bool uniform_ = true;
  size_t writing_ = 0;  // the field of the record
  bool in_value_ = false;
  bool first_in_object_ = true;
  bool first_object_ = true;  // in this pass
  std::vector<std::string> names_;
  JsonOutput json_;
};

}  // namespace pgrst
