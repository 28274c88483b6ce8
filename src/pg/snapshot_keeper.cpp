#include "pg/snapshot_keeper.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/regular_file.hpp"
#include "core/wire.hpp"
#include "pg/gucs.hpp"
#include "query/pre_query.hpp"

namespace pgrst::pg {

namespace {

constexpr int kMaxRounds = 5;

std::vector<SourcedSetting> parse_settings(std::string_view records) {
  std::vector<SourcedSetting> settings;
  WireReader in(records);
  while (!in.at_end() && !in.failed()) {
    if (in.number<uint32_t>() != 2) break;
    const auto name = in.bytes(static_cast<uint64_t>(in.number<int32_t>()));
    const auto value = in.bytes(static_cast<uint64_t>(in.number<int32_t>()));
    if (in.failed()) break;
    settings.push_back({std::string(name), std::string(value), "configuration file"});
  }
  return settings;
}

SettingTexts texts_of(const std::vector<SourcedSetting>& settings) {
  SettingTexts texts;
  for (const auto& setting : settings) texts.emplace_back(setting.name, setting.value);
  return texts;
}

// jwt_secret = '@file': the secret is in the file, less a newline at its end. A file that cannot be
// read leaves the text as it is, and its '@' and length then make an unusable secret; `problem`
// says so.
void read_secret_file(SettingTexts& settings, std::string& problem) {
  for (auto& [name, value] : settings) {
    if (name != "jwt_secret" || value.empty() || value[0] != '@') continue;
    const int file = open_without_waiting(value.substr(1));
    value.clear();
    std::string text;
    if (file < 0) {
      problem = std::string("pgrst.jwt_secret: the file could not be read: ") + strerror(errno);
      continue;
    }
    const auto fault = read_regular_file(file, text);
    close(file);
    if (fault) {
      problem = "pgrst.jwt_secret: the file" + *fault;
      continue;
    }
    value = std::move(text);
    if (!value.empty() && value.back() == '\n') value.pop_back();
  }
}

Transaction introspection_transaction(const CatalogScope& scope, int server_version) {
  Transaction t;
  t.access = AccessMode::kReadOnly;
  t.isolation = Isolation::kRepeatableRead;
  t.settings.emplace_back("search_path", "");
  if (scope.pre_config) t.pre_request = call_sql(*scope.pre_config);
  for (auto& query : catalog_queries(scope, server_version)) {
    Statement statement;
    statement.text = query.sql;
    for (auto& param : query.params) statement.params.emplace_back(std::move(param));
    statement.format = ResultFormat::kRecords;
    t.statements.push_back(std::move(statement));
  }
  return t;
}

// db_config = off in postgresql.conf: what the database holds does not count.
bool uses_database_settings(const std::vector<SourcedSetting>& file_settings) {
  const auto made = make_config(texts_of(file_settings));
  const auto* config = std::get_if<Config>(&made);
  return config == nullptr || config->db_config;
}

CatalogScope scope_of(const Config& config) {
  return {config.db_schemas, config.db_extra_search_path,
          config.db_config ? config.db_pre_config : std::nullopt,
          string_setting("db_authenticator")};
}

}  // namespace

void SnapshotKeeper::set_file_settings(std::string_view records) {
  file_settings_ = parse_settings(records);
  wanted_.reset();
  force();
}

CatalogScope SnapshotKeeper::scope() const {
  if (wanted_) return *wanted_;
  const auto made = make_config(texts_of(file_settings_));
  if (const auto* config = std::get_if<Config>(&made)) return scope_of(*config);
  return scope_of(std::get<Config>(make_config({})));
}

std::string SnapshotKeeper::start(uint64_t generation, int server_version, bool only_roles) {
  running_ = true;
  force_pending_ = false;
  checked_ = generation;
  introspected_ = scope();
  RequestMessage message;
  message.kind = MessageKind::kIntrospection;
  message.known_fingerprint = fingerprint_;
  message.only_roles = only_roles;
  message.subject = {introspected_.schemas, introspected_.pre_config, introspected_.authenticator};
  message.transaction = introspection_transaction(introspected_, server_version);
  return encode_request(message);
}

Verdict SnapshotKeeper::on_result(ResponseHead& head, uint64_t generation) {
  pending_generation_ = generation;
  return conclude(judge(head));
}

Verdict SnapshotKeeper::build(size_t max_rows) {
  if (!builder_->step(max_rows)) return Verdict::kBuilding;
  auto catalog = builder_->take();
  builder_.reset();
  if (!catalog.ok()) {
    problem_ = catalog.error().message;
    checked_ = pending_generation_ - 1;
    return conclude(Verdict::kFailed);
  }
  fingerprint_ = pending_fingerprint_;
  return conclude(publish(std::move(catalog).value()));
}

Verdict SnapshotKeeper::conclude(Verdict verdict) {
  if (verdict != Verdict::kBuilding) failing_ = verdict == Verdict::kFailed;
  running_ = verdict == Verdict::kBuilding;
  const bool right = verdict == Verdict::kUnchanged || verdict == Verdict::kPublished;
  if (right && !force_pending_) verified_ = pending_generation_;
  return verdict;
}

Verdict SnapshotKeeper::judge(ResponseHead& head) {
  if (head.result.error) {
    problem_ = head.result.error->message;
    checked_ = pending_generation_ - 1;
    return Verdict::kFailed;
  }
  reload_marker_ = head.verdict.reload_marker;
  if (!head.verdict.extension_present) return Verdict::kExtensionMissing;
  if (head.verdict.unchanged) return Verdict::kUnchanged;
  left_out_ = std::move(head.verdict.left_out);
  lacks_objects_ = head.verdict.read_again;
  times_.clear();
  const auto& sets_read = head.result.result_sets;
  for (size_t i = 0; i < head.verdict.times_us.size(); i++) {
    const bool is_query = i >= 2 && i - 2 < sets_read.size();
    times_.push_back({is_query ? sets_read[i - 2].rows : 0, head.verdict.times_us[i]});
  }
  std::vector<std::string> sets;
  for (auto& set : head.result.result_sets) sets.push_back(std::move(set.body));
  builder_ = std::make_unique<CatalogBuilder>(std::move(sets));
  pending_fingerprint_ = head.verdict.fingerprint;
  pre_config_problem_ = std::move(head.verdict.pre_config_problem);
  return Verdict::kBuilding;
}

Verdict SnapshotKeeper::publish(Catalog catalog) {
  problem_.clear();
  std::vector<SourcedSetting> settings = file_settings_;
  if (uses_database_settings(file_settings_)) {
    settings.insert(settings.end(), catalog.settings.begin(), catalog.settings.end());
  }
  unknown_settings_ = pgrst::unknown_settings(settings);
  SettingTexts texts = texts_of(settings);
  read_secret_file(texts, problem_);
  const auto made = make_config(texts);
  if (const auto* config = std::get_if<Config>(&made)) {
    wanted_ = scope_of(*config);
    // The database names other schemas than postgresql.conf does, or a function for more settings:
    // look again, at those. A function that names others each time is not followed for ever.
    if (wanted_ != introspected_ && ++rounds_ < kMaxRounds) {
      force();
      return Verdict::kUnchanged;
    }
  }
  rounds_ = 0;
  // What the function would have said is not known: what runs stays in force.
  if (!pre_config_problem_.empty()) problem_ = "pgrst.db_pre_config: " + pre_config_problem_;
  lacks_settings_ = !problem_.empty();
  if (problem_.empty()) {
    auto configured = make_configured(texts);
    if (auto* problem = std::get_if<std::string>(&configured))
      problem_ = std::move(*problem);
    else
      configured_ = std::move(std::get<Configured>(configured));
    if (problem_.empty()) settings_ = effective_settings(settings);
  }
  if (!configured_) {
    fingerprint_.reset();
    checked_ = pending_generation_ - 1;
    return Verdict::kFailed;
  }
  snapshot_ = make_snapshot(*configured_, std::move(catalog.schema_cache));
  return Verdict::kPublished;
}

void SnapshotKeeper::on_failure(std::string problem) {
  on_failure();
  problem_ = std::move(problem);
  failing_ = true;
}

void SnapshotKeeper::forget() {
  snapshot_.reset();
  wanted_.reset();
  reload_marker_ = 0;
  force();
}

}  // namespace pgrst::pg
