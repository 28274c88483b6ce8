#include "pg/catalog_follower.hpp"

#include <algorithm>

#include "core/wire.hpp"

#include "pg/authenticator.hpp"
#include "pg/guard.hpp"
#include "pg/invalidation.hpp"
#include "pg/spi_transaction.hpp"

#include "pg/compat.hpp"

namespace pgrst::pg {

namespace {

constexpr int64_t kRetryMs = 1000;  // after a failed introspection; twice as long
constexpr int64_t kLostRetryMs = 50;
constexpr int kMaxFailures = 6;
constexpr int kFailuresToWaitFor = 3;  // that requests wait for: a cancelled introspection is one
constexpr size_t kRowStep = 10000;     // catalog rows that are built from in one turn: some 5 ms
constexpr int64_t kIntrospectionMs = 3600 * 1000;
constexpr int64_t kVerdictMs = 5000;  // requests wait for the verdict on a suspect snapshot
// One reload that somebody asks for in this time, and in so many times what the last one took.
constexpr int64_t kForceMs = 1000;
constexpr int64_t kForceShare = 5;

static_assert(kConfigTable + 2 <= kMaxIntrospectionParts);

}  // namespace

void CatalogFollower::forget() {
  extension_missing_ = false;
  keeper_.forget();
  (void)guard([&] { px_set_effective_settings(db_, "", 0); });
}

bool CatalogFollower::settled(int64_t now_ms) const {
  if (failures_ >= kFailuresToWaitFor) return true;
  if (!keeper_.suspect(catalog_generation()) && !keeper_.running()) return true;
  const int64_t due = verdict_due_ms();
  return due != 0 && now_ms >= due;
}

int64_t CatalogFollower::verdict_due_ms() const {
  return unverified_since_ms_ == 0 ? 0 : unverified_since_ms_ + kVerdictMs;
}

void CatalogFollower::notice_hints(int64_t now_ms) {
  const bool is_new = catalog_generation() != seen_generation_;
  seen_generation_ = catalog_generation();
  if (is_new && keeper_.running() && hint_while_running_ms_ == 0) hint_while_running_ms_ = now_ms;
  if (unverified_since_ms_ == 0 && keeper_.suspect(seen_generation_)) unverified_since_ms_ = now_ms;
}

// A few at once, then one in a while: reading everything again, though nothing hints at a change,
// may be asked for by anybody who can NOTIFY.
bool CatalogFollower::may_force(int64_t now_ms) {
  const double each = static_cast<double>(std::max(kForceMs, kForceShare * took_ms_));
  forces_left_ = std::min(
      kForcesAtOnce, forces_left_ + static_cast<double>(now_ms - forces_counted_at_ms_) / each);
  forces_counted_at_ms_ = now_ms;
  if (forces_left_ < 1) return false;
  forces_left_ -= 1;
  return true;
}

void CatalogFollower::step(int64_t now_ms) {
  notice_reloads(now_ms);
  // What has changed may be what was wrong.
  if (failures_ > 0 && catalog_generation() != failed_generation_) {
    retry_at_ms_ = failed_at_ms_ + kRetryMs;
  }
  if (read_again_at_ms_ != 0 && now_ms >= read_again_at_ms_) {
    read_again_at_ms_ = 0;
    keeper_.force();
  }
  notice_hints(now_ms);
  if (keeper_.suspect(catalog_generation()) && !keeper_.running() && now_ms >= retry_at_ms_) {
    introspect();
  }
  if (keeper_.building()) on_verdict(keeper_.build(kRowStep));
}

void CatalogFollower::notice_reloads(int64_t now_ms) {
  const uint64_t settings = shared()->settings_generation.load();
  if (settings != settings_generation_) {
    settings_generation_ = settings;
    keeper_.set_file_settings(published_settings(*shared()));
    owner_.on_reload();
  }
  if (reload_generation() != reload_generation_ || notified_) {
    reload_generation_ = reload_generation();
    notified_ = false;
    reload_wanted_ = true;
  }
  if (reload_wanted_ && may_force(now_ms)) {
    reload_wanted_ = false;
    keeper_.force();
    owner_.on_reload();
  }
}

void CatalogFollower::introspect() {
  Work work;
  work.is_introspection = true;
  work.label = catalog_generation();
  const bool only_roles = database_generation() == verified_database_generation_;
  begun_database_generation_ = database_generation();
  hint_while_running_ms_ = 0;
  work.message = keeper_.start(work.label, PG_VERSION_NUM, only_roles);
  begun_at_ms_ = monotonic_ms();
  work.deadline_ms = begun_at_ms_ + kIntrospectionMs;
  (void)broker_.submit(work, SIZE_MAX, begun_at_ms_);
}

void CatalogFollower::on_result(ResponseHead& head, uint64_t generation) {
  db_.schema_checks.fetch_add(1, std::memory_order_relaxed);
  took_ms_ = monotonic_ms() - begun_at_ms_;
  losses_ = 0;
  on_verdict(keeper_.on_result(head, generation));
}

// Its executor has ended; another one can do it, unless this is the reason.
void CatalogFollower::on_lost() {
  keeper_.force();
  if (++losses_ < 2) {
    keeper_.on_failure();
    retry_at_ms_ = monotonic_ms() + kLostRetryMs;
    return;
  }
  keeper_.on_failure("the executor that reads the catalogs has ended");
  on_failed();
  report_problem();
}

void CatalogFollower::on_failed() {
  failures_ = std::min(failures_ + 1, kMaxFailures);
  failed_at_ms_ = monotonic_ms();
  failed_generation_ = catalog_generation();
  retry_at_ms_ = failed_at_ms_ + (kRetryMs << (failures_ - 1));
  db_.schema_load_failures.fetch_add(1);
}

// What could not be run or read may be another time: a function, a file, a table that is locked.
void CatalogFollower::read_again_later() {
  lacks_ = keeper_.wants_another() ? std::min(lacks_ + 1, kMaxFailures) : 0;
  read_again_at_ms_ = lacks_ == 0 ? 0 : monotonic_ms() + (kRetryMs << (lacks_ - 1));
}

void CatalogFollower::on_verdict(Verdict verdict) {
  if (verdict == Verdict::kUnchanged || verdict == Verdict::kPublished) {
    failures_ = 0;
    unverified_since_ms_ = hint_while_running_ms_;
    verified_database_generation_ = begun_database_generation_;
  }
  switch (verdict) {
    case Verdict::kBuilding:
    case Verdict::kUnchanged:
      return;
    case Verdict::kExtensionMissing:
      extension_missing_ = true;
      return;
    case Verdict::kFailed:
      on_failed();
      break;
    case Verdict::kPublished:
      publish();
      read_again_later();
      break;
  }
  report_problem();
}

void CatalogFollower::report_problem() {
  const std::string& problem = keeper_.problem();
  const bool is_new = problem != reported_problem_;
  reported_problem_ = problem;
  (void)guard([&] {
    px_set_last_error(db_, this->problem().c_str());
    if (is_new && !problem.empty()) {
      ereport(WARNING, (errmsg("postgrest_ext: database \"%s\": %s", db_.name, problem.c_str())));
    }
  });
}

void CatalogFollower::publish() {
  const Snapshot& snapshot = *keeper_.snapshot();
  watch_reload_marker(keeper_.reload_marker());
  db_.max_idletime = snapshot.config.db_pool_max_idletime;
  db_.max_lifetime = snapshot.config.db_pool_max_lifetime;
  db_.table_count = snapshot.schema_cache.table_count();
  db_.schema_loads.fetch_add(1);
  db_.schema_query_us = static_cast<uint64_t>(took_ms_ * 1000);
  publish_times();
  publish_settings(snapshot.config);
  db_.snapshot_generation.fetch_add(1);
  owner_.on_snapshot(snapshot);
  log_schema_cache(snapshot.schema_cache);
  warn_of_deprecated(snapshot);
  warn_of_unknown_settings();
  look_at_authenticator();
}

void CatalogFollower::publish_times() {
  const auto& times = keeper_.times();
  for (size_t i = 0; i < times.size() && i < kMaxIntrospectionParts; i++) {
    db_.introspection[i].rows = times[i].rows;
    db_.introspection[i].took_us = times[i].took_us;
  }
  const std::string& left_out = keeper_.left_out();
  const bool is_new = left_out != reported_left_out_;
  reported_left_out_ = left_out;
  (void)guard([&] {
    px_set_left_out(db_, left_out.c_str());
    if (is_new && !left_out.empty()) {
      ereport(WARNING,
              (errmsg("postgrest_ext: database \"%s\": some objects could not be read", db_.name),
               errdetail("%s", left_out.c_str())));
    }
  });
}

void CatalogFollower::log_schema_cache(const SchemaCache& cache) {
  const long relations = static_cast<long>(cache.table_count());
  const long relationships = static_cast<long>(cache.relationship_count());
  const long functions = static_cast<long>(cache.routine_count());
  const long ms = static_cast<long>(took_ms_);
  (void)guard([&] {
    ereport(LOG, (errmsg("postgrest_ext: database \"%s\": schema cache loaded: %ld relations, "
                         "%ld relationships, %ld functions; queried in %ld ms",
                         db_.name, relations, relationships, functions, ms)));
  });
}

void CatalogFollower::publish_settings(const Config& config) {
  std::string records;
  for (const auto& setting : keeper_.settings()) {
    append_row_record(records, {setting.name, setting.value, setting.source});
  }
  const std::string channel = config.db_channel_enabled ? config.db_channel : "";
  const auto error = guard([&] {
    px_set_effective_settings(db_, records.data(), records.size());
    px_listen(channel.c_str());
  });
  if (error) abort_and_discard();
}

// Once for each value of the setting.
void CatalogFollower::warn_of_deprecated(const Snapshot& snapshot) {
  const std::string& path = snapshot.config.jwt_role_claim_key;
  if (!snapshot.auth.role_claim.is_deprecated() || path == warned_role_claim_) return;
  warned_role_claim_ = path;
  (void)guard([&] {
    ereport(WARNING, (errmsg("postgrest_ext: database \"%s\": pgrst.jwt_role_claim_key \"%s\" has "
                             "a deprecated syntax",
                             db_.name, path.c_str()),
                      errhint("Write it as a JSONPath (RFC 9535), for example \"$.role\".")));
  });
}

// Of each name once, until it has gone.
void CatalogFollower::warn_of_unknown_settings() {
  const std::vector<std::string>& names = keeper_.unknown_settings();
  for (const std::string& name : names) {
    const auto known = std::find(warned_settings_.begin(), warned_settings_.end(), name);
    if (known != warned_settings_.end()) continue;
    (void)guard([&] {
      ereport(WARNING,
              (errmsg("postgrest_ext: database \"%s\": unrecognized setting \"pgrst.%s\"", db_.name,
                      name.c_str()),
               errhint("Neither postgrest_ext nor PostgREST has a setting of that name.")));
    });
  }
  warned_settings_ = names;
}

// What runs as the authenticator itself, which is user code that says RESET ROLE, must not have the
// rights of every role that it may take.
void CatalogFollower::look_at_authenticator() {
  bool inherits = false;
  if (guard([&] { px_authenticator_inherits(&inherits); })) return abort_and_discard();
  const bool is_new = inherits && authenticator_hint_.empty();
  authenticator_hint_ =
      inherits
          ? "The authenticator role (pgrst.db_authenticator) inherits the rights of roles that "
            "it is a member of."
          : "";
  if (!is_new) return;
  (void)guard([&] {
    ereport(WARNING,
            (errmsg("postgrest_ext: database \"%s\": %s", db_.name, authenticator_hint_.c_str()),
             errhint("%s", kHowNotToInherit)));
  });
}

}  // namespace pgrst::pg
