#include "app/cors.hpp"

#include <gtest/gtest.h>

#include "fixtures.hpp"

namespace pgrst {
namespace {

using test::request;

constexpr char kMethods[] = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";
constexpr char kExposed[] =
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, "
    "Transfer-Encoding, Range-Unit";

CorsDecision decide(std::string_view method, Headers headers,
                    const std::vector<std::string>& allowed = {}) {
  return decide_cors(request(method, "/items", std::move(headers)), allowed);
}

// What a preflight for these headers allows; "(none)" when it is no preflight.
std::string allowed_headers(std::string_view asked) {
  const CorsDecision d =
      decide("OPTIONS", {{"Origin", "http://a"},
                         {"Access-Control-Request-Method", "POST"},
                         {"Access-Control-Request-Headers", std::string(asked)}});
  const auto* value = find_header(d.headers, "Access-Control-Allow-Headers");
  return value == nullptr ? "(none)" : *value;
}

TEST(Cors, RequestsWithoutOriginGetNothing) {
  EXPECT_TRUE(decide("GET", {}).headers.empty());
  const CorsDecision d = decide("OPTIONS", {{"Access-Control-Request-Method", "POST"}});
  EXPECT_TRUE(d.headers.empty());
  EXPECT_FALSE(d.is_preflight);
}

TEST(Cors, SimpleRequests) {
  const Headers expected = {{"Access-Control-Allow-Origin", "*"},
                            {"Access-Control-Expose-Headers", kExposed}};
  for (const char* method : {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "BREW"}) {
    const CorsDecision d = decide(method, {{"oRIGIN", "http://example.com"}});
    EXPECT_EQ(d.headers, expected) << method;
    EXPECT_FALSE(d.is_preflight) << method;
  }
}

TEST(Cors, Preflight) {
  const CorsDecision d = decide("OPTIONS", {{"Origin", "http://example.com"},
                                            {"Access-Control-Request-Method", "POST"},
                                            {"Access-Control-Request-Headers", "Foo,Bar"}});
  EXPECT_TRUE(d.is_preflight);
  EXPECT_EQ(d.headers,
            (Headers{{"Access-Control-Allow-Origin", "*"},
                     {"Access-Control-Allow-Methods", kMethods},
                     {"Access-Control-Allow-Headers",
                      "Authorization, Foo, Bar, Accept, Accept-Language, Content-Language"},
                     {"Access-Control-Max-Age", "86400"}}));
}

TEST(Cors, PreflightThatAsksForNoHeaders) {
  const CorsDecision d =
      decide("OPTIONS", {{"Origin", "http://a"}, {"Access-Control-Request-Method", "GET"}});
  EXPECT_TRUE(d.is_preflight);
  EXPECT_EQ(find_header(d.headers, "Access-Control-Allow-Headers"), nullptr);
  EXPECT_EQ(d.headers.size(), 3u);
}

TEST(Cors, OptionsThatAreNoPreflightGetNothing) {
  EXPECT_TRUE(decide("OPTIONS", {{"Origin", "http://a"}}).headers.empty());
  for (const char* method : {"post", "BREW", "", "GET, POST", "TRACE"}) {
    const CorsDecision d =
        decide("OPTIONS", {{"Origin", "http://a"}, {"Access-Control-Request-Method", method}});
    EXPECT_FALSE(d.is_preflight) << method;
    EXPECT_TRUE(d.headers.empty()) << method;
  }
}

TEST(Cors, RequestedHeaders) {
  EXPECT_EQ(allowed_headers(""), "Authorization, Accept, Accept-Language, Content-Language");
  EXPECT_EQ(allowed_headers("content-type"),
            "Authorization, content-type, Accept, Accept-Language, Content-Language");
  EXPECT_EQ(allowed_headers(" X-A ,\tX-B "),
            "Authorization, X-A, X-B, Accept, Accept-Language, Content-Language");
  // Those that are allowed anyway stand once, in the spelling of the request.
  EXPECT_EQ(allowed_headers("accept,ACCEPT-language"),
            "Authorization, accept, ACCEPT-language, Content-Language");
  EXPECT_EQ(allowed_headers("authorization"),
            "Authorization, authorization, Accept, Accept-Language, Content-Language");
  EXPECT_EQ(allowed_headers("a,a"),
            "Authorization, a, a, Accept, Accept-Language, Content-Language");
  // Only names before something else are looked at.
  EXPECT_EQ(allowed_headers("a,,b"),
            "Authorization, a, , b, Accept, Accept-Language, Content-Language");
  EXPECT_EQ(allowed_headers("a, b c"),
            "Authorization, a, b c, Accept, Accept-Language, Content-Language");
  EXPECT_EQ(allowed_headers("a b"), "(none)");
  EXPECT_EQ(allowed_headers("a(b)"), "(none)");
}

TEST(Cors, AllowedOrigins) {
  const std::vector<std::string> allowed = {"http://example.com", "http://example2.com"};
  const CorsDecision get = decide("GET", {{"Origin", "http://example2.com"}}, allowed);
  EXPECT_EQ(get.headers, (Headers{{"Access-Control-Allow-Origin", "http://example2.com"},
                                  {"Access-Control-Allow-Credentials", "true"},
                                  {"Access-Control-Expose-Headers", kExposed}}));
  const CorsDecision preflight =
      decide("OPTIONS",
             {{"Origin", "http://example.com"}, {"Access-Control-Request-Method", "PUT"}}, allowed);
  EXPECT_EQ(preflight.headers, (Headers{{"Access-Control-Allow-Origin", "http://example.com"},
                                        {"Access-Control-Allow-Credentials", "true"},
                                        {"Access-Control-Allow-Methods", kMethods},
                                        {"Access-Control-Max-Age", "86400"}}));
}

TEST(Cors, OtherOriginsGetNothing) {
  const std::vector<std::string> allowed = {"http://example.com"};
  for (const char* origin : {"http://invalid.com", "HTTP://example.com", "http://example.com/",
                             "http://example.com:80", "null", "*", ""}) {
    EXPECT_TRUE(decide("GET", {{"Origin", origin}}, allowed).headers.empty()) << origin;
    const CorsDecision d =
        decide("OPTIONS", {{"Origin", origin}, {"Access-Control-Request-Method", "GET"}}, allowed);
    EXPECT_FALSE(d.is_preflight) << origin;
    EXPECT_TRUE(d.headers.empty()) << origin;
  }
}

TEST(Cors, WebSocketsAreNotItsBusiness) {
  EXPECT_TRUE(decide("GET", {{"Origin", "http://a"}, {"Upgrade", "WebSocket"}}).headers.empty());
  EXPECT_FALSE(decide("GET", {{"Origin", "http://a"}, {"Upgrade", "h2c"}}).headers.empty());
}

TEST(Cors, TheFirstOfSeveralHeadersCounts) {
  const std::vector<std::string> allowed = {"http://a"};
  EXPECT_FALSE(
      decide("GET", {{"Origin", "http://a"}, {"Origin", "http://b"}}, allowed).headers.empty());
  EXPECT_TRUE(
      decide("GET", {{"Origin", "http://b"}, {"Origin", "http://a"}}, allowed).headers.empty());
}

}  // namespace
}  // namespace pgrst
