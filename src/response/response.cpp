#include "response/response.hpp"

#include <simdjson.h>

#include <algorithm>

#include "api_request/range.hpp"
#include "core/text.hpp"
#include "core/wire.hpp"
#include "response/guc_header.hpp"

namespace pgrst {

namespace {

// The number in the only row and column of a result set of row records.
std::optional<int64_t> single_count(const ResultSet& set) {
  WireReader in(set.body);
  if (in.number<uint32_t>() != 1) return std::nullopt;
  const auto length = in.number<int32_t>();
  if (length < 0) return std::nullopt;
  const auto count = parse_unsigned(in.bytes(static_cast<uint64_t>(length)));
  return count ? std::optional<int64_t>(*count) : std::nullopt;
}

// "Plan Rows" of EXPLAIN (FORMAT JSON).
std::optional<int64_t> planned_rows(const ResultSet& set) {
  WireReader in(set.body);
  if (in.number<uint32_t>() != 1) return std::nullopt;
  const auto length = in.number<int32_t>();
  if (length < 0) return std::nullopt;
  const simdjson::padded_string text(in.bytes(static_cast<uint64_t>(length)));
  simdjson::dom::parser parser;
  double rows = 0;
  if (parser.parse(text).at_pointer("/0/Plan/Plan Rows").get(rows) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return static_cast<int64_t>(rows);
}

const ResultSet* result_at(const TransactionResult& result, const std::optional<size_t>& at) {
  return at && *at < result.result_sets.size() ? &result.result_sets[*at] : nullptr;
}

// An estimate counts only when there are more rows than db_max_rows.
std::optional<int64_t> table_total(const ReadContext& context, const TransactionResult& result) {
  std::optional<int64_t> total, planned;
  if (const auto* set = result_at(result, context.total_at)) total = single_count(*set);
  if (context.count_from_page) total = static_cast<int64_t>(result.result_sets[0].rows);
  if (const auto* set = result_at(result, context.planned_at)) planned = planned_rows(*set);
  if (!planned || (total && context.max_rows && *total <= *context.max_rows)) return total;
  return total ? std::max(*total, *planned) : planned;
}

std::string content_location(const ReadContext& context) {
  std::string out = "/" + context.relation;
  if (!context.canonical_query.empty()) out += "?" + context.canonical_query;
  return out;
}

// Of the preferences only these are applied to a read.
std::string applied_to_read(const Preferences& preferences) {
  Preferences applied;
  applied.count = preferences.count;
  applied.transaction = preferences.transaction;
  applied.handling = preferences.handling;
  applied.timezone = preferences.timezone;
  return preference_applied(applied);
}

}  // namespace

Result<HttpResponse> read_response(const ReadContext& context, const TransactionResult& result,
                                   ErrorVerbosity verbosity) {
  if (result.result_sets.empty()) return errors::internal("the transaction gave no result");
  const ResultSet& page = result.result_sets[0];
  const auto rows = static_cast<int64_t>(page.rows);
  const bool singular = context.media_type.kind == MediaType::Kind::kSingular ||
                        context.media_type.kind == MediaType::Kind::kSingularStripped;
  if (singular && page.rows != 1) return errors::singularity(page.rows);
  const auto total = table_total(context, result);
  HttpResponse response;
  response.status = range_status(context.range.offset, rows, total);
  response.headers.push_back({"Content-Range", content_range(context.range.offset, rows, total)});
  response.headers.push_back({"Content-Location", content_location(context)});
  response.headers.push_back({"Content-Type", to_content_type(context.media_type)});
  if (context.negotiated_by_profile) {
    response.headers.push_back({"Content-Profile", context.schema});
  }
  if (!context.warning.empty()) response.headers.push_back({"Warning", context.warning});
  if (auto applied = applied_to_read(context.preferences); !applied.empty()) {
    response.headers.push_back({"Preference-Applied", std::move(applied)});
  }
  if (response.status == 416) {
    response.body = error_body(errors::range_out_of_bounds(std::to_string(context.range.offset),
                                                           std::to_string(total.value_or(0))),
                               verbosity);
  } else if (!context.headers_only) {
    response.body_is_result = true;
    response.result_body_size = page.body_size;
  }
  PGRST_CHECK(apply_guc_overrides(result.response_headers, result.response_status, response));
  return response;
}

}  // namespace pgrst
