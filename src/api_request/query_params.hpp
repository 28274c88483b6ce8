// The query string -> QueryParams: the second stage of a request.
//
// Input -> output: the raw query (still percent-encoded, without '?') -> the syntax tree of all its
// parameters, or the first error. Semantics are PostgREST's (ApiRequest/QueryParams); the grammar
// of the single parameters is in query_grammar.hpp. Invariants: total on any bytes; ill-formed
// UTF-8 becomes U+FFFD; linear in the input but for sorting. Pure; thread-safe.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api_request/types.hpp"
#include "core/result.hpp"

namespace pgrst {

// is_rpc_read: a function called by GET or HEAD; parameters whose values are no filters are then
// its arguments, in `rpc_params`.
//
// limit= and offset= come back as given: either may be negative (the top level answers PGRST103 by
// what range.hpp computes, embedded levels leave it to PostgreSQL). A number that cannot be read
// counts as absent, except that an unreadable limit= beside an offset= counts as 0, as in
// PostgREST.
//
// Errors: PGRST100, and the order in which parameters are looked at is that of PostgREST: order,
// logic, columns, select, filters, on_conflict; the names of ranges last.
Result<QueryParams> parse_query_params(std::string_view raw_query, bool is_rpc_read);

}  // namespace pgrst
