// What verified tokens resolved to, so that a token seen again costs a lookup.
//
// Input -> output: token -> ResolvedClaims, or nothing.
// Holds only tokens whose signature was verified; times are checked by the caller on each use
// (authorize_at). The entries are true for one AuthSettings only: clear() the cache, or make a new
// one, whenever the settings change.
// Invariants: at most max_entries entries of tokens of at most kMaxCachedTokenBytes; evicts by
// SIEVE.
// Ownership: owns its entries; not thread-safe, one per process.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/role.hpp"

namespace pgrst {

// Longer tokens are verified each time. Claims are part of the token, so this bounds an entry.
inline constexpr size_t kMaxCachedTokenBytes = 8 * 1024;

struct JwtCacheStats {
  uint64_t requests = 0;
  uint64_t hits = 0;
  uint64_t evictions = 0;
};

class JwtCache {
 public:
  // 0 entries: off, nothing is kept and nothing is counted.
  explicit JwtCache(size_t max_entries) : max_entries_(max_entries) {}
  JwtCache(const JwtCache&) = delete;
  JwtCache& operator=(const JwtCache&) = delete;

  // The entry of exactly that token, or nullptr. Valid until the next call of a non-const function.
  const ResolvedClaims* find(std::string_view token);

  // Keeps the claims of a verified token; a token that is in already stays as it is.
  void insert(std::string_view token, ResolvedClaims claims);

  void clear();
  void set_max_entries(size_t max_entries);  // evicts what is too many

  size_t size() const { return entries_.size(); }
  const JwtCacheStats& stats() const { return stats_; }

 private:
  struct Entry {
    std::string token;
    ResolvedClaims claims;
    bool visited = false;
  };

  void evict_one();

  size_t max_entries_;
  std::list<Entry> entries_;  // the newest first
  // The keys are views of Entry::token; list nodes do not move.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
  std::list<Entry>::iterator hand_ = entries_.end();  // end(): starts at the oldest
  JwtCacheStats stats_;
};

}  // namespace pgrst
