// The configuration: the table of all settings, and how their texts become a Config.
//
// Input -> output: (name, text) pairs, later ones winning -> Config, or a message that says which
// setting is wrong and why. Pure: where the texts come from (postgresql.conf, ALTER ROLE,
// pgrst.config) is the business of pg/gucs.cpp and schema_cache/builder.cpp. Names are PostgREST's
// in-database names without the "pgrst." in front (docs/references/configuration.rst).
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "core/proxy_uri.hpp"

namespace pgrst {

enum class SettingType { kBool, kInt, kString };

// Who can change a setting when: at server start only, by a reload of postgresql.conf, by ALTER
// DATABASE or ALTER ROLE of a superuser, or of anybody (PostgREST's in-database settings).
enum class SettingContext { kPostmaster, kSighup, kSuperuser, kUser };

struct SettingSpec {
  const char* name;
  SettingType type;
  SettingContext context;
  const char* default_text;
  int min;  // of integers
  int max;
  bool secret;
  const char* description;
};

std::span<const SettingSpec> setting_specs();
const SettingSpec* find_setting(std::string_view name);

// Null when `text` is a legal value of that setting, else what is wrong with it (lower case, no
// period).
std::optional<std::string> validate_setting(const SettingSpec& spec, std::string_view text);

struct QualifiedName {
  std::string schema;  // empty: found by search_path
  std::string name;

  bool operator==(const QualifiedName&) const = default;
};

// "schema.name" or "name"; the first dot separates.
QualifiedName parse_qualified_name(std::string_view text);

enum class OpenApiVersion { kSwagger20, kOpenApi31 };
enum class OpenApiMode { kFollowPrivileges, kIgnorePrivileges, kDisabled };
enum class LogLevel { kCrit, kError, kWarn, kInfo, kDebug };

struct Config {
  ErrorVerbosity client_error_verbosity = ErrorVerbosity::kVerbose;
  bool db_aggregates_enabled = false;
  std::optional<std::string> db_anon_role;
  std::vector<std::string> db_extra_search_path;
  std::vector<std::string> db_hoisted_tx_settings;
  std::optional<int64_t> db_max_rows;
  std::optional<int64_t> db_max_embeds = 100;
  std::string db_channel = "pgrst";
  bool db_channel_enabled = true;
  bool db_config = true;
  bool db_plan_enabled = false;
  int db_pool_acquisition_timeout = 10;  // seconds
  int db_pool_max_idletime = 30;         // seconds
  int db_pool_max_lifetime = 1800;       // seconds
  std::optional<QualifiedName> db_pre_config;
  std::optional<QualifiedName> db_pre_request;
  std::optional<QualifiedName> db_root_spec;
  std::vector<std::string> db_schemas;
  bool db_tx_allow_override = false;
  bool db_tx_rollback_all = false;
  std::optional<std::string> jwt_aud;
  int jwt_cache_max_entries = 1000;
  std::string jwt_role_claim_key = "$.role";
  std::optional<std::string> jwt_secret;
  bool jwt_secret_is_base64 = false;
  LogLevel log_level = LogLevel::kError;
  bool log_query = false;
  std::string access_log_file;  // empty: the server log
  OpenApiMode openapi_mode = OpenApiMode::kFollowPrivileges;
  std::string admin_server_host;         // empty: server_host
  std::optional<int> admin_server_port;  // none: no admin server, unless there is a unix socket
  std::optional<std::string> admin_server_unix_socket;
  unsigned admin_server_unix_socket_mode = 0660;
  bool openapi_security_active = false;
  std::optional<ProxyUri> openapi_server_proxy_uri;
  OpenApiVersion openapi_version = OpenApiVersion::kSwagger20;
  std::string server_host = "!4";
  int server_port = 3000;
  bool server_reuseport = false;
  std::optional<std::string> server_unix_socket;  // instead of host and port
  unsigned server_unix_socket_mode = 0660;        // file mode
  std::string server_ssl_cert_file;               // empty: no TLS; else the key's is set, too
  std::string server_ssl_key_file;
  std::vector<std::string> server_cors_allowed_origins;  // none: all
  std::optional<std::string> server_trace_header;
  bool server_timing_enabled = false;
  bool url_use_legacy_target_names = true;
  int server_max_connections = 1000;
  int server_max_connections_per_address = 0;                     // 0: no limit
  int server_connection_memory = 32768;                           // bytes
  int64_t server_max_body_size = 268435456;                       // bytes
  int server_max_body_memory = 1024;                              // MB, of all bodies
  int64_t server_max_response_size = 1073741824;                  // bytes; 0: no limit
  int server_idle_timeout = 60;                                   // seconds
  int server_header_timeout = 30;                                 // seconds
  int server_transfer_timeout = 30;                               // seconds
  int server_min_rate = 1024;                                     // bytes a second
  int server_request_timeout = 0;                                 // seconds; 0: any time
  int server_max_queue = 1000;                                    // requests
  std::vector<std::pair<std::string, std::string>> app_settings;  // "app.settings.x" -> value
};

using SettingTexts = std::vector<std::pair<std::string, std::string>>;

// Where a setting stands, for people.
struct SourcedSetting {
  std::string name;  // without "pgrst." in front
  std::string value;
  std::string source;

  bool operator==(const SourcedSetting&) const = default;
};

// A name that PostgREST has, or had since its v9, and this server has not. Where both serve one
// cluster such settings stand beside ours.
bool is_postgrest_setting(std::string_view name);

// "app.settings.x": of no meaning to us, shown to every request.
bool is_app_setting(std::string_view name);

constexpr std::string_view kMaskedValue = "******";
constexpr std::string_view kFromPreConfig = "db_pre_config";  // a source

// All settings with the value and source that win, in the order of setting_specs(), then
// "app.settings.*". Values of secrets and of "app.settings.*" are masked. `given`: weaker first.
std::vector<SourcedSetting> effective_settings(const std::vector<SourcedSetting>& given);

// The names among them that are no setting of this server nor of PostgREST, each once: misspelt, it
// seems.
std::vector<std::string> unknown_settings(const std::vector<SourcedSetting>& given);

// The Config of these texts over the defaults; later pairs win; names of no setting are passed
// over, except "app.settings.*". The string is the message of the first setting that is wrong.
std::variant<Config, std::string> make_config(const SettingTexts& texts);

}  // namespace pgrst
