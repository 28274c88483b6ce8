// The launcher: starts gateways and executors, and restarts what died, with back-off.
//
//   for each database:  waiting ──role and database are fit──▶ gateway started ──it ended──▶
//   waiting
//                          │                                       │
//                          └──────── paused (somebody drops or renames the database) ◀──────┘
//
// It connects to no database and runs nothing of anybody's. It is the only process that starts
// workers, so that a database which is being dropped does not get new ones behind the back of DROP
// DATABASE.

#include <algorithm>
#include <csignal>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "pg/gucs.hpp"

#include "pg/guard.hpp"
#include "pg/worker.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

PGDLLEXPORT void pgrst_launcher_main(Datum argument);
}

namespace pgrst::pg {
namespace {

constexpr long kTurnMs = 10000;        // a look at everything although nobody asks
constexpr long kStartingTurnMs = 200;  // while executors start: what PostgreSQL waits for in a turn
                                       // may swallow the signal of one that ends before it begins
constexpr long kPausedTurnMs = 50;     // while a requester's transaction is watched
constexpr int64_t kFirstBackoffMs = 500;
constexpr int64_t kLastBackoffMs = 15000;
constexpr int kEnoughForNow = 1;  // executors kept although nobody asks for more

int64_t now_ms() { return GetCurrentTimestamp() / 1000; }

// The row of `catalog` whose name column holds `name`, copied, or null. By sequential scan: without
// a database, indexes of shared catalogs can be opened only after some session has built the
// relation cache's init file, and after a restart nobody has yet.
HeapTuple px_find_by_name(Oid catalog, AttrNumber name_column, const char* name) {
  Relation relation = table_open(catalog, AccessShareLock);
  TableScanDesc scan = table_beginscan_catalog(relation, 0, nullptr);
  HeapTuple found = nullptr;
  for (HeapTuple tuple = heap_getnext(scan, ForwardScanDirection); tuple != nullptr;
       tuple = heap_getnext(scan, ForwardScanDirection)) {
    bool is_null = false;
    const Datum value = heap_getattr(tuple, name_column, RelationGetDescr(relation), &is_null);
    if (is_null || strcmp(NameStr(*DatumGetName(value)), name) != 0) continue;
    found = heap_copytuple(tuple);
    break;
  }
  table_endscan(scan);
  table_close(relation, AccessShareLock);
  return found;
}

// What can be wrong before a worker is started; null: nothing. Needs a transaction.
const char* px_find_problem(const char* database) {
  if (px_find_by_name(DatabaseRelationId, Anum_pg_database_datname, database) == nullptr) {
    return "The database does not exist.";
  }
  HeapTuple role =
      px_find_by_name(AuthIdRelationId, Anum_pg_authid_rolname, string_setting("db_authenticator"));
  if (role == nullptr) return "The authenticator role (pgrst.db_authenticator) does not exist.";
  const auto* form = reinterpret_cast<Form_pg_authid>(GETSTRUCT(role));
  if (form->rolsuper) return "The authenticator role (pgrst.db_authenticator) is a superuser.";
  if (!form->rolcanlogin) return "The authenticator role (pgrst.db_authenticator) may not log in.";
  return nullptr;
}

void px_examine(const char* database, const char** problem) {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  PushActiveSnapshot(GetTransactionSnapshot());
  *problem = px_find_problem(database);
  PopActiveSnapshot();
  CommitTransactionCommand();
}

bool px_requester_is_gone(VirtualTransactionId requester) {
  StartTransactionCommand();
  const bool gone = VirtualXactLock(requester, false);
  CommitTransactionCommand();
  return gone;
}

void px_start_worker(const BackgroundWorker* worker, BackgroundWorkerHandle** handle) {
  BackgroundWorker copy = *worker;
  if (!RegisterDynamicBackgroundWorker(&copy, handle)) *handle = nullptr;
}

bool is_stopped(BackgroundWorkerHandle* handle) {
  pid_t pid = 0;
  return handle == nullptr || GetBackgroundWorkerPid(handle, &pid) == BGWH_STOPPED;
}

// The workers of one database.
class Service {
 public:
  Service(uint16_t index, DatabaseShared& db)
      : index_(index), db_(db), executors_(db.executor_count, nullptr) {}

  const DatabaseShared& db() const { return db_; }

  // Does what is due; returns the milliseconds after which it wants to look again.
  int64_t turn(bool paused) {
    reap();
    if (paused) {
      stop();
      db_.state = ServiceState::kPaused;
      was_paused_ = true;
      return kPausedTurnMs;
    }
    if (was_paused_) {
      // The workers ended because they were asked to: nothing is wrong, so nothing is to be waited
      // for.
      was_paused_ = false;
      backoff_ms_ = kFirstBackoffMs / 2;
      retry_at_ms_ = 0;
    }
    const int64_t now = now_ms();
    if (gateway_ == nullptr) {
      if (now < retry_at_ms_) return retry_at_ms_ - now;
      start_gateway(now);
      return gateway_ == nullptr ? retry_at_ms_ - now : kTurnMs;
    }
    start_executors(now);
    if (executor_retry_at_ms_ > now) return executor_retry_at_ms_ - now;
    return is_waiting_for_executors() ? kStartingTurnMs : kTurnMs;
  }

  // After a turn in which it was paused: nothing runs any more.
  bool is_paused_and_stopped() const {
    return was_paused_ && gateway_ == nullptr &&
           std::all_of(executors_.begin(), executors_.end(),
                       [](const auto* handle) { return handle == nullptr; });
  }

  // Workers that an earlier launcher started are nobody's: they end, and new ones take their place.
  void end_strangers() {
    if (const pid_t pid = db_.gateway_pid.load(); pid > 0) kill(pid, SIGTERM);
    for (uint32_t i = 0; i < db_.executor_count; i++) {
      if (const pid_t pid = db_.executor(i).pid.load(); pid > 0) kill(pid, SIGTERM);
    }
  }

  void stop() {
    if (gateway_ != nullptr) TerminateBackgroundWorker(gateway_);
    for (auto* handle : executors_) {
      if (handle != nullptr) TerminateBackgroundWorker(handle);
    }
  }

 private:
  // Forgets what has ended; the gateway's end starts the back-off.
  void reap() {
    if (gateway_ != nullptr && is_stopped(gateway_)) {
      forget(gateway_);
      if (!db_.gateway_connected.load() && !was_paused_) report_silent_end();
      const bool lived = now_ms() - gateway_started_ms_ > kLastBackoffMs;
      backoff_ms_ = lived ? kFirstBackoffMs : std::min(backoff_ms_ * 2, kLastBackoffMs);
      retry_at_ms_ = now_ms() + backoff_ms_;
    }
    for (uint32_t i = 0; i < executors_.size(); i++) {
      if (executors_[i] == nullptr || !is_stopped(executors_[i])) continue;
      forget(executors_[i]);
      db_.executor(i).state = ProcessState::kNone;
      executor_retry_at_ms_ = now_ms() + kFirstBackoffMs / 5;
    }
  }

  static void forget(BackgroundWorkerHandle*& handle) {
    pfree(handle);
    handle = nullptr;
  }

  void start_gateway(int64_t now) {
    backoff_ms_ = std::min(backoff_ms_ * 2, kLastBackoffMs);
    retry_at_ms_ = now + backoff_ms_;
    if (!is_fit()) return;
    db_.gateway_connected = false;
    const std::string name = std::string("postgrest gateway ") + db_.name;
    const BackgroundWorker worker =
        px_describe_worker(kGatewayMain, name.c_str(), "postgrest gateway", {index_, 0});
    if (const auto error = guard([&] { px_start_worker(&worker, &gateway_); });
        error || !gateway_) {
      report("No background worker slot is free for the gateway (max_worker_processes).");
      return;
    }
    gateway_started_ms_ = now;
    db_.executor_wanted = true;  // the one that introspects
  }

  bool is_waiting_for_executors() const {
    if (db_.state.load() == ServiceState::kDormant) return false;
    if (db_.executor_wanted.load()) return true;
    for (uint32_t i = 0; i < db_.executor_count; i++) {
      if (db_.executor(i).state.load() == ProcessState::kStarting) return true;
    }
    return false;
  }

  void start_executors(int64_t now) {
    if (db_.gateway_pid.load() == 0 || db_.state.load() == ServiceState::kDormant) return;
    int alive = 0;
    int free = -1;
    for (uint32_t i = 0; i < executors_.size(); i++) {
      if (executors_[i] != nullptr) {
        alive++;
      } else if (free < 0) {
        free = static_cast<int>(i);
      }
    }
    const bool wanted = db_.executor_wanted.load() || alive < kEnoughForNow;
    if (!wanted || now < executor_retry_at_ms_) return;
    db_.executor_wanted = false;
    if (free < 0) return;
    if (!is_fit()) {
      // The role has lost what it needs while it was served.
      stop();
      return;
    }
    const std::string name = "postgrest executor " + std::to_string(free) + " " + db_.name;
    const BackgroundWorker worker = px_describe_worker(
        kExecutorMain, name.c_str(), "postgrest executor", {index_, static_cast<uint16_t>(free)});
    db_.executor(free).state = ProcessState::kStarting;
    const auto error = guard([&] { px_start_worker(&worker, &executors_[free]); });
    if (error || executors_[free] == nullptr) {
      db_.executor(free).state = ProcessState::kNone;
      executor_retry_at_ms_ = now + 1000;
      report("No background worker slot is free for an executor (max_worker_processes).");
    }
  }

  // Whether database and role are fit to be served; says so if not.
  bool is_fit() {
    const char* problem = nullptr;
    if (const auto error = guard([&] { px_examine(db_.name, &problem); })) {
      (void)guard([] { AbortCurrentTransaction(); });
      report(error->message.c_str());
      return false;
    }
    if (problem != nullptr) report(problem);
    return problem == nullptr;
  }

  // A gateway that ends before it is connected says why in the server log only: PostgreSQL ends it.
  void report_silent_end() {
    report(
        "The gateway could not connect to the database as the authenticator role, which needs the "
        "CONNECT privilege and a free connection; the server log says more.");
  }

  // Into pgrst.status each time, into the log when it is news.
  void report(const char* problem) {
    (void)guard([&] {
      if (last_problem_ != problem) {
        ereport(WARNING, (errmsg("postgrest_ext cannot serve database \"%s\"", db_.name),
                          errdetail("%s", problem)));
      }
      px_set_last_error(db_, problem);
    });
    last_problem_ = problem;
  }

  uint16_t index_;
  DatabaseShared& db_;
  BackgroundWorkerHandle* gateway_ = nullptr;
  std::vector<BackgroundWorkerHandle*> executors_;
  int64_t gateway_started_ms_ = 0;
  int64_t backoff_ms_ = kFirstBackoffMs / 2;
  int64_t retry_at_ms_ = 0;
  int64_t executor_retry_at_ms_ = 0;
  std::string last_problem_;
  bool was_paused_ = false;
};

class Launcher {
 public:
  explicit Launcher(Shared& shared) : shared_(shared) {
    for (uint32_t i = 0; i < shared.database_count; i++) {
      services_.push_back(std::make_unique<Service>(static_cast<uint16_t>(i), shared.database(i)));
    }
  }

  void run() {
    publish_settings();
    for (auto& service : services_) service->end_strangers();
    while (!ShutdownRequestPending) {
      int64_t next = kTurnMs;
      drop_finished_requests();
      for (auto& service : services_) {
        next = std::min(next, service->turn(is_paused(service->db())));
      }
      acknowledge();
      wait(next);
    }
    for (auto& service : services_) service->stop();
  }

 private:
  void wait(int64_t timeout_ms) {
    (void)guard([&] {
      (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                      static_cast<long>(std::max<int64_t>(timeout_ms, 10)), PG_WAIT_EXTENSION);
      ResetLatch(MyLatch);
      CHECK_FOR_INTERRUPTS();
    });
    if (!ConfigReloadPending) return;
    (void)guard([] {
      px_reload_config_if_asked();
      px_warn_of_unknown_settings();
    });
    publish_settings();
  }

  void publish_settings() {
    std::string records;
    (void)guard([&] { px_append_set_settings(records); });
    if (records.size() > kSettingsAreaSize) {
      (void)guard([] {
        ereport(WARNING,
                (errmsg("postgrest_ext: the settings are too large; the earlier ones stay")));
      });
      return;
    }
    LWLockAcquire(shared_.lock, LW_EXCLUSIVE);
    std::memcpy(shared_.settings, records.data(), records.size());
    shared_.settings_size = records.size();
    LWLockRelease(shared_.lock);
    shared_.settings_generation.fetch_add(1);
    for (auto& service : services_) {
      if (Latch* latch = service->db().gateway_latch.load()) SetLatch(latch);
    }
  }

  // -- stepping aside
  // ---------------------------------------------------------------------------------

  template <class F>
  void each_request(F f) {
    for (auto& request : shared_.step_aside) {
      if (request.in_use) f(request);
    }
  }

  // A request ends with the transaction of its requester, however that ended.
  void drop_finished_requests() {
    VirtualTransactionId requesters[kMaxStepAsideRequests];
    int count = 0;
    LWLockAcquire(shared_.lock, LW_SHARED);
    each_request([&](const StepAsideRequest& r) { requesters[count++] = r.requester; });
    LWLockRelease(shared_.lock);
    for (int i = 0; i < count; i++) {
      bool gone = false;
      if (guard([&] { gone = px_requester_is_gone(requesters[i]); })) {
        (void)guard([] { AbortCurrentTransaction(); });
      }
      if (!gone) continue;
      LWLockAcquire(shared_.lock, LW_EXCLUSIVE);
      each_request([&](StepAsideRequest& r) {
        if (VirtualTransactionIdEquals(r.requester, requesters[i])) r.in_use = false;
      });
      LWLockRelease(shared_.lock);
    }
  }

  bool is_paused(const DatabaseShared& db) {
    bool paused = false;
    LWLockAcquire(shared_.lock, LW_SHARED);
    each_request(
        [&](const StepAsideRequest& r) { paused = paused || r.database == db.oid.load(); });
    LWLockRelease(shared_.lock);
    return paused;
  }

  // Says that the workers have ended. What can raise or allocate happens before the lock is taken.
  void acknowledge() {
    std::vector<Oid> stopped;
    for (auto& service : services_) {
      if (service->is_paused_and_stopped()) stopped.push_back(service->db().oid.load());
    }
    if (stopped.empty()) return;
    LWLockAcquire(shared_.lock, LW_EXCLUSIVE);
    each_request([&](StepAsideRequest& r) {
      if (r.done || std::find(stopped.begin(), stopped.end(), r.database) == stopped.end()) return;
      r.done = true;
      SetLatch(r.requester_latch);
    });
    LWLockRelease(shared_.lock);
  }

  Shared& shared_;
  std::vector<std::unique_ptr<Service>> services_;
};

void on_exit(int, Datum) {
  shared()->launcher_latch = nullptr;
  shared()->launcher_pid = 0;
}

void px_start() {
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGINT, SIG_IGN);
  BackgroundWorkerUnblockSignals();
  shared()->launcher_pid = MyProcPid;
  shared()->launcher_started_at = GetCurrentTimestamp();
  before_shmem_exit(&on_exit, 0);
  BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
  shared()->launcher_latch = MyLatch;
}

void run_noexcept(char* problem, size_t size) noexcept {
  try {
    Launcher(*shared()).run();
  } catch (const std::exception& e) {
    std::strncpy(problem, e.what(), size - 1);
  } catch (...) {
    std::strncpy(problem, "unknown exception", size - 1);
  }
}

}  // namespace
}  // namespace pgrst::pg

void pgrst_launcher_main(Datum) {
  static char problem[256];
  pgrst::pg::px_start();
  MemoryContextSwitchTo(TopMemoryContext);
  pgrst::pg::run_noexcept(problem, sizeof problem);
  if (problem[0] != '\0') ereport(FATAL, (errmsg("postgrest launcher failed: %s", problem)));
  // Not 0: the postmaster would not start it again after pg_terminate_backend.
  proc_exit(1);
}
