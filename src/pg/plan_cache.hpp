// The saved plans of an executor.
//
// Input -> output: the text of a statement, the role it runs under, the search_path -> its plan,
// with what turns texts into parameters.
// Invariants: what was checked when a plan was made was checked for the role that uses it; the
// plans of an executor hold at most kMaxPlanBytes between two requests, however large their texts.
// Ownership: the cache owns the plans, and gives them back through guard().
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pg/pg_prelude.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace pgrst::pg {

constexpr size_t kMaxPlans = 256;
constexpr size_t kMaxPlanBytes = 32 * 1024 * 1024;

// A saved plan with the input functions of its parameters. Null until px_prepare().
struct PreparedPlan {
  MemoryContext context = nullptr;  // holds the members below
  SPIPlanPtr plan = nullptr;
  int param_count = 0;
  Oid* types = nullptr;
  FmgrInfo* input_functions = nullptr;
  Oid* io_params = nullptr;
};

// Prepares `sql` with parameters of the types that its analysis finds, as PREPARE does without a
// list. Inside an SPI connection.
void px_prepare(const char* sql, int param_count, PreparedPlan* out);

// Plans by (text, role, search_path), the least recently used evicted: a repeated request shape
// costs no parse and no plan.
class PlanCache {
 public:
  PlanCache(size_t max_plans, size_t max_bytes) : max_plans_(max_plans), max_bytes_(max_bytes) {}
  ~PlanCache() { clear(); }
  PlanCache(const PlanCache&) = delete;
  PlanCache& operator=(const PlanCache&) = delete;

  // The entry of that key, new (and not yet prepared) if need be. Valid until keep() or clear();
  // entries are evicted by keep() only.
  PreparedPlan* find(const std::string& text, const std::string& role,
                     const std::string& search_path);
  // After the statements of a transaction were run: forgets what did not become a plan because its
  // statement failed, measures what was used, and evicts until the bounds hold.
  void keep();
  void clear();
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    PreparedPlan plan;
    size_t bytes = 0;
    bool used = false;  // since the last keep()
  };
  using Entries = std::list<Entry>;
  void erase(Entries::iterator entry);

  size_t max_plans_;
  size_t max_bytes_;
  size_t bytes_ = 0;
  Entries entries_;  // the most recently used first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
};

}  // namespace pgrst::pg
