// Cross-origin resource sharing: what a browser is told about requests from pages of other origins.
//
// Input -> output: a request and the origins that may ask -> the headers that its response gets,
// and whether the request is a preflight, which those headers answer without any further stage.
// Requests without Origin, from an origin that is not allowed, or that ask for what is not
// supported get nothing and go on as usual: it is the browser that enforces the policy
// (docs/references/api/cors). Pure; never an error.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <vector>

#include "core/http_message.hpp"

namespace pgrst {

struct CorsDecision {
  bool is_preflight = false;  // answered by 200, these headers and no body
  Headers headers;
};

// `allowed_origins`: compared byte by byte; none: every origin may ask, but without credentials.
CorsDecision decide_cors(const HttpRequest& request,
                         const std::vector<std::string>& allowed_origins);

}  // namespace pgrst
