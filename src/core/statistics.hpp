// Counts of what was served, in memory that processes share.
//
// Input -> output: one Sample for each request that has ended -> sums by method, status and kind of
// resource, and for each route how often, how long, how many rows. One process adds, any may read
// and reset meanwhile: all counts are relaxed atomics, and a reader sees each of them, not all
// of them at one instant. Invariants: fixed size; routes are resources that exist, and when there
// is no room for another they share the last entry, which has no name; nothing here allocates.
// Ownership: lives where it is placed; init() before any other process sees it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgrst {

// How long requests took, in buckets that grow by the square root of two.
class LatencyHistogram {
 public:
  static constexpr size_t kBuckets = 48;

  void add(int64_t ns);
  void reset();
  uint64_t count(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  uint64_t total() const;
  // The time that this part (0 to 1) of the requests did not exceed; 0 when there were none.
  double quantile_seconds(double part) const;
  // Of the last bucket: infinite.
  static double upper_seconds(size_t bucket);
  static size_t bucket_of(int64_t ns);

 private:
  std::array<std::atomic<uint64_t>, kBuckets> counts_;
};

enum class ResourceKind : uint8_t { kRelation, kRoutine, kRoot, kNone };
constexpr size_t kResourceKinds = 4;
std::string_view name_of(ResourceKind kind);

// GET to OPTIONS, and one for all others.
constexpr std::array<std::string_view, 8> kCountedMethods = {"GET", "HEAD",   "POST",    "PATCH",
                                                             "PUT", "DELETE", "OPTIONS", "other"};
size_t counted_method(std::string_view method);

// 1xx to 5xx; 0: the client had gone.
constexpr size_t kStatusClasses = 6;

// A request that has ended.
struct Sample {
  std::string_view method;
  ResourceKind kind = ResourceKind::kNone;
  std::string_view schema;  // of relations and routines
  std::string_view resource;
  int status = 0;  // 0: the client has gone before the response
  uint64_t rows = 0;
  uint64_t received = 0;  // bytes of bodies
  uint64_t sent = 0;
  int64_t duration_ns = 0;
};

struct RouteName {
  static constexpr size_t kMaxName = 64;  // bytes with the NUL, as PostgreSQL's names

  uint8_t method;  // index into kCountedMethods
  ResourceKind kind;
  char schema[kMaxName];
  char resource[kMaxName];
};

struct RouteStatistics {
  std::atomic<bool> used;  // set last: then the name does not change before a reset
  RouteName name;
  std::atomic<uint64_t> calls;
  std::atomic<uint64_t> errors;  // status 400 and above
  std::atomic<uint64_t> rows;
  std::atomic<uint64_t> sent;
  std::atomic<uint64_t> total_ns;
  std::atomic<uint64_t> max_ns;
  LatencyHistogram durations;
};

class Statistics {
 public:
  static size_t bytes_needed(uint32_t max_routes) {
    return sizeof(Statistics) + (size_t{max_routes} + 1) * sizeof(RouteStatistics);
  }
  // In zeroed memory.
  void init(uint32_t max_routes) { max_routes_ = max_routes; }

  void add(const Sample& sample);
  // Of the routes; the counts for metrics never go back. The gateway, which alone adds, gives up
  // their names before it adds the next.
  void reset_routes();

  uint64_t requests(size_t method, size_t status_class, ResourceKind kind) const {
    return requests_[method][status_class][static_cast<size_t>(kind)].load(
        std::memory_order_relaxed);
  }
  uint64_t received() const { return received_.load(std::memory_order_relaxed); }
  uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }
  uint64_t total_ns(size_t method) const {
    return total_ns_[method].load(std::memory_order_relaxed);
  }
  const LatencyHistogram& durations(size_t method) const { return durations_[method]; }

  // The last entry is that of the routes that found no room.
  uint32_t route_entries() const { return max_routes_ + 1; }
  const RouteStatistics& route(uint32_t i) const { return routes()[i]; }
  // Nothing when the entry has no name: it is free, or the last.
  std::optional<RouteName> name_of_route(uint32_t i) const;

 private:
  RouteStatistics* routes() { return reinterpret_cast<RouteStatistics*>(this + 1); }
  const RouteStatistics* routes() const {
    return reinterpret_cast<const RouteStatistics*>(this + 1);
  }
  RouteStatistics& route_of(const Sample& sample, size_t method);
  void forget_names();
  void clear_counts();

  uint32_t max_routes_;
  std::atomic<uint32_t> resets_;
  std::atomic<uint32_t> names_forgotten_;  // as many resets
  std::atomic<uint64_t> requests_[kCountedMethods.size()][kStatusClasses][kResourceKinds];
  std::atomic<uint64_t> received_;
  std::atomic<uint64_t> sent_;
  std::atomic<uint64_t> total_ns_[kCountedMethods.size()];
  LatencyHistogram durations_[kCountedMethods.size()];
};

}  // namespace pgrst
