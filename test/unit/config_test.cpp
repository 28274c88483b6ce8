#include "core/config.hpp"

#include <gtest/gtest.h>

#include <set>

#include "app/snapshot.hpp"

namespace pgrst {
namespace {

using Names = std::vector<std::string>;

Config config(const SettingTexts& texts) {
  auto made = make_config(texts);
  EXPECT_TRUE(std::holds_alternative<Config>(made))
      << (made.index() == 1 ? std::get<1>(made) : std::string());
  return made.index() == 0 ? std::get<0>(std::move(made)) : Config{};
}

// "" when it is legal.
std::string problem(const std::string& name, const std::string& text) {
  auto made = make_config({{name, text}});
  return made.index() == 1 ? std::get<1>(made) : "";
}

TEST(Config, Defaults) {
  const Config c = config({});
  EXPECT_EQ(c.client_error_verbosity, ErrorVerbosity::kVerbose);
  EXPECT_FALSE(c.db_aggregates_enabled);
  EXPECT_FALSE(c.db_anon_role.has_value());
  EXPECT_EQ(c.db_extra_search_path, (Names{"public"}));
  EXPECT_EQ(c.db_hoisted_tx_settings,
            (Names{"statement_timeout", "plan_filter.statement_cost_limit",
                   "default_transaction_isolation"}));
  EXPECT_FALSE(c.db_max_rows.has_value());
  EXPECT_FALSE(c.db_plan_enabled);
  EXPECT_EQ(c.db_pool_acquisition_timeout, 10);
  EXPECT_EQ(c.db_pool_max_idletime, 30);
  EXPECT_EQ(c.db_pool_max_lifetime, 1800);
  EXPECT_FALSE(c.db_pre_request.has_value());
  EXPECT_FALSE(c.db_root_spec.has_value());
  EXPECT_EQ(c.db_schemas, (Names{"public"}));
  EXPECT_FALSE(c.db_tx_allow_override);
  EXPECT_FALSE(c.db_tx_rollback_all);
  EXPECT_FALSE(c.jwt_aud.has_value());
  EXPECT_EQ(c.jwt_cache_max_entries, 1000);
  EXPECT_EQ(c.jwt_role_claim_key, "$.role");
  EXPECT_FALSE(c.jwt_secret.has_value());
  EXPECT_FALSE(c.jwt_secret_is_base64);
  EXPECT_EQ(c.openapi_mode, OpenApiMode::kFollowPrivileges);
  EXPECT_EQ(c.server_host, "!4");
  EXPECT_EQ(c.server_port, 3000);
  EXPECT_FALSE(c.server_trace_header.has_value());
  EXPECT_FALSE(c.server_timing_enabled);
  EXPECT_TRUE(c.url_use_legacy_target_names);
  EXPECT_TRUE(c.app_settings.empty());
}

TEST(Config, EveryDefaultIsLegalAndNamesAreUnique) {
  std::set<std::string> names;
  for (const auto& spec : setting_specs()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_EQ(validate_setting(spec, spec.default_text), std::nullopt) << spec.name;
    EXPECT_EQ(find_setting(spec.name), &spec);
    EXPECT_NE(std::string(spec.description), "") << spec.name;
    EXPECT_LE(spec.min, spec.max) << spec.name;
  }
  EXPECT_EQ(find_setting("no_such_setting"), nullptr);
  EXPECT_EQ(find_setting(""), nullptr);
}

TEST(Config, OnlySecretsAreSecret) {
  for (const auto& spec : setting_specs()) {
    EXPECT_EQ(spec.secret, std::string(spec.name) == "jwt_secret") << spec.name;
  }
}

TEST(Config, Booleans) {
  for (const char* on : {"on", "true", "yes", "t", "y", "1", "ON", " True "}) {
    EXPECT_TRUE(config({{"db_aggregates_enabled", on}}).db_aggregates_enabled) << on;
  }
  for (const char* off : {"off", "false", "no", "f", "n", "0", "OFF"}) {
    EXPECT_FALSE(config({{"db_aggregates_enabled", off}}).db_aggregates_enabled) << off;
  }
  for (const char* bad : {"", "2", "tru", "on on", "null"}) {
    EXPECT_EQ(problem("db_aggregates_enabled", bad),
              "pgrst.db_aggregates_enabled: must be a boolean")
        << bad;
  }
}

TEST(Config, LegacyTargetNamesCanBeSwitchedOff) {
  EXPECT_FALSE(config({{"url_use_legacy_target_names", "off"}}).url_use_legacy_target_names);
}

TEST(Config, IntegersHaveBounds) {
  EXPECT_EQ(config({{"db_max_rows", " 7 "}}).db_max_rows, 7);
  EXPECT_EQ(config({{"db_max_rows", "0"}}).db_max_rows, 0);
  EXPECT_FALSE(config({{"db_max_rows", "-1"}}).db_max_rows.has_value());
  for (const char* bad : {"", "x", "1.5", "1 2", "0x10", "99999999999"}) {
    EXPECT_EQ(problem("db_max_rows", bad), "pgrst.db_max_rows: must be an integer") << bad;
  }
  EXPECT_EQ(problem("db_max_rows", "-2"), "pgrst.db_max_rows: must be between -1 and 2147483647");
  EXPECT_EQ(problem("server_port", "65536"), "pgrst.server_port: must be between 0 and 65535");
  // Both ends of every integer setting.
  for (const auto& spec : setting_specs()) {
    if (spec.type != SettingType::kInt) continue;
    EXPECT_EQ(validate_setting(spec, std::to_string(spec.min)), std::nullopt) << spec.name;
    EXPECT_EQ(validate_setting(spec, std::to_string(spec.max)), std::nullopt) << spec.name;
    EXPECT_NE(validate_setting(spec, std::to_string(int64_t{spec.min} - 1)), std::nullopt)
        << spec.name;
    EXPECT_NE(validate_setting(spec, std::to_string(int64_t{spec.max} + 1)), std::nullopt)
        << spec.name;
  }
}

TEST(Config, Choices) {
  const struct {
    const char* name;
    std::vector<const char*> legal;
    const char* message;
  } kCases[] = {
      {"db_tx_end",
       {"commit", "commit-allow-override", "rollback", "rollback-allow-override"},
       "must be one of commit, commit-allow-override, rollback, rollback-allow-override"},
      {"client_error_verbosity", {"verbose", "minimal"}, "must be one of verbose, minimal"},
      {"log_level",
       {"crit", "error", "warn", "info", "debug"},
       "must be one of crit, error, warn, info, debug"},
      {"openapi_mode",
       {"follow-privileges", "ignore-privileges", "disabled"},
       "must be one of follow-privileges, ignore-privileges, disabled"},
      {"openapi_version", {"2.0", "3.1", ""}, "must be one of 2.0, 3.1"},
  };
  for (const auto& c : kCases) {
    for (const char* legal : c.legal) EXPECT_EQ(problem(c.name, legal), "") << legal;
    EXPECT_EQ(problem(c.name, "nonsense"), std::string("pgrst.") + c.name + ": " + c.message);
    EXPECT_NE(problem(c.name, "COMMIT"), "");
  }
}

TEST(Config, Listener) {
  const Config defaults = config({});
  EXPECT_FALSE(defaults.server_reuseport);
  EXPECT_FALSE(defaults.server_unix_socket.has_value());
  EXPECT_EQ(defaults.server_unix_socket_mode, 0660u);
  const Config c = config({{"server_reuseport", "on"},
                           {"server_unix_socket", "/tmp/x.sock"},
                           {"server_unix_socket_mode", "777"}});
  EXPECT_TRUE(c.server_reuseport);
  EXPECT_EQ(c.server_unix_socket, "/tmp/x.sock");
  EXPECT_EQ(c.server_unix_socket_mode, 0777u);
}

TEST(Config, SocketFiles) {
  EXPECT_EQ(problem("server_unix_socket", std::string(107, 'x')), "");
  EXPECT_EQ(problem("server_unix_socket", std::string(108, 'x')),
            "pgrst.server_unix_socket: must be a path of at most 107 bytes");
  for (const char* legal : {"", "600", "660", "0640", "777"}) {
    EXPECT_EQ(problem("server_unix_socket_mode", legal), "") << legal;
  }
  for (const char* bad : {"577", "1000", "0", "680", "6a0", "660 ", "-660", "rw", "99999999999"}) {
    EXPECT_EQ(problem("server_unix_socket_mode", bad),
              "pgrst.server_unix_socket_mode: must be an octal number from 600 to 777")
        << bad;
  }
}

TEST(Config, CorsOrigins) {
  EXPECT_TRUE(config({}).server_cors_allowed_origins.empty());
  EXPECT_EQ(
      config({{"server_cors_allowed_origins", " http://a , http://b"}}).server_cors_allowed_origins,
      (Names{"http://a", "http://b"}));
  // Text that names nobody allows nobody.
  EXPECT_EQ(config({{"server_cors_allowed_origins", " "}}).server_cors_allowed_origins,
            (Names{""}));
}

TEST(Config, TraceHeader) {
  EXPECT_EQ(config({{"server_trace_header", "X-Request-Id"}}).server_trace_header, "X-Request-Id");
  for (const char* bad : {"X Y", "X:", " ", "X\n"}) {
    EXPECT_EQ(problem("server_trace_header", bad),
              "pgrst.server_trace_header: must be the name of a header")
        << bad;
  }
}

TEST(Config, TransactionEnd) {
  const auto flags = [](const char* text) {
    const Config c = config({{"db_tx_end", text}});
    return std::pair(c.db_tx_rollback_all, c.db_tx_allow_override);
  };
  EXPECT_EQ(flags("commit"), std::pair(false, false));
  EXPECT_EQ(flags("commit-allow-override"), std::pair(false, true));
  EXPECT_EQ(flags("rollback"), std::pair(true, false));
  EXPECT_EQ(flags("rollback-allow-override"), std::pair(true, true));
}

TEST(Config, Schemas) {
  EXPECT_EQ(config({{"db_schemas", " a , b,c"}}).db_schemas, (Names{"a", "b", "c"}));
  EXPECT_EQ(problem("db_schemas", ""), "pgrst.db_schemas: must name at least one schema");
  EXPECT_EQ(problem("db_schemas", "  "), "pgrst.db_schemas: must name at least one schema");
  EXPECT_EQ(problem("db_schemas", "a,,b"), "pgrst.db_schemas: must not hold an empty name");
  EXPECT_EQ(problem("db_schemas", "a, pg_catalog"),
            "pgrst.db_schemas: db-schemas does not allow schema: 'pg_catalog'");
  EXPECT_EQ(problem("db_schemas", "information_schema"),
            "pgrst.db_schemas: db-schemas does not allow schema: 'information_schema'");
}

TEST(Config, EmptyTextsMeanNotSet) {
  const Config c = config({{"db_anon_role", "a"},
                           {"db_anon_role", ""},
                           {"jwt_secret", ""},
                           {"jwt_aud", ""},
                           {"db_pre_request", ""},
                           {"db_extra_search_path", " "},
                           {"jwt_role_claim_key", ""},
                           {"server_host", ""},
                           {"server_trace_header", ""}});
  EXPECT_FALSE(c.db_anon_role.has_value());
  EXPECT_FALSE(c.jwt_secret.has_value());
  EXPECT_FALSE(c.jwt_aud.has_value());
  EXPECT_FALSE(c.db_pre_request.has_value());
  EXPECT_TRUE(c.db_extra_search_path.empty());
  EXPECT_EQ(c.jwt_role_claim_key, "$.role");
  EXPECT_EQ(c.server_host, "!4");
  EXPECT_FALSE(c.server_trace_header.has_value());
}

TEST(Config, TheLaterOneWins) {
  EXPECT_EQ(config({{"db_max_rows", "1"}, {"db_max_rows", "2"}}).db_max_rows, 2);
  EXPECT_EQ(config({{"db_schemas", "a"}, {"db_schemas", "b"}}).db_schemas, (Names{"b"}));
}

TEST(Config, TheFirstFaultIsReportedEvenIfOverridden) {
  const auto made = make_config({{"db_max_rows", "x"}, {"server_port", "y"}, {"db_max_rows", "2"}});
  ASSERT_EQ(made.index(), 1u);
  EXPECT_EQ(std::get<1>(made), "pgrst.db_max_rows: must be an integer");
}

TEST(Config, UnknownNamesArePassedOver) {
  EXPECT_EQ(problem("no_such", "x"), "");
  EXPECT_EQ(problem("DB_MAX_ROWS", "x"), "");
  EXPECT_EQ(problem("app.setting", "x"), "");
}

TEST(Config, AppSettings) {
  const Config c = config({{"app.settings.a", "1"},
                           {"app.settings.b", "2"},
                           {"app.settings.a", "3"},
                           {"app.settings.", "4"}});
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"app.settings.b", "2"}, {"app.settings.a", "3"}, {"app.settings.", "4"}};
  EXPECT_EQ(c.app_settings, expected);
}

TEST(Config, QualifiedNames) {
  EXPECT_EQ(parse_qualified_name("f"), (QualifiedName{"", "f"}));
  EXPECT_EQ(parse_qualified_name("s.f"), (QualifiedName{"s", "f"}));
  EXPECT_EQ(parse_qualified_name("s.f.g"), (QualifiedName{"s", "f.g"}));
  EXPECT_EQ(parse_qualified_name(""), (QualifiedName{"", ""}));
  EXPECT_EQ(config({{"db_pre_request", "auth.check"}}).db_pre_request,
            (QualifiedName{"auth", "check"}));
  EXPECT_EQ(config({{"db_root_spec", "root"}}).db_root_spec, (QualifiedName{"", "root"}));
}

TEST(Config, OpenApi) {
  EXPECT_FALSE(config({}).openapi_security_active);
  EXPECT_TRUE(config({{"openapi_security_active", "true"}}).openapi_security_active);
  EXPECT_EQ(config({{"openapi_server_proxy_uri", ""}}).openapi_server_proxy_uri, std::nullopt);
  EXPECT_EQ(config({{"openapi_server_proxy_uri", "https://a.b/c"}}).openapi_server_proxy_uri,
            (ProxyUri{"https", "a.b", 443, "/c"}));
  EXPECT_EQ(problem("openapi_server_proxy_uri", "a.b/c"),
            "pgrst.openapi_server_proxy_uri: malformed proxy uri, a correct example: "
            "https://example.com:8443/basePath");
  EXPECT_EQ(config({}).openapi_version, OpenApiVersion::kSwagger20);
  EXPECT_EQ(config({{"openapi_version", "3.1"}}).openapi_version, OpenApiVersion::kOpenApi31);
  EXPECT_EQ(config({{"openapi_version", "3.1"}, {"openapi_version", ""}}).openapi_version,
            OpenApiVersion::kSwagger20);
}

TEST(Config, TlsNeedsBothFiles) {
  EXPECT_EQ(config({}).server_ssl_cert_file, "");
  const Config both = config({{"server_ssl_cert_file", "a.crt"}, {"server_ssl_key_file", "a.key"}});
  EXPECT_EQ(both.server_ssl_cert_file, "a.crt");
  EXPECT_EQ(both.server_ssl_key_file, "a.key");
  for (const char* name : {"server_ssl_cert_file", "server_ssl_key_file"}) {
    auto made = make_config({{name, "file"}});
    ASSERT_EQ(made.index(), 1u) << name;
    EXPECT_EQ(
        std::get<1>(made),
        "pgrst.server_ssl_cert_file and pgrst.server_ssl_key_file must be set both or neither");
  }
}

TEST(Config, LimitsOfClients) {
  const Config defaults = config({});
  EXPECT_EQ(defaults.server_max_connections_per_address, 0);
  EXPECT_EQ(defaults.server_header_timeout, 30);
  EXPECT_EQ(defaults.server_transfer_timeout, 30);
  EXPECT_EQ(defaults.server_min_rate, 1024);
  const Config other = config({{"server_max_connections_per_address", "7"},
                               {"server_header_timeout", "8"},
                               {"server_transfer_timeout", "9"},
                               {"server_min_rate", "0"}});
  EXPECT_EQ(other.server_max_connections_per_address, 7);
  EXPECT_EQ(other.server_header_timeout, 8);
  EXPECT_EQ(other.server_transfer_timeout, 9);
  EXPECT_EQ(other.server_min_rate, 0);
  EXPECT_EQ(problem("server_header_timeout", "0"),
            "pgrst.server_header_timeout: must be between 1 and 86400");
}

// -- what needs the auth stage -------------------------------------------------------------------

std::string configured_problem(const SettingTexts& texts) {
  auto made = make_configured(texts);
  return made.index() == 1 ? std::get<1>(made) : "";
}

TEST(Config, TellsSettingsThatNobodyKnows) {
  const auto given = [](const Names& names) {
    std::vector<SourcedSetting> settings;
    for (const auto& name : names) settings.push_back({name, "x", "role"});
    return unknown_settings(settings);
  };
  EXPECT_EQ(given({"db_schemas", "app.settings.x", "jwt_cache_max_lifetime", "db_uri", "inserted",
                   "tmp_x", "raw_media_types", "max_rows"}),
            Names{});
  EXPECT_EQ(given({"db_schema_", "db_schemas", "app.setting", "", "db_schema_", "temp"}),
            (Names{"db_schema_", "app.setting", "", "temp"}));
}

TEST(Configured, ChecksSecretAndClaimPath) {
  EXPECT_EQ(configured_problem({}), "");
  EXPECT_EQ(configured_problem({{"jwt_secret", std::string(32, 'x')}}), "");
  const std::string short_secret = configured_problem({{"jwt_secret", "short"}});
  EXPECT_EQ(short_secret.rfind("pgrst.jwt_secret: ", 0), 0u) << short_secret;
  EXPECT_EQ(short_secret.find("\"short\""), std::string::npos);
  const std::string path = configured_problem({{"jwt_role_claim_key", "$["}});
  EXPECT_EQ(path.rfind("pgrst.jwt_role_claim_key: ", 0), 0u) << path;
  EXPECT_EQ(configured_problem({{"server_port", "x"}}), "pgrst.server_port: must be an integer");
}

TEST(Configured, HandsOverTheAuthSettings) {
  auto made = make_configured(
      {{"jwt_secret", std::string(40, 's')}, {"jwt_aud", "us"}, {"db_anon_role", "anon"}});
  const auto& auth = std::get<Configured>(made).auth;
  ASSERT_TRUE(auth.keys.has_value());
  EXPECT_EQ(std::get<HmacSecret>(auth.keys->keys.at(0).material).bytes, std::string(40, 's'));
  EXPECT_EQ(auth.audience, "us");
  EXPECT_EQ(auth.anon_role, "anon");
  auto without = make_configured({});
  EXPECT_FALSE(std::get<Configured>(without).auth.keys.has_value());
}

}  // namespace
}  // namespace pgrst
