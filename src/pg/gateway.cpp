// The gateway: owns the sockets of one database, plans requests, and never blocks.
//
//   dormant ──extension is there, first snapshot──▶ serving ──extension is gone──▶ dormant
//      │                                              │
//      └───────────────── SIGTERM ────────────────────┴──▶ draining (open requests, at most
//      kDrainMs) ──▶ ends
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

#include "app/access_log.hpp"
#include "app/pipeline.hpp"
#include "core/wire.hpp"
#include "http/piece_source.hpp"
#include "http/service.hpp"
#include "pg/snapshot_keeper.hpp"
#include "pg/admin.hpp"

#include "pg/access_log.hpp"
#include "pg/broker.hpp"
#include "pg/guard.hpp"
#include "pg/introspection.hpp"
#include "pg/invalidation.hpp"
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

constexpr int64_t kDrainMs = 3000;
constexpr int64_t kIdleTurnMs = 1000;  // a look at the catalogs although no request comes
constexpr int64_t kVerdictMs =
    5000;                           // how long requests wait for the verdict on a suspect snapshot
constexpr int64_t kRetryMs = 1000;  // after a failed introspection; twice as long
constexpr int kMaxFailures = 6;
constexpr int64_t kSweepMs = 100;          // between two looks for clients that have gone
constexpr size_t kBodyStep = 1024 * 1024;  // bytes of a body that are read in one turn: some 3 ms
constexpr size_t kWriteStep =
    512 * 1024;                     // bytes of a body that are written in one turn: some 3 ms
constexpr size_t kRowStep = 10000;  // catalog rows that are built from in one turn: some 5 ms
constexpr int64_t kIntrospectionMs = 3600 * 1000;

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

class Gateway : private Broker::Receiver {
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
    int64_t until_ms;
    uint64_t generation = 0;  // of hints when it had arrived; 0: not looked yet
  };

  // A request whose body is being read.
  struct Reading {
    http::Ticket ticket;
    bool headers_only;
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
    extension_missing_ = false;
    keeper_.forget();
    while (!extension_missing_ && !drained()) turn();
    keeper_.forget();
  }

  bool drained() {
    if (!ShutdownRequestPending) return false;
    const int64_t now = monotonic_ms();
    if (drain_until_ms_ == 0) {
      drain_until_ms_ = now + kDrainMs;
      stop_accepting();
    }
    return now >= drain_until_ms_ ||
           (broker_.idle() && held_.empty() && reading_.empty() && writing_.empty());
  }

  void turn() {
    wait(next_wake_ms());
    handle_interrupts();
    broker_.process_events();
    run_server();
    admin_.run(admin_state());
    take_arrivals();
    api_.forget_ended();
    const int64_t now = monotonic_ms();
    (void)guard([] { px_poll_invalidations(); });
    for (auto& held : held_) {
      if (held.generation == 0) held.generation = catalog_generation();
    }
    notice_reloads();
    if (failures_ > 0 && catalog_generation() != failed_generation_) {
      retry_at_ms_ = failed_at_ms_ + kRetryMs;
    }
    if (keeper_.suspect(catalog_generation()) && !keeper_.running() && now >= retry_at_ms_) {
      introspect();
    }
    if (keeper_.building()) on_verdict(keeper_.build(kRowStep));
    serve_held(now);
    read_on(now);
    write_on();
    broker_.expire(now);
    broker_.dispatch(now);
    sweep(now);
    if (answered_) run_server();
    access_log_.flush();
    listen_if_due(now);
  }

  int64_t next_wake_ms() {
    if (answered_ || !reading_.empty() || !writing_.empty() || keeper_.building() ||
        api_.has_arrivals()) {
      return 0;
    }
    const int64_t now = monotonic_ms();
    int64_t next = now + kIdleTurnMs;
    const auto at = [&](int64_t ms) { next = ms < next ? ms : next; };
    if (const int64_t ms = broker_.next_deadline_ms(now); ms >= 0) at(ms);
    if (!held_.empty()) at(held_.front().until_ms);
    for (const auto* service : {&api_, &admin_.service()}) {
      if (const int64_t ms = service->timeout_ms(); ms >= 0) at(now + ms);
    }
    if (!broker_.idle()) at(now + kSweepMs);
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
      held_.push_back({std::move(arrival), monotonic_ms() + kVerdictMs});
    }
  }

  // A request waits while the snapshot is suspect, but not for ever.
  void serve_held(int64_t now) {
    // Later hints, and checks under way because of them, do not concern a request that came before.
    // When the catalogs cannot be read, nobody waits for that.
    const bool fresh =
        keeper_.failing() || (!keeper_.suspect(catalog_generation()) && !keeper_.running());
    while (!held_.empty()) {
      const Held& first = held_.front();
      const bool verified = first.generation != 0 && first.generation <= keeper_.verified();
      if (!fresh && !verified && first.until_ms > now) break;
      http::Arrival arrival = std::move(held_.front().arrival);
      held_.pop_front();
      begin_request(arrival, now);
    }
  }

  // A body that takes more than one step to read is read on in later turns.
  void begin_request(http::Arrival& arrival, int64_t now) {
    const http::Ticket ticket = arrival.ticket;
    const bool headers_only = arrival.request.method == "HEAD";
    std::unique_ptr<Beginning> beginning;
    try {
      beginning = std::make_unique<Beginning>(std::move(arrival.request), keeper_.snapshot(),
                                              jwt_cache_, std::time(nullptr), &monotonic_ns);
      if (beginning->step(kBodyStep)) {
        pass_on(ticket, headers_only, *beginning, now);
      } else {
        reading_.push_back({ticket, headers_only, std::move(beginning)});
      }
    } catch (const std::exception& e) {
      const Error error = errors::internal(e.what());
      respond(ticket,
              beginning ? beginning->fail(error) : error_response(error, ErrorVerbosity::kVerbose),
              headers_only);
    }
  }

  // One step of one body in a turn: those that are read at the same time take turns.
  void read_on(int64_t now) {
    if (reading_.empty()) return;
    Reading reading = std::move(reading_.front());
    reading_.pop_front();
    try {
      if (reading.beginning->step(kBodyStep)) {
        pass_on(reading.ticket, reading.headers_only, *reading.beginning, now);
      } else {
        reading_.push_back(std::move(reading));
      }
    } catch (const std::exception& e) {
      respond(reading.ticket, reading.beginning->fail(errors::internal(e.what())),
              reading.headers_only);
    }
  }

  void pass_on(http::Ticket ticket, bool headers_only, Beginning& beginning, int64_t now) {
    try {
      BeginResult begun = beginning.take();
      if (auto* response = std::get_if<HttpResponse>(&begun)) {
        respond(ticket, std::move(*response), headers_only);
        return;
      }
      auto& database_work = std::get<DatabaseWork>(begun);
      const Config& config = keeper_.snapshot()->config;
      Work work;
      RequestMessage message;
      message.transaction = std::move(database_work.transaction);
      work.message = encode_request(message);
      work.payload = std::move(message.transaction.payload);
      work.ticket = ticket;
      work.pending = std::move(database_work.pending);
      work.deadline_ms = now + int64_t{config.db_pool_acquisition_timeout} * 1000;
      if (!broker_.submit(work, static_cast<size_t>(config.server_max_queue))) {
        db_.pool_timeouts.fetch_add(1, std::memory_order_relaxed);
        respond(ticket, fail(work.pending, errors::acquisition_timeout()), headers_only);
      }
    } catch (const std::exception& e) {
      respond(ticket, beginning.fail(errors::internal(e.what())), headers_only);
    }
  }

  void respond(http::Ticket ticket, HttpResponse response, bool headers_only) {
    if (headers_only) response.body.clear();
    answered_ = true;
    if (http::Server* server = api_.server_of(ticket)) server->respond(ticket, std::move(response));
  }

  // Called below libmicrohttpd.
  void observe(const http::Ended& ended) {
    Sample sample;
    sample.method = ended.method;
    sample.received = ended.received;
    sample.sent = ended.sent;
    sample.duration_ns = ended.duration_ns;
    if (ended.response != nullptr) {
      const RequestAccount& account = ended.response->account;
      sample.status = ended.response->status;
      sample.schema = account.schema;
      sample.resource = account.resource;
      sample.rows = account.rows;
      if (!account.resource.empty()) {
        sample.kind = account.is_routine ? ResourceKind::kRoutine : ResourceKind::kRelation;
      } else if (ended.target == "/" || ended.target.substr(0, 2) == "/?") {
        sample.kind = ResourceKind::kRoot;
      }
    }
    db_.statistics().add(sample);
    log_access(ended);
  }

  void log_access(const http::Ended& ended) {
    if (!keeper_.snapshot()) return;
    const LogLevel level = keeper_.snapshot()->config.log_level;
    const int status = ended.response == nullptr ? kClientGone : ended.response->status;
    if (!is_logged(level, status)) return;
    const std::string client = ended.client();
    AccessEntry entry;
    entry.client = client;
    entry.time = access_log_.time();
    entry.method = ended.method;
    entry.target = ended.target;
    entry.version = ended.version;
    entry.status = status;
    entry.body_size = ended.sent;
    entry.referer = ended.header("Referer");
    entry.user_agent = ended.header("User-Agent");
    if (ended.response != nullptr) {
      const RequestAccount& account = ended.response->account;
      entry.role = account.role;
      for (const auto& sql : account.sql) access_log_.add_query(sql);
    }
    std::string line;
    append_access_line(line, entry);
    access_log_.add(std::move(line));
  }

  // -- what executors send
  // ----------------------------------------------------------------------------

  void on_result(Work& work, ResponseHead& head, std::unique_ptr<ResultBody> body) override {
    if (work.is_introspection) {
      on_introspected(head, work.label);
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
      response = fail(work.pending, errors::internal(e.what()));
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
      writing_.push_back({work.ticket, std::make_unique<Finishing>(work.pending, result)});
    } catch (const std::exception& e) {
      respond(work.ticket, fail(work.pending, errors::internal(e.what())),
              work.pending.headers_only);
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
      respond(writing.ticket, writing.finishing->fail(errors::internal(e.what())), false);
    }
  }

  void on_failure(Work& work, Failure failure) override {
    if (work.is_introspection) {
      keeper_.on_failure();
      keeper_.force();
      retry_at_ms_ = monotonic_ms() + kRetryMs;
      return;
    }
    Error error = errors::executor_lost();
    if (failure == Failure::kTimeout) {
      error = errors::acquisition_timeout();
      db_.pool_timeouts.fetch_add(1, std::memory_order_relaxed);
    }
    if (failure == Failure::kLostAfterCommit) {
      error = errors::internal("The transaction was committed, but its result was lost.");
    }
    respond(work.ticket, fail(work.pending, error), work.pending.headers_only);
  }

  void on_more(http::Ticket ticket) override {
    answered_ = true;
    if (http::Server* server = api_.server_of(ticket)) server->continue_stream(ticket);
  }

  // -- the snapshot
  // -----------------------------------------------------------------------------------

  void notice_reloads() {
    const uint64_t settings = shared()->settings_generation.load();
    if (settings != settings_generation_) {
      settings_generation_ = settings;
      keeper_.set_file_settings(published_settings(*shared()));
    }
    if (reload_generation() != reload_generation_ || notified_) {
      reload_generation_ = reload_generation();
      notified_ = false;
      keeper_.force();
    }
  }

  void introspect() {
    Work work;
    work.is_introspection = true;
    work.label = catalog_generation();
    work.message = keeper_.start(work.label, PG_VERSION_NUM);
    work.deadline_ms = monotonic_ms() + kIntrospectionMs;
    introspection_at_ms_ = monotonic_ms();
    (void)broker_.submit(work, SIZE_MAX);
  }

  void on_introspected(ResponseHead& head, uint64_t generation) {
    db_.schema_checks.fetch_add(1, std::memory_order_relaxed);
    introspected_ms_ = monotonic_ms() - introspection_at_ms_;
    on_verdict(keeper_.on_result(head, generation));
  }

  void on_verdict(Verdict verdict) {
    switch (verdict) {
      case Verdict::kBuilding:
      case Verdict::kUnchanged:
        return;
      case Verdict::kExtensionMissing:
        extension_missing_ = true;
        return;
      case Verdict::kFailed:
        failures_ = std::min(failures_ + 1, kMaxFailures);
        failed_at_ms_ = monotonic_ms();
        failed_generation_ = catalog_generation();
        retry_at_ms_ = failed_at_ms_ + (kRetryMs << (failures_ - 1));
        db_.schema_load_failures.fetch_add(1);
        break;
      case Verdict::kPublished:
        failures_ = 0;
        on_published();
        break;
    }
    const std::string& problem = keeper_.problem();
    const bool is_new = problem != reported_keeper_problem_;
    reported_keeper_problem_ = problem;
    (void)guard([&] {
      px_set_last_error(db_, problem.c_str());
      if (is_new && !problem.empty()) {
        ereport(WARNING, (errmsg("postgrest_ext: database \"%s\": %s", db_.name, problem.c_str())));
      }
    });
  }

  void on_published() {
    const Snapshot& snapshot = *keeper_.snapshot();
    jwt_cache_.clear();
    jwt_cache_.set_max_entries(static_cast<size_t>(snapshot.config.jwt_cache_max_entries));
    watch_reload_marker(keeper_.reload_marker());
    db_.max_idletime = snapshot.config.db_pool_max_idletime;
    db_.max_lifetime = snapshot.config.db_pool_max_lifetime;
    db_.table_count = snapshot.schema_cache.table_count();
    db_.schema_loads.fetch_add(1);
    db_.schema_query_us = static_cast<uint64_t>(introspected_ms_ * 1000);
    db_.snapshot_generation.fetch_add(1);
    publish_settings(snapshot.config);
    access_log_.set_file(access_log_path(snapshot.config));
    log_schema_cache(snapshot.schema_cache);
    warn_of_deprecated(snapshot);
  }

  std::string access_log_path(const Config& config) const {
    std::string path = config.access_log_file;
    const size_t at = path.find("%d");
    if (at == std::string::npos) return path;
    std::string name = db_.name;
    std::replace(name.begin(), name.end(), '/', '_');
    return path.replace(at, 2, name);
  }

  void log_schema_cache(const SchemaCache& cache) {
    const long relations = static_cast<long>(cache.table_count());
    const long relationships = static_cast<long>(cache.relationship_count());
    const long functions = static_cast<long>(cache.routine_count());
    const long ms = static_cast<long>(introspected_ms_);
    (void)guard([&] {
      ereport(LOG, (errmsg("postgrest_ext: database \"%s\": schema cache loaded: %ld relations, "
                           "%ld relationships, %ld functions; queried in %ld ms",
                           db_.name, relations, relationships, functions, ms)));
    });
  }

  void publish_settings(const Config& config) {
    std::string records;
    for (const auto& setting : keeper_.settings()) {
      append_row_record(records, {setting.name, setting.value, setting.source});
    }
    const std::string channel = config.db_channel_enabled ? config.db_channel : "";
    const auto error = guard([&] {
      px_set_effective_settings(db_, records.data(), records.size());
      px_listen(channel.c_str());
    });
    if (error) abort_and_discard();
  }

  // Once for each value of the setting.
  void warn_of_deprecated(const Snapshot& snapshot) {
    const std::string& path = snapshot.config.jwt_role_claim_key;
    if (!snapshot.auth.role_claim.is_deprecated() || path == warned_role_claim_) return;
    warned_role_claim_ = path;
    (void)guard([&] {
      ereport(WARNING,
              (errmsg("postgrest_ext: database \"%s\": pgrst.jwt_role_claim_key \"%s\" has "
                      "a deprecated syntax",
                      db_.name, path.c_str()),
               errhint("Write it as a JSONPath (RFC 9535), for example \"$.role\".")));
    });
  }

  // -- the admin server
  // ---------------------------------------------------------------------------------

  AdminState admin_state() {
    AdminState state;
    state.accepting = api_.accepting();
    state.pending = !keeper_.snapshot() || keeper_.failing();
    state.snapshot = keeper_.snapshot();
    state.settings = &keeper_.settings();
    state.metrics = [this] { return metrics(); };
    state.api_port = api_.port();
    state.plan = [this](HttpRequest request) {
      return begin(std::move(request), keeper_.snapshot(), jwt_cache_, std::time(nullptr));
    };
    return state;
  }

  std::string metrics() {
    ServiceGauges gauges = gather_gauges(db_);
    gauges.connections = api_.open_connections();
    gauges.jwt_cache = jwt_cache_.stats();
    gauges.jwt_cache_entries = jwt_cache_.size();
    return metrics_text(db_.statistics(), gauges);
  }

  // -- the listener
  // -----------------------------------------------------------------------------------

  static http::Limits limits_of(const Config& config) {
    http::Limits limits;
    limits.max_connections = static_cast<unsigned>(config.server_max_connections);
    limits.connection_memory = static_cast<size_t>(config.server_connection_memory);
    limits.max_body_size = static_cast<uint64_t>(config.server_max_body_size);
    limits.idle_timeout = static_cast<unsigned>(config.server_idle_timeout);
    return limits;
  }

  static http::Endpoint endpoint_of(const Config& config) {
    http::Endpoint endpoint;
    endpoint.host = config.server_host;
    endpoint.port = config.server_port;
    endpoint.reuse_port = config.server_reuseport;
    endpoint.unix_socket = config.server_unix_socket.value_or("");
    endpoint.unix_socket_mode = config.server_unix_socket_mode;
    return endpoint;
  }

  // Once there is a snapshot, and anew when its settings have changed.
  void listen_if_due(int64_t now) {
    if (!keeper_.snapshot() || ShutdownRequestPending) return;
    const Config& config = keeper_.snapshot()->config;
    const auto change = api_.listen(endpoint_of(config), limits_of(config), now);
    admin_.configure(config, now);
    if (change == http::Service::Change::kNone) return;
    db_.port = api_.port();
    if (change == http::Service::Change::kFailed) {
      db_.state = ServiceState::kStarting;
      report_listen_problem(api_.problem());
      return;
    }
    db_.serving_since = GetCurrentTimestamp();
    db_.state = ServiceState::kServing;
    const std::string where = api_.where();
    (void)guard([&] {
      px_set_last_error(db_, keeper_.problem().c_str());
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
    if (api_.servers().empty() || now < sweep_at_ms_) return;
    sweep_at_ms_ = now + kSweepMs;
    if (now >= close_slow_at_ms_) {
      close_slow_at_ms_ = now + kIdleTurnMs;
      api_.close_slow();
      admin_.service().close_slow();
    }
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
    notified_ = notified_ || notified;
    if (hung_up) access_log_.reopen();
    if (notified) {
      (void)guard([&] {
        ereport(LOG, (errmsg("postgrest_ext: database \"%s\": a notification asks for a reload",
                             db_.name)));
      });
    }
  }

  DatabaseShared& db_;
  Broker broker_;
  SnapshotKeeper keeper_;
  JwtCache jwt_cache_;
  http::Service api_{the_socket_file,
                     [this](const HttpRequest& request, const Error& error) {
                       return refuse(request, keeper_.snapshot(), error);
                     },
                     [this](const http::Ended& ended) { observe(ended); }};
  AccessLog access_log_;
  AdminServer admin_{db_, the_admin_socket_file};
  std::deque<Held> held_;
  std::deque<Reading> reading_;
  std::deque<Writing> writing_;
  WaitEventSet* wait_set_ = nullptr;
  uint64_t wait_generation_ = 0;  // of the services

  bool answered_ = false;  // a response waits for the server's next run
  bool extension_missing_ = false;
  bool notified_ = false;
  int64_t drain_until_ms_ = 0;
  int64_t retry_at_ms_ = 0;
  int failures_ = 0;  // of introspection, in a row
  int64_t failed_at_ms_ = 0;
  uint64_t failed_generation_ = 0;
  int64_t introspection_at_ms_ = 0;
  int64_t introspected_ms_ = 0;  // how long the last introspection took
  int64_t sweep_at_ms_ = 0;
  int64_t close_slow_at_ms_ = 0;
  uint64_t settings_generation_ = 0;
  uint64_t reload_generation_ = 0;

  std::string reported_problem_;  // of the listener
  std::string reported_keeper_problem_;
  std::string warned_role_claim_;
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
