#include <iterator>
#include <utility>

#include "pg/guard.hpp"

#include "pg/plan_cache.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "executor/spi_priv.h"
#include "parser/parser.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
}

namespace pgrst::pg {

namespace {

void px_free_plan(PreparedPlan* plan) {
  if (plan->plan != nullptr) SPI_freeplan(plan->plan);
  if (plan->context != nullptr) MemoryContextDelete(plan->context);
  *plan = PreparedPlan();
}

// Bytes that a plan holds: its text, its trees, and the generic plan that it may have by now.
size_t px_plan_bytes(const PreparedPlan* plan) {
  size_t bytes = MemoryContextMemAllocated(plan->context, true);
  bytes += MemoryContextMemAllocated(plan->plan->plancxt, true);
  ListCell* cell;
  foreach (cell, plan->plan->plancache_list) {
    const CachedPlanSource* source = static_cast<const CachedPlanSource*>(lfirst(cell));
    bytes += MemoryContextMemAllocated(source->context, true);
    if (source->gplan != nullptr) bytes += MemoryContextMemAllocated(source->gplan->context, true);
  }
  return bytes;
}

}  // namespace

void px_prepare(const char* sql, int param_count, PreparedPlan* out) {
  List* raw = raw_parser(sql, RAW_PARSE_DEFAULT);
  if (list_length(raw) != 1) {
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("expected one statement")));
  }
  Oid* types = nullptr;
  int count = 0;
  (void)px_parse_analyze_varparams(linitial_node(RawStmt, raw), sql, &types, &count);
  if (count != param_count) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
                    errmsg("statement has %d parameters, %d given", count, param_count)));
  }
  MemoryContext context =
      AllocSetContextCreate(TopMemoryContext, "postgrest plan", ALLOCSET_SMALL_SIZES);
  out->context = context;
  out->types = static_cast<Oid*>(MemoryContextAlloc(context, sizeof(Oid) * (count + 1)));
  out->io_params = static_cast<Oid*>(MemoryContextAlloc(context, sizeof(Oid) * (count + 1)));
  out->input_functions =
      static_cast<FmgrInfo*>(MemoryContextAllocZero(context, sizeof(FmgrInfo) * (count + 1)));
  for (int i = 0; i < count; i++) {
    if (types[i] == InvalidOid || types[i] == UNKNOWNOID) {
      ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_DATATYPE),
                      errmsg("could not determine data type of parameter $%d", i + 1)));
    }
    Oid function = InvalidOid;
    out->types[i] = types[i];
    getTypeInputInfo(types[i], &function, &out->io_params[i]);
    fmgr_info_cxt(function, &out->input_functions[i], context);
  }
  SPIPlanPtr plan = SPI_prepare_cursor(sql, count, out->types, CURSOR_OPT_PARALLEL_OK);
  if (plan == nullptr) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
                    errmsg("could not prepare: %s", SPI_result_code_string(SPI_result))));
  }
  if (SPI_keepplan(plan) != 0) elog(ERROR, "SPI_keepplan failed");
  out->param_count = count;
  out->plan = plan;
}

PreparedPlan* PlanCache::find(const std::string& text, const std::string& role,
                              const std::string& search_path) {
  std::string key;
  key.reserve(text.size() + role.size() + search_path.size() + 2);
  key.append(role).append(1, '\0').append(search_path).append(1, '\0').append(text);
  if (const auto it = by_key_.find(key); it != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, it->second);
  } else {
    entries_.push_front({std::move(key), {}, 0, false});
    by_key_.emplace(entries_.front().key, entries_.begin());
  }
  entries_.front().used = true;
  return &entries_.front().plan;
}

void PlanCache::keep() {
  // What was used stands in front.
  for (auto it = entries_.begin(); it != entries_.end() && it->used;) {
    const auto entry = it++;
    entry->used = false;
    if (entry->plan.plan == nullptr) {
      erase(entry);
      continue;
    }
    size_t bytes = 0;
    if (guard([&] { bytes = px_plan_bytes(&entry->plan); })) continue;
    bytes += entry->key.size();
    bytes_ += bytes - entry->bytes;
    entry->bytes = bytes;
  }
  while (entries_.size() > max_plans_ || (bytes_ > max_bytes_ && !entries_.empty())) {
    erase(std::prev(entries_.end()));
  }
}

void PlanCache::erase(Entries::iterator entry) {
  (void)guard([&] { px_free_plan(&entry->plan); });
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

void PlanCache::clear() {
  while (!entries_.empty()) erase(entries_.begin());
}

}  // namespace pgrst::pg
