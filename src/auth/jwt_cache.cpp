#include "auth/jwt_cache.hpp"

#include <utility>

namespace pgrst {

const ResolvedClaims* JwtCache::find(std::string_view token) {
  if (max_entries_ == 0) return nullptr;
  stats_.requests++;
  const auto found = index_.find(token);
  if (found == index_.end()) return nullptr;
  stats_.hits++;
  found->second->visited = true;
  return &found->second->claims;
}

void JwtCache::insert(std::string_view token, ResolvedClaims claims) {
  if (max_entries_ == 0 || token.size() > kMaxCachedTokenBytes) return;
  if (index_.find(token) != index_.end()) return;
  while (entries_.size() >= max_entries_) evict_one();
  entries_.push_front(Entry{std::string(token), std::move(claims), false});
  index_.emplace(entries_.front().token, entries_.begin());
}

// SIEVE: the hand goes from the oldest entry to the newest and around, spares and unmarks what was
// used since it last came by, and takes the first that was not. Use does not move an entry.
void JwtCache::evict_one() {
  if (entries_.empty()) return;
  for (;;) {
    if (hand_ == entries_.end()) hand_ = std::prev(entries_.end());
    if (!hand_->visited) break;
    hand_->visited = false;
    hand_ = hand_ == entries_.begin() ? entries_.end() : std::prev(hand_);
  }
  const auto victim = hand_;
  hand_ = victim == entries_.begin() ? entries_.end() : std::prev(victim);
  index_.erase(victim->token);
  entries_.erase(victim);
  stats_.evictions++;
}

void JwtCache::clear() {
  index_.clear();
  entries_.clear();
  hand_ = entries_.end();
}

void JwtCache::set_max_entries(size_t max_entries) {
  max_entries_ = max_entries;
  while (entries_.size() > max_entries_) evict_one();
}

}  // namespace pgrst
