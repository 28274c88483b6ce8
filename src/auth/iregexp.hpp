// Regular expressions of JSONPath's match() and search(): I-Regexp (RFC 9485).
//
// Input -> output: pattern -> Iregexp, or what is wrong with it; text -> does it match.
// A pattern becomes a program of at most kMaxInstructions, and matching runs all threads of the
// program side by side over the text (Thompson's construction, as in RE2), so that it takes time
// linear in pattern times text: nothing is ever tried again. Patterns and texts can both come from
// a token.
// Beyond the RFC, as in PostgREST and in the test suite of RFC 9535: '^' and '$' stand for the
// start and the end of the text, and a backslash makes any ASCII punctuation mean itself.
// Invariants: immutable once compiled; thread-safe. Patterns and texts are well-formed UTF-8.
// Ownership: holds its program by value; copies nothing of the pattern.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "auth/unicode_category.hpp"

namespace pgrst {

inline constexpr size_t kMaxPatternBytes = 2000;
inline constexpr size_t kMaxInstructions = 4000;
inline constexpr size_t kMaxPatternDepth = 32;

enum class MatchMode {
  kWhole,      // match(): the text from start to end
  kSomewhere,  // search(): any part of it
};

class Iregexp {
 public:
  // The program, or a message with the position of the fault.
  static std::variant<Iregexp, std::string> compile(std::string_view pattern);

  // Takes one off `steps` for every step of a thread and gives up, with steps 0 and false, when
  // they run out.
  bool matches(std::string_view text, MatchMode mode, size_t& steps) const;

  size_t size() const { return program_.size(); }

 private:
  friend class IregexpCompiler;
  friend class IregexpRun;

  Iregexp() = default;

  struct CharSet {
    std::vector<std::pair<char32_t, char32_t>> ranges;  // in order, apart from one another
    CategorySet categories = 0;
    bool negated = false;

    bool has(char32_t c) const;
  };

  enum class Op : uint8_t { kChar, kSet, kSplit, kJump, kStart, kEnd, kAccept };

  struct Instruction {
    Op op = Op::kAccept;
    uint32_t a = 0;  // code point, index of a set, or target
    uint32_t b = 0;  // kSplit: the other target
  };

  std::vector<Instruction> program_;
  std::vector<CharSet> sets_;
};

}  // namespace pgrst
