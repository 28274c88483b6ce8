// The gateway: owns the sockets of one database, plans requests, and never blocks.
//
//   dormant ──extension is there, first snapshot──▶ serving ──extension is gone──▶ dormant
//      │                                              │
//      └───────────────── SIGTERM ────────────────────┴──▶ drained ──▶ ends
//
// When the service ends, nothing new is accepted and what has come is answered: with its result
// within kDrainMs, then with 503. Without executors, as in a fast shutdown, that is at once.
//
// One turn of the loop: wait; pass on what executors have posted; serve the sockets; look for
// invalidations; plan the requests that have come, or hold them while the snapshot is suspect; hand
// them to executors. That order is what makes the schema cache fresh: a request is planned after a
// look for invalidations that came after the request was read.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "app/admin.hpp"
#include "app/metrics.hpp"
#include "app/pipeline.hpp"
#include "core/clock.hpp"
#include "core/server_errors.hpp"
#include "http/piece_source.hpp"
#include "http/service.hpp"
#include "http/settings.hpp"
#include "pg/snapshot_keeper.hpp"

#include "pg/admin.hpp"
#include "pg/broker.hpp"
#include "pg/catalog_follower.hpp"
#include "pg/guard.hpp"
#include "pg/introspection.hpp"
#include "pg/invalidation.hpp"
#include "pg/traffic.hpp"
#include "pg/worker.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

PGDLLEXPORT void pgrst_gateway_main(Datum argument);
}

namespace pgrst::pg {
namespace {

constexpr int64_t kDrainMs = 3000;     // for open requests to end
constexpr int64_t kCancelMs = 1000;    // then for cancelled ones to be rolled back
constexpr int64_t kFlushMs = 500;      // then for answers to be sent
constexpr int64_t kIdleTurnMs = 1000;  // a look at the catalogs although no request comes
constexpr int64_t kSweepMs = 100;      // between two looks for clients that have gone
constexpr int64_t kPatienceMs = 1000;  // of requests that wait, before slow clients are cut off

// Bytes of a body that are read, or written, in one turn: some 3 ms.
constexpr size_t kBodyStep = 1024 * 1024;
constexpr size_t kWriteStep = 512 * 1024;

DatabaseShared* the_db = nullptr;
http::SocketFile the_socket_file;
http::SocketFile the_admin_socket_file;

void on_exit(int, Datum) {
  the_socket_file.remove();
  the_admin_socket_file.remove();
  the_db->gateway_latch = nullptr;
  the_db->gateway_sleeping = false;
  the_db->gateway_pid = 0;
  the_db->port = 0;
  the_db->state = ServiceState::kWaiting;
  wake_launcher();
}

void px_check_extension(bool* present) {
  px_poll_invalidations();
  StartTransactionCommand();
  PushActiveSnapshot(GetTransactionSnapshot());
  *present = px_extension_present();
  PopActiveSnapshot();
  CommitTransactionCommand();
}

void px_interrupts(bool* notified, bool* hung_up) {
  CHECK_FOR_INTERRUPTS();
  *hung_up = ConfigReloadPending != 0;
  px_reload_config_if_asked();
  *notified = px_take_notifications();
}

class Gateway : private Broker::Receiver, private CatalogFollower::Owner {
 public:
  explicit Gateway(DatabaseShared& db) : db_(db), broker_(db, *this), jwt_cache_(0) {}
  ~Gateway() { free_wait_set(); }

  void run() {
    while (!ShutdownRequestPending) {
      db_.state = ServiceState::kDormant;
      if (sleep_until_extension()) serve();
      close_servers();
    }
  }

 private:
  struct Held {
    http::Arrival arrival;
    int64_t arrived_ms;
    uint64_t generation = 0;  // of hints when it had arrived; 0: not looked yet
  };

  // A request whose body is being read.
  struct Reading {
    http::Ticket ticket;
    bool headers_only;
    int64_t arrived_ms;
    std::unique_ptr<Beginning> beginning;
  };

  // A response whose body is being written.
  struct Writing {
    http::Ticket ticket;
    std::unique_ptr<Finishing> finishing;
  };

  // -- dormant
  // ----------------------------------------------------------------------------------------

  bool sleep_until_extension() {
    uint64_t looked_at = catalog_generation() - 1;
    while (!ShutdownRequestPending) {
      if (catalog_generation() != looked_at) {
        looked_at = catalog_generation();
        bool present = false;
        const auto error = guard([&] { px_check_extension(&present); });
        if (error) {
          abort_and_discard();
          looked_at = catalog_generation() - 1;
        }
        if (present) return true;
      }
      wait(kIdleTurnMs);
      handle_interrupts();
      // What was under way when the service ended.
      broker_.process_events();
      broker_.expire(monotonic_ms());
      broker_.settle();
      (void)guard([] { px_poll_invalidations(); });
    }
    return false;
  }

  // -- serving
  // ----------------------------------------------------------------------------------------

  void serve() {
    db_.state = ServiceState::kStarting;
    follower_.forget();
    while (!follower_.extension_missing() && !ShutdownRequestPending) turn();
    draining_ = true;
    drain();
    draining_ = false;
    follower_.forget();
    descriptions_.begin(nullptr);
  }

  // -- the end of the service
  // --------------------------------------------------------------------------------

  // Answers what has come.
  void drain() {
    stop_accepting();
    turn_until(kDrainMs, [this] { return is_answered(); });
    if (!is_answered()) {
      fail_unplanned();
      broker_.fail_waiting();
      broker_.cancel_running();
      turn_until(kCancelMs, [this] { return is_answered(); });
      fail_unplanned();
      broker_.fail_waiting();
      broker_.abandon_running();
    }
    turn_until(kFlushMs, [this] { return api_.open_requests() == 0; });
  }

  template <class Done>
  void turn_until(int64_t limit_ms, Done done) {
    const int64_t end = monotonic_ms() + limit_ms;
    for (;;) {
      can_run_ = broker_.has_executors();
      if (!can_run_) broker_.fail_waiting();
      if (answered_) run_server();
      if (done() || monotonic_ms() >= end) return;
      turn();
    }
  }

  // A result that is streamed counts as answered.
  bool is_answered() const {
    return !broker_.has_unanswered() && held_.empty() && reading_.empty() && writing_.empty();
  }

  // What has not got as far as to the broker, or has come back and is being written.
  void fail_unplanned() {
    for (auto& held : held_) {
      respond_with(held.arrival.ticket, held.arrival.request.method == "HEAD", [&] {
        return refuse(held.arrival.request, follower_.snapshot(), errors::executor_lost());
      });
    }
    for (auto& reading : reading_) {
      respond_with(reading.ticket, reading.headers_only,
                   [&] { return reading.beginning->fail(errors::executor_lost()); });
    }
    for (auto& writing : writing_) {
      respond_with(writing.ticket, false,
                   [&] { return writing.finishing->fail(errors::executor_lost()); });
    }
    held_.clear();
    reading_.clear();
    writing_.clear();
  }

  void turn() {
    wait(next_wake_ms());
    handle_interrupts();
    broker_.process_events();
    traffic_.tick();
    run_server();
    if (admin_.is_open()) admin_.run(admin_state());
    take_arrivals();
    api_.forget_ended();
    const int64_t now = monotonic_ms();
    (void)guard([] { px_poll_invalidations(); });
    for (auto& held : held_) {
      if (held.generation == 0) held.generation = catalog_generation();
    }
    follower_.step(now);
    serve_held(now);
    read_on(now);
    write_on();
    broker_.expire(now);
    broker_.dispatch(now);
    sweep(now);
    if (answered_) run_server();
    traffic_.flush();
    listen_if_due(now);
  }

  int64_t next_wake_ms() {
    if (answered_ || !reading_.empty() || !writing_.empty() || follower_.has_work() ||
        api_.has_arrivals() || admin_.service().has_arrivals()) {
      return 0;
    }
    const int64_t now = monotonic_ms();
    int64_t next = now + kIdleTurnMs;
    const auto at = [&](int64_t ms) { next = ms < next ? ms : next; };
    if (const int64_t ms = broker_.next_deadline_ms(now); ms >= 0) at(ms);
    if (const int64_t ms = follower_.verdict_due_ms(); ms > 0 && !held_.empty()) at(ms);
    for (const auto* service : {&api_, &admin_.service()}) {
      if (const int64_t ms = service->timeout_ms(); ms >= 0) at(now + ms);
    }
    if (!broker_.idle() || draining_) at(now + kSweepMs);
    return next > now ? next - now : 0;
  }

  void run_server() {
    answered_ = false;
    api_.run();
    broker_.settle();
  }

  void take_arrivals() {
    for (auto& arrival : api_.take_arrivals()) {
      db_.requests.fetch_add(1, std::memory_order_relaxed);
      try {
        held_.push_back({std::move(arrival), monotonic_ms()});
      } catch (const std::exception& e) {
        respond_with(arrival.ticket, arrival.request.method == "HEAD", [&] {
          return refuse(arrival.request, follower_.snapshot(), errors::surprise(e));
        });
      }
    }
  }

  // A request waits while the snapshot is suspect, but not for ever.
  void serve_held(int64_t now) {
    // Later hints, and checks under way because of them, do not concern a request that came before.
    const bool fresh =
        follower_.settled(now) || (draining_ && (!can_run_ || follower_.extension_missing()));
    while (!held_.empty()) {
      const Held& first = held_.front();
      const bool verified = first.generation != 0 && first.generation <= follower_.verified();
      if (!fresh && !verified) break;
      Held held = std::move(held_.front());
      held_.pop_front();
      begin_request(held, now);
    }
  }

  // A body that takes more than one step to read is read on in later turns.
  void begin_request(Held& held, int64_t now) {
    HttpRequest& request = held.arrival.request;
    Reading reading{held.arrival.ticket, request.method == "HEAD", held.arrived_ms, nullptr};
    try {
      const auto take_memory = [this, ticket = reading.ticket](uint64_t bytes) {
        http::Server* server = api_.server_of(ticket);
        return server == nullptr || server->take_memory(ticket, bytes);
      };
      reading.beginning =
          std::make_unique<Beginning>(std::move(request), follower_.snapshot(), jwt_cache_,
                                      std::time(nullptr), &monotonic_ns, take_memory);
    } catch (const std::exception& e) {
      respond_with(reading.ticket, reading.headers_only,
                   [&] { return error_response(errors::surprise(e), ErrorVerbosity::kVerbose); });
      return;
    }
    read_step(std::move(reading), now);
  }

  void read_step(Reading reading, int64_t now) {
    try {
      if (reading.beginning->step(kBodyStep)) {
        pass_on(reading, now);
      } else {
        reading_.push_back(std::move(reading));
      }
    } catch (const std::exception& e) {
      respond_with(reading.ticket, reading.headers_only,
                   [&] { return reading.beginning->fail(errors::surprise(e)); });
    }
  }

  // One step of one body in a turn: those that are read at the same time take turns.
  void read_on(int64_t now) {
    if (reading_.empty()) return;
    Reading reading = std::move(reading_.front());
    reading_.pop_front();
    read_step(std::move(reading), now);
  }

  void pass_on(Reading& reading, int64_t now) {
    try {
      BeginResult begun = reading.beginning->take();
      if (auto* response = std::get_if<HttpResponse>(&begun)) {
        respond(reading.ticket, std::move(*response), reading.headers_only);
        return;
      }
      auto& database_work = std::get<DatabaseWork>(begun);
      const Config& config = follower_.snapshot()->config;
      Work work;
      RequestMessage message;
      message.transaction = std::move(database_work.transaction);
      work.message = encode_request(message);
      work.payload = std::move(message.transaction.payload);
      work.ticket = reading.ticket;
      work.pending = std::move(database_work.pending);
      work.deadline_ms = now + int64_t{config.db_pool_acquisition_timeout} * 1000;
      if (config.server_request_timeout > 0) {
        work.result_deadline_ms =
            reading.arrived_ms + int64_t{config.server_request_timeout} * 1000;
        work.deadline_ms = std::min(work.deadline_ms, work.result_deadline_ms);
      }
      if (draining_ && !can_run_) {
        respond(reading.ticket, fail(work.pending, errors::executor_lost()), reading.headers_only);
      } else if (!broker_.submit(work, static_cast<size_t>(config.server_max_queue), now)) {
        db_.pool_timeouts.fetch_add(1, std::memory_order_relaxed);
        respond(reading.ticket, fail(work.pending, errors::acquisition_timeout()),
                reading.headers_only);
      }
    } catch (const std::exception& e) {
      respond_with(reading.ticket, reading.headers_only,
                   [&] { return reading.beginning->fail(errors::surprise(e)); });
    }
  }

  // Answers with what `make` returns. Without memory for that, too, the connection is closed.
  template <class Make>
  void respond_with(http::Ticket ticket, bool headers_only, Make make) noexcept {
    try {
      respond(ticket, make(), headers_only);
    } catch (const std::exception&) {
      answered_ = true;
      if (http::Server* server = api_.server_of(ticket)) server->drop(ticket);
    }
  }

  void respond(http::Ticket ticket, HttpResponse response, bool headers_only) {
    if (headers_only) response.body.clear();
    answered_ = true;
    if (http::Server* server = api_.server_of(ticket)) server->respond(ticket, std::move(response));
  }

  // -- what executors send
  // ----------------------------------------------------------------------------

  void on_result(Work& work, ResponseHead& head, std::unique_ptr<ResultBody> body) override {
    if (work.is_introspection) {
      follower_.on_result(head, work.label);
      return;
    }
    if (work.pending.writes_body()) {
      start_writing(work, head.result);
      return;
    }
    HttpResponse response;
    try {
      response = finish(work.pending, head.result);
    } catch (const std::exception& e) {
      response = fail(work.pending, errors::surprise(e));
    }
    if (!response.body_is_result || work.pending.headers_only) {
      respond(work.ticket, std::move(response), work.pending.headers_only);
    } else if (body) {
      answered_ = true;
      if (http::Server* server = api_.server_of(work.ticket)) {
        server->stream(work.ticket, std::move(response), std::move(body));
      }
    } else {
      if (!head.result.result_sets.empty()) {
        response.body = std::move(head.result.result_sets[0].body);
      }
      respond(work.ticket, std::move(response), false);
    }
  }

  void start_writing(Work& work, const TransactionResult& result) {
    try {
      writing_.push_back(
          {work.ticket, std::make_unique<Finishing>(work.pending, result, &descriptions_)});
    } catch (const std::exception& e) {
      respond(work.ticket, fail(work.pending, errors::surprise(e)), work.pending.headers_only);
    }
  }

  // One step of one body in a turn: those that are written at the same time take turns.
  void write_on() {
    if (writing_.empty()) return;
    Writing writing = std::move(writing_.front());
    writing_.pop_front();
    if (api_.server_of(writing.ticket) == nullptr) return;  // the client has gone
    try {
      if (!writing.finishing->step(kWriteStep)) {
        writing_.push_back(std::move(writing));
        return;
      }
      HttpResponse response = writing.finishing->take();
      if (!response.pieces) {
        respond(writing.ticket, std::move(response), false);
        return;
      }
      auto source = std::make_unique<http::PieceSource>(std::move(response.pieces));
      answered_ = true;
      if (http::Server* server = api_.server_of(writing.ticket)) {
        server->stream(writing.ticket, std::move(response), std::move(source));
      }
    } catch (const std::exception& e) {
      respond_with(writing.ticket, false,
                   [&] { return writing.finishing->fail(errors::surprise(e)); });
    }
  }

  void on_failure(Work& work, Failure failure) noexcept override {
    if (work.is_introspection) {
      follower_.on_lost();
      return;
    }
    if (failure == Failure::kTimeout) db_.pool_timeouts.fetch_add(1, std::memory_order_relaxed);
    respond_with(work.ticket, work.pending.headers_only,
                 [&] { return fail(work.pending, error_of(failure)); });
  }

  static Error error_of(Failure failure) {
    switch (failure) {
      case Failure::kTimeout:
        return errors::acquisition_timeout();
      case Failure::kTooLong:
        return errors::request_timeout();
      case Failure::kLostAfterCommit:
        return errors::internal("The transaction was committed, but its result was lost.");
      case Failure::kUnconfirmed:
        return errors::unconfirmed_commit();
      case Failure::kNoMemory:
        return errors::out_of_memory();
      case Failure::kAbandoned:
        return errors::shut_down();
      case Failure::kExecutorLost:
        break;
    }
    return errors::executor_lost();
  }

  void on_more(http::Ticket ticket) override {
    answered_ = true;
    if (http::Server* server = api_.server_of(ticket)) server->continue_stream(ticket);
  }

  // -- the snapshot
  // -----------------------------------------------------------------------------------

  void on_snapshot(const Snapshot& snapshot) override {
    descriptions_.begin(follower_.snapshot());
    jwt_cache_.clear();
    jwt_cache_.set_max_entries(static_cast<size_t>(snapshot.config.jwt_cache_max_entries));
    traffic_.configure(snapshot.config, db_.name);
  }

  void on_reload() override { api_.reread_files(); }

  // -- the admin server
  // ---------------------------------------------------------------------------------

  AdminState admin_state() {
    AdminState state;
    state.accepting = api_.accepting();
    state.pending = !follower_.snapshot() || follower_.failing();
    state.snapshot = follower_.snapshot();
    state.settings = &follower_.settings();
    state.metrics = [this] { return metrics(); };
    state.api_port = api_.port();
    if (api_.speaks_tls()) state.api_scheme = "https";
    state.plan = [this](HttpRequest request) {
      return begin(std::move(request), follower_.snapshot(), jwt_cache_, std::time(nullptr));
    };
    return state;
  }

  std::shared_ptr<BodyPieces> metrics() {
    ServiceGauges gauges = gather_gauges(db_);
    gauges.connections = api_.open_connections();
    gauges.jwt_cache = jwt_cache_.stats();
    gauges.jwt_cache_entries = jwt_cache_.size();
    return write_metrics(db_.statistics(), gauges);
  }

  // -- the listener
  // -----------------------------------------------------------------------------------

  // Once there is a snapshot, and anew when its settings have changed.
  void listen_if_due(int64_t now) {
    if (!follower_.snapshot() || draining_) return;
    const Config& config = follower_.snapshot()->config;
    const auto change = api_.listen(http::api_endpoint(config), http::api_limits(config), now);
    admin_.configure(config, now);
    if (change == http::Service::Change::kNone) return;
    if (change == http::Service::Change::kKept) {
      report_listen_problem(api_.problem());
      return;
    }
    db_.port = api_.port();
    if (change == http::Service::Change::kFailed) {
      db_.state = ServiceState::kStarting;
      report_listen_problem(api_.problem());
      return;
    }
    reported_problem_.clear();
    db_.serving_since = GetCurrentTimestamp();
    db_.state = ServiceState::kServing;
    const std::string where = api_.where();
    (void)guard([&] {
      px_set_last_error(db_, follower_.problem().c_str());
      ereport(LOG,
              (errmsg("postgrest_ext: serving database \"%s\" on %s", db_.name, where.c_str())));
    });
  }

  void report_listen_problem(const std::string& problem) {
    (void)guard([&] {
      if (problem != reported_problem_) {
        ereport(WARNING, (errmsg("postgrest_ext: database \"%s\": %s", db_.name, problem.c_str())));
      }
      px_set_last_error(db_, problem.c_str());
    });
    reported_problem_ = problem;
  }

  void stop_accepting() {
    api_.stop_accepting();
    admin_.stop_accepting();
    db_.port = 0;
    if (db_.state == ServiceState::kServing) db_.state = ServiceState::kStarting;
  }

  void close_servers() {
    stop_accepting();
    held_.clear();
    reading_.clear();
    writing_.clear();
    api_.close();
    admin_.close();
    broker_.settle();
  }

  // Cancels the statements of clients that have gone.
  void sweep(int64_t now) {
    if (now < sweep_at_ms_) return;
    sweep_at_ms_ = now + kSweepMs;
    if (now >= close_slow_at_ms_) {
      close_slow_at_ms_ = now + kIdleTurnMs;
      api_.close_slow();
      admin_.service().close_slow();
    }
    if (broker_.has_waited(now - kPatienceMs)) {
      for (const auto& server : api_.servers()) {
        if (server->cut_slowest()) break;
      }
    }
    if (api_.servers().empty()) return;
    const auto running = broker_.running_since(now - kSweepMs);
    if (running.empty()) return;
    for (const auto& server : api_.servers()) {
      for (const http::Ticket ticket : server->find_gone(running)) broker_.cancel(ticket);
    }
  }

  // -- waiting
  // ----------------------------------------------------------------------------------------

  uint64_t services_generation() { return api_.generation() + admin_.service().generation(); }

  void make_wait_set() {
    free_wait_set();
    wait_generation_ = services_generation();
    WaitEventSet* set = nullptr;
    const auto error = guard([&] {
      set = px_create_wait_event_set(
          2 + static_cast<int>(api_.servers().size() + admin_.service().servers().size()));
      AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
      AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
      for (const auto* service : {&api_, &admin_.service()}) {
        for (const auto& server : service->servers()) {
          AddWaitEventToSet(set, WL_SOCKET_READABLE, server->epoll_fd(), nullptr, nullptr);
        }
      }
    });
    if (!error) {
      wait_set_ = set;
    } else if (set != nullptr) {
      FreeWaitEventSet(set);
    }
  }
  void free_wait_set() {
    if (wait_set_ != nullptr) FreeWaitEventSet(wait_set_);
    wait_set_ = nullptr;
  }

  void wait(int64_t timeout_ms) {
    if (wait_set_ == nullptr || wait_generation_ != services_generation()) make_wait_set();
    db_.gateway_sleeping = true;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!db_.events().looks_empty()) timeout_ms = 0;
    (void)guard([&] {
      if (wait_set_ == nullptr) {
        // Out of file descriptors, for example: look again soon.
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                        static_cast<long>(std::min<int64_t>(timeout_ms, 50)), PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        return;
      }
      WaitEvent event;
      const int n =
          WaitEventSetWait(wait_set_, static_cast<long>(timeout_ms), &event, 1, PG_WAIT_EXTENSION);
      if (n > 0 && (event.events & WL_LATCH_SET) != 0) ResetLatch(MyLatch);
    });
    db_.gateway_sleeping = false;
  }

  void handle_interrupts() {
    bool notified = false;
    bool hung_up = false;
    if (guard([&] { px_interrupts(&notified, &hung_up); })) abort_and_discard();
    if (hung_up) traffic_.reopen_log();
    if (notified) {
      follower_.notify();
      (void)guard([&] {
        ereport(LOG, (errmsg("postgrest_ext: database \"%s\": a notification asks for a reload",
                             db_.name)));
      });
    }
  }

  DatabaseShared& db_;
  Broker broker_;
  CatalogFollower follower_{db_, broker_, *this};
  Traffic traffic_{db_.statistics()};
  JwtCache jwt_cache_;
  DescriptionCache descriptions_;
  http::Service api_{the_socket_file,
                     [this](const HttpRequest& request, const Error& error) {
                       return refuse(request, follower_.snapshot(), error);
                     },
                     [this](const http::Ended& ended) { traffic_.observe(ended); }};
  AdminServer admin_{db_, the_admin_socket_file};
  std::deque<Held> held_;
  std::deque<Reading> reading_;
  std::deque<Writing> writing_;
  WaitEventSet* wait_set_ = nullptr;
  uint64_t wait_generation_ = 0;  // of the services

  bool answered_ = false;  // a response waits for the server's next run
  bool draining_ = false;
  bool can_run_ = true;  // while draining: there are executors
  int64_t sweep_at_ms_ = 0;
  int64_t close_slow_at_ms_ = 0;

  std::string reported_problem_;  // of the listener
};

void on_http_panic(const char* reason) {
  write_stderr("postgrest_ext: libmicrohttpd: %s\n", reason);
  proc_exit(1);
}

void px_start(Datum argument) {
  the_db = &shared()->database(from_datum(argument).database);
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGINT, SIG_IGN);
  BackgroundWorkerUnblockSignals();
  int32 nobody = 0;
  if (!the_db->gateway_pid.compare_exchange_strong(nobody, MyProcPid)) {
    ereport(FATAL, (errmsg("another postgrest gateway still serves this database")));
  }
  the_db->gateway_started_at = GetCurrentTimestamp();
  before_shmem_exit(&on_exit, 0);
  px_connect(*the_db);
  the_db->gateway_connected = true;
  the_db->oid = MyDatabaseId;
  the_db->gateway_latch = MyLatch;
  px_watch_catalogs(MyDatabaseId);
  pgstat_report_activity(STATE_IDLE, nullptr);
  http::set_panic_handler(&on_http_panic);
}

void run_noexcept(DatabaseShared& db, char* problem, size_t size) noexcept {
  try {
    Gateway(db).run();
  } catch (const std::exception& e) {
    std::strncpy(problem, e.what(), size - 1);
  } catch (...) {
    std::strncpy(problem, "unknown exception", size - 1);
  }
}

}  // namespace
}  // namespace pgrst::pg

void pgrst_gateway_main(Datum argument) {
  static char problem[256];
  pgrst::pg::px_start(argument);
  MemoryContextSwitchTo(TopMemoryContext);
  pgrst::pg::run_noexcept(*pgrst::pg::the_db, problem, sizeof problem);
  if (problem[0] != '\0') ereport(FATAL, (errmsg("postgrest gateway failed: %s", problem)));
  proc_exit(0);
}
