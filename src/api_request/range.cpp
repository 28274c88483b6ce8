#include "api_request/range.hpp"

#include <algorithm>

namespace pgrst {

namespace {

// An interval of row numbers with inclusive ends, as PostgREST computes with.
struct Interval {
  RowNumber lower = 0;
  std::optional<RowNumber> upper;

  bool empty() const { return upper && lower > *upper; }
};

Interval to_interval(const NonnegRange& range) {
  Interval out;
  out.lower = range.offset;
  if (range.limit) out.upper = range.offset + *range.limit - 1;
  return out;
}

NonnegRange to_range(const Interval& interval) {
  NonnegRange out;
  out.offset = interval.lower;
  if (interval.upper) out.limit = *interval.upper - interval.lower + 1;
  return out;
}

// Digits from `at` on, clamped; false when there is none.
bool read_number(std::string_view text, size_t& at, RowNumber& value) {
  const size_t from = at;
  value = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; at++) {
    value = std::min(value * 10 + (text[at] - '0'), kMaxRowNumber);
  }
  return at > from;
}

// EBNF: range = 1*DIGIT "-" *DIGIT. Anything else asks for all rows.
Interval parse_range_header(std::string_view text) {
  Interval out, all;
  size_t at = 0;
  if (!read_number(text, at, out.lower)) return all;
  if (at >= text.size() || text[at] != '-') return all;
  at++;
  RowNumber upper = 0;
  if (read_number(text, at, upper)) out.upper = upper;
  return at == text.size() ? out : all;
}

// limit=0 and no offset: the one empty range that is answered (with no rows).
bool has_limit_zero(const Interval& interval) { return interval.upper == -1; }

std::optional<RowNumber> lower_of(std::optional<RowNumber> a, std::optional<RowNumber> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

Result<NonnegRange> top_level_range(std::string_view method, const std::string* range_header,
                                    const std::optional<NonnegRange>& query_range) {
  Interval header;
  if (method == "GET" && range_header != nullptr) header = parse_range_header(*range_header);
  const Interval query = query_range ? to_interval(*query_range) : Interval();
  if (has_limit_zero(query)) return NonnegRange{0, 0};
  const Interval both{std::max(header.lower, query.lower), lower_of(header.upper, query.upper)};
  if (both.empty()) {
    return header.empty() ? errors::range_lower_gt_upper() : errors::range_negative_limit();
  }
  return to_range(both);
}

NonnegRange restrict_range(NonnegRange range, std::optional<int64_t> max_rows) {
  if (max_rows && (!range.limit || *range.limit > *max_rows)) range.limit = *max_rows;
  return range;
}

std::string content_range(RowNumber offset, int64_t rows, std::optional<int64_t> total) {
  std::string out;
  if (rows > 0 && total != 0) {
    out = to_string(offset) + "-" + to_string(offset + rows - 1);
  } else {
    out = "*";
  }
  return out + "/" + (total ? std::to_string(*total) : "*");
}

int range_status(RowNumber offset, int64_t rows, std::optional<int64_t> total) {
  if (!total) return 200;
  if (offset > *total) return 416;
  return rows < *total ? 206 : 200;
}

}  // namespace pgrst
