#include "core/proxy_uri.hpp"

#include <gtest/gtest.h>

namespace pgrst {
namespace {

TEST(ProxyUri, Parts) {
  struct Case {
    const char* text;
    ProxyUri uri;
  };
  const Case cases[] = {
      {"http://example.com", {"http", "example.com", 80, "/"}},
      {"https://example.com/", {"https", "example.com", 443, "/"}},
      {"https://example.com:8443/base/path", {"https", "example.com", 8443, "/base/path"}},
      {"HTTPS://Example.COM:1", {"https", "Example.COM", 1, "/"}},
      {"http://10.0.0.1:65535/a%20b", {"http", "10.0.0.1", 65535, "/a%20b"}},
      {"http://[2001:db8::1]:8080/x", {"http", "[2001:db8::1]", 8080, "/x"}},
      {"http://[::1]", {"http", "[::1]", 80, "/"}},
      {"http://a-b_c.d~e/~user/a:b@c;d=e", {"http", "a-b_c.d~e", 80, "/~user/a:b@c;d=e"}},
  };
  for (const auto& c : cases) {
    const auto uri = parse_proxy_uri(c.text);
    ASSERT_TRUE(uri.has_value()) << c.text;
    EXPECT_EQ(*uri, c.uri) << c.text << ": " << uri->host << " " << uri->port << " " << uri->path;
  }
}

TEST(ProxyUri, Malformed) {
  for (const char* text : {"",
                           "example.com",
                           "//example.com",
                           "/path",
                           "http:",
                           "http:/x",
                           "http://",
                           "http:///path",
                           "http://:80/",
                           "ftp://example.com",
                           "http s://x",
                           "http://example.com?query",
                           "http://example.com/?",
                           "http://example.com/#part",
                           "http://example.com#",
                           "http://user@example.com",
                           "http://user:secret@example.com/",
                           "http://example.com:",
                           "http://example.com:0",
                           "http://example.com:65536",
                           "http://example.com:99999999999999999999",
                           "http://example.com:8o",
                           "http://example.com:-1",
                           "http://a b/",
                           "http://a/b c",
                           "http://a/%4",
                           "http://a/%zz",
                           "http://a/{x}",
                           "http://[::1",
                           "http://::1]",
                           "http://[]/",
                           "http://[::1]x/",
                           "http://a\\b",
                           "http://\xc3\xbc/"}) {
    EXPECT_FALSE(parse_proxy_uri(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_proxy_uri(std::string_view("http://a\0b", 10)).has_value());
}

}  // namespace
}  // namespace pgrst
