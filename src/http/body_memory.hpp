// How much memory the bodies of requests take that are being received or answered, of all servers
// of a service.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>

namespace pgrst::http {

class BodyMemory {
 public:
  // Bytes; false when that would be more than `limit` together.
  bool take(uint64_t bytes, uint64_t limit) {
    if (!has_room(bytes, limit)) return false;
    taken_ += bytes;
    return true;
  }
  void give_back(uint64_t bytes) { taken_ -= bytes; }
  bool has_room(uint64_t bytes, uint64_t limit) const {
    return taken_ <= limit && bytes <= limit - taken_;
  }

 private:
  uint64_t taken_ = 0;
};

}  // namespace pgrst::http
