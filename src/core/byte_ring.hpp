// A bounded stream of bytes from one process to another, in memory that they share.
//
// Input -> output: write_some(bytes) -> how many went in; read_some(buffer) -> how many came out.
// Neither waits: sleeping and waking is the business of the two ends (pg/shmem.hpp), because they
// sleep on different things. Bodies of any size go through in pieces; a full ring is the
// back-pressure. Invariants: one writer, one reader; positions only grow; the bytes between them
// belong to the reader, the others to the writer. Ownership: lives where it is placed, its bytes
// directly behind it; reset() while only one end uses it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pgrst {

class ByteRing {
 public:
  static constexpr size_t bytes_needed(size_t capacity) { return sizeof(ByteRing) + capacity; }

  void init(size_t capacity) {
    capacity_ = capacity;
    reset();
  }
  void reset() {
    read_.store(0, std::memory_order_relaxed);
    written_.store(0, std::memory_order_release);
  }

  size_t capacity() const { return capacity_; }
  size_t readable() const {
    return written_.load(std::memory_order_acquire) - read_.load(std::memory_order_relaxed);
  }
  size_t writable() const {
    return capacity_ -
           (written_.load(std::memory_order_relaxed) - read_.load(std::memory_order_acquire));
  }

  size_t write_some(const char* bytes, size_t size) {
    size = std::min(size, writable());
    const uint64_t at = written_.load(std::memory_order_relaxed);
    const size_t offset = at % capacity_;
    const size_t first = std::min(size, capacity_ - offset);
    std::memcpy(data() + offset, bytes, first);
    std::memcpy(data(), bytes + first, size - first);
    written_.store(at + size, std::memory_order_release);
    return size;
  }

  size_t read_some(char* bytes, size_t size) {
    size = std::min(size, readable());
    const uint64_t at = read_.load(std::memory_order_relaxed);
    const size_t offset = at % capacity_;
    const size_t first = std::min(size, capacity_ - offset);
    std::memcpy(bytes, data() + offset, first);
    std::memcpy(bytes + first, data(), size - first);
    read_.store(at + size, std::memory_order_release);
    return size;
  }

 private:
  char* data() { return reinterpret_cast<char*>(this + 1); }

  alignas(64) std::atomic<uint64_t> written_;
  alignas(64) std::atomic<uint64_t> read_;
  alignas(64) uint64_t capacity_;
};

}  // namespace pgrst
