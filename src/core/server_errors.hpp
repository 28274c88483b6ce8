// Errors of the server itself, beside those of error.hpp: what bounds requests and answers, and
// what becomes of a request when memory or the server ends. PostgREST leaves these to its HTTP
// library.
#pragma once

#include "core/before_postgres.hpp"

#include <exception>
#include <string_view>

#include "core/error.hpp"

namespace pgrst::errors {

// It is not known whether it was carried out.
Error shut_down();  // 503 PGRST001

Error malformed_request(std::string_view why);  // 400 PGRST102
Error uri_too_long();                           // 414 PGRST102
Error headers_too_large();                      // 431 PGRST102
Error host_not_allowed(std::string_view host);  // 421 PGRST102
// Of a request that has been carried out.
Error response_headers_too_large();  // 500 PGRSTX00

Error out_of_memory();  // 503 53200
// Of an exception that ended the work on a request: out_of_memory() or internal().
Error surprise(const std::exception& e);

}  // namespace pgrst::errors
