#include "http/request_head.hpp"

#include <algorithm>
#include <cstring>

#include "core/text.hpp"

namespace pgrst::http {

namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alphanumeric(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

bool has_prefix(std::string_view text, std::string_view prefix) {
  return text.size() > prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// origin-form, absolute-form, authority-form of CONNECT or "*" of OPTIONS. Bytes beyond ASCII are
// no part of a URL, but sent.
bool is_target(std::string_view method, std::string_view target) {
  const auto is_bad = [](char c) { return is_control(c) || c == ' '; };
  if (target.empty() || std::any_of(target.begin(), target.end(), is_bad)) return false;
  if (target[0] == '/') return true;
  if (target == "*") return method == "OPTIONS";
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!has_prefix(target, scheme)) continue;
    const std::string_view rest = target.substr(scheme.size());
    return is_host(rest.substr(0, rest.find_first_of("/?"))) && rest[0] != '/' && rest[0] != '?';
  }
  return method == "CONNECT" && is_host(target);
}

}  // namespace

Fault fault_of_line(std::string_view method, std::string_view target, std::string_view version) {
  if (!is_token(method)) return "the method is no token";
  if (!is_target(method, target)) return "the request target is none";
  const bool is_version = version.size() == 8 && version.substr(0, 7) == "HTTP/1." &&
                          version[7] >= '0' && version[7] <= '9';
  if (!is_version) return "the version is none";
  return std::nullopt;
}

// uri-host [ ":" port ]; uri-host = "[" address "]" / name (RFC 3986, 3.2.2)
bool is_host(std::string_view value) {
  static constexpr std::string_view kOthers = "-._~%!$&'()*+,;=";
  size_t end = 0;
  if (!value.empty() && value[0] == '[') {
    end = value.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    const auto inside = value.substr(1, end - 1);
    if (!std::all_of(inside.begin(), inside.end(), [](char c) {
          return is_alphanumeric(c) || c == ':' || c == '.' || c == '%' || c == '-' || c == '_';
        })) {
      return false;
    }
    end++;
  } else {
    while (end < value.size() &&
           (is_alphanumeric(value[end]) || kOthers.find(value[end]) != std::string_view::npos)) {
      end++;
    }
    // A list of hosts is none.
    if (value.substr(0, end).find(',') != std::string_view::npos) return false;
  }
  if (end == value.size()) return true;
  const auto port = value.substr(end);
  return port[0] == ':' &&
         std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Fault fault_of_headers(const Headers& headers, std::string_view version) {
  size_t hosts = 0;
  for (const auto& header : headers) {
    if (!is_token(header.name)) return "the name of a header is no token";
    const auto is_bad = [](char c) { return is_control(c) && c != '\t'; };
    if (std::any_of(header.value.begin(), header.value.end(), is_bad)) {
      return "a header has a control character";
    }
    if (!equals_ignoring_case(header.name, "Host")) continue;
    hosts++;
    if (!is_host(header.value)) return "Host is no name of a host";
  }
  if (hosts > 1) return "it has more than one Host";
  if (hosts == 0 && version != "HTTP/1.0") return "it has no Host";
  return std::nullopt;
}

Fault fault_of_length(const Headers& headers, std::string_view version) {
  const std::string* length = nullptr;
  const std::string* encoding = nullptr;
  for (const auto& header : headers) {
    if (equals_ignoring_case(header.name, "Content-Length")) {
      if (length != nullptr && *length != header.value) return "it has two lengths";
      length = &header.value;
    } else if (equals_ignoring_case(header.name, "Transfer-Encoding")) {
      if (encoding != nullptr || !equals_ignoring_case(header.value, "chunked")) {
        return "its transfer coding is not \"chunked\"";
      }
      encoding = &header.value;
    }
  }
  if (length != nullptr && encoding != nullptr) return "it has a length and a transfer coding";
  if (length != nullptr && !parse_unsigned(*length)) return "its length is no number";
  if (encoding != nullptr && version == "HTTP/1.0") return "HTTP/1.0 knows no transfer coding";
  return std::nullopt;
}

namespace {

// Walks through a head from part to part.
class HeadWalk {
 public:
  explicit HeadWalk(const HeadBytes& head) : at_(head.begin), end_(head.begin + head.size) {}

  // Whether the next part is there, and its text; it ends before the next NUL.
  bool part(const char* begin, size_t size) {
    if (begin != at_ || size > left()) return false;
    at_ += size;
    return true;
  }
  // Whether one NUL comes next, and no second one unless that is the start of an empty part.
  bool separator(size_t count) {
    for (size_t i = 0; i < count; i++, at_++) {
      if (left() == 0 || *at_ != '\0') return false;
    }
    return true;
  }
  void skip_blanks() {
    while (left() > 0 && (*at_ == ' ' || *at_ == '\t')) at_++;
  }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  // Bytes to the next NUL.
  size_t next_size() const { return strnlen(at_, left()); }

 private:
  const char* at_;
  const char* end_;
};

constexpr size_t kLineEnd = 2;  // CR and LF

}  // namespace

Fault fault_of_bytes(const HeadBytes& head) {
  constexpr std::string_view kFault = "its lines are not those of HTTP";
  HeadWalk walk(head);
  if (!walk.part(head.begin, walk.next_size()) || !walk.separator(1)) return kFault;
  // The target has been split since, where a '?' and '&' were.
  if (!walk.part(head.target, head.target_size) || !walk.separator(1)) return kFault;
  if (!walk.part(head.version, walk.next_size()) || !walk.separator(kLineEnd)) return kFault;
  for (const auto& field : head.fields) {
    if (!walk.part(field.name, walk.next_size()) || !walk.separator(1)) return kFault;
    walk.skip_blanks();
    if (!walk.part(field.value, walk.next_size()) || !walk.separator(kLineEnd)) return kFault;
  }
  if (!walk.separator(kLineEnd) || walk.left() != 0) return kFault;
  return std::nullopt;
}

}  // namespace pgrst::http
