// The URI that clients reach the server under when a proxy stands before it.
//
// Input -> output: the text of pgrst.openapi_server_proxy_uri -> its parts, or nothing when it is
// no URI as PostgREST takes it: absolute, http or https, with a host; without user, query and
// fragment (RFC 3986, docs/references/configuration.rst).
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pgrst {

struct ProxyUri {
  std::string scheme;  // in lower case
  std::string host;    // an IPv6 address in its brackets
  int port = 0;        // the scheme's own if the text has none
  std::string path;    // "/" if the text has none

  bool operator==(const ProxyUri&) const = default;
};

std::optional<ProxyUri> parse_proxy_uri(std::string_view text);

}  // namespace pgrst
