// Catalog rows -> settings and SchemaCache.
//
// Input -> output: the result sets of catalog_queries.hpp as row records (uint32 number of columns,
// then for each int32 length, -1 for NULL, and the bytes). Invariant: rows are the server's own,
// but their bytes came through shared memory: a damaged record gives an error, never a crash.
#pragma once

#include "core/before_postgres.hpp"

#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

struct Catalog {
  std::vector<SourcedSetting> settings;  // weaker first: ALTER DATABASE/ROLE, then pgrst.config,
                                         // then db_pre_config
  SchemaCache schema_cache;
};

// In steps: a schema of ten thousand tables takes a tenth of a second.
class CatalogBuilder {
 public:
  // The result sets in the order of CatalogResult.
  explicit CatalogBuilder(std::vector<std::string> result_sets);
  ~CatalogBuilder();

  // Goes on for about max_rows rows; true when there is nothing left to do.
  bool step(size_t max_rows);
  // Once, after step() has returned true.
  Result<Catalog> take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// All at once.
Result<Catalog> build_catalog(std::vector<std::string> result_sets);

}  // namespace pgrst
