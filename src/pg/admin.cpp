#include <cinttypes>
#include <cstdio>

#include "core/server_errors.hpp"
#include "http/piece_source.hpp"
#include "http/settings.hpp"
#include "pg/admin.hpp"
#include "pg/guard.hpp"

#include "pg/compat.hpp"

namespace pgrst::pg {

namespace {

// Bytes of a process that are in memory; 0 when it has ended.
uint64_t resident_memory(int pid) {
  if (pid == 0) return 0;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE* file = std::fopen(path, "r");
  if (file == nullptr) return 0;
  uint64_t total = 0, pages = 0;
  if (std::fscanf(file, "%" SCNu64 " %" SCNu64, &total, &pages) != 2) pages = 0;
  (void)std::fclose(file);
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void count_executor(ExecutorShared& executor, ServiceGauges& gauges) {
  switch (executor.state.load(std::memory_order_relaxed)) {
    case ProcessState::kNone:
      return;
    case ProcessState::kStarting:
      gauges.pool_starting++;
      break;
    case ProcessState::kIdle:
      gauges.pool_idle++;
      break;
    case ProcessState::kBusy:
      gauges.pool_busy++;
      break;
  }
  gauges.executor_memory += resident_memory(executor.pid.load(std::memory_order_relaxed));
}

}  // namespace

ServiceGauges gather_gauges(DatabaseShared& db) {
  ServiceGauges gauges;
  gauges.schema_loads = db.schema_loads.load();
  gauges.schema_load_failures = db.schema_load_failures.load();
  gauges.schema_checks = db.schema_checks.load();
  gauges.schema_query_seconds = static_cast<double>(db.schema_query_us.load()) / 1e6;
  gauges.tables = db.table_count.load();
  gauges.pool_max = db.executor_count;
  for (uint32_t i = 0; i < db.executor_count; i++) count_executor(db.executor(i), gauges);
  for (uint32_t i = 0; i < db.slot_count; i++) {
    if (db.slot(i).outcome.load(std::memory_order_relaxed) == Outcome::kQueued &&
        db.slot(i).sequence.load(std::memory_order_relaxed) != 0) {
      gauges.pool_waiting++;
    }
  }
  gauges.pool_waiting += db.queue_length.load();
  gauges.pool_timeouts = db.pool_timeouts.load();
  gauges.gateway_memory = resident_memory(db.gateway_pid.load());
  return gauges;
}

AdminServer::AdminServer(DatabaseShared& db, http::SocketFile& file)
    : db_(db),
      service_(
          file,
          [](const HttpRequest&, const Error& error) {
            return error_response(error, ErrorVerbosity::kVerbose);
          },
          nullptr) {}

void AdminServer::configure(const Config& config, int64_t now_ms) {
  if (!config.admin_server_port && !config.admin_server_unix_socket) {
    service_.stop_accepting();
    return;
  }
  const auto change =
      service_.listen(http::admin_endpoint(config), http::admin_limits(config), now_ms);
  if (change == http::Service::Change::kNone) return;
  const bool listening = change == http::Service::Change::kListening;
  const std::string what = listening ? service_.where() : service_.problem();
  if (!listening && what == reported_problem_) return;
  reported_problem_ = listening ? "" : what;
  (void)guard([&] {
    if (listening) {
      ereport(LOG, (errmsg("postgrest_ext: admin server of database \"%s\" on %s", db_.name,
                           what.c_str())));
    } else {
      ereport(WARNING, (errmsg("postgrest_ext: admin server of database \"%s\": %s", db_.name,
                               what.c_str())));
    }
  });
}

void AdminServer::run(const AdminState& state) {
  service_.run();
  bool answered = false;
  for (auto& arrival : service_.take_arrivals()) {
    answer(arrival, state);
    answered = true;
  }
  if (answered) service_.run();
  service_.forget_ended();
}

void AdminServer::answer(http::Arrival& arrival, const AdminState& state) {
  HttpResponse response;
  try {
    response = admin_response(arrival.request, state);
  } catch (const std::exception& e) {
    response = error_response(errors::surprise(e), ErrorVerbosity::kVerbose);
  }
  http::Server* server = service_.server_of(arrival.ticket);
  if (server == nullptr) return;
  if (arrival.request.method == "HEAD") {
    response.body.clear();
    response.pieces.reset();
  }
  if (!response.pieces) {
    server->respond(arrival.ticket, std::move(response));
    return;
  }
  auto source = std::make_unique<http::PieceSource>(std::move(response.pieces));
  server->stream(arrival.ticket, std::move(response), std::move(source));
}

}  // namespace pgrst::pg
