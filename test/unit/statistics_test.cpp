#include "core/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace pgrst {
namespace {

// Statistics in zeroed memory, as shared memory is.
class Memory {
 public:
  explicit Memory(uint32_t max_routes)
      : words_((Statistics::bytes_needed(max_routes) + 7) / 8, 0),
        statistics_(reinterpret_cast<Statistics*>(words_.data())) {
    statistics_->init(max_routes);
  }
  Statistics* operator->() { return statistics_; }

 private:
  std::vector<uint64_t> words_;
  Statistics* statistics_;
};

Sample sample(std::string_view resource, int status = 200, std::string_view method = "GET") {
  Sample s;
  s.method = method;
  s.kind = resource.empty() ? ResourceKind::kNone : ResourceKind::kRelation;
  s.schema = "api";
  s.resource = resource;
  s.status = status;
  s.rows = 2;
  s.sent = 10;
  s.received = 1;
  s.duration_ns = 1000000;
  return s;
}

// Names of the routes that were called, "rest" for the last entry, with their calls.
std::vector<std::string> routes(Memory& memory) {
  std::vector<std::string> out;
  for (uint32_t i = 0; i < memory->route_entries(); i++) {
    const RouteStatistics& route = memory->route(i);
    if (route.calls == 0) continue;
    const bool is_rest = i + 1 == memory->route_entries();
    std::string name = "rest";
    if (!is_rest)
      name = std::string(kCountedMethods[route.name.method]) + " " + route.name.resource;
    out.push_back(name + " " + std::to_string(route.calls));
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(LatencyHistogram, BucketsGrowByTheSquareRootOfTwo) {
  EXPECT_EQ(LatencyHistogram::bucket_of(-5), 0u);
  EXPECT_EQ(LatencyHistogram::bucket_of(0), 0u);
  EXPECT_EQ(LatencyHistogram::bucket_of((1 << 14) - 1), 0u);
  EXPECT_EQ(LatencyHistogram::bucket_of(1 << 14), 1u);
  EXPECT_EQ(LatencyHistogram::bucket_of(INT64_MAX), LatencyHistogram::kBuckets - 1);
  for (size_t i = 0; i + 2 < LatencyHistogram::kBuckets; i++) {
    const double upper = LatencyHistogram::upper_seconds(i) * 1e9;
    EXPECT_EQ(LatencyHistogram::bucket_of(static_cast<int64_t>(upper * 0.99)), i) << i;
    EXPECT_EQ(LatencyHistogram::bucket_of(static_cast<int64_t>(upper * 1.01)), i + 1) << i;
  }
  EXPECT_TRUE(std::isinf(LatencyHistogram::upper_seconds(LatencyHistogram::kBuckets - 1)));
}

TEST(LatencyHistogram, Quantiles) {
  std::vector<uint64_t> words((sizeof(LatencyHistogram) + 7) / 8, 0);
  auto* histogram = reinterpret_cast<LatencyHistogram*>(words.data());
  EXPECT_EQ(histogram->quantile_seconds(0.5), 0);
  for (int i = 0; i < 90; i++) histogram->add(1000000);
  for (int i = 0; i < 10; i++) histogram->add(100000000);
  EXPECT_EQ(histogram->total(), 100u);
  // Within the width of a bucket.
  EXPECT_NEAR(histogram->quantile_seconds(0.5), 1e-3, 0.5e-3);
  EXPECT_NEAR(histogram->quantile_seconds(0.9), 1e-3, 0.5e-3);
  EXPECT_NEAR(histogram->quantile_seconds(0.99), 0.1, 0.05);
  histogram->add(INT64_MAX);
  EXPECT_TRUE(std::isfinite(histogram->quantile_seconds(1)));
  histogram->reset();
  EXPECT_EQ(histogram->total(), 0u);
}

TEST(Statistics, CountsByMethodStatusAndKind) {
  Memory memory(8);
  memory->add(sample("items"));
  memory->add(sample("items", 404));
  memory->add(sample("", 503, "BREW"));
  memory->add(sample("", 0));
  memory->add(sample("", 9999, "POST"));
  const size_t get = counted_method("GET");
  EXPECT_EQ(memory->requests(get, 2, ResourceKind::kRelation), 1u);
  EXPECT_EQ(memory->requests(get, 4, ResourceKind::kRelation), 1u);
  EXPECT_EQ(memory->requests(get, 0, ResourceKind::kNone), 1u);
  EXPECT_EQ(memory->requests(counted_method("get"), 5, ResourceKind::kNone), 1u);
  EXPECT_EQ(memory->requests(counted_method("POST"), 5, ResourceKind::kNone), 1u);
  EXPECT_EQ(memory->sent(), 50u);
  EXPECT_EQ(memory->received(), 5u);
  EXPECT_EQ(memory->durations(get).total(), 3u);
  EXPECT_EQ(memory->total_ns(get), 3000000u);
}

TEST(Statistics, Routes) {
  Memory memory(8);
  memory->add(sample("items"));
  memory->add(sample("items", 500));
  memory->add(sample("items", 201, "POST"));
  memory->add(sample("boxes"));
  memory->add(sample(""));
  Sample other = sample("items");
  other.schema = "api2";
  memory->add(other);
  EXPECT_EQ(routes(memory), (std::vector<std::string>{"GET boxes 1", "GET items 1", "GET items 2",
                                                      "POST items 1"}));
  for (uint32_t i = 0; i < memory->route_entries(); i++) {
    const RouteStatistics& route = memory->route(i);
    if (route.calls != 2) continue;
    EXPECT_EQ(route.errors, 1u);
    EXPECT_EQ(route.rows, 4u);
    EXPECT_EQ(route.sent, 20u);
    EXPECT_EQ(route.max_ns, 1000000u);
  }
  memory->reset_routes();
  EXPECT_TRUE(routes(memory).empty());
  EXPECT_EQ(memory->requests(counted_method("GET"), 2, ResourceKind::kRelation), 3u);
  memory->add(sample("items"));
  EXPECT_EQ(routes(memory), (std::vector<std::string>{"GET items 1"}));
}

TEST(Statistics, WithoutRoomRoutesShareTheLastEntry) {
  Memory memory(2);
  for (const char* name : {"a", "b", "c", "d", "c", "a"}) memory->add(sample(name));
  EXPECT_EQ(routes(memory), (std::vector<std::string>{"GET a 2", "GET b 1", "rest 3"}));
}

TEST(Statistics, ResettingMakesRoomForOtherRoutes) {
  Memory memory(2);
  for (const char* name : {"a", "b", "c"}) memory->add(sample(name));
  memory->reset_routes();
  for (const char* name : {"c", "d", "c"}) memory->add(sample(name));
  EXPECT_EQ(routes(memory), (std::vector<std::string>{"GET c 2", "GET d 1"}));
}

TEST(Statistics, LongNamesAreCut) {
  Memory memory(2);
  const std::string name(200, 'x');
  memory->add(sample(name));
  memory->add(sample(name));
  EXPECT_EQ(routes(memory), (std::vector<std::string>{"GET " + std::string(63, 'x') + " 2"}));
}

}  // namespace
}  // namespace pgrst
