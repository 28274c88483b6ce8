// Approximate name search, for the "Perhaps you meant" hints.
//
// Input -> output: a set of names, a misspelt one -> the names most like it, best first.
// Behaves as the Haskell package fuzzyset 0.2.4 with its defaults (grams of 2 and 3 characters,
// Levenshtein scores), which is what PostgREST's hints come from. Differences: letter case and
// letters are known for ASCII, Latin-1, Greek and Cyrillic only, and texts over
// kMaxFuzzyCharacters are found only by exact match.
// Invariants: of names that differ in case alone one is reported: the lower-case one, else the
// last. A search costs the grams in common, then at most 50 edit distances.
// Ownership: owns its names. Searching is const and needs no lock.
#pragma once

#include "core/before_postgres.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgrst {

inline constexpr size_t kMaxFuzzyCharacters = 512;

// The score that PostgREST asks of tables and functions, and of everything else.
inline constexpr double kNameMinScore = 0.75;
inline constexpr double kDefaultMinScore = 0.33;

class FuzzySet {
 public:
  // Among equally good matches the order of adding decides; PostgREST adds its lists from the end.
  void add(std::string_view name);

  // The best match with a score of at least min_score.
  std::optional<std::string> get_one(std::string_view value,
                                     double min_score = kDefaultMinScore) const;

  // All matches with a score of at least min_score, best first. Scores are in [0, 1]; 1 is equality
  // but for case, and then the only match.
  std::vector<std::pair<double, std::string>> get(std::string_view value,
                                                  double min_score = kDefaultMinScore) const;

  bool empty() const { return exact_.empty(); }

 private:
  static constexpr size_t kMinGramSize = 2;
  static constexpr size_t kGramSizes = 2;

  struct Posting {
    uint32_t item = 0;
    uint32_t count = 0;
  };

  // The names seen as vectors over grams of one size. Items have the same numbers in all indexes.
  struct GramIndex {
    std::unordered_map<uint64_t, std::vector<Posting>> postings;
    std::vector<double> magnitudes;
  };

  std::vector<std::pair<double, std::string>> search(std::u32string_view key, size_t size_index,
                                                     double min_score) const;

  std::unordered_map<std::u32string, std::string> exact_;  // lower-case name -> name as added
  std::vector<std::u32string> items_;                      // lower-case names
  std::array<GramIndex, kGramSizes> indexes_;
};

}  // namespace pgrst
