// The metrics of one database's service, in Prometheus' text format.
//
// Input -> output: counts and gauges -> text (exposition format 0.0.4). Names are PostgREST's where
// it has the metric (docs/references/observability.rst). Pure: whoever calls has gathered the
// numbers. Written piece by piece: there can be many routes.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <memory>

#include "auth/jwt_cache.hpp"
#include "core/http_message.hpp"
#include "core/statistics.hpp"

namespace pgrst {

struct ServiceGauges {
  uint64_t schema_loads = 0;
  uint64_t schema_load_failures = 0;
  uint64_t schema_checks = 0;
  double schema_query_seconds = 0;  // of the last load
  uint64_t tables = 0;
  uint64_t pool_max = 0;  // executors
  uint64_t pool_starting = 0;
  uint64_t pool_idle = 0;
  uint64_t pool_busy = 0;
  uint64_t pool_waiting = 0;     // requests that no executor has taken
  uint64_t pool_timeouts = 0;    // requests that none has taken in time
  uint64_t connections = 0;      // of clients
  uint64_t gateway_memory = 0;   // bytes, resident
  uint64_t executor_memory = 0;  // bytes, resident, of all executors; shared memory counted in each
  JwtCacheStats jwt_cache;
  uint64_t jwt_cache_entries = 0;
};

// `statistics` outlives the pieces.
std::shared_ptr<BodyPieces> write_metrics(const Statistics& statistics,
                                          const ServiceGauges& gauges);

}  // namespace pgrst
