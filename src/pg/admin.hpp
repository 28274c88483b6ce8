// The admin server of a gateway: a second HTTP service, answered by app/admin.hpp.
//
// Input -> output: the admin_server_* settings -> a listening service, or none; requests ->
// responses, at once and without executors, so that it answers when they are all busy. Runs in the
// gateway's loop.
#pragma once

#include "app/admin.hpp"
#include "app/metrics.hpp"
#include "http/service.hpp"

#include "pg/shmem.hpp"

namespace pgrst::pg {

class AdminServer {
 public:
  AdminServer(DatabaseShared& db, http::SocketFile& file);

  // Listens where the settings say, or stops to.
  void configure(const Config& config, int64_t now_ms);
  void stop_accepting() { service_.stop_accepting(); }
  void close() { service_.close(); }
  bool is_open() const { return !service_.servers().empty(); }
  // Serves the sockets and answers what has come.
  void run(const AdminState& state);

  http::Service& service() { return service_; }

 private:
  void answer(http::Arrival& arrival, const AdminState& state);

  DatabaseShared& db_;
  http::Service service_;
  std::string reported_problem_;
};

// What shared memory and the operating system know: all but connections and the JWT cache.
ServiceGauges gather_gauges(DatabaseShared& db);

}  // namespace pgrst::pg
