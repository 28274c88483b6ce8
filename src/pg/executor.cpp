// The executor: takes requests from the ring, runs them through SPI, writes the results back.
//
//   idle ──pop──▶ reading ──▶ running ──▶ writing ──▶ idle
//    │                          │
//    └── idle or lifetime over, SIGTERM, database taken away ──▶ ends (the exit hook gives the slot
//    back)
//
// One request at a time. While it reads or writes more than the rings hold it waits for the
// gateway, and gives up as soon as nobody wants the response any more.

#include <csignal>
#include <cstring>
#include <ctime>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include "core/wire.hpp"
#include "pg/protocol.hpp"

#include "pg/guard.hpp"
#include "pg/introspection.hpp"
#include "pg/plan_cache.hpp"
#include "pg/session_state.hpp"
#include "pg/shmem.hpp"
#include "pg/spi_transaction.hpp"
#include "pg/worker.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/sinval.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

PGDLLEXPORT void pgrst_executor_main(Datum argument);
}

namespace pgrst::pg {
namespace {

DatabaseShared* the_db = nullptr;
ExecutorShared* me = nullptr;
volatile sig_atomic_t current_slot = -1;
volatile uint64_t current_sequence = 0;
// A transaction runs. Reading and writing are not cancelled: they are given up by themselves.
volatile sig_atomic_t cancellable = 0;

// -- leaving -------------------------------------------------------------------------------------

// Also runs when the process ends with FATAL in the middle of a request: no palloc, no ereport.
void on_exit(int, Datum) {
  if (me == nullptr) return;
  me->sleeping = false;
  me->latch = nullptr;
  me->pid = 0;
  me->state = ProcessState::kNone;
  const int slot = current_slot;
  if (slot >= 0) {
    current_slot = -1;
    the_db->slot(slot).outcome =
        transaction_committed() ? Outcome::kLostAfterCommit : Outcome::kExecutorLost;
    post_event(*the_db, slot);
  }
  wake_launcher();
}

// SIGINT cancels the request that the gateway named; without a name (pg_cancel_backend) whatever
// runs.
void on_cancel(SIGNAL_ARGS) {
  const int saved_errno = errno;
  // Taking the name away keeps a late signal from hitting the next request.
  const uint64_t wanted = me == nullptr ? 0 : me->cancel_sequence.exchange(0);
  if (cancellable && (wanted == 0 || wanted == current_sequence)) {
    InterruptPending = true;
    QueryCancelPending = true;
    note_cancel_signal();
  }
  SetLatch(MyLatch);
  errno = saved_errno;
}

// -- waiting -------------------------------------------------------------------------------------

void px_wait(long timeout_ms) {
  const int events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout_ms >= 0 ? WL_TIMEOUT : 0);
  (void)WaitLatch(MyLatch, events, timeout_ms, PG_WAIT_EXTENSION);
  ResetLatch(MyLatch);
  CHECK_FOR_INTERRUPTS();
  if (catchupInterruptPending) ProcessCatchupInterrupt();
}

// False when the request was cancelled meanwhile.
bool wait(long timeout_ms) {
  return !guard([&] { px_wait(timeout_ms); }, ErrorLog::kSilent).has_value();
}

// -- one request ---------------------------------------------------------------------------------

class RequestInSlot {
 public:
  RequestInSlot(DatabaseShared& db, uint32_t number)
      : db_(db), number_(number), slot_(db.slot(number)) {}

  // The whole message; nullopt when the gateway gave the request up.
  std::optional<RequestMessage> read_message() {
    const std::string prefix = read(kSizePrefix);
    if (prefix.size() < kSizePrefix) return std::nullopt;
    const auto size = WireReader(prefix).number<uint64_t>();
    const std::string bytes = read(size);
    if (bytes.size() < size) return std::nullopt;
    auto message = decode_request(bytes);
    if (!message) throw std::runtime_error("damaged request message");
    message->transaction.payload = read(message->payload_size);
    if (message->transaction.payload.size() < message->payload_size) return std::nullopt;
    return message;
  }

  bool is_discarded() const { return slot_.discarded.load(); }

  void write_response(const ResponseHead& head, Bodies& bodies) {
    const std::string bytes = encode_response_head(head);
    if (!write(bytes.data(), bytes.size())) return;
    for (const size_t i : body_order(bodies.size())) {
      for (const ByteChunk* c = bodies[i].first; c != nullptr; c = c->next) {
        if (!write(c->data(), c->used)) return;
      }
    }
  }

 private:
  // `size` bytes of the request, or fewer when it was given up.
  // The memory comes as the bytes do: of a large payload the gateway gives back what it has sent.
  std::string read(uint64_t size) {
    constexpr size_t kBlock = 64 * 1024;
    ByteRing& ring = *slot_.request();
    std::string out;
    out.reserve(size + kPayloadSpare);
    while (out.size() < size) {
      const size_t done = out.size();
      const size_t wanted = std::min<uint64_t>(size - done, kBlock);
      out.resize(done + wanted);
      const size_t got = ring.read_some(out.data() + done, wanted);
      out.resize(done + got);
      if (got > 0 && slot_.gateway_wants_room.exchange(false)) post_event(db_, number_);
      if (got < wanted &&
          !wait_until(slot_.executor_wants_data, [&] { return ring.readable() > 0; })) {
        break;
      }
    }
    return out;
  }

  // False when nobody wants the rest.
  bool write(const char* bytes, size_t size) {
    ByteRing& ring = *slot_.response();
    while (size > 0) {
      const size_t put = ring.write_some(bytes, size);
      bytes += put;
      size -= put;
      if (size == 0) return true;
      post_event(db_, number_);
      if (!wait_until(slot_.executor_wants_room, [&] { return ring.writable() > 0; })) return false;
    }
    return true;
  }

  // Sleeps until `ready`, having said so in `flag`; false when the request was given up.
  template <class Ready>
  bool wait_until(std::atomic<bool>& flag, Ready ready) {
    for (;;) {
      if (slot_.discarded.load()) return false;
      flag.store(true);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (ready()) return true;
      if (!pg::wait(10000)) return false;
      if (ready()) return true;
    }
  }

  DatabaseShared& db_;
  uint32_t number_;
  Slot& slot_;
};

class Executor {
 public:
  explicit Executor(DatabaseShared& db)
      : db_(db), plans_(kMaxPlans, kMaxPlanBytes), started_at_(std::time(nullptr)) {}

  // Returns when it is time to end.
  void run() {
    idle_since_ = std::time(nullptr);
    for (;;) {
      if (const auto slot = db_.submissions().pop()) {
        serve(*slot);
        idle_since_ = std::time(nullptr);
        if (lifetime_is_over() || session_is_unclean() || keeps_session_state()) return;
      } else if (!sleep()) {
        return;
      }
      (void)guard([] { px_reload_config_if_asked(); });
    }
  }

 private:
  void serve(uint32_t number) {
    Slot& slot = db_.slot(number);
    Outcome queued = Outcome::kQueued;
    if (!slot.outcome.compare_exchange_strong(queued, Outcome::kRunning)) {
      slot.outcome = Outcome::kComplete;  // abandoned
      post_event(db_, number);
      return;
    }
    begin(slot, number);
    // One executor that wakes up and still sees work wakes the next.
    if (!db_.submissions().looks_empty()) wake_executor(db_);
    RequestInSlot request(db_, number);
    run_request(request);
    end(slot, number);
  }

  void begin(Slot& slot, uint32_t number) {
    slot.executor = static_cast<int32_t>(me - &db_.executor(0));
    current_sequence = slot.sequence.load();
    forget_transaction_committed();
    current_slot = static_cast<int>(number);
    QueryCancelPending = false;
    me->state = ProcessState::kBusy;
  }

  void end(Slot& slot, uint32_t number) {
    current_slot = -1;
    me->requests.fetch_add(1, std::memory_order_relaxed);
    me->state = ProcessState::kIdle;
    slot.outcome = Outcome::kComplete;
    post_event(db_, number);
  }

  void run_request(RequestInSlot& request) {
    Bodies bodies;
    ResponseHead head;
    try {
      auto message = request.read_message();
      if (!message || request.is_discarded()) return;
      cancellable = 1;
      head = run_message(*message, bodies);
      cancellable = 0;
      QueryCancelPending = false;
    } catch (const std::bad_alloc&) {
      head = failed("53200", "out of memory");
    } catch (const std::exception& e) {
      head = failed("XX000", e.what());
    }
    request.write_response(head, bodies);
  }

  // After an exception. Nobody knows how far things had come: this executor ends after it has
  // answered.
  static ResponseHead failed(const char* sqlstate, const char* message) {
    cancellable = 0;
    const bool was_committed = transaction_committed();
    abort_and_discard();
    mark_session_unclean();
    ResponseHead head;
    if (was_committed) head.result.completion = Completion::kResultLost;
    head.result.error.emplace();
    head.result.error->sqlstate = sqlstate;
    head.result.error->message = message;
    return head;
  }

  ResponseHead run_message(RequestMessage& message, Bodies& bodies) {
    if (message.kind == MessageKind::kIntrospection) {
      return introspect(message, TransactionScope::kOwn, bodies);
    }
    drop_stale_plans();
    ResponseHead head;
    head.result = run_transaction(message.transaction, TransactionScope::kOwn, &plans_, bodies);
    return head;
  }

  // The types of parameters are frozen in a plan: a new schema makes new plans.
  void drop_stale_plans() {
    const uint64_t generation = db_.snapshot_generation.load(std::memory_order_relaxed);
    if (generation == generation_) return;
    generation_ = generation;
    plans_.clear();
  }

  // Until there may be work; false when it is time to end.
  bool sleep() {
    me->sleeping = true;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!db_.submissions().looks_empty()) {
      me->sleeping = false;
      return true;
    }
    const long idle_left =
        db_.max_idletime.load() - static_cast<long>(std::time(nullptr) - idle_since_);
    if (idle_left <= 0 && !is_the_one_that_stays()) {
      me->sleeping = false;
      std::atomic_thread_fence(std::memory_order_seq_cst);
      return !db_.submissions().looks_empty();
    }
    (void)pg::wait(idle_left <= 0 ? 10000 : idle_left * 1000);
    me->sleeping = false;
    return !lifetime_is_over() || !db_.submissions().looks_empty();
  }

  bool lifetime_is_over() const {
    return std::time(nullptr) - started_at_ >= db_.max_lifetime.load();
  }

  // One executor stays, the first of those that live, so that the first request after a quiet night
  // is fast.
  bool is_the_one_that_stays() const {
    for (uint32_t i = 0; &db_.executor(i) != me; i++) {
      if (db_.executor(i).state.load() != ProcessState::kNone) return false;
    }
    return true;
  }

  DatabaseShared& db_;
  PlanCache plans_;
  uint64_t generation_ = 0;
  std::time_t started_at_;
  std::time_t idle_since_ = 0;
};

void px_start(Datum argument) {
  const WorkerArgument arg = from_datum(argument);
  the_db = &shared()->database(arg.database);
  pqsignal(SIGTERM, die);
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGINT, on_cancel);
  BackgroundWorkerUnblockSignals();
  px_connect(*the_db);
  // One process an entry: a launcher that was restarted does not know what still runs.
  ExecutorShared* entry = &the_db->executor(arg.executor);
  int32 nobody = 0;
  if (!entry->pid.compare_exchange_strong(nobody, MyProcPid)) {
    ereport(FATAL, (errmsg("another postgrest executor still holds this place")));
  }
  me = entry;
  before_shmem_exit(&on_exit, 0);
  me->latch = MyLatch;
  me->started_at = GetCurrentTimestamp();
  me->requests = 0;
  me->cancel_sequence = 0;
  me->state = ProcessState::kIdle;
  (void)keeps_session_state();
  pgstat_report_activity(STATE_IDLE, nullptr);
}

// What escapes the guards of a request: memory exhausted while an error was copied, for example.
// The process ends; the exit hook answers the request in flight.
void run_noexcept(DatabaseShared& db, char* problem, size_t size) noexcept {
  try {
    Executor(db).run();
  } catch (const std::exception& e) {
    std::strncpy(problem, e.what(), size - 1);
  } catch (...) {
    std::strncpy(problem, "unknown exception", size - 1);
  }
}

}  // namespace
}  // namespace pgrst::pg

void pgrst_executor_main(Datum argument) {
  static char problem[256];
  pgrst::pg::px_start(argument);
  MemoryContextSwitchTo(TopMemoryContext);
  pgrst::pg::run_noexcept(*pgrst::pg::the_db, problem, sizeof problem);
  if (problem[0] != '\0') ereport(FATAL, (errmsg("postgrest executor failed: %s", problem)));
  proc_exit(0);
}
