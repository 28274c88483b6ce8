// A cursor over the text of a setting: what the parsers of auth/ have in common.
//
// Input -> output: UTF-8 text -> characters, one by one, and the first complaint.
// Invariants: after fail() the text counts as refused, whatever is read later; every parser then
// returns false at once. Reading at the end gives NUL and moves nothing.
// Ownership: points into the text, which must outlive it.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pgrst {

class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  size_t position() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }
  std::string_view since(size_t from) const { return text_.substr(from, at_ - from); }

  void advance() { at_ += at_end() ? 0 : 1; }
  void rewind(size_t to) { at_ = to; }
  void skip_any_of(std::string_view characters);

  // Moves behind `token` if the text goes on with it.
  bool accept(std::string_view token);

  // accept(), or a complaint.
  bool expect(std::string_view token);

  // Notes what is wrong here, unless something was already. Always false.
  bool fail(std::string_view complaint);

  // "<what> at position <n>", counted in bytes from 1.
  const std::optional<std::string>& complaint() const { return complaint_; }

 private:
  std::string_view text_;
  size_t at_ = 0;
  std::optional<std::string> complaint_;
};

// The code point at the start of well-formed, non-empty UTF-8; moves `text` behind it.
char32_t next_code_point(std::string_view& text);

void append_code_point(std::string& out, char32_t c);

}  // namespace pgrst
