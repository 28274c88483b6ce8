#include "api_request/preferences.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "api_request/integer.hpp"
#include "core/text.hpp"

namespace pgrst {

namespace {

constexpr std::array kResolutions = {
    std::pair{std::string_view("resolution=merge-duplicates"), PreferResolution::kMergeDuplicates},
    std::pair{std::string_view("resolution=ignore-duplicates"),
              PreferResolution::kIgnoreDuplicates}};
constexpr std::array kRepresentations = {
    std::pair{std::string_view("return=representation"), PreferRepresentation::kFull},
    std::pair{std::string_view("return=minimal"), PreferRepresentation::kNone},
    std::pair{std::string_view("return=headers-only"), PreferRepresentation::kHeadersOnly}};
constexpr std::array kCounts = {
    std::pair{std::string_view("count=exact"), PreferCount::kExact},
    std::pair{std::string_view("count=planned"), PreferCount::kPlanned},
    std::pair{std::string_view("count=estimated"), PreferCount::kEstimated}};
constexpr std::array kTransactions = {
    std::pair{std::string_view("tx=commit"), PreferTransaction::kCommit},
    std::pair{std::string_view("tx=rollback"), PreferTransaction::kRollback}};
constexpr std::array kMissings = {
    std::pair{std::string_view("missing=default"), PreferMissing::kDefault},
    std::pair{std::string_view("missing=null"), PreferMissing::kNull}};
constexpr std::array kHandlings = {
    std::pair{std::string_view("handling=strict"), PreferHandling::kStrict},
    std::pair{std::string_view("handling=lenient"), PreferHandling::kLenient}};

constexpr std::string_view kTimezone = "timezone=";
constexpr std::string_view kMaxAffected = "max-affected=";

// Takes the preference when it is one of `names`; the first one seen stays.
template <class Table, class E>
bool take(std::string_view preference, const Table& names, std::optional<E>& slot) {
  for (const auto& [name, value] : names) {
    if (name != preference) continue;
    if (!slot) slot = value;
    return true;
  }
  return false;
}

template <class Table, class E>
void add(std::string& out, const Table& names, const std::optional<E>& slot) {
  if (!slot) return;
  for (const auto& [name, value] : names) {
    if (value != *slot) continue;
    if (!out.empty()) out += ", ";
    out += name;
  }
}

// max_affected_seen: the first max-affected decides, even if it is no number.
void take_one(std::string_view preference, Preferences& p, bool& max_affected_seen) {
  if (take(preference, kResolutions, p.resolution) ||
      take(preference, kRepresentations, p.representation) || take(preference, kCounts, p.count) ||
      take(preference, kTransactions, p.transaction) || take(preference, kMissings, p.missing) ||
      take(preference, kHandlings, p.handling)) {
    return;
  }
  if (preference.substr(0, kTimezone.size()) == kTimezone) {
    if (!p.timezone) p.timezone = std::string(preference.substr(kTimezone.size()));
  } else if (preference.substr(0, kMaxAffected.size()) == kMaxAffected) {
    if (!max_affected_seen) p.max_affected = read_int64(preference.substr(kMaxAffected.size()));
    max_affected_seen = true;
  } else {
    p.invalid.emplace_back(preference);
  }
}

}  // namespace

Preferences parse_preferences(const Headers& headers, bool allow_tx_override) {
  Preferences p;
  bool max_affected_seen = false;
  for (const auto& header : headers) {
    if (!equals_ignoring_case(header.name, "Prefer")) continue;
    if (header.value.empty()) continue;
    for (const auto part : split(header.value, ',')) take_one(trim(part), p, max_affected_seen);
  }
  if (!allow_tx_override) p.transaction.reset();
  return p;
}

std::string preference_applied(const Preferences& p) {
  std::string out;
  add(out, kResolutions, p.resolution);
  add(out, kMissings, p.missing);
  add(out, kRepresentations, p.representation);
  add(out, kCounts, p.count);
  add(out, kTransactions, p.transaction);
  add(out, kHandlings, p.handling);
  if (p.timezone) {
    if (!out.empty()) out += ", ";
    out.append(kTimezone).append(*p.timezone);
  }
  if (p.max_affected && p.handling == PreferHandling::kStrict) {
    if (!out.empty()) out += ", ";
    out.append(kMaxAffected).append(std::to_string(*p.max_affected));
  }
  return out;
}

}  // namespace pgrst
