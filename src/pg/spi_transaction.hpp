// Runs a Transaction in this session, through SPI.
//
// The order of things, and why (each step was tried the other way and failed a test):
//
//   1 transaction starts with its access mode and isolation: user code cannot change them later
//   2 one GUC nest level for all that follows: whatever a request sets, even with a plain SET, ends
//   with it 3 search_path and settings of the role, which may change it, while the session may
//   still set what the role may not 4 role, then request.*, then the time-outs, which take the
//   role's values 5 pre-request function, with a snapshot of its own: it may write 6 the
//   statements, prepared under the role, so that rights checked at parse time are this role's 7
//   deferred constraints and triggers, as the role and with request.* still there 8 held cursors
//   dropped, the nest level popped, commit 9 what outlives a transaction is thrown away: advisory
//   locks, prepared statements, temporary tables
//
// After an error: abort (which pops the level), then 9 as well.
//
// Ownership: bodies go into ByteSinks of the caller; plans into PreparedPlans, which it keeps.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "pg/byte_sink.hpp"
#include "query/transaction.hpp"

#include "pg/pg_prelude.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace pgrst::pg {

// Capacity beyond its size that lets a large payload become a datum where it is: room for a header.
constexpr size_t kPayloadSpare = 4;

// A saved plan with the input functions of its parameters. Null until px code has prepared it.
struct PreparedPlan {
  MemoryContext context = nullptr;  // holds the members below
  SPIPlanPtr plan = nullptr;
  int param_count = 0;
  Oid* types = nullptr;
  FmgrInfo* input_functions = nullptr;
  Oid* io_params = nullptr;
};

// Plans by (text, role, search_path), the least recently used evicted: a repeated request shape
// costs no parse and no plan, and what was checked when a plan was made was checked for that role.
class PlanCache {
 public:
  explicit PlanCache(size_t capacity) : capacity_(capacity) {}

  // The entry of that key, new (and not yet prepared) if need be. Valid until the next call.
  PreparedPlan* find(const std::string& text, const std::string& role,
                     const std::string& search_path);
  void clear();
  // Frees what did not become a plan because its statement failed.
  void forget_unprepared();

 private:
  struct Entry {
    std::string key;
    PreparedPlan plan;
  };
  void evict();

  size_t capacity_;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
};

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

 private:
  std::vector<ByteSink> sinks_;
};

// Raises nothing: errors are in the result. Without `plans` every statement is prepared anew.
TransactionResult run_transaction(Transaction& transaction, TransactionScope scope,
                                  PlanCache* plans, Bodies& bodies);

// Whether the last transaction of run_transaction that was begun has committed. Safe in exit hooks.
bool transaction_committed();
void forget_transaction_committed();

// Aborts whatever transaction runs and discards what it left behind.
void abort_and_discard();

}  // namespace pgrst::pg
