// What a request's transaction does before its main statement: settings, role, pre-request
// function.
//
// Input -> output: ApiRequest, role and Config -> the fields of Transaction that are not statements
// (docs/references/transactions.rst).
#pragma once

#include "core/before_postgres.hpp"

#include <string>

#include "plan/plan.hpp"
#include "query/transaction.hpp"

namespace pgrst {

// Calls a function without arguments.
std::string call_sql(const QualifiedName& function);

// Fills role, role_settings, settings, isolation and pre_request.
void add_pre_query(Transaction& transaction, const ApiRequest& request, const ActionPlan& plan,
                   const std::string& role, const std::string& claims_json, const Config& config,
                   const SchemaCache& cache);

}  // namespace pgrst
