#include "app/access_log.hpp"

namespace pgrst {

namespace {

constexpr size_t kMaxField = 4096;  // bytes, before escapes

void append_escaped(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text.substr(0, kMaxField)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || byte < 0x20 || byte >= 0x7F) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  if (text.size() > kMaxField) out += "...";
}

}  // namespace

bool is_logged(LogLevel level, int status) {
  switch (level) {
    case LogLevel::kCrit:
      return false;
    case LogLevel::kError:
      return status >= 500;
    case LogLevel::kWarn:
      return status >= 400;
    case LogLevel::kInfo:
    case LogLevel::kDebug:
      return true;
  }
  return false;
}

void append_access_line(std::string& out, const AccessEntry& entry) {
  out.append(entry.client).append(" - ");
  append_escaped(out, entry.role.empty() ? "-" : entry.role);
  out.append(" [").append(entry.time).append("] \"");
  append_escaped(out, entry.method);
  out += ' ';
  append_escaped(out, entry.target);
  out += ' ';
  append_escaped(out, entry.version);
  out.append("\" ").append(std::to_string(entry.status));
  out.append(" ").append(std::to_string(entry.body_size)).append(" \"");
  append_escaped(out, entry.referer);
  out += "\" \"";
  append_escaped(out, entry.user_agent);
  out += '"';
}

}  // namespace pgrst
