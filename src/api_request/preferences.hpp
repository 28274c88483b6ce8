// The Prefer header (RFC 7240): what the client asks for beyond the resource.
//
// Input -> output: all Prefer headers -> Preferences. The first of several values of one preference
// wins; what is not known stands in `invalid` (docs/references/api/preferences.rst).
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/http_message.hpp"

namespace pgrst {

enum class PreferResolution { kMergeDuplicates, kIgnoreDuplicates };
enum class PreferRepresentation { kFull, kHeadersOnly, kNone };
enum class PreferCount { kExact, kPlanned, kEstimated };
enum class PreferTransaction { kCommit, kRollback };
enum class PreferMissing { kDefault, kNull };
enum class PreferHandling { kStrict, kLenient };

struct Preferences {
  std::optional<PreferResolution> resolution;
  std::optional<PreferRepresentation> representation;
  std::optional<PreferCount> count;
  std::optional<PreferTransaction> transaction;
  std::optional<PreferMissing> missing;
  std::optional<PreferHandling> handling;
  std::optional<std::string> timezone;
  std::optional<int64_t> max_affected;
  std::vector<std::string> invalid;
};

// allow_tx_override: tx= counts (db_tx_end ends in -allow-override).
Preferences parse_preferences(const Headers& headers, bool allow_tx_override);

// The value of Preference-Applied for these preferences, in PostgREST's order; empty: no header.
std::string preference_applied(const Preferences& preferences);

}  // namespace pgrst
