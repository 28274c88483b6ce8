// ApiDescription -> the document that a GET of the root answers: Swagger 2.0, as PostgREST has it
// (swagger20.hpp), or OpenAPI 3.1 (openapi31.hpp).
//
// The document of a large schema is far larger than the schema cache that it is written from: it is
// written piece by piece, a table or function at a time, and need not be held as a whole.
#pragma once

#include "core/before_postgres.hpp"

#include <memory>
#include <string>

#include "core/config.hpp"
#include "core/http_message.hpp"
#include "response/api_description.hpp"

namespace pgrst {

// What the document says of the server.
struct ApiServer {
  ProxyUri uri;
  bool wants_jwt = false;

  // Of OpenAPI 3.1 alone.
  bool is_reachable = false;   // clients can reach it by `uri`: that names a host
  bool serves_anyone = false;  // without a JWT
  bool tx_override = false;    // requests may say whether they commit
  std::string profile;         // what requests have to ask for to get this schema; empty: nothing
};
ApiServer api_server(const Config& config, const std::string& schema);

std::unique_ptr<BodyPieces> write_openapi(ApiDescription api, ApiServer server,
                                          OpenApiVersion version);

}  // namespace pgrst
