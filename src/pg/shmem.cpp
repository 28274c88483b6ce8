#include <cstring>
#include <new>

#include "pg/gucs.hpp"

#include "pg/shmem.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/varlena.h"
}

namespace pgrst::pg {

namespace {

constexpr char kTranche[] = "postgrest_ext";

Shared* the_shared = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;
#if PGRST_HAS_SHMEM_REQUEST_HOOK
shmem_request_hook_type previous_request_hook = nullptr;
#endif

static_assert(alignof(Slot) <= 64 && alignof(MpmcQueue) <= 64 && alignof(Statistics) <= 64);

size_t aligned(size_t size) { return (size + 63) / 64 * 64; }

// Requests beyond what the executors work on wait in the gateway; a few more slots than executors
// keep the executors busy while the gateway reads.
uint32_t slots_for(uint32_t executors) { return executors * 2 < 16 ? 16 : executors * 2; }

struct DatabaseLayout {
  size_t statistics_at, executors_at, submissions_at, events_at, slots_at, size;
};

DatabaseLayout layout_of(uint32_t executors, uint32_t routes) {
  const uint32_t slots = slots_for(executors);
  DatabaseLayout l;
  l.statistics_at = aligned(sizeof(DatabaseShared));
  l.executors_at = aligned(l.statistics_at + Statistics::bytes_needed(routes));
  l.submissions_at = aligned(l.executors_at + executors * sizeof(ExecutorShared));
  l.events_at = aligned(l.submissions_at + MpmcQueue::bytes_needed(slots));
  l.slots_at = aligned(l.events_at + MpmcQueue::bytes_needed(slots));
  l.size = aligned(l.slots_at + slots * Slot::bytes_needed());
  return l;
}

// The names in pgrst.databases, as a palloc'd list of palloc'd strings.
List* px_database_names() {
  List* names = NIL;
  char* raw = pstrdup(string_setting("databases"));
  if (!SplitGUCList(raw, ',', &names)) {
    ereport(FATAL, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("invalid value for parameter \"pgrst.databases\": \"%s\"",
                           string_setting("databases"))));
  }
  return names;
}

DatabaseLayout configured_layout() {
  return layout_of(int_setting("db_pool"), int_setting("stats_max_routes"));
}

size_t px_total_size(uint32_t databases) {
  return aligned(sizeof(Shared)) + databases * configured_layout().size;
}

void px_request() {
  List* names = px_database_names();
  RequestAddinShmemSpace(px_total_size(list_length(names)));
  RequestNamedLWLockTranche(kTranche, 1);
}

void px_init_database(DatabaseShared& db, const char* name) {
  const uint32_t executors = int_setting("db_pool");
  const DatabaseLayout l = configured_layout();
  memset(static_cast<void*>(&db), 0, l.size);
  strlcpy(db.name, name, sizeof db.name);
  db.executor_count = executors;
  db.max_idletime = int_setting("db_pool_max_idletime");
  db.max_lifetime = int_setting("db_pool_max_lifetime");
  db.slot_count = slots_for(executors);
  db.statistics_at = l.statistics_at;
  db.executors_at = l.executors_at;
  db.submissions_at = l.submissions_at;
  db.events_at = l.events_at;
  db.slots_at = l.slots_at;
  db.statistics().init(int_setting("stats_max_routes"));
  db.submissions().init(db.slot_count);
  db.events().init(db.slot_count);
  for (uint32_t i = 0; i < db.slot_count; i++) {
    Slot& slot = db.slot(i);
    slot.executor = -1;
    slot.request()->init(kRequestRingSize);
    slot.response()->init(kResponseRingSize);
  }
}

void px_startup() {
  if (previous_startup_hook != nullptr) previous_startup_hook();
  List* names = px_database_names();
  const uint32_t count = list_length(names);
  bool found = false;
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  auto* shared =
      static_cast<Shared*>(ShmemInitStruct("postgrest_ext", px_total_size(count), &found));
  if (!found) {
    // PostgreSQL aligns to cache lines, and all offsets are multiples of one.
    Assert(reinterpret_cast<uintptr_t>(shared) % alignof(Slot) == 0);
    memset(static_cast<void*>(shared), 0, sizeof(Shared));
    shared->lock = &GetNamedLWLockTranche(kTranche)->lock;
    shared->database_count = count;
    shared->databases_at = aligned(sizeof(Shared));
    shared->database_size = configured_layout().size;
    for (uint32_t i = 0; i < count; i++) {
      px_init_database(shared->database(i), static_cast<char*>(list_nth(names, i)));
    }
  }
  the_shared = shared;
  LWLockRelease(AddinShmemInitLock);
}

#if PGRST_HAS_SHMEM_REQUEST_HOOK
void px_request_from_hook() {
  if (previous_request_hook != nullptr) previous_request_hook();
  px_request();
}
#endif

}  // namespace

void px_install_shmem_hooks() {
#if PGRST_HAS_SHMEM_REQUEST_HOOK
  previous_request_hook = shmem_request_hook;
  shmem_request_hook = &px_request_from_hook;
#else
  px_request();
#endif
  previous_startup_hook = shmem_startup_hook;
  shmem_startup_hook = &px_startup;
}

Shared* shared() { return the_shared; }

DatabaseShared* own_database() {
  Shared* s = shared();
  for (uint32_t i = 0; s != nullptr && i < s->database_count; i++) {
    if (s->database(i).oid.load() == MyDatabaseId) return &s->database(i);
  }
  return nullptr;
}

namespace {

template <size_t N>
std::string copy_of(const char (&area)[N], const size_t& size) {
  std::string copy(N, '\0');  // before the lock: it may throw
  LWLockAcquire(shared()->lock, LW_SHARED);
  const size_t used = size;
  memcpy(copy.data(), area, used);
  LWLockRelease(shared()->lock);
  copy.resize(used);
  return copy;
}

}  // namespace

std::string published_settings(const Shared& shared) {
  return copy_of(shared.settings, shared.settings_size);
}

std::string effective_settings_of(const DatabaseShared& db) {
  return copy_of(db.effective, db.effective_size);
}

void wake_gateway(DatabaseShared& db) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!db.gateway_sleeping.load(std::memory_order_relaxed)) return;
  if (!db.gateway_sleeping.exchange(false)) return;
  if (Latch* latch = db.gateway_latch.load()) SetLatch(latch);
}

void post_event(DatabaseShared& db, uint32_t slot) {
  // As many cells as slots, and each slot in it once: the queue is never full.
  if (!db.slot(slot).event_posted.exchange(true)) db.events().push(slot);
  wake_gateway(db);
}

bool wake_executor(DatabaseShared& db) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (uint32_t i = 0; i < db.executor_count; i++) {
    ExecutorShared& executor = db.executor(i);
    if (!executor.sleeping.load(std::memory_order_relaxed)) continue;
    if (!executor.sleeping.exchange(false)) continue;
    if (Latch* latch = executor.latch.load()) SetLatch(latch);
    return true;
  }
  return false;
}

void wake_launcher() {
  if (Shared* s = shared()) {
    if (Latch* latch = s->launcher_latch.load()) SetLatch(latch);
  }
}

void px_set_last_error(DatabaseShared& db, const char* text) {
  const int whole = pg_mbcliplen(text, static_cast<int>(strlen(text)), sizeof db.last_error - 1);
  LWLockAcquire(shared()->lock, LW_EXCLUSIVE);
  memcpy(db.last_error, text, whole);
  db.last_error[whole] = '\0';
  db.last_error_at = GetCurrentTimestamp();
  LWLockRelease(shared()->lock);
}

void px_set_left_out(DatabaseShared& db, const char* text) {
  const int whole = pg_mbcliplen(text, static_cast<int>(strlen(text)), sizeof db.left_out - 1);
  LWLockAcquire(shared()->lock, LW_EXCLUSIVE);
  memcpy(db.left_out, text, whole);
  db.left_out[whole] = '\0';
  LWLockRelease(shared()->lock);
}

void px_set_effective_settings(DatabaseShared& db, const char* records, size_t size) {
  if (size > sizeof db.effective) size = 0;
  LWLockAcquire(shared()->lock, LW_EXCLUSIVE);
  memcpy(db.effective, records, size);
  db.effective_size = size;
  LWLockRelease(shared()->lock);
}

}  // namespace pgrst::pg
