// How much memory the bodies of requests take that are being received or answered, of all servers
// of a service.
//
// What has come counts, not what was announced. One client may have three quarters of what the
// others leave, so that some is left for those who come after; a single body it may always have.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <map>
#include <optional>

#include "http/client_counts.hpp"

namespace pgrst::http {

class BodyMemory {
 public:
  using Client = std::optional<ClientCounts::Key>;  // none: it has no address

  // Bytes for a body that has `had` already. False when they are not to be had; all bodies may take
  // `limit` together. May throw, and then nothing is taken.
  bool take(const Client& client, uint64_t bytes, uint64_t had, uint64_t limit) {
    if (!has_room(client, bytes, had, limit)) return false;
    if (client) by_client_[*client] += bytes;
    taken_ += bytes;
    return true;
  }
  void give_back(const Client& client, uint64_t bytes) {
    if (bytes == 0) return;
    taken_ -= bytes;
    if (!client) return;
    const auto it = by_client_.find(*client);
    if (it != by_client_.end() && (it->second -= bytes) == 0) by_client_.erase(it);
  }
  bool has_room(const Client& client, uint64_t bytes, uint64_t had, uint64_t limit) const {
    if (taken_ > limit || bytes > limit - taken_) return false;
    const uint64_t own = client ? taken_by(*client) : 0;
    if (own == had) return true;
    return own + bytes <= (limit - (taken_ - own)) / 4 * 3;
  }
  // Whether so much is taken that whoever holds it must hurry.
  bool is_scarce(uint64_t limit) const { return taken_ >= limit / 2; }

 private:
  uint64_t taken_by(const ClientCounts::Key& client) const {
    const auto it = by_client_.find(client);
    return it == by_client_.end() ? 0 : it->second;
  }

  uint64_t taken_ = 0;
  std::map<ClientCounts::Key, uint64_t> by_client_;  // who has none is not in it
};

}  // namespace pgrst::http
