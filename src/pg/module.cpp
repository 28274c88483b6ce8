// The module's entry: settings, shared memory, hooks, and the launcher.

#include "api_request/name_bounds.hpp"
#include "pg/gucs.hpp"

#include "pg/shmem.hpp"
#include "pg/utility_hook.hpp"
#include "pg/worker.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/htup_details.h"
#include "storage/ipc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
}

namespace pgrst::pg {
namespace {

static_assert(MaxTupleAttributeNumber == kMaxTargets);
static_assert(FUNC_MAX_ARGS <= kMaxNames && MaxHeapAttributeNumber <= kMaxNames);
static_assert(NAMEDATALEN <= kMaxName);

void px_register_launcher() {
  BackgroundWorker worker =
      px_describe_worker(kLauncherMain, "postgrest launcher", "postgrest launcher", {0, 0});
  worker.bgw_notify_pid = 0;
  // Only the launcher is the postmaster's to restart: it restarts everything else.
  worker.bgw_restart_time = 1;
  RegisterBackgroundWorker(&worker);
}

}  // namespace
}  // namespace pgrst::pg

// Without shared_preload_libraries there are the SQL functions, but no settings and no service.
void _PG_init(void) {
  if (!process_shared_preload_libraries_in_progress) return;
  pgrst::pg::px_define_gucs();
  pgrst::pg::px_warn_of_unknown_settings();
  pgrst::pg::px_install_shmem_hooks();
  pgrst::pg::px_install_utility_hook();
  // During pg_upgrade nobody but pg_upgrade may connect.
  if (!IsBinaryUpgrade) pgrst::pg::px_register_launcher();
}
