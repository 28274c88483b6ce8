// Row ranges: the Range header and limit/offset, and the Content-Range that answers them.
//
// Input -> output: header text and query ranges -> NonnegRange; NonnegRange and counts -> status
// and Content-Range (docs/references/api/pagination_count.rst). Ranges may reach beyond bigint:
// PostgreSQL refuses them with 22003.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api_request/types.hpp"
#include "core/result.hpp"

namespace pgrst {

// The rows asked for at the top level by method, Range header (GET only) and limit/offset, or
// PGRST103.
Result<NonnegRange> top_level_range(std::string_view method, const std::string* range_header,
                                    const std::optional<NonnegRange>& query_range);

// The range cut to at most `max_rows` rows; limit=0 stays.
NonnegRange restrict_range(NonnegRange range, std::optional<int64_t> max_rows);

// "0-14/100", "0-14/*", "*/0": rows from `offset`, `rows` of them, of `total` in all.
std::string content_range(RowNumber offset, int64_t rows, std::optional<int64_t> total);

// 200, 206 (a part of the total) or 416 (the offset is beyond the total).
int range_status(RowNumber offset, int64_t rows, std::optional<int64_t> total);

}  // namespace pgrst
