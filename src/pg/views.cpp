// The views of schema pgrst: what goes on in this server, from shared memory.

#include <cstring>

#include "core/statistics.hpp"
#include "schema_cache/catalog_queries.hpp"

#include "pg/shmem.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PGDLLEXPORT Datum pgrst_status_rows(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum pgrst_introspection_rows(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum pgrst_stats_rows(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum pgrst_stats_reset(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum pgrst_effective_config_rows(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(pgrst_status_rows);
PG_FUNCTION_INFO_V1(pgrst_introspection_rows);
PG_FUNCTION_INFO_V1(pgrst_stats_rows);
PG_FUNCTION_INFO_V1(pgrst_stats_reset);
PG_FUNCTION_INFO_V1(pgrst_effective_config_rows);
}

namespace pgrst::pg {
namespace {

constexpr int kMaxColumns = 14;

// A row of the view under construction; every column starts as NULL.
struct Row {
  Datum values[kMaxColumns];
  bool nulls[kMaxColumns];
};

void clear(Row* row) {
  std::memset(row->values, 0, sizeof row->values);
  for (bool& null : row->nulls) null = true;
}

void set(Row* row, int column, Datum value) {
  row->values[column] = value;
  row->nulls[column] = false;
}

void px_put(Tuplestorestate* store, TupleDesc desc, Row* row) {
  tuplestore_putvalues(store, desc, row->values, row->nulls);
}

Datum text_datum(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

// Fills the set that a function returns.
template <class Put>
void px_return_set(FunctionCallInfo fcinfo, Put px_put_rows) {
  auto* info = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (info == nullptr || !IsA(info, ReturnSetInfo) ||
      (info->allowedModes & SFRM_Materialize) == 0) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("set-valued function called in context that cannot accept a set")));
  }
  MemoryContext old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
  TupleDesc desc = CreateTupleDescCopy(info->expectedDesc);
  Tuplestorestate* store = tuplestore_begin_heap(true, false, work_mem);
  info->returnMode = SFRM_Materialize;
  info->setResult = store;
  info->setDesc = desc;
  MemoryContextSwitchTo(old);
  px_put_rows(store, desc);
}

// -- pgrst.status --------------------------------------------------------------------------------

const char* name_of(ServiceState state) {
  switch (state) {
    case ServiceState::kWaiting:
      return "waiting";
    case ServiceState::kStarting:
      return "starting";
    case ServiceState::kDormant:
      return "dormant";
    case ServiceState::kServing:
      return "serving";
    case ServiceState::kPaused:
      return "paused";
  }
  return "";
}

const char* name_of(ProcessState state) {
  switch (state) {
    case ProcessState::kNone:
      return "ended";
    case ProcessState::kStarting:
      return "starting";
    case ProcessState::kIdle:
      return "idle";
    case ProcessState::kBusy:
      return "busy";
  }
  return "";
}

void px_set_process(Row* row, const char* database, const char* process, int pid, const char* state,
                    TimestampTz since) {
  clear(row);
  if (database != nullptr) set(row, 0, CStringGetTextDatum(database));
  set(row, 1, CStringGetTextDatum(process));
  if (pid != 0) set(row, 2, Int32GetDatum(pid));
  set(row, 3, CStringGetTextDatum(state));
  if (pid != 0) set(row, 4, TimestampTzGetDatum(since));
}

void px_set_gateway(Row* row, DatabaseShared& db) {
  px_set_process(row, db.name, "gateway", db.gateway_pid.load(), name_of(db.state.load()),
                 db.gateway_started_at.load());
  if (db.port.load() != 0) set(row, 5, Int32GetDatum(db.port.load()));
  set(row, 6, Int64GetDatum(static_cast<int64>(db.requests.load())));
  set(row, 7, Int64GetDatum(static_cast<int64>(db.schema_loads.load())));
  set(row, 8, Int64GetDatum(static_cast<int64>(db.schema_checks.load())));
  set(row, 9, Int64GetDatum(static_cast<int64>(db.table_count.load())));
  set(row, 10, Int64GetDatum(static_cast<int64>(db.queue_length.load())));
  char error[kErrorTextSize];
  LWLockAcquire(shared()->lock, LW_SHARED);
  strlcpy(error, db.last_error, sizeof error);
  const TimestampTz at = db.last_error_at;
  char left_out[kLeftOutTextSize];
  strlcpy(left_out, db.left_out, sizeof left_out);
  LWLockRelease(shared()->lock);
  if (left_out[0] != '\0') set(row, 13, CStringGetTextDatum(left_out));
  if (error[0] == '\0') return;
  set(row, 11, CStringGetTextDatum(error));
  set(row, 12, TimestampTzGetDatum(at));
}

void px_put_processes(Tuplestorestate* store, TupleDesc desc) {
  Shared* s = shared();
  if (s == nullptr) return;
  Row row;
  px_set_process(&row, nullptr, "launcher", s->launcher_pid.load(),
                 s->launcher_pid.load() == 0 ? "ended" : "running", s->launcher_started_at.load());
  px_put(store, desc, &row);
  for (uint32_t d = 0; d < s->database_count; d++) {
    DatabaseShared& db = s->database(d);
    px_set_gateway(&row, db);
    px_put(store, desc, &row);
    for (uint32_t i = 0; i < db.executor_count; i++) {
      ExecutorShared& executor = db.executor(i);
      const ProcessState state = executor.state.load();
      if (state == ProcessState::kNone) continue;
      px_set_process(&row, db.name, "executor", executor.pid.load(), name_of(state),
                     executor.started_at.load());
      set(&row, 6, Int64GetDatum(static_cast<int64>(executor.requests.load())));
      px_put(store, desc, &row);
    }
  }
}

// -- pgrst.introspection -------------------------------------------------------------------------

void px_put_introspection(Tuplestorestate* store, TupleDesc desc) {
  DatabaseShared* db = own_database();
  if (db == nullptr || db->schema_loads.load() == 0) return;
  constexpr int kBefore = 2;
  constexpr const char* kBeforeNames[kBefore] = {"fingerprint", "definitions"};
  for (int i = 0; i < kBefore + kConfigTable; i++) {
    const auto& part = db->introspection[i];
    Row row;
    clear(&row);
    set(&row, 0,
        CStringGetTextDatum(i < kBefore ? kBeforeNames[i] : kCatalogQueryNames[i - kBefore]));
    if (i >= kBefore) set(&row, 1, Int64GetDatum(static_cast<int64>(part.rows.load())));
    set(&row, 2, Float8GetDatum(static_cast<double>(part.took_us.load()) / 1000));
    px_put(store, desc, &row);
  }
}

// -- pgrst.stats ---------------------------------------------------------------------------------

double milliseconds(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

void px_put_route(Tuplestorestate* store, TupleDesc desc, const RouteStatistics& route,
                  const RouteName* name) {
  const uint64_t calls = route.calls.load(std::memory_order_relaxed);
  if (calls == 0) return;
  Row row;
  clear(&row);
  if (name != nullptr) {
    set(&row, 0, text_datum(kCountedMethods[name->method]));
    set(&row, 1, text_datum(name_of(name->kind)));
    set(&row, 2, text_datum(name->schema));
    set(&row, 3, text_datum(name->resource));
  }
  const uint64_t total = route.total_ns.load(std::memory_order_relaxed);
  set(&row, 4, Int64GetDatum(static_cast<int64>(calls)));
  set(&row, 5, Int64GetDatum(static_cast<int64>(route.errors.load(std::memory_order_relaxed))));
  set(&row, 6, Int64GetDatum(static_cast<int64>(route.rows.load(std::memory_order_relaxed))));
  set(&row, 7, Int64GetDatum(static_cast<int64>(route.sent.load(std::memory_order_relaxed))));
  set(&row, 8, Float8GetDatum(milliseconds(total)));
  set(&row, 9, Float8GetDatum(milliseconds(total) / static_cast<double>(calls)));
  int column = 10;
  for (const double part : {0.5, 0.9, 0.99}) {
    set(&row, column++, Float8GetDatum(route.durations.quantile_seconds(part) * 1000));
  }
  set(&row, column, Float8GetDatum(milliseconds(route.max_ns.load(std::memory_order_relaxed))));
  px_put(store, desc, &row);
}

void px_put_routes(Tuplestorestate* store, TupleDesc desc) {
  DatabaseShared* db = own_database();
  if (db == nullptr) return;
  const Statistics& statistics = db->statistics();
  for (uint32_t i = 0; i < statistics.route_entries(); i++) {
    const auto name = statistics.name_of_route(i);
    const bool is_rest = i + 1 == statistics.route_entries();
    if (!is_rest && !name) continue;
    px_put_route(store, desc, statistics.route(i), name ? &*name : nullptr);
  }
}

// -- pgrst.effective_config ----------------------------------------------------------------------

// A text of a row record: its length, then its bytes. Moves `at` behind it.
Datum px_read_text(const char* records, size_t* at) {
  int32 length = 0;
  memcpy(&length, records + *at, sizeof length);
  *at += sizeof length;
  const Datum text = text_datum({records + *at, static_cast<size_t>(length)});
  *at += static_cast<size_t>(length);
  return text;
}

void px_put_settings(Tuplestorestate* store, TupleDesc desc) {
  DatabaseShared* db = own_database();
  if (db == nullptr) return;
  auto* records = static_cast<char*>(palloc(kEffectiveAreaSize));
  LWLockAcquire(shared()->lock, LW_SHARED);
  const size_t size = db->effective_size;
  memcpy(records, db->effective, size);
  LWLockRelease(shared()->lock);
  for (size_t at = 0; at < size;) {
    Row row;
    clear(&row);
    at += sizeof(uint32);  // the number of columns
    for (int column = 0; column < 3; column++) set(&row, column, px_read_text(records, &at));
    px_put(store, desc, &row);
  }
  pfree(records);
}

}  // namespace
}  // namespace pgrst::pg

using namespace pgrst::pg;  // NOLINT: the functions below are C

Datum pgrst_status_rows(PG_FUNCTION_ARGS) {
  px_return_set(fcinfo, &px_put_processes);
  PG_RETURN_NULL();
}

Datum pgrst_introspection_rows(PG_FUNCTION_ARGS) {
  px_return_set(fcinfo, &px_put_introspection);
  PG_RETURN_NULL();
}

Datum pgrst_stats_rows(PG_FUNCTION_ARGS) {
  px_return_set(fcinfo, &px_put_routes);
  PG_RETURN_NULL();
}

Datum pgrst_stats_reset(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  if (DatabaseShared* db = own_database()) db->statistics().reset_routes();
  PG_RETURN_VOID();
}

Datum pgrst_effective_config_rows(PG_FUNCTION_ARGS) {
  px_return_set(fcinfo, &px_put_settings);
  PG_RETURN_NULL();
}
