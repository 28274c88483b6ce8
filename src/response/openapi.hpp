// ApiDescription -> the Swagger 2.0 document that a GET of the root answers
// (docs/references/api/openapi.rst).
//
// The document of a large schema is far larger than the schema cache that it is written from: it is
// written piece by piece, a table or function at a time, and need not be held as a whole.
#pragma once

#include "core/before_postgres.hpp"

#include <memory>
#include <string_view>

#include "core/config.hpp"
#include "core/http_message.hpp"
#include "response/api_description.hpp"

namespace pgrst {

// What the document says of the server.
struct ApiServer {
  ProxyUri uri;
  bool wants_jwt = false;
};
ApiServer api_server(const Config& config);

std::unique_ptr<BodyPieces> write_openapi(ApiDescription api, ApiServer server);

// -- the parts, for tests ------------------------------------------------------------------------

// The type of JSON that values of an SQL type become; empty: any.
std::string_view swagger_type(std::string_view sql_type);
std::string_view swagger_format(std::string_view sql_type);
// The default of a column of that type as JSON, or empty: it is none. As PostgREST has it, any
// expression is one where the type is a string.
std::string swagger_default(std::string_view sql_type, std::string_view expression);

}  // namespace pgrst
