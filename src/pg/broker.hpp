// The broker: the gateway's side of the ring. Hands work to executors and brings back what comes of
// it.
//
// Input -> output: Work -> exactly one call of the Receiver for it: a head (with the bodies of all
// result sets but the first, and of that one if it has arrived whole, as it must have when the
// gateway reads it), or a failure. Work that
// finds no free slot waits in a bounded queue; no executor taking it in time is a failure. A large
// first body is passed on as it comes: the executor stops writing when its ring is full, so a slow
// reader makes neither process hold more than the ring.
// Nothing here blocks, and nothing calls PostgreSQL but SetLatch and kill.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/pipeline.hpp"
#include "core/clock.hpp"
#include "http/server.hpp"
#include "pg/protocol.hpp"

#include "pg/shmem.hpp"

namespace pgrst::pg {

struct Work {
  std::string message;  // encode_request()
  std::string payload;  // what follows it
  bool is_introspection = false;
  http::Ticket ticket = 0;
  PendingRequest pending;
  int64_t since_ms = 0;            // monotonic: when it was submitted
  int64_t deadline_ms = 0;         // monotonic: until when an executor must have taken it
  int64_t result_deadline_ms = 0;  // until when its result must be there; 0: any time
  uint64_t label = 0;              // of introspection: the generation it answers for
};

// kTooLong: its statement was cancelled at result_deadline_ms. kNoMemory: for its result.
// kUnconfirmed: committed here, perhaps not on the standby it was to wait for. kAbandoned: it is
// not waited for any longer, whatever becomes of it.
enum class Failure {
  kTimeout,
  kTooLong,
  kExecutorLost,
  kLostAfterCommit,
  kUnconfirmed,
  kNoMemory,
  kAbandoned
};

// Passes on a first body that has not arrived whole. Giving it up early tells the executor.
class ResultBody : public http::BodySource {};

class Broker {
 public:
  class Receiver {
   public:
    virtual ~Receiver() = default;
    // body: null when head.result holds the first body, or there is none.
    virtual void on_result(Work& work, ResponseHead& head, std::unique_ptr<ResultBody> body) = 0;
    virtual void on_failure(Work& work, Failure failure) noexcept = 0;
    // More of the streamed body of that ticket can be read.
    virtual void on_more(http::Ticket ticket) = 0;
  };

  Broker(DatabaseShared& db, Receiver& receiver);
  ~Broker();

  // Takes `work` over, for dispatch() to wake an executor. False when max_queue pieces of work wait
  // already; `work` is untouched then.
  bool submit(Work& work, size_t max_queue, int64_t now_ms);
  // Looks at what executors have posted.
  void process_events();
  // Moves waiting work into free slots and wakes an executor if there is work for one.
  void dispatch(int64_t now_ms);
  // Fails what has waited too long.
  void expire(int64_t now_ms);
  // After the sockets were served: passes on to executors what reading bodies has made possible.
  void settle();

  // Whether there is anybody to hand work to.
  bool has_executors() const;
  // Nobody will run what no executor has taken: fails it at once.
  void fail_waiting();
  // Cancels what executors work on.
  void cancel_running();
  // Fails whatever has no result yet.
  void abandon_running();

  // Tickets of requests that an executor has worked on since before `since_ms`.
  std::vector<http::Ticket> running_since(int64_t since_ms) const;
  void cancel(http::Ticket ticket);

  // Whether a request waits for an executor that was submitted by then.
  bool has_waited(int64_t since_ms) const;
  // Requests whose result has not been passed on.
  bool has_unanswered() const;
  bool idle() const { return in_use_ == 0 && backlog_.empty(); }
  size_t queue_length() const { return backlog_.size(); }
  // When dispatch() or expire() want to be called again; -1: no such time.
  int64_t next_deadline_ms(int64_t now_ms) const;

 private:
  struct SlotUse;
  class SlotBody;

  void place(Work& work, int64_t now_ms);
  void write_request(SlotUse& use);
  void on_event(SlotUse& use);
  void read_on(SlotUse& use, Outcome outcome);
  bool read_head(SlotUse& use);
  bool read_bodies(SlotUse& use);
  static std::optional<Failure> failure_of(const SlotUse& use);
  void deliver(SlotUse& use);
  void fail(SlotUse& use, Failure failure);
  void discard(SlotUse& use);
  void cancel_in_executor(SlotUse& use);
  void interrupt(SlotUse& use);
  void interrupt_what_takes_too_long(SlotUse& use, int64_t now_ms);
  void wake_reader(SlotUse& use);
  void wake_writer(SlotUse& use);
  void free_if_done(SlotUse& use);
  bool wants_executor(int64_t now_ms) const;

  DatabaseShared& db_;
  Receiver& receiver_;
  std::vector<std::unique_ptr<SlotUse>> slots_;
  std::vector<uint32_t> free_;
  std::deque<Work> backlog_;
  size_t in_use_ = 0;
  std::vector<uint32_t> touched_;  // slots whose body was read or dropped since settle()
};

}  // namespace pgrst::pg
