#include "schema_cache/fuzzy_set.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/text.hpp"

namespace pgrst {

// How a search goes. A text is put in lower case, stripped of all but letters, digits, white space
// and commas, and enclosed in '-'; its substrings of n characters, with how often each occurs, are
// a sparse vector. Names are ranked by the cosine between their vector and the searched text's.
// That ranking only selects: of the best 50, the score is 1 - d / m, d the Levenshtein distance of
// the two lower-case texts and m the length of the longer one. First n = 3 is tried, then, if
// nothing reaches the minimum score, n = 2.

namespace {

constexpr size_t kMaxCandidates = 50;

using GramCounts = std::unordered_map<uint64_t, uint32_t>;

char32_t to_lower(char32_t c) {
  if (c >= U'A' && c <= U'Z') return c + 32;
  if (c < 0xC0) return c;
  if (c <= 0xDE && c != 0xD7) return c + 32;                  // Latin-1
  if (c >= 0x391 && c <= 0x3AB && c != 0x3A2) return c + 32;  // Greek
  if (c >= 0x410 && c <= 0x42F) return c + 32;                // Cyrillic
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

// Beyond Latin-1, everything but general punctuation and symbols counts as a letter.
bool is_word_character(char32_t c) {
  if (c < 0x80) {
    return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9') ||
           c == U' ' || c == U',' || (c >= U'\t' && c <= U'\r');
  }
  if (c < 0xC0) {
    return c == 0xA0 || c == 0xAA || c == 0xB2 || c == 0xB3 || c == 0xB5 || c == 0xB9 ||
           c == 0xBA || (c >= 0xBC && c <= 0xBE);
  }
  return c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x2190 && c <= 0x2BFF);
}

// `text` is well-formed UTF-8.
std::u32string decode(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
      c = (c << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
    }
    out += c;
    at += length;
  }
  return out;
}

std::u32string lower_case(std::u32string text) {
  std::transform(text.begin(), text.end(), text.begin(), to_lower);
  return text;
}

GramCounts count_grams(std::u32string_view lower, size_t size) {
  std::u32string enclosed = U"-";
  std::copy_if(lower.begin(), lower.end(), std::back_inserter(enclosed), is_word_character);
  enclosed += U'-';
  GramCounts counts;
  for (size_t at = 0; at + size <= enclosed.size(); at++) {
    uint64_t gram = 0;
    for (size_t i = 0; i < size; i++) gram = (gram << 21) | enclosed[at + i];
    counts[gram]++;
  }
  return counts;
}

double magnitude(const GramCounts& counts) {
  uint64_t sum = 0;
  for (const auto& [gram, count] : counts) sum += uint64_t{count} * count;
  return std::sqrt(static_cast<double>(sum));
}

size_t edit_distance(std::u32string_view a, std::u32string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); j++) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// Levenshtein distances from one text. Up to kWord characters of it are compared at once, as bits
// of a word: G. Myers, A Fast Bit-Vector Algorithm for Approximate String Matching (1999), in the
// form of H. Hyyro for distances of whole texts.
class EditDistances {
 public:
  explicit EditDistances(std::u32string_view from) : from_(from) {
    if (from.size() > kWord) return;
    for (size_t i = 0; i < from.size(); i++) places_[from[i]] |= uint64_t{1} << i;
  }

  std::u32string_view from() const { return from_; }

  size_t to(std::u32string_view text) const {
    if (from_.empty()) return text.size();
    if (from_.size() > kWord) return edit_distance(from_, text);
    const uint64_t last = uint64_t{1} << (from_.size() - 1);
    // Bit i: the distance grows, or falls, from row i to row i + 1 of the column.
    uint64_t grows = ~uint64_t{0}, falls = 0;
    size_t distance = from_.size();
    for (const char32_t c : text) {
      const auto at = places_.find(c);
      const uint64_t equal = at == places_.end() ? 0 : at->second;
      const uint64_t diagonal = (((equal & grows) + grows) ^ grows) | equal | falls;
      uint64_t grows_right = falls | ~(diagonal | grows);
      uint64_t falls_right = diagonal & grows;
      if ((grows_right & last) != 0) distance++;
      if ((falls_right & last) != 0) distance--;
      grows_right = (grows_right << 1) | 1;
      falls_right <<= 1;
      grows = falls_right | ~(diagonal | grows_right);
      falls = grows_right & diagonal;
    }
    return distance;
  }

 private:
  static constexpr size_t kWord = 64;

  std::u32string_view from_;
  std::unordered_map<char32_t, uint64_t> places_;  // where it stands in the text
};

// 1 - distance / longer length, or 0 when that is certainly below min_score.
double similarity(const EditDistances& a, std::u32string_view b, double min_score) {
  const size_t length = a.from().size();
  const size_t longer = std::max(length, b.size());
  if (longer == 0) return 1;
  const size_t shorter = std::min(length, b.size());
  const auto of_longer = [longer](size_t n) {
    return static_cast<double>(n) / static_cast<double>(longer);
  };
  // The distance is at least the difference in length.
  if (of_longer(shorter) < min_score) return 0;
  return of_longer(longer - a.to(b));
}

// The order in which the original walks a hash map of item numbers, five bits at a time from the
// lowest: it decides between equal scores.
bool walks_before(uint32_t a, uint32_t b) {
  for (; a != 0 || b != 0; a >>= 5, b >>= 5) {
    if ((a & 31) != (b & 31)) return (a & 31) < (b & 31);
  }
  return false;
}

}  // namespace

void FuzzySet::add(std::string_view name) {
  const std::string text = to_valid_utf8(name);
  std::u32string lower = lower_case(decode(text));
  const auto [entry, is_new] = exact_.try_emplace(lower, text);
  if (!is_new) {
    // As in the original, a name that is its own lower-case form stays; any other gives way.
    if (decode(entry->second) != lower) entry->second = text;
    return;
  }
  const auto item = static_cast<uint32_t>(items_.size());
  for (size_t i = 0; i < kGramSizes; i++) {
    const GramCounts counts =
        lower.size() > kMaxFuzzyCharacters ? GramCounts() : count_grams(lower, kMinGramSize + i);
    for (const auto& [gram, count] : counts) {
      indexes_[i].postings[gram].push_back(Posting{item, count});
    }
    indexes_[i].magnitudes.push_back(magnitude(counts));
  }
  items_.push_back(std::move(lower));
}

std::vector<std::pair<double, std::string>> FuzzySet::search(std::u32string_view key,
                                                             size_t size_index,
                                                             double min_score) const {
  const GramIndex& index = indexes_[size_index];
  const GramCounts counts = count_grams(key, kMinGramSize + size_index);
  std::vector<uint64_t> products(items_.size(), 0);
  std::vector<uint32_t> candidates;
  for (const auto& [gram, count] : counts) {
    const auto found = index.postings.find(gram);
    if (found == index.postings.end()) continue;
    for (const Posting& posting : found->second) {
      if (products[posting.item] == 0) candidates.push_back(posting.item);
      products[posting.item] += uint64_t{count} * posting.count;
    }
  }
  const double key_magnitude = magnitude(counts);
  std::sort(candidates.begin(), candidates.end(), walks_before);
  std::vector<std::pair<double, uint32_t>> ranked;  // by cosine
  ranked.reserve(candidates.size());
  for (const uint32_t item : candidates) {
    ranked.emplace_back(
        static_cast<double>(products[item]) / (key_magnitude * index.magnitudes[item]), item);
  }
  const auto is_better = [](const auto& a, const auto& b) { return a.first > b.first; };
  std::stable_sort(ranked.begin(), ranked.end(), is_better);
  if (ranked.size() > kMaxCandidates) ranked.resize(kMaxCandidates);

  const EditDistances distances(key);
  std::vector<std::pair<double, std::string>> matches;
  for (const auto& [cosine, item] : ranked) {
    const double score = similarity(distances, items_[item], min_score);
    if (score >= min_score) matches.emplace_back(score, exact_.at(items_[item]));
  }
  std::stable_sort(matches.begin(), matches.end(), is_better);
  return matches;
}

std::vector<std::pair<double, std::string>> FuzzySet::get(std::string_view value,
                                                          double min_score) const {
  const std::u32string key = lower_case(decode(to_valid_utf8(value)));
  const auto exact = exact_.find(key);
  if (exact != exact_.end()) return {{1.0, exact->second}};
  if (key.size() > kMaxFuzzyCharacters) return {};
  for (size_t i = kGramSizes; i-- > 0;) {
    std::vector<std::pair<double, std::string>> matches = search(key, i, min_score);
    if (!matches.empty()) return matches;
  }
  return {};
}

std::optional<std::string> FuzzySet::get_one(std::string_view value, double min_score) const {
  std::vector<std::pair<double, std::string>> matches = get(value, min_score);
  if (matches.empty()) return std::nullopt;
  return std::move(matches.front().second);
}

}  // namespace pgrst
