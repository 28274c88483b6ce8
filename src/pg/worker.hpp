// What launcher, gateways and executors have in common: their names, arguments and start.
#pragma once

#include <cstdint>

#include "pg/shmem.hpp"

#include "pg/pg_prelude.hpp"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace pgrst::pg {

constexpr char kLibrary[] = "postgrest_ext";
constexpr char kLauncherMain[] = "pgrst_launcher_main";
constexpr char kGatewayMain[] = "pgrst_gateway_main";
constexpr char kExecutorMain[] = "pgrst_executor_main";

// The main argument of gateways and executors.
struct WorkerArgument {
  uint16_t database;
  uint16_t executor;
};
Datum to_datum(WorkerArgument argument);
WorkerArgument from_datum(Datum datum);

// A worker's description, to be registered; `name` for pg_stat_activity and the log.
BackgroundWorker px_describe_worker(const char* main_function, const char* name, const char* type,
                                    WorkerArgument argument);

// Connects to the database as the authenticator; refuses a superuser. Ends the process on failure,
// with the reason in the log and in the database's last error.
void px_connect(DatabaseShared& db);

// Whether px_connect has turned off JIT compilation, which is on for others.
bool jit_is_suppressed();

// Set by SIGHUP; postgresql.conf has to be read again.
void px_reload_config_if_asked();

}  // namespace pgrst::pg
