#include "app/snapshot.hpp"

namespace pgrst {

namespace {

// The message of what is wrong, or nothing.
std::optional<std::string> make_auth(const Config& config, AuthSettings& auth) {
  auth.audience = config.jwt_aud;
  auth.anon_role = config.db_anon_role;
  auto path = parse_role_claim_path(config.jwt_role_claim_key);
  if (!path.ok()) return "pgrst.jwt_role_claim_key: " + path.error().message;
  auth.role_claim = std::move(path).value();
  if (config.jwt_secret) {
    auto keys = make_key_set(*config.jwt_secret, config.jwt_secret_is_base64);
    if (!keys.ok()) return "pgrst.jwt_secret: " + keys.error().message;
    auth.keys = std::move(keys).value();
  }
  return std::nullopt;
}

}  // namespace

std::variant<Configured, std::string> make_configured(const SettingTexts& texts) {
  auto made = make_config(texts);
  if (auto* problem = std::get_if<std::string>(&made)) return std::move(*problem);
  Configured configured;
  configured.config = std::move(std::get<Config>(made));
  if (auto problem = make_auth(configured.config, configured.auth)) return std::move(*problem);
  return configured;
}

SnapshotPtr make_snapshot(const Configured& configured, SchemaCache cache) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->config = configured.config;
  snapshot->auth = configured.auth;
  snapshot->schema_cache = std::move(cache);
  return snapshot;
}

}  // namespace pgrst
