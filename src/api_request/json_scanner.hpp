// A validator of one JSON text that collects the member names at its top, and can be interrupted.
//
// Input -> output: well-formed UTF-8 (the caller has checked it) -> valid or not; what the top is;
// the names of the object at the top, or of the objects in the array at the top, and whether all
// of these have the same ones.
//
// It is ours because a body may have hundreds of megabytes, no turn of the gateway may take longer
// than 20 ms, and a reader that builds a tree can neither stop on the way nor do without a multiple
// of the text in memory; and because simdjson's DOM refuses integers beyond 64 bits, which numeric
// columns take.
//
// Invariants: accepts what RFC 8259 allows and nothing else, but for two bounds: at most kMaxDepth
// levels, and no escape of half a surrogate pair, which is no character. Work is linear in the
// text but for names in an order of their own, which are looked up. Memory grows with the names of
// one object only, and no further than name_bounds.hpp says: beyond it names are neither collected
// nor compared. Whatever the size of the steps, the result is the same.
// Ownership: the text outlives the scanner. Pure; not thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgrst {

class JsonScanner {
 public:
  enum class Top { kObject, kArray, kOther };
  static constexpr size_t kMaxDepth = 1000;

  // What happens when there are more names than can be of use, or too long a one: the rest is only
  // checked; or not even that, and counts as valid.
  enum class OnExcess { kCheck, kStop };

  explicit JsonScanner(std::string_view text, OnExcess on_excess = OnExcess::kCheck);
  JsonScanner(const JsonScanner&) = delete;
  JsonScanner& operator=(const JsonScanner&) = delete;

  // Reads on, and returns true when there is nothing left to do. Takes about as long as reading
  // max_bytes of plain text does: names that have to be looked up count for more than their bytes.
  bool step(size_t max_bytes);

  // When step() has returned true:
  bool valid() const { return valid_; }
  // When valid:
  Top top() const { return top_; }
  size_t elements() const { return elements_; }                    // of an array at the top
  bool all_objects() const { return all_objects_; }                // its elements
  bool same_names() const { return all_objects_ && same_names_; }  // true for an object at the top
  bool has_excess() const { return has_excess_; }
  // The names, sorted and without duplicates; none unless same_names(). If has_excess(), the first
  // ones, and among them one that is too long, shortened, or one too many. Once.
  std::vector<std::string> take_names();

 private:
  enum class State : uint8_t {
    kValue,           // a value comes
    kFirstElement,    // a value or ']'
    kFirstName,       // a name or '}'
    kName,            // a name
    kColon,           // ':'
    kAfterValue,      // what may follow a value where it stands
    kInteger,         // inside the digits of a number, of which one has been read
    kFraction,        // ... of its fraction
    kExponent,        // ... of its exponent
    kInString,        // inside a string
    kInName,          // inside a name that is not collected
    kInCollectedName  // inside one that is
  };

  // A name that the first object has.
  struct Known {
    std::string_view raw;   // as it was written there, without the quotes
    Known* next = nullptr;  // the one that follows it there
    size_t seen_in = 0;     // the last object that has it, counted from 1
  };

  // These take the place to read from and return the place behind what they have read, or nullptr
  // if the text is invalid.
  const char* read(const char* at);
  const char* read_token(const char* at);
  const char* read_value(const char* at);
  const char* read_digits(const char* at);
  const char* read_string(const char* at);
  const char* read_collected_name(const char* at);
  const char* read_escape(const char* at, uint32_t& code_point) const;
  const char* read_hex(const char* at, uint32_t& value) const;
  const char* open(const char* at, bool object);
  const char* close(const char* at, bool object);
  const char* begin_name(const char* at);

  void add_to_name(const char* run_end);
  void end_name(std::string_view raw);
  void see(Known& known);
  void compare_names_of_object();
  void stop_collecting();
  void charge(size_t cost, const char* at);
  void end_in_excess(std::string_view name);
  bool at_names_level() const { return depth_ == names_depth_; }
  bool in_object() const { return (levels_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64) & 1) != 0; }
  bool may_end() const;

  const char* at_;
  const char* limit_ = nullptr;  // of the current step, and what it may take beyond the end
  size_t left_over_ = 0;
  const char* const end_;
  State state_ = State::kValue;
  const OnExcess on_excess_;
  bool has_excess_ = false;
  bool stopped_ = false;
  bool valid_ = false;

  // The containers around at_: one bit each, set for an object.
  std::array<uint64_t, (kMaxDepth + 63) / 64> levels_{};
  size_t depth_ = 0;

  Top top_ = Top::kOther;
  size_t elements_ = 0;
  bool all_objects_ = true;
  bool same_names_ = true;

  size_t names_depth_ = 0;  // of the objects whose names are collected; 0: of none, or no more
  std::map<std::string, Known, std::less<>> known_;
  Known* first_known_ = nullptr;
  Known* last_known_ = nullptr;
  Known* expected_ = nullptr;   // the name that comes next if this object is like the first
  size_t object_ = 0;           // the number of this object
  size_t names_of_object_ = 0;  // how many different ones it has so far
  const char* name_begin_ = nullptr;
  const char* run_begin_ = nullptr;  // of the bytes behind the last escape
  bool name_has_escape_ = false;
  std::string unescaped_;  // the name up to run_begin_, if it has an escape; of a long one a part
};

}  // namespace pgrst
