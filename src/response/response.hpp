// TransactionResult -> HttpResponse.
//
// Input -> output: the request, its plan and what the database returned -> status, headers, and
// which bytes are the body. The body of a read stays where it is (HttpResponse::body_is_result).
#pragma once

#include "core/before_postgres.hpp"

#include "api_request/api_request.hpp"
#include "core/result.hpp"
#include "query/transaction.hpp"

namespace pgrst {

// What the response needs to remember of a read while the database works.
struct ReadContext {
  std::string relation;
  std::string schema;
  bool negotiated_by_profile = false;
  bool headers_only = false;
  std::string canonical_query;
  NonnegRange range;  // as asked for, before db_max_rows
  Preferences preferences;
  MediaType media_type;
  std::optional<size_t> total_at;
  std::optional<size_t> planned_at;
  std::optional<int64_t> max_rows;  // db_max_rows
  bool count_from_page = false;
  std::string warning;  // of a deprecated form in the request; empty: none
};

Result<HttpResponse> read_response(const ReadContext& context, const TransactionResult& result,
                                   ErrorVerbosity verbosity);

}  // namespace pgrst
