#include "core/statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

namespace pgrst {

namespace {

constexpr int kFirstBits = 14;       // the first bucket ends at 2^14 ns
constexpr uint32_t kMaxProbes = 64;  // of a full table

void add_to(std::atomic<uint64_t>& sum, uint64_t value) {
  sum.fetch_add(value, std::memory_order_relaxed);
}

void copy_name(std::string_view from, char (&to)[RouteName::kMaxName]) {
  const size_t size = std::min(from.size(), sizeof to - 1);
  from.copy(to, size);
  to[size] = '\0';
}

}  // namespace

size_t LatencyHistogram::bucket_of(int64_t ns) {
  if (ns < int64_t{1} << kFirstBits) return 0;
  const auto value = static_cast<uint64_t>(ns);
  const int bits = static_cast<int>(std::bit_width(value)) - 1;
  // Whether the value is in the upper half of its octave, where the square root of two is.
  constexpr uint64_t kSqrt2 = 23170;  // times 2^14
  const bool upper = (value >> (bits - kFirstBits)) >= kSqrt2;
  const size_t bucket = static_cast<size_t>(bits - kFirstBits) * 2 + (upper ? 2 : 1);
  return std::min(bucket, kBuckets - 1);
}

double LatencyHistogram::upper_seconds(size_t bucket) {
  if (bucket + 1 >= kBuckets) return std::numeric_limits<double>::infinity();
  return std::exp2(kFirstBits + static_cast<double>(bucket) / 2) / 1e9;
}

void LatencyHistogram::add(int64_t ns) { add_to(counts_[bucket_of(ns)], 1); }

void LatencyHistogram::reset() {
  for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
}

uint64_t LatencyHistogram::total() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBuckets; i++) sum += count(i);
  return sum;
}

double LatencyHistogram::quantile_seconds(double part) const {
  const auto wanted = static_cast<double>(total()) * part;
  double below = 0;
  for (size_t i = 0; i < kBuckets; i++) {
    const auto here = static_cast<double>(count(i));
    if (here > 0 && below + here >= wanted) {
      const double lower = i == 0 ? 0 : upper_seconds(i - 1);
      // The last bucket has no end: its beginning is what is known.
      if (i + 1 == kBuckets) return lower;
      return lower + (upper_seconds(i) - lower) * (wanted - below) / here;
    }
    below += here;
  }
  return 0;
}

std::string_view name_of(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::kRelation:
      return "relation";
    case ResourceKind::kRoutine:
      return "routine";
    case ResourceKind::kRoot:
      return "root";
    case ResourceKind::kNone:
      break;
  }
  return "none";
}

size_t counted_method(std::string_view method) {
  const auto* end = kCountedMethods.end() - 1;
  return static_cast<size_t>(std::find(kCountedMethods.begin(), end, method) -
                             kCountedMethods.begin());
}

void Statistics::add(const Sample& sample) {
  const size_t method = counted_method(sample.method);
  const auto status_class = static_cast<size_t>(std::clamp(sample.status / 100, 0, 5));
  add_to(requests_[method][status_class][static_cast<size_t>(sample.kind)], 1);
  add_to(received_, sample.received);
  add_to(sent_, sample.sent);
  if (sample.duration_ns > 0) {
    add_to(total_ns_[method], static_cast<uint64_t>(sample.duration_ns));
    durations_[method].add(sample.duration_ns);
  }
  if (sample.resource.empty()) return;
  forget_names();
  RouteStatistics& route = route_of(sample, method);
  add_to(route.calls, 1);
  if (sample.status >= 400) add_to(route.errors, 1);
  add_to(route.rows, sample.rows);
  add_to(route.sent, sample.sent);
  add_to(route.total_ns, static_cast<uint64_t>(sample.duration_ns));
  const auto ns = static_cast<uint64_t>(sample.duration_ns);
  if (ns > route.max_ns.load(std::memory_order_relaxed)) {
    route.max_ns.store(ns, std::memory_order_relaxed);
  }
  route.durations.add(sample.duration_ns);
}

RouteStatistics& Statistics::route_of(const Sample& sample, size_t method) {
  const std::hash<std::string_view> hash;
  size_t at = hash(sample.resource) * 31 + hash(sample.schema) * 17 + method;
  const std::string_view schema = sample.schema.substr(0, RouteName::kMaxName - 1);
  const std::string_view resource = sample.resource.substr(0, RouteName::kMaxName - 1);
  for (uint32_t tried = 0; tried < std::min(max_routes_, kMaxProbes); tried++, at++) {
    RouteStatistics& route = routes()[at % max_routes_];
    if (!route.used.load(std::memory_order_relaxed)) {
      route.name.method = static_cast<uint8_t>(method);
      route.name.kind = sample.kind;
      copy_name(schema, route.name.schema);
      copy_name(resource, route.name.resource);
      route.used.store(true, std::memory_order_release);
      return route;
    }
    const RouteName& name = route.name;
    if (name.method == method && name.kind == sample.kind && resource == name.resource &&
        schema == name.schema) {
      return route;
    }
  }
  return routes()[max_routes_];
}

void Statistics::reset_routes() {
  clear_counts();
  resets_.fetch_add(1);
}

void Statistics::clear_counts() {
  for (uint32_t i = 0; i <= max_routes_; i++) {
    RouteStatistics& route = routes()[i];
    for (auto* count :
         {&route.calls, &route.errors, &route.rows, &route.sent, &route.total_ns, &route.max_ns}) {
      count->store(0, std::memory_order_relaxed);
    }
    route.durations.reset();
  }
}

// The number goes first: whoever reads a name that is about to be written anew sees another one
// afterwards.
void Statistics::forget_names() {
  const uint32_t resets = resets_.load(std::memory_order_relaxed);
  if (resets == names_forgotten_.load(std::memory_order_relaxed)) return;
  names_forgotten_.store(resets, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  for (uint32_t i = 0; i < max_routes_; i++) {
    routes()[i].used.store(false, std::memory_order_relaxed);
  }
  clear_counts();
}

std::optional<RouteName> Statistics::name_of_route(uint32_t i) const {
  const RouteStatistics& route = routes()[i];
  const uint32_t forgotten = names_forgotten_.load(std::memory_order_acquire);
  if (!route.used.load(std::memory_order_acquire)) return std::nullopt;
  const RouteName name = route.name;
  std::atomic_thread_fence(std::memory_order_acquire);
  if (names_forgotten_.load(std::memory_order_relaxed) != forgotten) return std::nullopt;
  return name;
}

}  // namespace pgrst
