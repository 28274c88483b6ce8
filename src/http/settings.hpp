// Where the servers of a database listen and what they bound, by its settings.
#pragma once

#include "core/before_postgres.hpp"

#include "core/config.hpp"
#include "http/server.hpp"

namespace pgrst::http {

Endpoint api_endpoint(const Config& config);
Limits api_limits(const Config& config);

// For the admin server; port 0 and no unix socket: there is none.
Endpoint admin_endpoint(const Config& config);
Limits admin_limits(const Config& config);

}  // namespace pgrst::http
