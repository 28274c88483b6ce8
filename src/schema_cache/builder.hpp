// Catalog rows -> settings and SchemaCache.
//
// Input -> output: the result sets of catalog_queries.hpp as row records (uint32 number of columns,
// then for each int32 length, -1 for NULL, and the bytes). Invariant: rows are the server's own,
// but their bytes came through shared memory: a damaged record gives an error, never a crash.
#pragma once

#include "core/before_postgres.hpp"

#include <string_view>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

struct Catalog {
  SettingTexts
      settings;  // weaker first: ALTER DATABASE/ROLE, then pgrst.config; no "pgrst." in front
  SchemaCache schema_cache;
};

Result<Catalog> build_catalog(const std::vector<std::string_view>& result_sets);

}  // namespace pgrst
