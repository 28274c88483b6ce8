// ApiDescription -> the OpenAPI 3.1 document of the same API
// (https://spec.openapis.org/oas/v3.1.0).
//
// PostgREST has none: what it says is this server's own. It is written for generators of clients:
// the names of operations and schemas are words, every body and parameter has a schema, and it
// lists only what a relation takes.
#pragma once

#include "core/before_postgres.hpp"

#include <memory>

#include "response/openapi.hpp"

namespace pgrst {

std::unique_ptr<BodyPieces> write_openapi31(ApiDescription api, ApiServer server);

}  // namespace pgrst
