// The plan of a read: a tree of relations, one node for the resource and one for each embed.
//
// Input -> output: ApiRequest and SchemaCache -> ReadPlan, or the error of the first thing in it
// that does not fit. Invariants: `from` names a relation of the cache; every column name is quoted
// when it becomes SQL; the aliases of a node and of all above it differ.
// Ownership: pointers lead into the schema cache, as those of plan/types.hpp.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api_request/api_request.hpp"
#include "core/result.hpp"
#include "plan/types.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

// What the rows of the root are: those of a relation, those that a mutation returns, those that a
// function returns.
enum class RootSource { kRelation, kMutation, kCall };

enum class Spread { kNone, kToOne, kToMany };

struct ReadPlan {
  QualifiedIdentifier from;
  const Table* table = nullptr;  // null: the cache knows no columns of it
  RootSource source = RootSource::kRelation;
  std::string alias;  // of `from` in SQL; empty: it has none
  std::vector<PlannedSelect> select;
  std::vector<PlannedLogic> where;  // joined by AND
  std::vector<PlannedOrder> order;
  NonnegRange range;
  bool grouped = false;  // an aggregate is among what is selected, be it of a spread

  // Of an embed: how the request names it, and how it hangs on its parent.
  std::string relation;
  std::optional<Alias> request_alias;
  std::optional<Hint> hint;
  std::optional<JoinType> join_type;
  const Relationship* relationship = nullptr;  // null for the root
  Spread spread = Spread::kNone;
  std::vector<SpreadSelect> spread_select;
  std::string join_alias;  // of its subquery in the parent's
  size_t depth = 0;
  bool legacy_name = false;  // a filter, order or range named it by relation in spite of its alias

  std::vector<ReadPlan> children;

  const std::string& name() const { return request_alias ? *request_alias : relation; }
  bool has_aggregate() const;
  // Nothing of it is wanted, nor of the embeds within: it may only filter its parent.
  bool is_empty() const;
};

// `relation`: of the root; of a function that returns no rows of a relation the name of the
// function.
Result<ReadPlan> plan_read(const QualifiedIdentifier& relation, RootSource source,
                           const ApiRequest& request, const SchemaCache& cache,
                           const Config& config);

// 42712 when two embeds or spreads of one level have the same name: PostgREST joins them under it,
// and PostgreSQL refuses that. Here the second would hide the first.
Result<void> check_embed_names(const ReadPlan& plan);

// Embeds that the request names by relation in spite of their alias: (relation, alias).
std::vector<std::pair<std::string, std::string>> legacy_names(const ReadPlan& plan);

}  // namespace pgrst
