// A bounded queue of slot numbers between processes, in memory that they share.
//
// Dmitry Vyukov's bounded multi-producer multi-consumer queue: every cell has a sequence number
// that says whose turn it is. Producers and consumers claim a position with one compare-and-swap
// and then own the cell alone; nobody waits for a lock, so a process that dies between two
// operations blocks no one. (One that dies inside the few instructions between claim and hand-over
// loses that cell; PostgreSQL restarts all processes after such a death, because it can only be a
// crash.)
//
// Input -> output: push(number), pop() -> number. Invariants: first in, first out; never allocates.
// Ownership: lives where it is placed; init() before any other process sees it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgrst {

class MpmcQueue {
 public:
  // Bytes of a queue for at least `capacity` numbers.
  static size_t bytes_needed(uint32_t capacity) {
    return sizeof(MpmcQueue) + sizeof(Cell) * round_up(capacity);
  }

  void init(uint32_t capacity) {
    mask_ = round_up(capacity) - 1;
    head_.store(0, std::memory_order_relaxed);
    tail_.store(0, std::memory_order_relaxed);
    for (uint32_t i = 0; i <= mask_; i++) {
      cells()[i].sequence.store(i, std::memory_order_relaxed);
    }
  }

  // False when it is full.
  bool push(uint32_t number) {
    uint64_t position = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells()[position & mask_];
      const uint64_t sequence = cell.sequence.load(std::memory_order_acquire);
      if (sequence == position) {
        if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
          cell.number = number;
          cell.sequence.store(position + 1, std::memory_order_release);
          return true;
        }
      } else if (sequence < position) {
        return false;
      } else {
        position = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  std::optional<uint32_t> pop() {
    uint64_t position = head_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells()[position & mask_];
      const uint64_t sequence = cell.sequence.load(std::memory_order_acquire);
      if (sequence == position + 1) {
        if (head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
          const uint32_t number = cell.number;
          cell.sequence.store(position + mask_ + 1, std::memory_order_release);
          return number;
        }
      } else if (sequence < position + 1) {
        return std::nullopt;
      } else {
        position = head_.load(std::memory_order_relaxed);
      }
    }
  }

  // A moment's view, for decisions that may be wrong.
  bool looks_empty() const {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_relaxed);
  }

 private:
  struct Cell {
    std::atomic<uint64_t> sequence;
    uint32_t number;
  };

  static uint32_t round_up(uint32_t capacity) {
    uint32_t power = 2;
    while (power < capacity) power *= 2;
    return power;
  }
  Cell* cells() { return reinterpret_cast<Cell*>(this + 1); }

  alignas(64) std::atomic<uint64_t> head_;
  alignas(64) std::atomic<uint64_t> tail_;
  alignas(64) uint64_t mask_;
};

static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace pgrst
