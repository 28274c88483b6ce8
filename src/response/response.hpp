// TransactionResult -> HttpResponse.
//
// Input -> output: the request, its plan and what the database returned -> status, headers, and
// which bytes are the body. The body stays where it is (HttpResponse::body_is_result).
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <vector>

#include "api_request/api_request.hpp"
#include "core/result.hpp"
#include "query/transaction.hpp"

namespace pgrst {

// What the response needs to remember of a request while the database works.
struct ResponseContext {
  enum class Kind { kRead, kCreate, kUpdate, kSingleUpsert, kDelete, kCall, kPlan, kInspect };
  Kind kind = Kind::kRead;
  std::string relation;
  std::string schema;
  bool negotiated_by_profile = false;
  bool has_body = true;  // rows are wanted
  std::string canonical_query;
  MediaType media_type;
  std::string preference_applied;  // the header's value; empty: none
  std::string warning;             // of a deprecated form in the request; empty: none

  NonnegRange range;  // as asked for, before db_max_rows
  bool counted = false;
  std::optional<size_t> total_at;
  std::optional<size_t> planned_at;
  std::optional<int64_t> max_rows;  // db_max_rows

  std::optional<int64_t> max_affected;        // with handling=strict
  std::vector<std::string> location_columns;  // of the record that result set 0 holds then
  bool merges = false;                        // resolution=merge-duplicates, or PUT
  bool returns_void = false;                  // of calls
  bool returns_single = false;
  OpenApiVersion openapi_version = OpenApiVersion::kSwagger20;  // of descriptions
};

Result<HttpResponse> make_response(const ResponseContext& context, const TransactionResult& result,
                                   ErrorVerbosity verbosity);

// The head of a description of the API: its body is written by response/openapi.hpp. Nothing that
// the transaction has set changes it, as in PostgREST.
HttpResponse description_response(const ResponseContext& context);

// The answer to OPTIONS.
HttpResponse info_response(const std::string& allow);

}  // namespace pgrst
