#include "auth/text_cursor.hpp"

namespace pgrst {

void TextCursor::skip_any_of(std::string_view characters) {
  while (!at_end() && characters.find(text_[at_]) != std::string_view::npos) at_++;
}

bool TextCursor::accept(std::string_view token) {
  if (text_.substr(at_, token.size()) != token) return false;
  at_ += token.size();
  return true;
}

bool TextCursor::expect(std::string_view token) {
  return accept(token) || fail("expected '" + std::string(token) + "'");
}

bool TextCursor::fail(std::string_view complaint) {
  if (!complaint_) {
    complaint_ = std::string(complaint) + " at position " + std::to_string(at_ + 1);
  }
  return false;
}

char32_t next_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  size_t more = 0;
  char32_t c = first;
  if (first >= 0xF0) {
    more = 3;
    c = first & 0x07;
  } else if (first >= 0xE0) {
    more = 2;
    c = first & 0x0F;
  } else if (first >= 0xC0) {
    more = 1;
    c = first & 0x1F;
  }
  size_t used = 1;
  for (; used <= more && used < text.size(); used++) {
    c = (c << 6) | (static_cast<unsigned char>(text[used]) & 0x3F);
  }
  text.remove_prefix(used);
  return c;
}

void append_code_point(std::string& out, char32_t c) {
  const auto byte = [&out](char32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

}  // namespace pgrst
