// Shared memory: how the launcher, the gateways and the executors see each other.
//
// One Shared for the cluster, one DatabaseShared for each database of pgrst.databases, both laid
// out at server start and never grown. In a DatabaseShared:
//
//   gateway ── slot.request (ByteRing) ─▶ executor      a message of pg/protocol.hpp
//   gateway ◀─ slot.response (ByteRing) ── executor      head, then bodies
//   gateway ── submissions (MpmcQueue) ─▶ any executor  numbers of slots with a request
//   gateway ◀─ events (MpmcQueue) ─────── executors      numbers of slots where something happened
//
// Who may write what: a free slot belongs to the gateway. From its submission until `outcome` is no
// longer pending it is shared: the gateway writes request and reads response, the executor the
// reverse. Then it belongs to the gateway again. An executor that ends in between sets `outcome` in
// its exit hook.
//
// Sleeping: whoever goes to sleep sets its flag, fences, looks once more, waits for its latch.
// Whoever makes work fences, and takes the flag away before it sets the latch: one signal for each
// sleep.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/byte_ring.hpp"
#include "core/mpmc_queue.hpp"
#include "core/statistics.hpp"

#include "pg/pg_prelude.hpp"

extern "C" {
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"
}

namespace pgrst::pg {

constexpr size_t kRequestRingSize = 128 * 1024;
constexpr size_t kResponseRingSize = 256 * 1024;
constexpr size_t kSettingsAreaSize = 128 * 1024;
constexpr size_t kEffectiveAreaSize = 64 * 1024;
constexpr size_t kErrorTextSize = 256;
constexpr size_t kLeftOutTextSize = 1024;
constexpr size_t kMaxIntrospectionParts = 32;
constexpr int kMaxStepAsideRequests = 8;

enum class Outcome : uint32_t {
  kQueued,     // in `submissions`; an executor takes it by making it kRunning
  kAbandoned,  // still in `submissions`, but the gateway took it back; the executor that meets it
               // drops it
  kRunning,
  kComplete,      // the response is written, or nobody wanted it
  kExecutorLost,  // the executor ended; nothing was committed
  kLostAfterCommit,
};

inline bool is_pending(Outcome outcome) {
  return outcome == Outcome::kQueued || outcome == Outcome::kAbandoned ||
         outcome == Outcome::kRunning;
}

// Its rings follow it, and begin where their alignment wants them to.
struct alignas(ByteRing) Slot {
  std::atomic<Outcome> outcome;
  std::atomic<uint64_t> sequence;         // of the request in it; never used twice
  std::atomic<int32_t> executor;          // index, or -1
  std::atomic<bool> discarded;            // nobody wants the response any more
  std::atomic<bool> event_posted;         // its number is in `events`
  std::atomic<bool> gateway_wants_room;   // the gateway has more of the request to write
  std::atomic<bool> executor_wants_room;  // the executor waits to write more of the response
  std::atomic<bool> executor_wants_data;  // the executor waits for more of the request

  ByteRing* request() { return reinterpret_cast<ByteRing*>(this + 1); }
  ByteRing* response() {
    return reinterpret_cast<ByteRing*>(reinterpret_cast<char*>(this + 1) +
                                       ByteRing::bytes_needed(kRequestRingSize));
  }
  static size_t bytes_needed() {
    return sizeof(Slot) + ByteRing::bytes_needed(kRequestRingSize) +
           ByteRing::bytes_needed(kResponseRingSize);
  }
};

static_assert(ByteRing::bytes_needed(kRequestRingSize) % alignof(ByteRing) == 0 &&
              ByteRing::bytes_needed(kResponseRingSize) % alignof(ByteRing) == 0);

enum class ProcessState : uint32_t { kNone, kStarting, kIdle, kBusy };

struct ExecutorShared {
  std::atomic<ProcessState> state;
  std::atomic<int32_t> pid;
  std::atomic<Latch*> latch;
  std::atomic<bool> sleeping;
  std::atomic<uint64_t> cancel_sequence;  // the request to cancel when SIGINT comes; 0: any
  std::atomic<int64_t> started_at;        // TimestampTz
  std::atomic<uint64_t> requests;
};

enum class ServiceState : uint32_t { kWaiting, kStarting, kDormant, kServing, kPaused };

struct DatabaseShared {
  char name[NAMEDATALEN];
  uint32_t executor_count;  // entries of executors()
  uint32_t slot_count;

  std::atomic<ServiceState> state;
  std::atomic<Oid> oid;  // once it has been found
  std::atomic<int32_t> gateway_pid;
  std::atomic<Latch*> gateway_latch;
  std::atomic<bool> gateway_sleeping;
  std::atomic<bool> gateway_connected;      // since it was started last; or it has said why not
  std::atomic<int64_t> gateway_started_at;  // TimestampTz
  std::atomic<int32_t> port;
  std::atomic<int64_t> serving_since;  // TimestampTz

  std::atomic<bool> executor_wanted;  // by the gateway, of the launcher
  std::atomic<int32_t> max_idletime;  // seconds
  std::atomic<int32_t> max_lifetime;
  std::atomic<uint64_t> snapshot_generation;  // grows with every snapshot the gateway publishes

  std::atomic<uint64_t> requests;
  std::atomic<uint64_t> schema_loads;
  std::atomic<uint64_t> schema_load_failures;
  std::atomic<uint64_t> schema_query_us;  // of the last load
  std::atomic<uint64_t> pool_timeouts;    // requests that no executor took in time
  std::atomic<uint64_t> schema_checks;    // fingerprints computed
  std::atomic<uint64_t> table_count;
  std::atomic<uint64_t> queue_length;
  char last_error[kErrorTextSize];  // under Shared::lock
  int64_t last_error_at;
  char left_out[kLeftOutTextSize];  // what introspection could not read; under Shared::lock
  // Of the last load of the schema cache: the fingerprint, the definitions, then each query.
  struct IntrospectionPart {
    std::atomic<uint64_t> rows;
    std::atomic<uint64_t> took_us;
  } introspection[kMaxIntrospectionParts];
  // What the service is configured by: row records of name, value and source, secrets masked. Under
  // Shared::lock.
  size_t effective_size;
  char effective[kEffectiveAreaSize];

  size_t statistics_at;  // offsets from this
  size_t executors_at;
  size_t submissions_at;
  size_t events_at;
  size_t slots_at;

  template <class T>
  T* at(size_t offset) {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(this) + offset);
  }
  Statistics& statistics() { return *at<Statistics>(statistics_at); }
  ExecutorShared& executor(uint32_t i) { return at<ExecutorShared>(executors_at)[i]; }
  MpmcQueue& submissions() { return *at<MpmcQueue>(submissions_at); }
  MpmcQueue& events() { return *at<MpmcQueue>(events_at); }
  Slot& slot(uint32_t i) { return *at<Slot>(slots_at + i * Slot::bytes_needed()); }
};

// DROP, RENAME, ... of a served database: the backend asks the launcher to stop the workers there.
struct StepAsideRequest {
  bool in_use;
  bool done;  // the workers have ended
  Oid database;
  VirtualTransactionId requester;  // the workers come back when this transaction has ended
  Latch* requester_latch;
};

struct Shared {
  LWLock* lock;
  std::atomic<int32_t> launcher_pid;
  std::atomic<Latch*> launcher_latch;
  std::atomic<int64_t> launcher_started_at;
  // The pgrst.* settings of postgresql.conf, as the launcher sees them (the only process of ours
  // that has neither role nor database): row records of name and value. Under `lock`.
  std::atomic<uint64_t> settings_generation;
  size_t settings_size;
  char settings[kSettingsAreaSize];
  StepAsideRequest step_aside[kMaxStepAsideRequests];  // under `lock`
  uint32_t database_count;
  size_t databases_at;
  size_t database_size;

  DatabaseShared& database(uint32_t i) {
    return *reinterpret_cast<DatabaseShared*>(reinterpret_cast<char*>(this) + databases_at +
                                              i * database_size);
  }
};

// Called by _PG_init in the postmaster: reserves and later lays out the memory.
void px_install_shmem_hooks();

// Null when the library was not preloaded.
Shared* shared();

// That of the database which this process is connected to; null: it is not served.
DatabaseShared* own_database();

// A copy of the settings that the launcher has published.
std::string published_settings(const Shared& shared);

// A copy of the row records that pgrst.effective_config shows: name, value, source.
std::string effective_settings_of(const DatabaseShared& db);

// Wakes the gateway if it sleeps, after something was posted for it.
void wake_gateway(DatabaseShared& db);

// Puts the slot's number into `events`, once, and wakes the gateway.
void post_event(DatabaseShared& db, uint32_t slot);

// Wakes one sleeping executor; false when none sleeps.
bool wake_executor(DatabaseShared& db);

void wake_launcher();

// Shows these row records in pgrst.effective_config; what does not fit is left out.
void px_set_effective_settings(DatabaseShared& db, const char* records, size_t size);

// Shows in pgrst.status what introspection could not read.
void px_set_left_out(DatabaseShared& db, const char* text);

// Remembers why the database is not served; empty: it is.
void px_set_last_error(DatabaseShared& db, const char* text);

}  // namespace pgrst::pg
