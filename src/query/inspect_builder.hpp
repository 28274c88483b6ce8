// InspectPlan -> the statements that tell what its role may see of a schema; and whether it may see
// what a hint names.
//
// They give names and numbers only; what these mean is in the schema cache
// (response/api_description.cpp).
#pragma once

#include "core/before_postgres.hpp"

#include <vector>

#include "core/error.hpp"
#include "plan/plan.hpp"
#include "query/transaction.hpp"

namespace pgrst {

// The result sets, all of kRecords, in this order. Columns of each:
//   kVisibleTables:   name; sorted
//   kVisibleRoutines: name, oid; by name
//   kVisibleTypes:    name with its schema, name without; of those types of parameters that the
//                     search_path finds
//   kSchemaComment:   comment, or NULL; one row, or none
enum InspectResult { kVisibleTables, kVisibleRoutines, kVisibleTypes, kSchemaComment };

std::vector<Statement> inspect_statements(const InspectPlan& plan);

// One row if the role may use what a hint names, else none.
Statement may_use_statement(const HintedObject& object);

}  // namespace pgrst
