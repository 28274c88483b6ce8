// Runs a Transaction in this session, through SPI.
//
// The order of things, and why (each step was tried the other way and failed a test):
//
//   1  The transaction starts with its access mode and isolation: user code cannot change them
//      later. It is a block, as after BEGIN.
//   2  One level of settings for all that follows: whatever a request sets, even with a plain SET,
//      ends with it.
//   3  search_path and the settings of the role, which may change it, while the session may still
//      set what the role may not.
//   4  The role, then request.*, then the time-outs, which take the role's values.
//   5  The pre-request function, with a snapshot of its own: it may write.
//   6  The statements, prepared under the role, so that rights checked at parse time are this
//      role's.
//   7  Deferred constraints and triggers, as the role and with request.* still there.
//   8  Held cursors are dropped, then the commit. The level of settings holds until the commit is
//      done, and is popped by a callback inside of it: settings that act at commit are the
//      request's, and none becomes the session's.
//   9  What outlives a transaction is thrown away: advisory locks, prepared statements, temporary
//      tables. A session where that failed must serve nobody else.
//
// After an error: abort (which pops the level), then 9 as well.
//
// Ownership: bodies go into ByteSinks of the caller; plans into a PlanCache, which it keeps.
#pragma once

#include <vector>

#include "pg/byte_sink.hpp"
#include "query/transaction.hpp"

#include "pg/pg_prelude.hpp"

namespace pgrst::pg {

class PlanCache;

// Capacity beyond its size that lets a large payload become a datum where it is: room for a header.
constexpr size_t kPayloadSpare = 4;

enum class TransactionScope {
  kOwn,       // a transaction of its own, in a worker
  kInCaller,  // inside the running transaction of a session: a subtransaction, rolled back on error
};

// The bodies of the result sets; the numbers stand in TransactionResult.
class Bodies {
 public:
  ~Bodies() { clear(); }
  Bodies() = default;
  Bodies(const Bodies&) = delete;
  Bodies& operator=(const Bodies&) = delete;

  void resize(size_t count);
  void append(const ByteSink& sink) { sinks_.push_back(sink); }  // takes its memory over
  void clear();
  ByteSink& operator[](size_t i) { return sinks_[i]; }
  const ByteSink& at(size_t i) const { return sinks_[i]; }
  size_t size() const { return sinks_.size(); }

  // How long each statement took, in microseconds.
  std::vector<uint64_t> times;

 private:
  std::vector<ByteSink> sinks_;
};

// Raises nothing: errors are in the result. Without `plans` every statement is prepared anew.
TransactionResult run_transaction(Transaction& transaction, TransactionScope scope,
                                  PlanCache* plans, Bodies& bodies);

// Whether the last transaction of run_transaction that was begun has committed. Safe in exit hooks.
bool transaction_committed();
void forget_transaction_committed();

// For the handler of SIGINT: a commit that waits for a standby gives up because of it.
void note_cancel_signal();

// Whether something of a request may be left in this session, which must then end.
bool session_is_unclean();
void mark_session_unclean();

// Aborts whatever transaction runs and discards what it left behind.
void abort_and_discard();

}  // namespace pgrst::pg
