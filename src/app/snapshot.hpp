// Snapshot: everything a request is planned against, as one immutable value.
//
// Input -> output: setting texts -> Configured, or the message of the setting that is wrong;
// Configured and SchemaCache -> Snapshot. Swapped whole; a request keeps the one it started with.
#pragma once

#include "core/before_postgres.hpp"

#include <memory>
#include <string>
#include <variant>

#include "auth/authenticate.hpp"
#include "core/config.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

struct Configured {
  Config config;
  AuthSettings auth;
};

struct Snapshot {
  Config config;
  AuthSettings auth;
  SchemaCache schema_cache;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

// `texts`: all setting texts, weaker first (core/config.hpp). An @file secret must have been read
// already.
std::variant<Configured, std::string> make_configured(const SettingTexts& texts);

SnapshotPtr make_snapshot(const Configured& configured, SchemaCache cache);

}  // namespace pgrst
