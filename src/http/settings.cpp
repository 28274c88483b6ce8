#include "http/settings.hpp"

namespace pgrst::http {

Endpoint api_endpoint(const Config& config) {
  Endpoint endpoint;
  endpoint.host = config.server_host;
  endpoint.port = config.server_port;
  endpoint.reuse_port = config.server_reuseport;
  endpoint.unix_socket = config.server_unix_socket.value_or("");
  endpoint.unix_socket_mode = config.server_unix_socket_mode;
  endpoint.tls = {config.server_ssl_cert_file, config.server_ssl_key_file};
  return endpoint;
}

Limits api_limits(const Config& config) {
  Limits limits;
  limits.max_connections = static_cast<unsigned>(config.server_max_connections);
  limits.max_connections_per_address =
      static_cast<unsigned>(config.server_max_connections_per_address);
  limits.connection_memory = static_cast<size_t>(config.server_connection_memory);
  limits.max_body_size = static_cast<uint64_t>(config.server_max_body_size);
  limits.max_body_memory = static_cast<uint64_t>(config.server_max_body_memory) << 20;
  limits.idle_timeout = static_cast<unsigned>(config.server_idle_timeout);
  limits.header_timeout = static_cast<unsigned>(config.server_header_timeout);
  limits.transfer_timeout = static_cast<unsigned>(config.server_transfer_timeout);
  limits.min_rate = static_cast<unsigned>(config.server_min_rate);
  return limits;
}

Endpoint admin_endpoint(const Config& config) {
  Endpoint endpoint;
  endpoint.host = config.admin_server_host.empty() ? config.server_host : config.admin_server_host;
  endpoint.port = config.admin_server_port.value_or(0);
  endpoint.unix_socket = config.admin_server_unix_socket.value_or("");
  endpoint.unix_socket_mode = config.admin_server_unix_socket_mode;
  return endpoint;
}

Limits admin_limits(const Config& config) {
  Limits limits;
  limits.max_connections = 100;
  limits.connection_memory = static_cast<size_t>(config.server_connection_memory);
  limits.max_body_size = 1024 * 1024;
  limits.idle_timeout = static_cast<unsigned>(config.server_idle_timeout);
  return limits;
}

}  // namespace pgrst::http
