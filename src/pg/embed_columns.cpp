#include "pg/embed_columns.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "parser/parsetree.h"
#include "utils/plancache.h"
}

namespace pgrst::pg {
namespace {

// The LATERAL subquery of the FROM clause that `var` reads; null when it reads something else.
const Query* lateral_subquery(const Query* query, const Var* var) {
  if (var->varlevelsup != 0 || var->varno < 1 || var->varno > list_length(query->rtable)) {
    return nullptr;
  }
  const RangeTblEntry* entry = rt_fetch(var->varno, query->rtable);
  return entry->rtekind == RTE_SUBQUERY && entry->lateral ? entry->subquery : nullptr;
}

const Node* output_of(const Query* query, AttrNumber number) {
  ListCell* cell;
  foreach (cell, query->targetList) {
    const auto* target = static_cast<const TargetEntry*>(lfirst(cell));
    if (target->resno == number) return reinterpret_cast<const Node*>(target->expr);
  }
  return nullptr;
}

bool is_embed(const Query* query, const Node* expression) {
  while (expression != nullptr) {
    if (IsA(expression, SubLink)) {
      return reinterpret_cast<const SubLink*>(expression)->subLinkType == ARRAY_SUBLINK;
    }
    if (!IsA(expression, Var)) return false;
    const auto* var = reinterpret_cast<const Var*>(expression);
    query = lateral_subquery(query, var);
    if (query == nullptr) return false;
    if (var->varattno == InvalidAttrNumber) return true;
    expression = output_of(query, var->varattno);
  }
  return false;
}

// The SELECT whose rows the plan gives; null when it is of another sort.
const Query* select_of(_SPI_plan* plan) {
  List* sources = SPI_plan_get_plan_sources(plan);
  if (sources == NIL) return nullptr;
  const auto* source = static_cast<const CachedPlanSource*>(linitial(sources));
  ListCell* cell;
  foreach (cell, source->query_list) {
    const auto* query = static_cast<const Query*>(lfirst(cell));
    if (query->canSetTag && query->commandType == CMD_SELECT) return query;
  }
  return nullptr;
}

}  // namespace

void find_embeds(_SPI_plan* plan, bool* embeds, int count) {
  const Query* query = select_of(plan);
  if (query == nullptr) return;
  ListCell* cell;
  foreach (cell, query->targetList) {
    const auto* target = static_cast<const TargetEntry*>(lfirst(cell));
    if (target->resjunk || target->resno > count) continue;
    if (is_embed(query, reinterpret_cast<const Node*>(target->expr))) {
      embeds[target->resno - 1] = true;
    }
  }
}

}  // namespace pgrst::pg
