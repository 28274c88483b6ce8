#include <malloc.h>

#include <cstring>

#include "pg/gucs.hpp"

#include "pg/worker.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
#include "jit/jit.h"
#include "mb/pg_wchar.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
}

namespace pgrst::pg {

Datum to_datum(WorkerArgument argument) {
  return UInt32GetDatum(static_cast<uint32>(argument.database) << 16 | argument.executor);
}

WorkerArgument from_datum(Datum datum) {
  const uint32 bits = DatumGetUInt32(datum);
  return {static_cast<uint16_t>(bits >> 16), static_cast<uint16_t>(bits & 0xFFFF)};
}

BackgroundWorker px_describe_worker(const char* main_function, const char* name, const char* type,
                                    WorkerArgument argument) {
  BackgroundWorker worker;
  std::memset(&worker, 0, sizeof worker);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_ConsistentState;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_main_arg = to_datum(argument);
  worker.bgw_notify_pid = MyProcPid;
  strlcpy(worker.bgw_name, name, BGW_MAXLEN);
  strlcpy(worker.bgw_type, type, BGW_MAXLEN);
  strlcpy(worker.bgw_library_name, kLibrary, BGW_MAXLEN);
  strlcpy(worker.bgw_function_name, main_function, BGW_MAXLEN);
  return worker;
}

namespace {

bool jit_suppressed = false;

void px_refuse(DatabaseShared& db, const char* reason) {
  px_set_last_error(db, reason);
  db.gateway_connected = true;
  ereport(FATAL,
          (errcode(ERRCODE_CONFIG_FILE_ERROR),
           errmsg("postgrest_ext cannot serve database \"%s\"", db.name), errdetail("%s", reason)));
}

// Bodies, and schema caches that are replaced, are to go back to the system: glibc would otherwise
// learn from the first large one to keep such blocks.
void give_back_large_blocks() {
#ifdef __GLIBC__
  (void)mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
  (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
#endif
}

}  // namespace

void px_connect(DatabaseShared& db) {
  give_back_large_blocks();
  BackgroundWorkerInitializeConnection(db.name, string_setting("db_authenticator"), 0);
  if (superuser()) px_refuse(db, "The authenticator role is a superuser.");
  if (GetDatabaseEncoding() != PG_UTF8) px_refuse(db, "The encoding of the database is not UTF8.");
  SetConfigOption("application_name", "postgrest", PGC_USERSET, PGC_S_OVERRIDE);
  // A first use of JIT costs a worker 120 ms and 28 MB; roles and databases may turn it on.
  const bool was_on = jit_enabled;
  SetConfigOption("jit", "off", PGC_SUSET, PGC_S_DYNAMIC_DEFAULT);
  jit_suppressed = was_on && !jit_enabled;
}

bool jit_is_suppressed() { return jit_suppressed; }

void px_reload_config_if_asked() {
  if (!ConfigReloadPending) return;
  ConfigReloadPending = false;
  ProcessConfigFile(PGC_SIGHUP);
}

}  // namespace pgrst::pg
