// Fuzzes the query string. Beyond "no crash, no hang": the parse with and without the bookkeeping
// of errors agree, a success does not depend on the run, every error is a PGRST100 with a reason,
// and the canonical form means the same as what it was made from.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "api_request/query_grammar.hpp"
#include "api_request/query_params.hpp"
#include "core/text.hpp"

namespace {

using pgrst::GrammarOutcome;
using pgrst::GrammarRule;
using pgrst::QueryParams;
using pgrst::Result;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_rules(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(GrammarRule::kColumns); i++) {
    const auto rule = static_cast<GrammarRule>(i);
    const GrammarOutcome fast = pgrst::run_grammar_rule(rule, text, false);
    const GrammarOutcome tracked = pgrst::run_grammar_rule(rule, text, true);
    require(fast.ok == tracked.ok && fast.consumed == tracked.consumed);
    require(fast.too_deep == tracked.too_deep);
    require(fast.ok || tracked.too_deep || !tracked.details.empty());
  }
}

// Every parameter has a value and a name of its own, and all is ASCII: nothing that the canonical
// form loses.
bool canonical_is_lossless(std::string_view query) {
  std::set<std::string> names;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find_first_of("&;"));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equal = pair.find('=');
    if (equal == std::string_view::npos) return false;
    if (!names.insert(pgrst::percent_decode(pair.substr(0, equal), true)).second) return false;
    for (const char c : pgrst::percent_decode(pair, true)) {
      if (static_cast<unsigned char>(c) >= 0x80) return false;
    }
  }
  return true;
}

void check_query(std::string_view query, bool is_rpc_read) {
  const Result<QueryParams> first = pgrst::parse_query_params(query, is_rpc_read);
  const Result<QueryParams> again = pgrst::parse_query_params(query, is_rpc_read);
  require(first.ok() == again.ok());
  if (!first.ok()) {
    require(first.error().code == "PGRST100" && first.error().details_json.has_value());
    require(first.error().message == again.error().message);
    require(pgrst::is_valid_utf8(first.error().message));
    return;
  }
  require(first.value() == again.value());
  if (!canonical_is_lossless(query)) return;
  const Result<QueryParams> canonical =
      pgrst::parse_query_params(first.value().canonical, is_rpc_read);
  require(canonical.ok());
  require(canonical.value().canonical == first.value().canonical);
  require(canonical.value().select == first.value().select);
  require(canonical.value().columns == first.value().columns);
  require(canonical.value().on_conflict == first.value().on_conflict);
  require(canonical.value().top_level_range == first.value().top_level_range);
  require(canonical.value().ranges == first.value().ranges);
  require(canonical.value().filter_fields == first.value().filter_fields);
  require(canonical.value().filters.size() == first.value().filters.size());
  require(canonical.value().rpc_params.size() == first.value().rpc_params.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_query(input, false);
  check_query(input, true);
  check_rules(pgrst::to_valid_utf8(input));
  return 0;
}
