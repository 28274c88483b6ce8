// ApiDescription -> PostgREST's Swagger 2.0 document, member by member
// (docs/references/api/openapi.rst).
#pragma once

#include "core/before_postgres.hpp"

#include <memory>
#include <string>
#include <string_view>

#include "response/openapi.hpp"

namespace pgrst {

std::unique_ptr<BodyPieces> write_swagger20(ApiDescription api, ApiServer server);

// -- the parts, for tests ------------------------------------------------------------------------

std::string_view swagger_format(std::string_view sql_type);
// The default of a column of that type as JSON, or empty: it is none. As PostgREST has it, any
// expression is one where the type is a string.
std::string swagger_default(std::string_view sql_type, std::string_view expression);

}  // namespace pgrst
