// Which relationship an embed means.
//
// Input -> output: origin, target and hint as the request names them -> the one relationship, or
// PGRST200 (none, with the nearest name) or PGRST201 (several, each described). The target may be
// the relation, a foreign key or its column; the hint a foreign key, a column of either side or a
// junction. Of a self reference the relation leads to the many, the column to the one.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>

#include "core/result.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

Result<const Relationship*> find_relationship(const SchemaCache& cache, const std::string& schema,
                                              const std::string& origin, const std::string& target,
                                              const std::optional<std::string>& hint);

}  // namespace pgrst
