#include "api_request/parsec.hpp"

#include <algorithm>

namespace pgrst::parsec {

void Trace<true>::merge(Trace& later) {
  if (later.unknown() && !unknown()) return;
  if ((unknown() && !later.unknown()) || later.position_ > position_) {
    std::swap(*this, later);
  } else if (later.position_ == position_) {
    messages_.insert(messages_.end(), later.messages_.begin(), later.messages_.end());
  }
}

void Trace<true>::relabel(std::string_view text) {
  std::erase_if(messages_, [](const Message& m) { return m.kind == MessageKind::kExpect; });
  messages_.push_back(expect_text(text));
}

CodePoint decode_at(std::string_view text, size_t position) {
  const auto byte = [&](size_t i) -> char32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) & 0x3F : 0;
  };
  const auto lead = static_cast<unsigned char>(text[position]);
  const size_t left = text.size() - position;
  if (lead < 0xC0) return {lead, 1};
  if (lead < 0xE0) {
    return {static_cast<char32_t>((lead & 0x1F) << 6) | byte(position + 1),
            std::min<size_t>(2, left)};
  }
  if (lead < 0xF0) {
    return {
        static_cast<char32_t>((lead & 0x0F) << 12) | byte(position + 1) << 6 | byte(position + 2),
        std::min<size_t>(3, left)};
  }
  return {static_cast<char32_t>((lead & 0x07) << 18) | byte(position + 1) << 12 |
              byte(position + 2) << 6 | byte(position + 3),
          std::min<size_t>(4, left)};
}

namespace {

// One character inside a Haskell literal that `quote` delimits (Prelude's show of Char and String).
void append_literal_char(std::string& out, char32_t c, char quote) {
  static constexpr std::string_view kControls[] = {
      "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "a",   "b",   "t",   "n",
      "v",   "f",   "r",   "SO",  "SI",  "DLE", "DC1", "DC2", "DC3", "DC4", "NAK",
      "SYN", "ETB", "CAN", "EM",  "SUB", "ESC", "FS",  "GS",  "RS",  "US"};
  if (c > 0x7F) {
    out += '\\';
    out += std::to_string(static_cast<uint32_t>(c));
  } else if (c == 0x7F) {
    out += "\\DEL";
  } else if (c < 0x20) {
    out += '\\';
    out += kControls[c];
  } else {
    const char ascii = static_cast<char>(c);
    if (ascii == '\\' || ascii == quote) out += '\\';
    out += ascii;
  }
}

std::string render(const Message& message) {
  std::string out;
  switch (message.form) {
    case MessageForm::kText:
      return std::string(message.text);
    case MessageForm::kShowText:
      out += '"';
      for (const char c : message.text)
        append_literal_char(out, static_cast<unsigned char>(c), '"');
      out += '"';
      break;
    case MessageForm::kShowAsString:
      out += '"';
      append_literal_char(out, message.code_point, '"');
      out += '"';
      break;
    case MessageForm::kShowAsChar:
      out += '\'';
      append_literal_char(out, message.code_point, '\'');
      out += '\'';
      break;
  }
  return out;
}

// The messages of one kind, without repetitions.
std::vector<std::string> rendered(const Trace<true>& trace, MessageKind kind) {
  std::vector<std::string> out;
  for (const Message& message : trace.messages()) {
    if (message.kind != kind) continue;
    std::string text = render(message);
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
  }
  return out;
}

// "a, b or c"
std::string enumerate(const std::vector<std::string>& items) {
  std::string out;
  for (size_t i = 0; i < items.size(); i++) {
    if (i > 0) out += i + 1 == items.size() ? " or " : ", ";
    out += items[i];
  }
  return out;
}

}  // namespace

std::string show_position(std::string_view text, size_t position) {
  size_t line = 1;
  size_t column = 1;
  for (size_t i = 0; i < position && i < text.size(); i += decode_at(text, i).length) {
    if (text[i] == '\n') {
      line++;
      column = 1;
    } else if (text[i] == '\t') {
      column += 8 - (column - 1) % 8;
    } else {
      column++;
    }
  }
  return "(line " + std::to_string(line) + ", column " + std::to_string(column) + ")";
}

std::string show_messages(const Trace<true>& trace) {
  if (trace.unknown()) return "unknown parse error";
  const auto by_system = rendered(trace, MessageKind::kSysUnexpect);
  const auto unexpected = rendered(trace, MessageKind::kUnexpect);
  const auto expected = rendered(trace, MessageKind::kExpect);
  std::string out;
  if (!unexpected.empty()) {
    out = "unexpected " + enumerate(unexpected);
  } else if (!by_system.empty()) {
    out = "unexpected " + (by_system[0].empty() ? "end of input" : by_system[0]);
  }
  if (!expected.empty()) {
    if (!out.empty()) out += ' ';
    out += "expecting " + enumerate(expected);
  }
  return out;
}

}  // namespace pgrst::parsec
