// Follows the catalogs: keeps the gateway's snapshot in step with them.
//
// Input -> output: hints of change (pg/invalidation.hpp), settings of postgresql.conf and requests
// for a reload -> introspections, which the broker hands to executors; what comes of them -> the
// next snapshot, published. An introspection that fails is tried again with growing pauses, one
// whose executor has ended soon. Runs in the gateway's loop, a step in each turn.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/snapshot_keeper.hpp"

#include "pg/broker.hpp"

#include "pg/shmem.hpp"

namespace pgrst::pg {

class CatalogFollower {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_snapshot(const Snapshot& snapshot) = 0;
    // A reload was asked for: what the settings name may have changed as well.
    virtual void on_reload() = 0;
  };

  CatalogFollower(DatabaseShared& db, Broker& broker, Owner& owner)
      : db_(db), broker_(broker), owner_(owner) {}

  // Begins anew, without a snapshot.
  void forget();

  // A notification asked for a reload.
  void notify() { notified_ = true; }
  // Looks whether the snapshot is still right, and goes on with making the next one.
  void step(int64_t now_ms);
  // Whether step() has more to do at once.
  bool has_work() const { return keeper_.building(); }

  // What came of an introspection.
  void on_result(ResponseHead& head, uint64_t generation);
  void on_lost();

  // Whether requests need not wait for the verdict on the snapshot: it is right, or nobody can tell
  // for long.
  bool settled(int64_t now_ms) const;
  // When requests stop waiting though there is no verdict; counted from the hint, for all of them.
  // 0: they need not wait.
  int64_t verdict_due_ms() const;
  // The generation of hints that the last completed check was begun with.
  uint64_t verified() const { return keeper_.verified(); }
  bool extension_missing() const { return extension_missing_; }
  bool failing() const { return keeper_.failing(); }
  const SnapshotPtr& snapshot() const { return keeper_.snapshot(); }
  // What is wrong; else what should be mended all the same.
  const std::string& problem() const {
    return keeper_.problem().empty() ? authenticator_hint_ : keeper_.problem();
  }
  const std::vector<SourcedSetting>& settings() const { return keeper_.settings(); }

 private:
  void notice_reloads(int64_t now_ms);
  void notice_hints(int64_t now_ms);
  bool may_force(int64_t now_ms);
  void introspect();
  void on_verdict(Verdict verdict);
  void on_failed();
  void read_again_later();
  void publish_times();
  void report_problem();
  void publish();
  void publish_settings(const Config& config);
  void log_schema_cache(const SchemaCache& cache);
  void warn_of_deprecated(const Snapshot& snapshot);
  void warn_of_unknown_settings();
  void look_at_authenticator();

  static constexpr double kForcesAtOnce = 5;

  DatabaseShared& db_;
  Broker& broker_;
  Owner& owner_;
  SnapshotKeeper keeper_;
  bool extension_missing_ = false;
  bool notified_ = false;
  bool reload_wanted_ = false;
  double forces_left_ = kForcesAtOnce;  // reloads that may begin now because somebody asked
  int64_t forces_counted_at_ms_ = 0;
  uint64_t seen_generation_ = 0;
  int64_t unverified_since_ms_ =
      0;  // the first hint that no check was begun after; 0: there is none
  int64_t hint_while_running_ms_ = 0;
  uint64_t begun_database_generation_ = 0;     // of the introspection that runs
  uint64_t verified_database_generation_ = 0;  // of the last that went well
  uint64_t settings_generation_ = 0;
  uint64_t reload_generation_ = 0;
  int64_t retry_at_ms_ = 0;
  int failures_ = 0;              // in a row
  int losses_ = 0;                // of executors that introspect, in a row
  int lacks_ = 0;                 // results in a row that lack something
  int64_t read_again_at_ms_ = 0;  // 0: not
  int64_t failed_at_ms_ = 0;
  uint64_t failed_generation_ = 0;
  int64_t begun_at_ms_ = 0;
  int64_t took_ms_ = 0;  // the last introspection
  std::string reported_problem_;
  std::string reported_left_out_;
  std::string warned_role_claim_;
  std::vector<std::string> warned_settings_;
  std::string authenticator_hint_;
};

}  // namespace pgrst::pg
