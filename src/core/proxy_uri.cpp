#include "core/proxy_uri.hpp"

#include "core/text.hpp"

namespace pgrst {

namespace {

// unreserved / sub-delims of RFC 3986.
bool is_plain(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
}

// Plain characters, those of `more`, and percent-encoded bytes.
bool consists_of(std::string_view text, std::string_view more) {
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
        return false;
      }
      i += 2;
    } else if (!is_plain(text[i]) && more.find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool is_host(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() != '[') return consists_of(text, "");
  if (text.size() < 3 || text.back() != ']') return false;
  for (const char c : text.substr(1, text.size() - 2)) {
    if (!is_plain(c) && c != ':') return false;
  }
  return true;
}

// Where ":port" begins, or the end. The colons within an IPv6 address are the host's.
size_t host_length(std::string_view authority) {
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return colon == std::string_view::npos ? authority.size() : colon;
}

std::optional<int> parse_port(std::string_view text) {
  const auto port = parse_unsigned(text);
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return static_cast<int>(*port);
}

}  // namespace

// EBNF: uri = scheme "://" host [ ":" port ] path
std::optional<ProxyUri> parse_proxy_uri(std::string_view text) {
  ProxyUri uri;
  const size_t slashes = text.find("://");
  if (slashes == std::string_view::npos) return std::nullopt;
  uri.scheme = to_lower_ascii(text.substr(0, slashes));
  if (uri.scheme != "http" && uri.scheme != "https") return std::nullopt;
  text.remove_prefix(slashes + 3);
  const auto authority = text.substr(0, text.find_first_of("/?#"));
  const auto path = text.substr(authority.size());
  const size_t host = host_length(authority);
  uri.host = authority.substr(0, host);
  uri.path = path.empty() ? "/" : path;
  if (!is_host(uri.host) || !consists_of(path, "/:@")) return std::nullopt;
  uri.port = uri.scheme == "http" ? 80 : 443;
  if (host < authority.size()) {
    const auto port = parse_port(authority.substr(host + 1));
    if (!port) return std::nullopt;
    uri.port = *port;
  }
  return uri;
}

}  // namespace pgrst
