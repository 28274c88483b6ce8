#include <algorithm>

#include "app/access_log.hpp"
#include "pg/traffic.hpp"

#include "pg/compat.hpp"

namespace pgrst::pg {

namespace {

// The file's name with the database in it.
std::string log_path(const Config& config, std::string database) {
  std::string path = config.access_log_file;
  const size_t at = path.find("%d");
  if (at == std::string::npos) return path;
  std::replace(database.begin(), database.end(), '/', '_');
  return path.replace(at, 2, database);
}

ResourceKind kind_of(const http::Ended& ended, const RequestAccount& account) {
  if (!account.resource.empty()) {
    return account.is_routine ? ResourceKind::kRoutine : ResourceKind::kRelation;
  }
  const bool is_root = ended.target == "/" || ended.target.substr(0, 2) == "/?";
  return is_root ? ResourceKind::kRoot : ResourceKind::kNone;
}

}  // namespace

void Traffic::configure(const Config& config, const std::string& database) {
  level_ = config.log_level;
  log_.set_file(log_path(config, database));
}

void Traffic::observe(const http::Ended& ended) {
  Sample sample;
  sample.method = ended.method;
  sample.received = ended.received;
  sample.sent = ended.sent;
  sample.duration_ns = ended.duration_ns;
  if (ended.response != nullptr) {
    const RequestAccount& account = ended.response->account;
    sample.status = ended.response->status;
    sample.kind = kind_of(ended, account);
    sample.schema = account.schema;
    sample.resource = account.resource;
    sample.rows = account.rows;
  }
  statistics_.add(sample);
  const int status = ended.response == nullptr ? kClientGone : sample.status;
  if (is_logged(level_, status)) log(ended, status);
}

void Traffic::log(const http::Ended& ended, int status) {
  const std::string client = ended.client();
  AccessEntry entry;
  entry.client = client;
  entry.time = log_.time();
  entry.method = ended.method;
  entry.target = ended.target;
  entry.version = ended.version;
  entry.status = status;
  entry.body_size = ended.sent;
  entry.referer = ended.header("Referer");
  entry.user_agent = ended.header("User-Agent");
  if (ended.response != nullptr) {
    const RequestAccount& account = ended.response->account;
    entry.role = account.role;
    for (const auto& sql : account.sql) log_.add_query(sql);
  }
  std::string line;
  append_access_line(line, entry);
  log_.add(std::move(line));
}

}  // namespace pgrst::pg
