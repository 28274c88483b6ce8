#include "response/openapi_names.hpp"

#include <algorithm>
#include <unordered_set>

namespace pgrst {

namespace {

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_word(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_word_byte);
}

// Takes one character off the front of well-formed UTF-8; of anything else one byte.
uint32_t take_character(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size == 1 || size > text.size()) {
    text.remove_prefix(1);
    return lead;
  }
  uint32_t value = lead & (0x7FU >> size);
  for (size_t i = 1; i < size; i++) value = value << 6U | (byte(i) & 0x3FU);
  text.remove_prefix(size);
  return value;
}

void append_hex(std::string& out, uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = value > 0xFFFF ? 20 : 12; shift >= 0; shift -= 4) {
    out += kDigits[value >> static_cast<unsigned>(shift) & 0xFU];
  }
}

// The word, or with the first number from 2 on that makes it new.
std::string claim(std::string word, std::unordered_set<std::string>& taken,
                  std::unordered_map<std::string, int>& last_numbers) {
  if (taken.insert(word).second) return word;
  int& number = last_numbers.try_emplace(word, 1).first->second;
  for (;;) {
    std::string numbered = word + "_" + std::to_string(++number);
    if (taken.insert(numbered).second) return numbered;
  }
}

}  // namespace

std::string to_word(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const uint32_t c = take_character(name);
    if (c >= 0x80) {
      out += 'u';
      append_hex(out, c);
    } else {
      const char ascii = static_cast<char>(c);
      out += is_word_byte(ascii) ? ascii : '_';
    }
  }
  return out.empty() ? "_" : out;
}

std::vector<std::string> unique_words(const std::vector<std::string_view>& names) {
  std::vector<std::string> words(names.begin(), names.end());
  if (std::all_of(names.begin(), names.end(), is_word)) return words;
  std::unordered_set<std::string> taken;
  for (const auto name : names) {
    if (is_word(name)) taken.emplace(name);
  }
  std::unordered_map<std::string, int> last_numbers;
  for (auto& word : words) {
    if (!is_word(word)) word = claim(to_word(word), taken, last_numbers);
  }
  return words;
}

OpenApiNames::OpenApiNames(const ApiDescription& api) {
  std::vector<std::string_view> names;
  names.reserve(api.tables.size());
  for (const auto* table : api.tables) {
    places_.emplace(table, names.size());
    names.push_back(table->id.name);
  }
  tables_ = unique_words(names);
  names.clear();
  for (const auto* routine : api.routines) names.push_back(routine->id.name);
  routines_ = unique_words(names);
}

const std::string* OpenApiNames::find(const Table* table) const {
  const auto it = places_.find(table);
  return it == places_.end() ? nullptr : &tables_[it->second];
}

}  // namespace pgrst
