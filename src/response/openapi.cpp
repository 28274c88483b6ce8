#include "response/openapi.hpp"

#include <utility>

#include "response/openapi31.hpp"
#include "response/swagger20.hpp"

namespace pgrst {

ApiServer api_server(const Config& config, const std::string& schema) {
  ApiServer server;
  server.wants_jwt = config.openapi_security_active;
  const bool has_tls = !config.server_ssl_cert_file.empty() && !config.server_unix_socket;
  server.uri = config.openapi_server_proxy_uri.value_or(
      ProxyUri{has_tls ? "https" : "http", config.server_host, config.server_port, "/"});
  const bool any_address =
      config.server_host.starts_with('*') || config.server_host.starts_with('!');
  server.is_reachable =
      config.openapi_server_proxy_uri || (!any_address && !config.server_unix_socket);
  server.serves_anyone = config.db_anon_role.has_value();
  server.tx_override = config.db_tx_allow_override;
  if (!config.db_schemas.empty() && config.db_schemas[0] != schema) server.profile = schema;
  return server;
}

std::unique_ptr<BodyPieces> write_openapi(ApiDescription api, ApiServer server,
                                          OpenApiVersion version) {
  return version == OpenApiVersion::kOpenApi31 ? write_openapi31(std::move(api), std::move(server))
                                               : write_swagger20(std::move(api), std::move(server));
}

}  // namespace pgrst
