#include "response/response.hpp"

#include <simdjson.h>

#include <algorithm>

#include "api_request/range.hpp"
#include "core/text.hpp"
#include "core/wire.hpp"
#include "response/guc_header.hpp"

namespace pgrst {

namespace {

using Kind = ResponseContext::Kind;
using Values = std::vector<std::optional<std::string>>;

// -- what result sets say ------------------------------------------------------------------------

// The first of the row records of a result set.
Values first_record(const ResultSet& set) {
  WireReader in(set.body);
  Values values(in.count(sizeof(int32_t)));
  for (auto& value : values) {
    const auto length = in.number<int32_t>();
    if (length >= 0) value = std::string(in.bytes(static_cast<uint64_t>(length)));
  }
  return in.failed() ? Values() : values;
}

std::optional<std::string> single_value(const ResultSet& set) {
  Values values = first_record(set);
  return values.size() == 1 ? std::move(values[0]) : std::nullopt;
}

std::optional<int64_t> single_count(const ResultSet& set) {
  const auto value = single_value(set);
  const auto count = value ? parse_unsigned(*value) : std::nullopt;
  return count ? std::optional<int64_t>(*count) : std::nullopt;
}

// "Plan Rows" of EXPLAIN (FORMAT JSON).
std::optional<int64_t> planned_rows(const ResultSet& set) {
  const auto value = single_value(set);
  if (!value) return std::nullopt;
  const simdjson::padded_string text(*value);
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
std::optional<int64_t> table_total(const ResponseContext& context,
                                   const TransactionResult& result) {
  std::optional<int64_t> total, planned;
  if (const auto* set = result_at(result, context.total_at)) {
    total = single_count(*set);
  } else if (context.counted) {
    total = static_cast<int64_t>(result.result_sets[0].total);
  }
  if (const auto* set = result_at(result, context.planned_at)) planned = planned_rows(*set);
  if (!planned || (total && context.max_rows && *total <= *context.max_rows)) return total;
  return total ? std::max(*total, *planned) : planned;
}

// -- headers -------------------------------------------------------------------------------------

std::string content_location(const ResponseContext& context) {
  std::string out = "/" + context.relation;
  if (!context.canonical_query.empty()) out += "?" + context.canonical_query;
  return out;
}

// "/items?id=eq.1", of the one row that was inserted.
std::string location(const ResponseContext& context, const ResultSet& set) {
  const Values values = first_record(set);
  std::string out = "/" + context.relation;
  for (size_t i = 0; i < values.size() && i < context.location_columns.size(); i++) {
    out += i == 0 ? '?' : '&';
    append_percent_encoded(out, context.location_columns[i]);
    out += '=';
    append_percent_encoded(out, values[i] ? "eq." + *values[i] : "is.null");
  }
  return out;
}

void add_content_type(const ResponseContext& context, HttpResponse& response) {
  response.headers.push_back({"Content-Type", to_content_type(context.media_type)});
  if (context.negotiated_by_profile) {
    response.headers.push_back({"Content-Profile", context.schema});
  }
}

void add_preferences(const ResponseContext& context, HttpResponse& response) {
  if (!context.warning.empty()) response.headers.push_back({"Warning", context.warning});
  if (!context.preference_applied.empty()) {
    response.headers.push_back({"Preference-Applied", context.preference_applied});
  }
}

void take_body(const ResultSet& page, HttpResponse& response) {
  response.body_is_result = true;
  response.result_body_size = page.body_size;
}

bool is_singular(const MediaType& type) {
  return type.kind == MediaType::Kind::kSingular || type.kind == MediaType::Kind::kSingularStripped;
}

// -- one for each kind ---------------------------------------------------------------------------

// `rows`: those of the page, whatever the total is.
Result<void> check_rows(const ResponseContext& context, uint64_t rows) {
  if (context.kind == Kind::kPlan) return {};
  if (context.kind == Kind::kSingleUpsert) {
    if (rows != 1) return errors::put_matching_pk();
    return {};
  }
  if (is_singular(context.media_type) && rows != 1 && !context.returns_single) {
    return errors::singularity(rows);
  }
  if (context.max_affected && static_cast<int64_t>(rows) > *context.max_affected) {
    return errors::max_affected_violation(rows);
  }
  return {};
}

void respond_out_of_range(const ResponseContext& context, std::optional<int64_t> total,
                          ErrorVerbosity verbosity, HttpResponse& response) {
  response.body = error_body(errors::range_out_of_bounds(to_string(context.range.offset),
                                                         std::to_string(total.value_or(0))),
                             verbosity);
}

HttpResponse respond_to_read(const ResponseContext& context, const TransactionResult& result,
                             ErrorVerbosity verbosity) {
  const ResultSet& page = result.result_sets[0];
  const auto rows = static_cast<int64_t>(page.rows);
  const auto total = table_total(context, result);
  HttpResponse response;
  response.status = range_status(context.range.offset, rows, total);
  response.headers.push_back({"Content-Range", content_range(context.range.offset, rows, total)});
  response.headers.push_back({"Content-Location", content_location(context)});
  add_content_type(context, response);
  add_preferences(context, response);
  if (response.status == 416) {
    respond_out_of_range(context, total, verbosity, response);
  } else if (context.has_body) {
    take_body(page, response);
  }
  return response;
}

HttpResponse respond_to_call(const ResponseContext& context, const TransactionResult& result,
                             ErrorVerbosity verbosity) {
  const ResultSet& page = result.result_sets[0];
  auto rows = static_cast<int64_t>(page.rows);
  auto total = table_total(context, result);
  if (context.returns_single) {
    // The body says one, be it null; only where rows are counted on their own it may be none.
    const bool counted_apart = context.max_rows || !context.range.is_all();
    if (total && !counted_apart) total = 1;
    if (context.has_body) {
      rows = 1;
    } else if (rows == 0) {
      total = 0;
    }
  }
  HttpResponse response;
  response.status = range_status(context.range.offset, rows, total);
  response.headers.push_back({"Content-Range", content_range(context.range.offset, rows, total)});
  add_preferences(context, response);
  if (context.returns_void) {
    response.status = 204;
    return response;
  }
  add_content_type(context, response);
  if (response.status == 416) {
    respond_out_of_range(context, total, verbosity, response);
  } else if (context.has_body) {
    take_body(page, response);
  }
  return response;
}

bool has_inserted(const TransactionResult& result) {
  return parse_unsigned(result.inserted).value_or(0) > 0;
}

HttpResponse respond_to_mutation(const ResponseContext& context, const TransactionResult& result) {
  const ResultSet& page = result.result_sets[0];
  const auto rows = static_cast<int64_t>(page.rows);
  const std::optional<int64_t> total = context.counted ? std::optional(rows) : std::nullopt;
  HttpResponse response;
  response.status = context.has_body ? 200 : 204;
  switch (context.kind) {
    case Kind::kCreate:
      response.status = context.merges && !has_inserted(result) ? 200 : 201;
      if (!context.location_columns.empty() && rows == 1) {
        response.headers.push_back({"Location", location(context, page)});
      }
      break;
    case Kind::kSingleUpsert:
      if (context.has_body && has_inserted(result)) response.status = 201;
      break;
    default:
      break;
  }
  if (context.kind != Kind::kSingleUpsert) {
    const int64_t shown = context.kind == Kind::kUpdate ? rows : 0;
    response.headers.push_back({"Content-Range", content_range(0, shown, total)});
  }
  add_preferences(context, response);
  if (context.has_body) {
    add_content_type(context, response);
    take_body(page, response);
  }
  return response;
}

}  // namespace

Result<HttpResponse> make_response(const ResponseContext& context, const TransactionResult& result,
                                   ErrorVerbosity verbosity) {
  if (result.result_sets.empty()) return errors::internal("the transaction gave no result");
  PGRST_CHECK(check_rows(context, result.result_sets[0].rows));
  HttpResponse response;
  switch (context.kind) {
    case Kind::kRead:
      response = respond_to_read(context, result, verbosity);
      break;
    case Kind::kPlan:
      add_content_type(context, response);
      take_body(result.result_sets[0], response);
      return response;
    case Kind::kCall:
      response = respond_to_call(context, result, verbosity);
      break;
    default:
      response = respond_to_mutation(context, result);
      break;
  }
  PGRST_CHECK(apply_guc_overrides(result.response_headers, result.response_status, response));
  return response;
}

HttpResponse description_response(const ResponseContext& context) {
  HttpResponse response;
  add_content_type(context, response);
  return response;
}

HttpResponse info_response(const std::string& allow) {
  HttpResponse response;
  response.headers.push_back({"Access-Control-Allow-Origin", "*"});
  response.headers.push_back({"Allow", allow});
  return response;
}

}  // namespace pgrst
