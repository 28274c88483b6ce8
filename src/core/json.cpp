#include "core/json.hpp"

#include "core/text.hpp"

namespace pgrst {

namespace {

void append_escape(std::string& out, unsigned char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  for (;;) {
    const size_t plain = plain_json_length(text);
    out.append(text, 0, plain);
    if (plain == text.size()) return;
    append_escape(out, static_cast<unsigned char>(text[plain]));
    text.remove_prefix(plain + 1);
  }
}

size_t json_escaped_size(std::string_view text) {
  size_t size = text.size();
  for (;;) {
    text.remove_prefix(plain_json_length(text));
    if (text.empty()) return size;
    const char c = text.front();
    const bool is_short = c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t';
    size += is_short ? 1 : 5;
    text.remove_prefix(1);
  }
}

void append_json_string(std::string& out, std::string_view text) {
  if (!is_valid_utf8(text)) {
    append_json_string(out, to_valid_utf8(text));
    return;
  }
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

}  // namespace pgrst
