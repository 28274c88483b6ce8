// A growing byte store in malloc'ed chunks: what the row receivers write into and the response
// reads from.
//
// Input -> output: appended bytes -> a list of chunks, in order.
// Invariants: committed bytes never move; every chunk but the last is final. PostgreSQL's limit of
// 1 GB is not one here; `limit` is, give or take a chunk: who wants it exact looks at is_over().
// Ownership: the owner calls init() before and free_all() after use. Plain data without constructor
// or destructor and not from palloc, so that it may live in a frame that a PostgreSQL error jumps
// over, and survives the end of any memory context.
// Errors: nothing here calls PostgreSQL; exhausted memory and a passed limit are null or false, the
// caller reports it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace pgrst::pg {

struct ByteChunk {
  ByteChunk* next;
  std::size_t used;
  std::size_t capacity;

  char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
  const char* data() const noexcept { return reinterpret_cast<const char*>(this + 1); }
};

// Walk it with: for (const ByteChunk* c = sink.first; c != nullptr; c = c->next) ...
struct ByteSink {
  static constexpr std::size_t kFirstChunk = 8192 - sizeof(ByteChunk);
  static constexpr std::size_t kLargestChunk = 256 * 1024 - sizeof(ByteChunk);

  ByteChunk* first;
  ByteChunk* last;
  std::size_t before_last;  // bytes in all chunks but the last
  std::size_t limit;        // there is no room for more once more bytes than these are held

  void init() noexcept {
    first = nullptr;
    last = nullptr;
    before_last = 0;
    limit = SIZE_MAX;
  }

  // The limit stays.
  void free_all() noexcept {
    free_from(first);
    first = nullptr;
    last = nullptr;
    before_last = 0;
  }

  // Forgets the bytes but keeps the first chunk for the next user, unless that is very large.
  void clear() noexcept {
    if (first == nullptr || first->capacity > kLargestChunk) {
      free_all();
      return;
    }
    free_from(first->next);
    first->next = nullptr;
    first->used = 0;
    last = first;
    before_last = 0;
  }

  std::size_t size() const noexcept { return last == nullptr ? 0 : before_last + last->used; }
  bool is_over() const noexcept { return size() > limit; }

  // Room for `bytes` bytes in one piece, to be filled and then counted with commit(); null when
  // there is none.
  [[nodiscard]] char* reserve(std::size_t bytes) noexcept {
    if (last == nullptr || last->capacity - last->used < bytes) {
      if (!add_chunk(bytes)) return nullptr;
    }
    return last->data() + last->used;
  }

  void commit(std::size_t bytes) noexcept { last->used += bytes; }

  // False when there is no room; a part may have been appended then.
  [[nodiscard]] bool append(const char* bytes, std::size_t length) noexcept {
    while (length > 0) {
      if (last == nullptr || last->used == last->capacity) {
        if (!add_chunk(1)) return false;
      }
      const std::size_t room = last->capacity - last->used;
      const std::size_t part = length < room ? length : room;
      std::memcpy(last->data() + last->used, bytes, part);
      last->used += part;
      bytes += part;
      length -= part;
    }
    return true;
  }

  // Copies all bytes to `target`, which has room for size() of them.
  void copy_to(char* target) const noexcept {
    for (const ByteChunk* chunk = first; chunk != nullptr; chunk = chunk->next) {
      std::memcpy(target, chunk->data(), chunk->used);
      target += chunk->used;
    }
  }

 private:
  static void free_from(ByteChunk* chunk) noexcept {
    while (chunk != nullptr) {
      ByteChunk* next = chunk->next;
      std::free(chunk);
      chunk = next;
    }
  }

  // Chunks double up to kLargestChunk; one larger than that is made only for a larger single piece.
  bool add_chunk(std::size_t at_least) noexcept {
    if (is_over()) return false;
    std::size_t capacity = kFirstChunk;
    if (last != nullptr) capacity = (last->capacity + sizeof(ByteChunk)) * 2 - sizeof(ByteChunk);
    if (capacity > kLargestChunk) capacity = kLargestChunk;
    if (capacity < at_least) capacity = at_least;
    auto* chunk = static_cast<ByteChunk*>(std::malloc(sizeof(ByteChunk) + capacity));
    if (chunk == nullptr) return false;
    chunk->next = nullptr;
    chunk->used = 0;
    chunk->capacity = capacity;
    if (last == nullptr) {
      first = chunk;
    } else {
      before_last += last->used;
      last->next = chunk;
    }
    last = chunk;
    return true;
  }
};

static_assert(std::is_trivial_v<ByteSink> && std::is_standard_layout_v<ByteSink>);

}  // namespace pgrst::pg
