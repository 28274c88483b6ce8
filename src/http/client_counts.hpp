// How many connections each client has, over all servers of a service.
//
// A client is an IPv4 address, also where an IPv6 socket shows it as ::ffff:a.b.c.d, or the first
// 64 bits of an IPv6 address: whoever has one such address has all of its network. Those that come
// by a unix socket have no address and are not counted.
#pragma once

#include "core/before_postgres.hpp"

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace pgrst::http {

class ClientCounts {
 public:
  using Key = std::array<uint8_t, 16>;

  static std::optional<Key> key_of(const sockaddr* address, size_t size);

  unsigned count(const Key& client) const {
    const auto it = counts_.find(client);
    return it == counts_.end() ? 0 : it->second;
  }
  void add(const Key& client) { counts_[client]++; }
  void remove(const Key& client) {
    const auto it = counts_.find(client);
    if (it != counts_.end() && --it->second == 0) counts_.erase(it);
  }

 private:
  std::map<Key, unsigned> counts_;
};

}  // namespace pgrst::http
