// The plan of a read: a tree of relations, one node for the resource and one for each embed.
//
// Input -> output: ApiRequest and SchemaCache -> ReadPlan, or the error of the first thing in it
// that does not fit. Invariant: `from` names a table of the cache; every column name is quoted when
// it becomes SQL.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <vector>

#include "api_request/api_request.hpp"
#include "core/result.hpp"
#include "plan/types.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

struct ReadPlan {
  QualifiedIdentifier from;
  std::vector<PlannedSelect> select;  // empty: all columns
  std::vector<PlannedLogic> where;    // joined by AND
  std::vector<PlannedOrder> order;
  NonnegRange range;

  // Of an embed: how the request names it.
  std::string relation;
  std::optional<Alias> alias;
  std::optional<Hint> hint;
  std::optional<JoinType> join_type;
  bool is_spread = false;
  std::vector<ReadPlan> children;
};

// max_rows: of reads and calls (db_max_rows); none for what a mutation returns.
Result<ReadPlan> plan_read(const Table& table, const ApiRequest& request, const SchemaCache& cache,
                           const Config& config, std::optional<int64_t> max_rows);

}  // namespace pgrst
