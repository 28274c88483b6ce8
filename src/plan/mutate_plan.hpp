// The plan of a write: what becomes of the rows of the payload, or of those that filters find.
//
// Input -> output: ApiRequest and SchemaCache -> MutatePlan; PGRST105 when a PUT does not name its
// row by primary key, PGRST204 for a column that is not there.
// Ownership: pointers lead into the schema cache.
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

struct MutateColumn {
  const Column* column = nullptr;
  const QualifiedIdentifier* parser = nullptr;  // makes the column's type from json; null: none
};

struct OnConflict {
  PreferResolution resolution = PreferResolution::kMergeDuplicates;
  std::vector<std::string> columns;  // never empty
};

struct MutatePlan {
  Mutation mutation = Mutation::kCreate;
  const Table* table = nullptr;
  std::vector<MutateColumn> columns;  // that the payload sets; may be empty
  std::string payload;                // JSON text
  bool payload_is_object = false;
  // Of updates and deletes on the table; of PUT on the rows of the payload.
  std::vector<PlannedLogic> where;
  std::optional<OnConflict> on_conflict;
  bool missing_is_default = false;  // columns that a row does not name get their default

  bool counts_inserted = false;  // the answer tells whether rows were inserted or only merged
};

// Takes the payload of the request.
Result<MutatePlan> plan_mutation(const Table& table, Mutation mutation, ApiRequest& request,
                                 const SchemaCache& cache);

}  // namespace pgrst
