// Benchmark of what the gateway does for a request before it reaches an executor, and of building
// the schema cache; no server takes part.
//
// Prints microseconds for each begin() (authentication of an anonymous request, grammar, plan, SQL)
// and for encoding its message, on a schema like the demo's and on one of 10,000 tables with 20,000
// foreign keys, and what building that schema cache and writing its description cost. Built with
// the optimization of the extension: `make bench-planner`.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "pg/protocol.hpp"
#include "unit/fixtures.hpp"

namespace pgrst {
namespace {

using Clock = std::chrono::steady_clock;
using test::CatalogRows;
using test::Row;

constexpr int kColumnsOfTable = 10;

// Tables t0, t1, ... of which each refers to the two before it.
CatalogRows chain(int tables) {
  CatalogRows c;
  int constraint = 1000000;
  for (int i = 0; i < tables; i++) {
    const std::string oid = std::to_string(20000 + i), name = "t" + std::to_string(i);
    c.sets[kTables].push_back({oid, "api", name, "r", "28", std::nullopt});
    c.sets[kColumns].push_back(test::column_row(oid, "id", "integer", "integer", "f"));
    c.sets[kPrimaryKeys].push_back({oid, "1", "id"});
    for (int k = 2; k <= kColumnsOfTable; k++) {
      const std::string column = k <= 3 ? "ref" + std::to_string(k) : "c" + std::to_string(k);
      const std::string type = k % 2 == 0 ? "integer" : "text";
      c.sets[kColumns].push_back(test::column_row(oid, column, type, type));
      if (k > 3 || i < k - 1) continue;
      const std::string other = std::to_string(20000 + i - (k - 1));
      c.sets[kForeignKeys].push_back({std::to_string(constraint++), oid, "api", name, other, "api",
                                      "t" + std::to_string(i - (k - 1)),
                                      name + "_" + column + "_fkey", "f", std::to_string(k), column,
                                      "1", "id"});
    }
  }
  return c;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

size_t heap_in_use() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

SnapshotPtr build(const CatalogRows& rows, const char* title) {
  constexpr size_t kRowsOfStep = 10000;  // as in the gateway
  const size_t before = heap_in_use();
  CatalogBuilder builder(rows.encode());
  double seconds = 0, longest = 0;
  for (bool done = false; !done;) {
    const auto start = Clock::now();
    done = builder.step(kRowsOfStep);
    const double step = seconds_since(start);
    seconds += step;
    longest = std::max(longest, step);
  }
  auto catalog = builder.take();
  auto configured = make_configured({{"db_schemas", "api"}, {"db_anon_role", "anon"}});
  auto snapshot =
      make_snapshot(std::get<Configured>(configured), std::move(catalog).value().schema_cache);
  std::printf("%s: schema cache of %zu tables built in %.0f ms, longest step %.1f ms, %.1f MB\n",
              title, snapshot->schema_cache.table_count(), 1000 * seconds, 1000 * longest,
              static_cast<double>(heap_in_use() - before) / 1e6);
  return snapshot;
}

void measure(const char* title, const std::string& target, const SnapshotPtr& snapshot) {
  constexpr int kWarmUp = 2000, kRuns = 50000;
  JwtCache cache(8);
  const HttpRequest request = test::request(
      "GET", target, {{"Host", "localhost:3000"}, {"Accept", "*/*"}, {"User-Agent", "bench"}});
  double begin_time = 0, encode_time = 0;
  size_t bytes = 0;
  for (int i = 0; i < kWarmUp + kRuns; i++) {
    HttpRequest copy = request;
    const auto start = Clock::now();
    BeginResult begun = begin(copy, snapshot, cache, test::kNow);
    const double begun_after = seconds_since(start);
    if (std::holds_alternative<HttpResponse>(begun)) {
      std::printf("  %s: refused: %s\n", title, std::get<HttpResponse>(begun).body.c_str());
      return;
    }
    pg::RequestMessage message;
    message.transaction = std::move(std::get<DatabaseWork>(begun).transaction);
    bytes = pg::encode_request(message).size();
    if (i < kWarmUp) continue;
    begin_time += begun_after;
    encode_time += seconds_since(start) - begun_after;
  }
  std::printf("  %-28s begin %6.2f us, encode %5.2f us, message %zu bytes\n", title,
              1e6 * begin_time / kRuns, 1e6 * encode_time / kRuns, bytes);
}

// What is refused: the name of something that is not there, for which a hint is looked for.
void measure_refusal(const char* title, const std::string& target, const SnapshotPtr& snapshot) {
  constexpr int kRuns = 2000;
  JwtCache cache(8);
  double seconds = 0, longest = 0;
  for (int i = 0; i < kRuns; i++) {
    HttpRequest request = test::request("GET", target);
    const auto start = Clock::now();
    const BeginResult begun = begin(std::move(request), snapshot, cache, test::kNow);
    const double run = seconds_since(start);
    seconds += run;
    longest = std::max(longest, run);
  }
  std::printf("  %-28s begin %6.2f us, longest %.2f us\n", title, 1e6 * seconds / kRuns,
              1e6 * longest);
}

// Writing the description of all tables.
void measure_description(const char* version, const CatalogRows& rows,
                         const SnapshotPtr& snapshot) {
  constexpr size_t kBytesOfStep = 512 * 1024;  // as in the gateway
  JwtCache cache(8);
  HttpRequest request = test::request("GET", "/");
  request.headers.push_back({"Accept", std::string("application/openapi+json;version=") + version});
  auto begun = begin(request, snapshot, cache, test::kNow);
  TransactionResult result;
  result.result_sets.resize(std::get<DatabaseWork>(begun).transaction.statements.size());
  std::vector<Row> names;
  for (const auto& row : rows.sets[kTables]) names.push_back({row[2]});
  result.result_sets[0].body = test::records(names);
  double seconds = 0, longest = 0;
  const auto timed = [&](const auto& work) {
    const auto start = Clock::now();
    work();
    const double step = seconds_since(start);
    seconds += step;
    longest = std::max(longest, step);
  };
  std::unique_ptr<Finishing> finishing;
  timed([&] {
    finishing = std::make_unique<Finishing>(std::get<DatabaseWork>(begun).pending, result);
  });
  for (bool done = false; !done;) timed([&] { done = finishing->step(kBytesOfStep); });
  const HttpResponse response = finishing->take();
  const size_t bytes = response.pieces ? response.result_body_size : response.body.size();
  std::printf("  OpenAPI %-20s %.1f MB in %.1f ms, longest step %.1f ms\n", version,
              static_cast<double>(bytes) / 1e6, 1000 * seconds, 1000 * longest);
}

void run(const char* title, int tables, int at) {
  const CatalogRows rows = chain(tables);
  const SnapshotPtr snapshot = build(rows, title);
  const auto table = [&](int i) { return "t" + std::to_string(at - i); };
  measure("simple", "/" + table(0) + "?id=eq.3", snapshot);
  measure("five filters",
          "/" + table(0) + "?id=gt.3&c4=lte.7&c5=like.*x*&c6=in.(1,2,3)&or=(c7.is.null,c8.eq.4)",
          snapshot);
  measure("embeds three levels deep",
          "/" + table(0) + "?select=id,c5," + table(1) + "(id,c4," + table(2) + "(*," + table(3) +
              "(c5)))," + table(2) + "!inner(id)&order=id.desc&limit=20&offset=100",
          snapshot);
  measure_refusal("an unknown table", "/" + table(0) + "x", snapshot);
  measure_refusal("an unknown function", "/rpc/" + table(0) + "x", snapshot);
  measure_refusal("an unknown embed", "/" + table(0) + "?select=*,tt1(*)", snapshot);
  for (const char* version : {"2.0", "3.1"}) measure_description(version, rows, snapshot);
}

}  // namespace
}  // namespace pgrst

int main() {
  pgrst::run("16 tables", 16, 12);
  pgrst::run("456 tables", 456, 300);
  pgrst::run("10,000 tables, 20,000 foreign keys", 10000, 6000);
}
