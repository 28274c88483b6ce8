// What remains of each request that has ended: statistics, and a line in the access log.
//
// Input -> output: Ended -> counts in shared memory and lines (app/access_log.hpp). observe() is
// called below libmicrohttpd and calls nothing of PostgreSQL; what it collects is written by
// flush().
#pragma once

#include <string>

#include "core/config.hpp"
#include "core/statistics.hpp"
#include "http/server.hpp"

#include "pg/access_log.hpp"

namespace pgrst::pg {

class Traffic {
 public:
  explicit Traffic(Statistics& statistics) : statistics_(statistics) {}

  void configure(const Config& config, const std::string& database);
  void reopen_log() { log_.reopen(); }

  // Once in a turn, before requests can end.
  void tick() { log_.tick(); }
  void observe(const http::Ended& ended);
  void flush() { log_.flush(); }

 private:
  void log(const http::Ended& ended, int status);

  Statistics& statistics_;
  LogLevel level_ = LogLevel::kCrit;
  AccessLog log_;
};

}  // namespace pgrst::pg
