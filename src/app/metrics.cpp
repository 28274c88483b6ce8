#include "app/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgrst {

namespace {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class MetricsWriter {
 public:
  explicit MetricsWriter(std::string& out) : out_(out) {}

  // The metric that the samples after it belong to.
  void metric(std::string_view name, std::string_view type, std::string_view help) {
    samples_of(name);
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  void samples_of(std::string_view name) { name_ = name; }
  void sample(double value, const Labels& labels = {}, std::string_view suffix = "") {
    out_.append(name_).append(suffix);
    write(labels);
    out_ += ' ';
    write(value);
    out_ += '\n';
  }
  void counter(std::string_view name, std::string_view help, double value) {
    metric(name, "counter", help);
    sample(value);
  }
  void gauge(std::string_view name, std::string_view help, double value) {
    metric(name, "gauge", help);
    sample(value);
  }
  void histogram(const LatencyHistogram& durations, uint64_t total_ns, Labels labels) {
    labels.emplace_back("le", "");
    uint64_t sum = 0;
    for (size_t i = 0; i < LatencyHistogram::kBuckets; i++) {
      sum += durations.count(i);
      // Every other bound is a power of two: enough to tell, and half as much to keep.
      if (i % 2 == 1 && i + 1 < LatencyHistogram::kBuckets) continue;
      const std::string bound = text_of(LatencyHistogram::upper_seconds(i));
      labels.back().second = bound;
      sample(static_cast<double>(sum), labels, "_bucket");
    }
    labels.back().second = "+Inf";
    sample(static_cast<double>(sum), labels, "_bucket");
    labels.pop_back();
    sample(static_cast<double>(total_ns) / 1e9, labels, "_sum");
    sample(static_cast<double>(sum), labels, "_count");
  }

 private:
  static std::string text_of(double value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, end.ptr};
  }
  void write(double value) { out_ += text_of(value); }
  void write(const Labels& labels) {
    if (labels.empty()) return;
    char separator = '{';
    for (const auto& [name, value] : labels) {
      out_ += separator;
      out_.append(name).append("=\"");
      for (const char c : value) {
        if (c == '\\' || c == '"') out_ += '\\';
        if (c == '\n') {
          out_ += "\\n";
        } else {
          out_ += c;
        }
      }
      out_ += '"';
      separator = ',';
    }
    out_ += '}';
  }

  std::string& out_;
  std::string_view name_;
};

void write_requests(MetricsWriter& out, const Statistics& statistics) {
  constexpr std::array<std::string_view, kStatusClasses> kClasses = {"gone", "1xx", "2xx",
                                                                     "3xx",  "4xx", "5xx"};
  out.metric("pgrst_http_requests_total", "counter",
             "Requests answered, by method, class of status (gone: the client closed the "
             "connection first) and kind of resource");
  for (size_t m = 0; m < kCountedMethods.size(); m++) {
    for (size_t c = 0; c < kStatusClasses; c++) {
      for (size_t k = 0; k < kResourceKinds; k++) {
        const auto kind = static_cast<ResourceKind>(k);
        const uint64_t count = statistics.requests(m, c, kind);
        if (count == 0) continue;
        out.sample(
            static_cast<double>(count),
            {{"method", kCountedMethods[m]}, {"status", kClasses[c]}, {"resource", name_of(kind)}});
      }
    }
  }
  out.metric("pgrst_http_request_duration_seconds", "histogram",
             "Time from the last byte of a request to its response");
  for (size_t m = 0; m < kCountedMethods.size(); m++) {
    if (statistics.durations(m).total() == 0) continue;
    out.histogram(statistics.durations(m), statistics.total_ns(m),
                  {{"method", kCountedMethods[m]}});
  }
  out.counter("pgrst_http_request_body_bytes_total", "Bytes of request bodies",
              static_cast<double>(statistics.received()));
  out.counter("pgrst_http_response_body_bytes_total", "Bytes of response bodies",
              static_cast<double>(statistics.sent()));
}

struct RouteMetric {
  const char* name;
  const char* help;
  double (*value)(const RouteStatistics&);
};

constexpr std::array kRouteMetrics = std::to_array<RouteMetric>({
    {"pgrst_route_requests_total", "Requests of a relation or routine",
     [](const RouteStatistics& r) { return static_cast<double>(r.calls.load()); }},
    {"pgrst_route_errors_total", "Requests of it that were answered with status 400 or above",
     [](const RouteStatistics& r) { return static_cast<double>(r.errors.load()); }},
    {"pgrst_route_rows_total", "Rows of its results",
     [](const RouteStatistics& r) { return static_cast<double>(r.rows.load()); }},
    {"pgrst_route_seconds_total", "Time that its requests took",
     [](const RouteStatistics& r) { return static_cast<double>(r.total_ns.load()) / 1e9; }},
});

void write_route(MetricsWriter& out, const RouteMetric& metric, const Statistics& statistics,
                 uint32_t i) {
  const RouteStatistics& route = statistics.route(i);
  const bool is_rest = i + 1 == statistics.route_entries();
  if (route.calls.load(std::memory_order_relaxed) == 0) return;
  const auto name = statistics.name_of_route(i);
  if (!is_rest && !name) return;
  out.sample(metric.value(route), {{"method", is_rest ? "" : kCountedMethods[name->method]},
                                   {"kind", is_rest ? "rest" : name_of(name->kind)},
                                   {"schema", is_rest ? "" : name->schema},
                                   {"resource", is_rest ? "" : name->resource}});
}

void write_schema_cache(MetricsWriter& out, const ServiceGauges& g) {
  out.gauge("pgrst_schema_cache_query_time_seconds",
            "The query time in seconds of the last schema cache load", g.schema_query_seconds);
  out.metric("pgrst_schema_cache_loads_total", "counter",
             "The total number of times the schema cache was loaded");
  out.sample(static_cast<double>(g.schema_loads), {{"status", "SUCCESS"}});
  out.sample(static_cast<double>(g.schema_load_failures), {{"status", "FAIL"}});
  out.counter("pgrst_schema_cache_checks_total",
              "How often the catalogs were compared with the schema cache",
              static_cast<double>(g.schema_checks));
  out.gauge("pgrst_schema_cache_tables", "Relations of the exposed schemas",
            static_cast<double>(g.tables));
}

void write_pool(MetricsWriter& out, const ServiceGauges& g) {
  out.counter("pgrst_db_pool_timeouts_total", "The total number of pool connection timeouts",
              static_cast<double>(g.pool_timeouts));
  out.gauge("pgrst_db_pool_available", "Available connections in the pool",
            static_cast<double>(g.pool_idle));
  out.gauge("pgrst_db_pool_waiting", "Requests waiting to acquire a pool connection",
            static_cast<double>(g.pool_waiting));
  out.gauge("pgrst_db_pool_max", "Max pool connections", static_cast<double>(g.pool_max));
  out.metric("pgrst_executors", "gauge", "Executors by state");
  out.sample(static_cast<double>(g.pool_starting), {{"state", "starting"}});
  out.sample(static_cast<double>(g.pool_idle), {{"state", "idle"}});
  out.sample(static_cast<double>(g.pool_busy), {{"state", "busy"}});
}

void write_jwt_cache(MetricsWriter& out, const ServiceGauges& g) {
  out.counter("pgrst_jwt_cache_requests_total", "The total number of JWT cache lookups",
              static_cast<double>(g.jwt_cache.requests));
  out.counter("pgrst_jwt_cache_hits_total", "The total number of JWT cache hits",
              static_cast<double>(g.jwt_cache.hits));
  out.counter("pgrst_jwt_cache_evictions_total", "The total number of JWT cache evictions",
              static_cast<double>(g.jwt_cache.evictions));
  out.gauge("pgrst_jwt_cache_entries", "Tokens in the JWT cache",
            static_cast<double>(g.jwt_cache_entries));
}

void write_all_but_routes(std::string& text, const Statistics& statistics,
                          const ServiceGauges& gauges) {
  MetricsWriter out(text);
  write_schema_cache(out, gauges);
  write_pool(out, gauges);
  write_jwt_cache(out, gauges);
  write_requests(out, statistics);
  out.gauge("pgrst_http_connections", "Open connections of clients",
            static_cast<double>(gauges.connections));
  out.metric("pgrst_resident_memory_bytes", "gauge",
             "Resident memory of processes; what they share is counted in each");
  out.sample(static_cast<double>(gauges.gateway_memory), {{"process", "gateway"}});
  out.sample(static_cast<double>(gauges.executor_memory), {{"process", "executors"}});
}

// All but the routes, then some routes in each piece.
class MetricsPieces final : public BodyPieces {
 public:
  MetricsPieces(const Statistics& statistics, const ServiceGauges& gauges)
      : statistics_(statistics), gauges_(gauges) {}

  bool next(std::string& out) override {
    if (!begun_) {
      begun_ = true;
      write_all_but_routes(out, statistics_, gauges_);
      return true;
    }
    if (metric_ == kRouteMetrics.size()) return false;
    write_routes(out);
    return true;
  }

  void rewind() override {
    begun_ = false;
    metric_ = 0;
    route_ = 0;
  }

 private:
  void write_routes(std::string& text) {
    constexpr uint32_t kRoutesOfPiece = 100;
    MetricsWriter out(text);
    const RouteMetric& metric = kRouteMetrics[metric_];
    if (route_ == 0) out.metric(metric.name, "counter", metric.help);
    out.samples_of(metric.name);
    const uint32_t end = std::min(route_ + kRoutesOfPiece, statistics_.route_entries());
    for (; route_ < end; route_++) write_route(out, metric, statistics_, route_);
    if (route_ < statistics_.route_entries()) return;
    metric_++;
    route_ = 0;
  }

  const Statistics& statistics_;
  ServiceGauges gauges_;
  bool begun_ = false;
  size_t metric_ = 0;  // of kRouteMetrics
  uint32_t route_ = 0;
};

}  // namespace

std::shared_ptr<BodyPieces> write_metrics(const Statistics& statistics,
                                          const ServiceGauges& gauges) {
  return std::make_shared<MetricsPieces>(statistics, gauges);
}

}  // namespace pgrst
