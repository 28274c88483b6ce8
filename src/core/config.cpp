#include "core/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>

#include "core/text.hpp"

namespace pgrst {

namespace {

using enum SettingType;
using enum SettingContext;

#define PGRST_NO_EFFECT " Accepted for compatibility; has no effect."

constexpr std::array kSettings = std::to_array<SettingSpec>({
    // Where and as whom. Not settings of PostgREST.
    {"databases", kString, kPostmaster, "", 0, 0, false,
     "Databases to serve, separated by commas."},
    {"db_authenticator", kString, kSighup, "authenticator", 0, 0, false,
     "Role that the workers connect as: LOGIN, NOINHERIT, not a superuser."},
    // The pool of executors.
    {"db_pool", kInt, kPostmaster, "10", 1, 1000, false, "Executors of one database, at most."},
    {"db_pool_acquisition_timeout", kInt, kSuperuser, "10", 1, INT_MAX / 1000, false,
     "Seconds that a request waits for an executor before 504."},
    {"db_pool_max_idletime", kInt, kSuperuser, "30", 1, INT_MAX / 1000, false,
     "Seconds after which an idle executor ends."},
    {"db_pool_max_lifetime", kInt, kSuperuser, "1800", 1, INT_MAX / 1000, false,
     "Seconds after which an executor is replaced."},
    {"db_pool_automatic_recovery", kBool, kSuperuser, "on", 0, 0, false,
     "Reconnection of PostgREST's pool." PGRST_NO_EFFECT},
    // What is exposed, and how it runs.
    {"db_schemas", kString, kUser, "public", 0, 0, false,
     "Schemas to expose, separated by commas; the first is the default."},
    {"db_extra_search_path", kString, kUser, "public", 0, 0, false,
     "Schemas to add to the search_path of every request."},
    {"db_anon_role", kString, kUser, "", 0, 0, false,
     "Role of requests without a JWT; empty: they are refused."},
    {"db_pre_request", kString, kUser, "", 0, 0, false,
     "Function to call at the start of every request's transaction."},
    {"db_max_rows", kInt, kUser, "-1", -1, INT_MAX, false,
     "Rows of a response at most; -1: no limit."},
    {"db_max_embeds", kInt, kUser, "100", -1, INT_MAX, false,
     "Embedded resources of a request at most; -1: no limit."},
    {"db_tx_end", kString, kUser, "commit", 0, 0, false,
     "How transactions end: commit, commit-allow-override, rollback, rollback-allow-override."},
    {"db_aggregates_enabled", kBool, kUser, "off", 0, 0, false,
     "Allows aggregate functions in select."},
    {"db_plan_enabled", kBool, kUser, "off", 0, 0, false, "Execution plans as a media type."},
    {"db_root_spec", kString, kUser, "", 0, 0, false, "Function that answers the root."},
    {"db_hoisted_tx_settings", kString, kUser,
     "statement_timeout, plan_filter.statement_cost_limit, default_transaction_isolation", 0, 0,
     false, "Settings of functions that become settings of their transaction."},
    {"db_prepared_statements", kBool, kUser, "on", 0, 0, false,
     "Prepared statements of PostgREST's connections." PGRST_NO_EFFECT},
    {"db_channel", kString, kSuperuser, "pgrst", 0, 0, false, "Channel of NOTIFY for reloads."},
    {"db_channel_enabled", kBool, kSuperuser, "on", 0, 0, false, "Listens on the channel."},
    {"db_config", kBool, kSighup, "on", 0, 0, false,
     "Settings of databases and roles, pgrst.config and db_pre_config count."},
    {"db_pre_config", kString, kUser, "", 0, 0, false,
     "Function that sets settings, with set_config(), when they are read."},
    // JWT.
    {"jwt_secret", kString, kUser, "", 0, 0, true,
     "Secret that signs JWTs: at least 32 characters, or a JSON Web Key (set)."},
    {"jwt_secret_is_base64", kBool, kUser, "off", 0, 0, false, "jwt_secret is base64."},
    {"jwt_aud", kString, kUser, "", 0, 0, false, "Audience that a JWT with aud must name."},
    {"jwt_role_claim_key", kString, kUser, "$.role", 0, 0, false,
     "JSONPath of the role in the claims of a JWT."},
    {"jwt_cache_max_entries", kInt, kUser, "1000", 0, 1000000, false,
     "Verified JWTs to remember; 0: none."},
    // Errors, logs, documents.
    {"client_error_verbosity", kString, kUser, "verbose", 0, 0, false,
     "Members of error bodies: verbose, or minimal (code and message)."},
    {"log_level", kString, kSuperuser, "error", 0, 0, false,
     "What is logged of requests: crit nothing, error those with status 500 and above, warn 400 "
     "and "
     "above, info and debug all."},
    {"log_query", kBool, kSuperuser, "off", 0, 0, false,
     "Logs the SQL of the requests that log_level logs."},
    {"access_log_file", kString, kSighup, "", 0, 0, false,
     "File that requests are logged to; %d is the name of the database; empty: the server log."},
    {"openapi_mode", kString, kUser, "follow-privileges", 0, 0, false,
     "What the OpenAPI document shows: follow-privileges, ignore-privileges or disabled."},
    {"openapi_security_active", kBool, kUser, "off", 0, 0, false,
     "The OpenAPI document says that requests carry a JWT."},
    {"openapi_server_proxy_uri", kString, kUser, "", 0, 0, false,
     "URI that clients reach the server under, for the OpenAPI document."},
    {"openapi_version", kString, kUser, "2.0", 0, 0, false,
     "Version of the OpenAPI document when a request asks for none: 2.0 or 3.1."},
    // The listener.
    {"server_host", kString, kSuperuser, "!4", 0, 0, false,
     "Address to listen on; *, *4, !4, *6, !6: any, IPv4 (preferred), IPv6 (preferred)."},
    {"server_port", kInt, kSuperuser, "3000", 0, 65535, false, "TCP port to listen on."},
    {"server_reuseport", kBool, kSuperuser, "off", 0, 0, false,
     "Lets other servers listen on the same port (SO_REUSEPORT)."},
    {"server_unix_socket", kString, kSuperuser, "", 0, 0, false,
     "Path of a unix socket to listen on, instead of host and port."},
    {"server_unix_socket_mode", kString, kSuperuser, "660", 0, 0, false,
     "File mode of the unix socket: an octal number from 600 to 777."},
    {"server_ssl_cert_file", kString, kSuperuser, "", 0, 0, false,
     "File of the certificate to speak TLS with; empty: no TLS."},
    {"server_ssl_key_file", kString, kSuperuser, "", 0, 0, false,
     "File of the private key of that certificate."},
    {"server_cors_allowed_origins", kString, kUser, "", 0, 0, false,
     "Origins that may send cross-origin requests, separated by commas; empty: all."},
    {"server_trace_header", kString, kUser, "", 0, 0, false,
     "Request header to copy into the response."},
    {"server_timing_enabled", kBool, kUser, "off", 0, 0, false,
     "Server-Timing header: how long each phase of a request took."},
    {"url_use_legacy_target_names", kBool, kUser, "on", 0, 0, false,
     "Filters may name an embed by its relation although it has an alias."},
    {"admin_server_host", kString, kSuperuser, "", 0, 0, false,
     "Address that the admin server listens on; empty: that of server_host."},
    {"admin_server_allowed_hosts", kString, kSuperuser, "", 0, 0, false,
     "Names that requests to the admin server may have in Host, separated by commas; *: any."},
    {"admin_server_port", kString, kSuperuser, "", 0, 0, false,
     "TCP port of the admin server; empty: there is none."},
    {"admin_server_unix_socket", kString, kSuperuser, "", 0, 0, false,
     "Path of a unix socket for the admin server, instead of host and port."},
    {"admin_server_unix_socket_mode", kString, kSuperuser, "660", 0, 0, false,
     "File mode of the admin server's unix socket: an octal number from 600 to 777."},
    // Limits. Not settings of PostgREST.
    {"server_max_connections", kInt, kSuperuser, "1000", 1, 1000000, false,
     "Open HTTP connections, at most."},
    {"server_max_connections_per_address", kInt, kSuperuser, "0", 0, 1000000, false,
     "Open HTTP connections of one client address, at most; 0: no limit."},
    {"server_connection_memory", kInt, kSuperuser, "81920", 8192, 16777216, false,
     "Bytes of memory of one connection: bounds the size of URL and headers, and of an answer's."},
    {"server_max_body_size", kInt, kSuperuser, "268435456", 0, INT_MAX, false,
     "Bytes of a request body, at most (413 beyond)."},
    {"server_max_body_memory", kInt, kSuperuser, "1024", 1, 1000000, false,
     "Megabytes of all request bodies held at a time, at most (503 beyond)."},
    {"server_max_response_size", kInt, kSuperuser, "1073741824", 0, INT_MAX, false,
     "Bytes of the rows of a response, at most (500 beyond); 0: no limit."},
    {"server_idle_timeout", kInt, kSuperuser, "60", 1, 86400, false,
     "Seconds without a request after which a connection is closed."},
    {"server_header_timeout", kInt, kSuperuser, "30", 1, 86400, false,
     "Seconds from the first byte of a request to the end of its headers, at most."},
    {"server_transfer_timeout", kInt, kSuperuser, "30", 1, 86400, false,
     "Seconds after which a client is cut off that was slower than server_min_rate in them."},
    {"server_min_rate", kInt, kSuperuser, "1024", 0, 1000000000, false,
     "Bytes a second that clients must send of a body and take of an answer; 0: any at all."},
    {"server_max_queue", kInt, kSuperuser, "1000", 1, 1000000, false,
     "Requests that wait for an executor, at most (504 beyond)."},
    {"server_request_timeout", kInt, kSuperuser, "0", 0, 86400, false,
     "Seconds that the answer to a request may take, waiting included (504 beyond); 0: any time."},
    // Not settings of PostgREST either.
    {"stats_max_routes", kInt, kPostmaster, "1000", 1, 100000, false,
     "Routes of one database that pgrst.stats can tell apart."},
});

#undef PGRST_NO_EFFECT

std::optional<bool> parse_bool(std::string_view text) {
  const std::string t = to_lower_ascii(trim(text));
  if (t == "on" || t == "true" || t == "yes" || t == "t" || t == "y" || t == "1") return true;
  if (t == "off" || t == "false" || t == "no" || t == "f" || t == "n" || t == "0") return false;
  return std::nullopt;
}

std::optional<int> parse_int(std::string_view text) {
  text = trim(text);
  int value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::vector<std::string> split_on_commas(std::string_view text) {
  std::vector<std::string> out;
  if (trim(text).empty()) return out;
  for (const auto part : split(text, ',')) out.emplace_back(trim(part));
  return out;
}

std::optional<std::string> optional_text(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

template <size_t N>
std::optional<std::string> one_of(std::string_view text,
                                  const std::array<const char*, N>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return std::nullopt;
  std::string message = "must be one of ";
  for (size_t i = 0; i < N; i++) {
    if (i > 0) message += ", ";
    message += allowed[i];
  }
  return message;
}

std::optional<std::string> validate_schemas(std::string_view text) {
  const auto schemas = split_on_commas(text);
  if (schemas.empty()) return "must name at least one schema";
  for (const auto& schema : schemas) {
    if (schema == "pg_catalog" || schema == "information_schema") {
      return "db-schemas does not allow schema: '" + schema + "'";
    }
    if (schema.empty()) return "must not hold an empty name";
  }
  return std::nullopt;
}

// The bits of an octal number such as 660; nothing when it is none.
std::optional<unsigned> parse_file_mode(std::string_view text) {
  unsigned mode = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return mode;
}

std::optional<std::string> validate_file_mode(std::string_view text) {
  const auto mode = parse_file_mode(text);
  if (mode && *mode >= 0600 && *mode <= 0777) return std::nullopt;
  return "must be an octal number from 600 to 777";
}

std::optional<std::string> validate_socket_path(std::string_view text) {
  constexpr size_t kMaxBytes = 107;  // of sockaddr_un on Linux, beside the NUL at the end
  if (text.size() <= kMaxBytes) return std::nullopt;
  return "must be a path of at most " + std::to_string(kMaxBytes) + " bytes";
}

std::optional<std::string> validate_string(std::string_view name, std::string_view text) {
  if (name == "db_schemas") return validate_schemas(text);
  if (text.empty()) return std::nullopt;  // empty is "not set" everywhere else
  if (name == "db_tx_end") {
    return one_of(text, std::to_array({"commit", "commit-allow-override", "rollback",
                                       "rollback-allow-override"}));
  }
  if (name == "client_error_verbosity") return one_of(text, std::to_array({"verbose", "minimal"}));
  if (name == "log_level") {
    return one_of(text, std::to_array({"crit", "error", "warn", "info", "debug"}));
  }
  if (name == "openapi_mode") {
    return one_of(text, std::to_array({"follow-privileges", "ignore-privileges", "disabled"}));
  }
  if (name == "openapi_version") return one_of(text, std::to_array({"2.0", "3.1"}));
  if (name == "server_unix_socket" || name == "admin_server_unix_socket") {
    return validate_socket_path(text);
  }
  if (name == "server_unix_socket_mode" || name == "admin_server_unix_socket_mode") {
    return validate_file_mode(text);
  }
  if (name == "admin_server_port") {
    const auto port = parse_int(text);
    if (!port || *port < 0 || *port > 65535) return "must be a port number from 0 to 65535";
    return std::nullopt;
  }
  if (name == "openapi_server_proxy_uri" && !parse_proxy_uri(text)) {
    return "malformed proxy uri, a correct example: https://example.com:8443/basePath";
  }
  if (name == "server_trace_header" && !is_safe_header(text, "")) {
    return "must be the name of a header";
  }
  return std::nullopt;
}

// Unlike other lists this one is never empty when there is text: that would allow every origin.
std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (const auto part : split(text, ',')) out.emplace_back(trim(part));
  return out;
}

LogLevel parse_log_level(std::string_view text) {
  if (text == "crit") return LogLevel::kCrit;
  if (text == "warn") return LogLevel::kWarn;
  if (text == "info") return LogLevel::kInfo;
  if (text == "debug") return LogLevel::kDebug;
  return LogLevel::kError;
}

// What each setting does to the Config. `text` is valid.
void apply(Config& c, std::string_view name, std::string_view text) {
  const auto b = [&] { return parse_bool(text).value_or(false); };
  const auto i = [&] { return parse_int(text).value_or(0); };
  if (name == "client_error_verbosity") {
    c.client_error_verbosity =
        text == "minimal" ? ErrorVerbosity::kMinimal : ErrorVerbosity::kVerbose;
  } else if (name == "db_aggregates_enabled") {
    c.db_aggregates_enabled = b();
  } else if (name == "db_anon_role") {
    c.db_anon_role = optional_text(text);
  } else if (name == "db_extra_search_path") {
    c.db_extra_search_path = split_on_commas(text);
  } else if (name == "db_hoisted_tx_settings") {
    c.db_hoisted_tx_settings = split_on_commas(text);
  } else if (name == "db_max_rows") {
    c.db_max_rows = i() < 0 ? std::nullopt : std::optional<int64_t>(i());
  } else if (name == "db_max_embeds") {
    c.db_max_embeds = i() < 0 ? std::nullopt : std::optional<int64_t>(i());
  } else if (name == "db_plan_enabled") {
    c.db_plan_enabled = b();
  } else if (name == "db_pool_acquisition_timeout") {
    c.db_pool_acquisition_timeout = i();
  } else if (name == "db_pool_max_idletime") {
    c.db_pool_max_idletime = i();
  } else if (name == "db_pool_max_lifetime") {
    c.db_pool_max_lifetime = i();
  } else if (name == "db_channel") {
    c.db_channel = text.empty() ? "pgrst" : std::string(text);
  } else if (name == "db_channel_enabled") {
    c.db_channel_enabled = b();
  } else if (name == "db_config") {
    c.db_config = b();
  } else if (name == "db_pre_config") {
    c.db_pre_config = text.empty() ? std::nullopt : std::optional(parse_qualified_name(text));
  } else if (name == "db_pre_request") {
    c.db_pre_request = text.empty() ? std::nullopt : std::optional(parse_qualified_name(text));
  } else if (name == "db_root_spec") {
    c.db_root_spec = text.empty() ? std::nullopt : std::optional(parse_qualified_name(text));
  } else if (name == "db_schemas") {
    c.db_schemas = split_on_commas(text);
  } else if (name == "db_tx_end") {
    c.db_tx_rollback_all = text.substr(0, 8) == "rollback";
    c.db_tx_allow_override = text.find("-allow-override") != std::string_view::npos;
  } else if (name == "jwt_aud") {
    c.jwt_aud = optional_text(text);
  } else if (name == "jwt_cache_max_entries") {
    c.jwt_cache_max_entries = i();
  } else if (name == "jwt_role_claim_key") {
    c.jwt_role_claim_key = text.empty() ? "$.role" : std::string(text);
  } else if (name == "jwt_secret") {
    c.jwt_secret = optional_text(text);
  } else if (name == "jwt_secret_is_base64") {
    c.jwt_secret_is_base64 = b();
  } else if (name == "log_level") {
    c.log_level = parse_log_level(text);
  } else if (name == "access_log_file") {
    c.access_log_file = text;
  } else if (name == "log_query") {
    c.log_query = b();
  } else if (name == "openapi_mode") {
    c.openapi_mode = text == "disabled"            ? OpenApiMode::kDisabled
                     : text == "ignore-privileges" ? OpenApiMode::kIgnorePrivileges
                                                   : OpenApiMode::kFollowPrivileges;
  } else if (name == "openapi_security_active") {
    c.openapi_security_active = b();
  } else if (name == "openapi_server_proxy_uri") {
    c.openapi_server_proxy_uri = parse_proxy_uri(text);
  } else if (name == "admin_server_host") {
    c.admin_server_host = text;
  } else if (name == "admin_server_port") {
    c.admin_server_port = parse_int(text);
  } else if (name == "admin_server_unix_socket") {
    c.admin_server_unix_socket = optional_text(text);
  } else if (name == "admin_server_unix_socket_mode") {
    c.admin_server_unix_socket_mode = text.empty() ? 0660 : parse_file_mode(text).value_or(0660);
  } else if (name == "openapi_version") {
    c.openapi_version = text == "3.1" ? OpenApiVersion::kOpenApi31 : OpenApiVersion::kSwagger20;
  } else if (name == "server_host") {
    c.server_host = text.empty() ? "!4" : std::string(text);
  } else if (name == "server_port") {
    c.server_port = i();
  } else if (name == "server_reuseport") {
    c.server_reuseport = b();
  } else if (name == "server_unix_socket") {
    c.server_unix_socket = optional_text(text);
  } else if (name == "server_unix_socket_mode") {
    c.server_unix_socket_mode = text.empty() ? 0660 : parse_file_mode(text).value_or(0660);
  } else if (name == "server_ssl_cert_file") {
    c.server_ssl_cert_file = text;
  } else if (name == "server_ssl_key_file") {
    c.server_ssl_key_file = text;
  } else if (name == "server_cors_allowed_origins") {
    c.server_cors_allowed_origins = parse_list(text);
  } else if (name == "server_trace_header") {
    c.server_trace_header = optional_text(text);
  } else if (name == "server_timing_enabled") {
    c.server_timing_enabled = b();
  } else if (name == "url_use_legacy_target_names") {
    c.url_use_legacy_target_names = b();
  } else if (name == "server_max_connections") {
    c.server_max_connections = i();
  } else if (name == "server_max_connections_per_address") {
    c.server_max_connections_per_address = i();
  } else if (name == "server_connection_memory") {
    c.server_connection_memory = i();
  } else if (name == "server_max_body_memory") {
    c.server_max_body_memory = static_cast<int>(i());
  } else if (name == "server_max_body_size") {
    c.server_max_body_size = i();
  } else if (name == "server_max_response_size") {
    c.server_max_response_size = i();
  } else if (name == "server_idle_timeout") {
    c.server_idle_timeout = i();
  } else if (name == "server_header_timeout") {
    c.server_header_timeout = i();
  } else if (name == "server_transfer_timeout") {
    c.server_transfer_timeout = i();
  } else if (name == "server_min_rate") {
    c.server_min_rate = i();
  } else if (name == "server_request_timeout") {
    c.server_request_timeout = i();
  } else if (name == "server_max_queue") {
    c.server_max_queue = i();
  }
}

}  // namespace

std::span<const SettingSpec> setting_specs() { return kSettings; }

const SettingSpec* find_setting(std::string_view name) {
  for (const auto& spec : kSettings) {
    if (name == spec.name) return &spec;
  }
  return nullptr;
}

std::optional<std::string> validate_setting(const SettingSpec& spec, std::string_view text) {
  switch (spec.type) {
    case kBool:
      if (!parse_bool(text)) return "must be a boolean";
      return std::nullopt;
    case kInt: {
      const auto value = parse_int(text);
      if (!value) return "must be an integer";
      if (*value < spec.min || *value > spec.max) {
        return "must be between " + std::to_string(spec.min) + " and " + std::to_string(spec.max);
      }
      return std::nullopt;
    }
    case kString:
      return validate_string(spec.name, text);
  }
  return std::nullopt;
}

QualifiedName parse_qualified_name(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

std::variant<Config, std::string> make_config(const SettingTexts& texts) {
  Config config;
  for (const auto& spec : kSettings) apply(config, spec.name, spec.default_text);
  for (const auto& setting : texts) {
    const std::string& name = setting.first;
    const std::string& text = setting.second;
    if (is_app_setting(name)) {
      std::erase_if(config.app_settings, [&](const auto& s) { return s.first == name; });
      config.app_settings.emplace_back(name, text);
      continue;
    }
    const SettingSpec* spec = find_setting(name);
    if (spec == nullptr) continue;
    if (const auto problem = validate_setting(*spec, text)) {
      return "pgrst." + name + ": " + *problem;
    }
    apply(config, name, text);
  }
  if (config.server_ssl_cert_file.empty() != config.server_ssl_key_file.empty()) {
    return "pgrst.server_ssl_cert_file and pgrst.server_ssl_key_file must be set both or neither";
  }
  return config;
}

// The last are not settings: PostgREST's statements keep values there.
bool is_postgrest_setting(std::string_view name) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"db_pool_timeout", "db_schema", "db_timezone_enabled", "db_uri",
       "internal_schema_cache_query_sleep", "internal_schema_cache_query_sleep_before_queries",
       "internal_schema_cache_sleep", "jwt_cache_max_lifetime", "max_rows", "pre_request",
       "raw_media_types", "role_claim_key", "root_spec", "secret_is_base64", "server_proxy_uri",
       "inserted"});
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name.starts_with("tmp_");
}

bool is_app_setting(std::string_view name) { return name.starts_with("app.settings."); }

std::vector<SourcedSetting> effective_settings(const std::vector<SourcedSetting>& given) {
  std::vector<SourcedSetting> out;
  for (const auto& spec : kSettings) {
    SourcedSetting setting{spec.name, spec.default_text, "default"};
    for (const auto& other : given) {
      if (other.name == spec.name) setting = other;
    }
    if (spec.secret && !setting.value.empty()) setting.value = kMaskedValue;
    out.push_back(std::move(setting));
  }
  for (const auto& other : given) {
    if (!is_app_setting(other.name)) continue;
    const auto same = [&](const auto& s) { return s.name == other.name; };
    std::erase_if(out, same);
    out.push_back({other.name, std::string(kMaskedValue), other.source});
  }
  return out;
}

std::vector<std::string> unknown_settings(const std::vector<SourcedSetting>& given) {
  std::vector<std::string> names;
  for (const auto& setting : given) {
    if (find_setting(setting.name) != nullptr || is_postgrest_setting(setting.name) ||
        is_app_setting(setting.name) ||
        std::find(names.begin(), names.end(), setting.name) != names.end()) {
      continue;
    }
    names.push_back(setting.name);
  }
  return names;
}

}  // namespace pgrst
