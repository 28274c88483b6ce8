// The queue of slots and the byte rings: alone, between threads, and between processes that share
// nothing but a mapping. Waiting is done by yielding: how to sleep is the business of pg/shmem.
#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "core/byte_ring.hpp"
#include "core/mpmc_queue.hpp"

namespace pgrst {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(100);

// Zeroed pages that children share.
class Mapping {
 public:
  explicit Mapping(size_t size) : size_(size) {
    at_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~Mapping() { munmap(at_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  void* get() const { return at_; }

 private:
  size_t size_;
  void* at_;
};

template <class T, class Size>
class Shared {
 public:
  explicit Shared(Size capacity) : mapping_(T::bytes_needed(capacity)) {
    object_ = new (mapping_.get()) T;
    object_->init(capacity);
  }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  Mapping mapping_;
  T* object_;
};
using SharedQueue = Shared<MpmcQueue, uint32_t>;
using SharedRing = Shared<ByteRing, size_t>;

// Runs `body` in a child process; its result is the exit status.
template <class F>
pid_t in_child(F body) {
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(static_cast<unsigned>(kPatience.count()));
    _exit(body() ? 0 : 1);
  }
  return pid;
}

bool ended_well(pid_t pid) {
  int status = -1;
  return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

// -- MpmcQueue -----------------------------------------------------------------------------------

TEST(MpmcQueue, StartsEmpty) {
  SharedQueue queue(4);
  EXPECT_TRUE(queue->looks_empty());
  EXPECT_EQ(queue->pop(), std::nullopt);
}

TEST(MpmcQueue, HoldsAtLeastItsCapacity) {
  for (const uint32_t capacity : {1u, 2u, 3u, 4u, 5u, 100u, 1000u}) {
    SharedQueue queue(capacity);
    uint32_t held = 0;
    while (queue->push(held)) held++;
    EXPECT_GE(held, capacity);
    EXPECT_LT(held, 2 * capacity + 2);
    EXPECT_FALSE(queue->push(7));
    EXPECT_FALSE(queue->looks_empty());
    for (uint32_t i = 0; i < held; i++) ASSERT_EQ(queue->pop(), i);
    EXPECT_EQ(queue->pop(), std::nullopt);
  }
}

TEST(MpmcQueue, StaysInOrderOverManyLaps) {
  SharedQueue queue(4);
  uint32_t pushed = 0, popped = 0;
  for (int lap = 0; lap < 10000; lap++) {
    const int some = 1 + lap % 4;
    for (int i = 0; i < some; i++) ASSERT_TRUE(queue->push(pushed++));
    for (int i = 0; i < some; i++) ASSERT_EQ(queue->pop(), popped++);
    ASSERT_EQ(queue->pop(), std::nullopt);
  }
}

TEST(MpmcQueue, TakesEveryNumber) {
  SharedQueue queue(2);
  EXPECT_TRUE(queue->push(0));
  EXPECT_TRUE(queue->push(~uint32_t{0}));
  EXPECT_EQ(queue->pop(), 0u);
  EXPECT_EQ(queue->pop(), ~uint32_t{0});
}

// Pops until all of `total` numbers are out; what one producer pushed must come in its order.
struct Consumed {
  std::vector<uint32_t> numbers;
  bool in_order = true;
};

Consumed consume(MpmcQueue& queue, std::atomic<uint32_t>& left, uint32_t each, uint32_t producers) {
  Consumed out;
  std::vector<int64_t> last(producers, -1);
  while (left.load() > 0) {
    const auto number = queue.pop();
    if (!number) {
      sched_yield();
      continue;
    }
    left.fetch_sub(1);
    out.numbers.push_back(*number);
    int64_t& before = last[*number / each];
    if (int64_t{*number} <= before) out.in_order = false;
    before = *number;
  }
  return out;
}

void produce(MpmcQueue& queue, uint32_t from, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    while (!queue.push(from + i)) sched_yield();
  }
}

TEST(MpmcQueue, ManyThreadsLoseAndDoubleNothing) {
  constexpr uint32_t kProducers = 3, kConsumers = 3, kEach = 20000;
  SharedQueue queue(8);
  std::atomic<uint32_t> left = kProducers * kEach;
  std::vector<Consumed> consumed(kConsumers);
  std::vector<std::thread> threads;
  for (uint32_t p = 0; p < kProducers; p++) {
    threads.emplace_back([&queue, p] { produce(*queue, p * kEach, kEach); });
  }
  for (auto& c : consumed) {
    threads.emplace_back([&] { c = consume(*queue, left, kEach, kProducers); });
  }
  for (auto& thread : threads) thread.join();
  std::vector<int> seen(kProducers * kEach);
  for (const auto& c : consumed) {
    EXPECT_TRUE(c.in_order);
    for (const uint32_t number : c.numbers) seen[number]++;
  }
  for (const int times : seen) ASSERT_EQ(times, 1);
  EXPECT_TRUE(queue->looks_empty());
}

TEST(MpmcQueue, BetweenProcesses) {
  constexpr uint32_t kProducers = 3, kEach = 20000;
  SharedQueue queue(16);
  std::vector<pid_t> children;
  for (uint32_t p = 0; p < kProducers; p++) {
    children.push_back(in_child([&] {
      produce(*queue, p * kEach, kEach);
      return true;
    }));
  }
  std::vector<int> seen(kProducers * kEach);
  const auto deadline = Clock::now() + kPatience;
  for (uint32_t left = kProducers * kEach; left > 0 && Clock::now() < deadline;) {
    const auto number = queue->pop();
    if (number) {
      seen[*number]++;
      left--;
    } else {
      sched_yield();
    }
  }
  for (const pid_t child : children) EXPECT_TRUE(ended_well(child));
  for (const int times : seen) ASSERT_EQ(times, 1);
}

// -- ByteRing ------------------------------------------------------------------------------------

TEST(ByteRing, StartsEmpty) {
  SharedRing ring(8);
  char c = 0;
  EXPECT_EQ(ring->capacity(), 8u);
  EXPECT_EQ(ring->readable(), 0u);
  EXPECT_EQ(ring->writable(), 8u);
  EXPECT_EQ(ring->read_some(&c, 1), 0u);
  EXPECT_EQ(ring->write_some("", 0), 0u);
}

TEST(ByteRing, TakesWhatFits) {
  SharedRing ring(8);
  EXPECT_EQ(ring->write_some("0123456789", 10), 8u);
  EXPECT_EQ(ring->writable(), 0u);
  EXPECT_EQ(ring->write_some("x", 1), 0u);
  char out[16] = {};
  EXPECT_EQ(ring->read_some(out, 3), 3u);
  EXPECT_EQ(std::string(out, 3), "012");
  EXPECT_EQ(ring->write_some("abcdef", 6), 3u);  // wraps around
  EXPECT_EQ(ring->readable(), 8u);
  EXPECT_EQ(ring->read_some(out, 16), 8u);
  EXPECT_EQ(std::string(out, 8), "34567abc");
  EXPECT_EQ(ring->readable(), 0u);
}

TEST(ByteRing, ResetForgets) {
  SharedRing ring(4);
  EXPECT_EQ(ring->write_some("abc", 3), 3u);
  ring->reset();
  EXPECT_EQ(ring->readable(), 0u);
  EXPECT_EQ(ring->writable(), 4u);
  EXPECT_EQ(ring->write_some("wxyz", 4), 4u);
  char out[4];
  EXPECT_EQ(ring->read_some(out, 4), 4u);
  EXPECT_EQ(std::string(out, 4), "wxyz");
}

TEST(ByteRing, EveryOffsetAndLength) {
  for (const size_t capacity : {1, 2, 3, 7, 8}) {
    SharedRing ring(capacity);
    char next_in = 0, next_out = 0;
    for (int round = 0; round < 500; round++) {
      char in[16], out[16];
      const size_t size = static_cast<size_t>(round) % (capacity + 2);
      for (size_t i = 0; i < size; i++) in[i] = static_cast<char>(next_in + static_cast<char>(i));
      const size_t wrote = ring->write_some(in, size);
      ASSERT_EQ(wrote, std::min(size, capacity));
      next_in = static_cast<char>(next_in + static_cast<char>(wrote));
      const size_t read = ring->read_some(out, sizeof out);
      ASSERT_EQ(read, wrote);
      for (size_t i = 0; i < read; i++) ASSERT_EQ(out[i], next_out++);
    }
  }
}

// A stream whose byte at every position is known, so that any loss, doubling or swap is seen. The
// period has no factor in common with the size of a ring.
class Pattern {
 public:
  static constexpr size_t kPeriod = 65521;

  Pattern() {
    uint32_t state = 12345;
    for (char& c : bytes_) {
      state = state * 1664525 + 1013904223;
      c = static_cast<char>(state >> 24);
    }
  }
  // As many bytes from `position` on as lie in one piece, at most `size`.
  std::string_view at(size_t position, size_t size) const {
    const size_t offset = position % kPeriod;
    return {bytes_ + offset, std::min(size, kPeriod - offset)};
  }
  bool matches(size_t position, std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto expected = at(position, bytes.size());
      if (std::memcmp(expected.data(), bytes.data(), expected.size()) != 0) return false;
      bytes.remove_prefix(expected.size());
      position += expected.size();
    }
    return true;
  }

 private:
  char bytes_[kPeriod];
};

const Pattern& pattern() {
  static const auto& instance = *new Pattern;
  return instance;
}

size_t write_pattern(ByteRing& ring, size_t position, size_t size) {
  const auto piece = pattern().at(position, size);
  return ring.write_some(piece.data(), piece.size());
}

TEST(ByteRing, ThreadsAtDifferentPaces) {
  constexpr size_t kTotal = 8'000'000;
  SharedRing ring(4093);
  std::thread writer([&] {
    for (size_t done = 0; done < kTotal;) {
      const size_t n = write_pattern(*ring, done, std::min(kTotal - done, 1 + done % 6000));
      done += n;
      if (n == 0) sched_yield();
    }
  });
  std::vector<char> buffer(5000);
  bool same = true;
  for (size_t done = 0; done < kTotal;) {
    const size_t n = ring->read_some(buffer.data(), 1 + done % buffer.size());
    same = same && pattern().matches(done, {buffer.data(), n});
    done += n;
    if (n == 0) sched_yield();
  }
  writer.join();
  EXPECT_TRUE(same);
  EXPECT_EQ(ring->readable(), 0u);
}

// Reads `size` bytes and sends them back, checking them on the way.
bool echo(ByteRing& in, ByteRing& out, size_t size) {
  std::vector<char> buffer(100'000);
  for (size_t done = 0; done < size;) {
    const size_t n = in.read_some(buffer.data(), std::min(buffer.size(), size - done));
    if (n == 0) sched_yield();
    if (!pattern().matches(done, {buffer.data(), n})) return false;
    for (size_t back = 0; back < n;) {
      const size_t m = out.write_some(buffer.data() + back, n - back);
      if (m == 0) sched_yield();
      back += m;
    }
    done += n;
  }
  return true;
}

// Sends `size` bytes and takes as many back, both at once; false when one is wrong or missing.
bool exchange(ByteRing& out, ByteRing& in, size_t size) {
  std::vector<char> buffer(70'000);
  size_t sent = 0, received = 0;
  const auto deadline = Clock::now() + kPatience;
  while (received < size) {
    const size_t n = sent < size ? write_pattern(out, sent, size - sent) : 0;
    const size_t m = in.read_some(buffer.data(), buffer.size());
    if (!pattern().matches(received, {buffer.data(), m})) return false;
    sent += n;
    received += m;
    if (n == 0 && m == 0) {
      if (Clock::now() > deadline) return false;
      sched_yield();
    }
  }
  return received == size && sent == size;
}

TEST(ByteRing, BothWaysBetweenProcessesInAllSizes) {
  constexpr size_t kCapacity = 256 * 1024;
  pattern();
  for (const size_t size :
       {size_t{1}, size_t{2}, size_t{1000}, kCapacity - 1, kCapacity, kCapacity + 1, 2 * kCapacity,
        size_t{3'000'001}, size_t{200} * 1024 * 1024}) {
    SharedRing there(kCapacity), back(kCapacity);
    const pid_t child = in_child([&] { return echo(*there, *back, size); });
    EXPECT_TRUE(exchange(*there, *back, size)) << size;
    EXPECT_TRUE(ended_well(child)) << size;
    EXPECT_EQ(there->readable() + back->readable(), 0u) << size;
  }
}

TEST(ByteRing, OneByteAtATimeBetweenProcesses) {
  constexpr size_t kTotal = 100'000;
  SharedRing ring(1);
  const pid_t child = in_child([&] {
    for (size_t done = 0; done < kTotal;) {
      const size_t n = write_pattern(*ring, done, kTotal - done);
      if (n == 0) sched_yield();
      done += n;
    }
    return true;
  });
  bool same = true;
  const auto deadline = Clock::now() + kPatience;
  for (size_t done = 0; done < kTotal && Clock::now() < deadline;) {
    char c = 0;
    const size_t n = ring->read_some(&c, 1);
    if (n == 0) sched_yield();
    same = same && pattern().matches(done, {&c, n});
    done += n;
  }
  EXPECT_TRUE(ended_well(child));
  EXPECT_TRUE(same);
}

}  // namespace
}  // namespace pgrst
