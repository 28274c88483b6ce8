// Keeps the Snapshot fresh: knows what was introspected when, and what has to be introspected next.
//
// Input -> output: hints (pg/invalidation.hpp), settings of postgresql.conf, results of
// introspection -> the current Snapshot. State: `checked` is the generation of hints up to which
// the snapshot is known to be right; it is suspect while the present generation is another. One
// introspection at a time. A setting that is wrong keeps the configuration that runs; the schema
// cache is replaced all the same.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/snapshot.hpp"
#include "pg/protocol.hpp"
#include "schema_cache/builder.hpp"
#include "schema_cache/catalog_queries.hpp"

namespace pgrst::pg {

// kBuilding: the catalogs have changed, and build() has to go on.
enum class Verdict { kExtensionMissing, kUnchanged, kPublished, kFailed, kBuilding };

struct QueryTime {
  uint64_t rows = 0;
  uint64_t took_us = 0;
};

class SnapshotKeeper {
 public:
  // Takes the settings of postgresql.conf (row records of name and value).
  void set_file_settings(std::string_view records);
  // The next introspection must not be cut short by an unchanged fingerprint.
  void force() {
    fingerprint_.reset();
    force_pending_ = true;
    verified_ = 0;
  }

  bool suspect(uint64_t generation) const { return force_pending_ || generation != checked_; }
  bool running() const { return running_; }
  // The generation of hints that the last completed check was begun with: the snapshot is right for
  // every request that arrived when no later hint was known.
  uint64_t verified() const { return verified_; }

  // The message of the next introspection, which answers for `generation`. only_roles: there were
  // hints about nothing else since the last one that went well.
  std::string start(uint64_t generation, int server_version, bool only_roles = false);
  Verdict on_result(ResponseHead& head, uint64_t generation);
  bool building() const { return builder_ != nullptr; }
  // Goes on with building for about max_rows catalog rows.
  Verdict build(size_t max_rows);
  void on_failure() { running_ = false; }  // of the introspection, which is begun again
  void on_failure(std::string problem);    // that is worth telling
  void forget();                           // the extension is gone

  const SnapshotPtr& snapshot() const { return snapshot_; }
  uint32_t reload_marker() const { return reload_marker_; }
  const std::string& problem() const { return problem_; }  // of the last result; empty: none
  // Whether the last introspection failed: what is served may be outdated.
  bool failing() const { return failing_; }
  // What could not be read, a line each; of the last introspection that read all.
  const std::string& left_out() const { return left_out_; }
  // Whether that may be readable another time.
  bool wants_another() const { return lacks_settings_ || lacks_objects_; }
  // How long each part of the last introspection took that read all.
  const std::vector<QueryTime>& times() const { return times_; }
  // What snapshot() is configured by, secrets masked.
  const std::vector<SourcedSetting>& settings() const { return settings_; }
  // Names of settings of the database and its roles that nobody knows.
  const std::vector<std::string>& unknown_settings() const { return unknown_settings_; }

 private:
  CatalogScope scope() const;
  Verdict judge(ResponseHead& head);
  Verdict conclude(Verdict verdict);
  Verdict publish(Catalog catalog);

  std::vector<SourcedSetting> file_settings_;
  std::vector<SourcedSetting> settings_;
  std::vector<std::string> unknown_settings_;
  std::optional<Configured> configured_;  // the last settings that were right
  SnapshotPtr snapshot_;
  std::optional<Fingerprint> fingerprint_;
  std::unique_ptr<CatalogBuilder> builder_;
  Fingerprint pending_fingerprint_;  // of what builder_ builds
  std::string pre_config_problem_;   // of what builder_ builds
  uint64_t pending_generation_ = 0;  // of the introspection that runs
  CatalogScope introspected_;
  std::optional<CatalogScope> wanted_;  // by the settings that the database holds
  uint64_t checked_ = 0;
  uint64_t verified_ = 0;
  uint32_t reload_marker_ = 0;
  std::string left_out_;
  std::vector<QueryTime> times_;
  bool lacks_settings_ = false;
  bool lacks_objects_ = false;
  bool force_pending_ = true;
  bool running_ = false;
  bool failing_ = false;
  int rounds_ = 0;  // in a row in which the settings named another scope than was read
  std::string problem_;
};

}  // namespace pgrst::pg
