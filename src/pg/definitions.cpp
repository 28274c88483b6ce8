#include "pg/definitions.hpp"

#include "pg/catalog_scan.hpp"
#include "pg/row_records.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "foreign/fdwapi.h"
#include "nodes/parsenodes.h"
#include "nodes/readfuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteSupport.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
}

namespace pgrst::pg {

namespace {

constexpr int kAllEvents = (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
constexpr size_t kMaxLeftOut = 2000;  // bytes of what is told

// -- what cannot be read -------------------------------------------------------------------------

void px_tell(Definitions* out, const char* kind, Oid relation, const char* part,
             const char* message) {
  if (out->left_out.size() > kMaxLeftOut) return;
  const char* schema = get_namespace_name(get_rel_namespace(relation));
  const char* name = get_rel_name(relation);
  const char* line = psprintf("%s%s %s%s%s: %s", out->left_out.size() == 0 ? "" : "\n", kind,
                              quote_qualified_identifier(schema, name == nullptr ? "?" : name),
                              part == nullptr ? "" : ".", part == nullptr ? "" : part, message);
  px_append_bytes(&out->left_out, line, strlen(line));
}

// Errors that tell of the whole session, not of the object that was being read.
bool is_of_the_session(int code) {
  const int category = ERRCODE_TO_CATEGORY(code);
  return category == ERRCODE_OPERATOR_INTERVENTION ||
         category == ERRCODE_TO_CATEGORY(ERRCODE_OUT_OF_MEMORY);
}

// Runs px_read in a subtransaction. Null when that went well, otherwise the error's message.
template <class Read>
const char* px_attempt(Definitions* out, Read px_read) {
  const MemoryContext context = CurrentMemoryContext;
  const ResourceOwner owner = CurrentResourceOwner;
  const char* volatile problem = nullptr;
  BeginInternalSubTransaction(nullptr);
  MemoryContextSwitchTo(context);
  PG_TRY();
  {
    px_read();
    ReleaseCurrentSubTransaction();
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    ErrorData* error = CopyErrorData();
    FlushErrorState();
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    if (is_of_the_session(error->sqlerrcode)) ReThrowError(error);
    if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE) out->read_again = true;
    problem = error->message == nullptr ? "unknown error" : error->message;
  }
  PG_END_TRY();
  MemoryContextSwitchTo(context);
  CurrentResourceOwner = owner;
  return problem;
}

// -- views ---------------------------------------------------------------------------------------

// What can be done with a view, as relation_is_updatable() in PostgreSQL's rewriteHandler.c finds
// it out, but without opening it, which would wait for whoever has locked it: the events of its
// rules and triggers, and the relation that writes to it go to, if there is one.
// schema_cache/updatability.hpp puts these together.
struct ViewFacts {
  int events;
  Oid base;
  Datum query;  // detoasted; 0: none
};

void px_take_rule(ViewFacts* facts, HeapTuple tuple, TupleDesc desc) {
  const auto row = reinterpret_cast<Form_pg_rewrite>(GETSTRUCT(tuple));
  const int event = row->ev_type - '0';
  bool is_null = false;
  if (event == CMD_SELECT) {
    if (strcmp(NameStr(row->rulename), ViewSelectRuleName) != 0) return;
    const Datum action = heap_getattr(tuple, Anum_pg_rewrite_ev_action, desc, &is_null);
    if (!is_null) facts->query = PointerGetDatum(PG_DETOAST_DATUM_COPY(action));
    return;
  }
  if (!row->is_instead) return;
  const Datum condition = heap_getattr(tuple, Anum_pg_rewrite_ev_qual, desc, &is_null);
  // As outNode writes a null pointer.
  if (is_null || strcmp(TextDatumGetCString(condition), "<>") == 0) facts->events |= 1 << event;
}

void take_trigger(ViewFacts* facts, HeapTuple tuple) {
  const int16 type = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple))->tgtype;
  if (!TRIGGER_FOR_ROW(type) || !TRIGGER_FOR_INSTEAD(type)) return;
  if (TRIGGER_FOR_INSERT(type)) facts->events |= 1 << CMD_INSERT;
  if (TRIGGER_FOR_UPDATE(type)) facts->events |= 1 << CMD_UPDATE;
  if (TRIGGER_FOR_DELETE(type)) facts->events |= 1 << CMD_DELETE;
}

void px_append_origins(ByteSink* out, Oid view, const Query* query) {
  ListCell* cell = nullptr;
  foreach (cell, query->targetList) {
    const TargetEntry* entry = lfirst_node(TargetEntry, cell);
    if (entry->resjunk || entry->resorigtbl == InvalidOid || entry->resorigcol <= 0) continue;
    px_append_head(out, 4);
    px_append_number(out, view);
    px_append_number(out, static_cast<uint32>(entry->resno));
    px_append_number(out, entry->resorigtbl);
    px_append_number(out, static_cast<uint32>(entry->resorigcol));
  }
}

// Of a view that PostgreSQL updates by itself: the one relation in its FROM.
Oid px_base_of(Query* query) {
  if (view_query_is_auto_updatable(query, false) != nullptr) return InvalidOid;
  const auto* reference = linitial_node(RangeTblRef, query->jointree->fromlist);
  return rt_fetch(reference->rtindex, query->rtable)->relid;
}

void px_append_updatability(ByteSink* out, Oid relation, int events, Oid base) {
  px_append_head(out, 3);
  px_append_number(out, relation);
  px_append_number(out, static_cast<uint32>(events & kAllEvents));
  px_append_number(out, base);
}

void px_read_view(Oid view, Definitions* out) {
  ViewFacts facts = {0, InvalidOid, 0};
  px_scan_by_oid(RewriteRelationId, RewriteRelRulenameIndexId, Anum_pg_rewrite_ev_class, view,
                 [&facts](HeapTuple tuple, TupleDesc desc) { px_take_rule(&facts, tuple, desc); });
  px_scan_by_oid(TriggerRelationId, TriggerRelidNameIndexId, Anum_pg_trigger_tgrelid, view,
                 [&facts](HeapTuple tuple, TupleDesc) { take_trigger(&facts, tuple); });
  const char* problem = facts.query == 0 ? nullptr : px_attempt(out, [&facts, view, out] {
    auto* queries = static_cast<List*>(stringToNode(TextDatumGetCString(facts.query)));
    if (list_length(queries) != 1) return;
    auto* query = linitial_node(Query, queries);
    px_append_origins(&out->view_columns, view, query);
    if (get_rel_relkind(view) == RELKIND_VIEW) facts.base = px_base_of(query);
  });
  if (problem != nullptr) px_tell(out, "view", view, nullptr, problem);
  px_append_updatability(&out->updatability, view, facts.events, facts.base);
}

// -- foreign tables ------------------------------------------------------------------------------

// What PostgreSQL assumes where the wrapper does not tell.
int px_events_of_wrapper(Oid table) {
  const FdwRoutine* routine = GetFdwRoutineByRelId(table);
  int events = 0;
  if (routine->ExecForeignInsert != nullptr) events |= 1 << CMD_INSERT;
  if (routine->ExecForeignUpdate != nullptr) events |= 1 << CMD_UPDATE;
  if (routine->ExecForeignDelete != nullptr) events |= 1 << CMD_DELETE;
  return events;
}

// The wrapper wants to see the open table. While somebody has locked that, it is not waited for.
void px_read_foreign_table(Oid table, Definitions* out) {
  int events = 0;
  const char* problem = px_attempt(out, [&events, table, out] {
    if (ConditionalLockRelationOid(table, AccessShareLock)) {
      events = relation_is_updatable(table, NIL, true, nullptr);
      UnlockRelationOid(table, AccessShareLock);
    } else {
      out->read_again = true;
      events = px_events_of_wrapper(table);
    }
  });
  if (problem != nullptr) px_tell(out, "foreign table", table, nullptr, problem);
  px_append_updatability(&out->updatability, table, events, InvalidOid);
}

// -- defaults ------------------------------------------------------------------------------------

Datum px_default_of_column(Oid relation, AttrNumber column) {
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], Anum_pg_attrdef_adrelid, BTEqualStrategyNumber, F_OIDEQ,
              ObjectIdGetDatum(relation));
  ScanKeyInit(&keys[1], Anum_pg_attrdef_adnum, BTEqualStrategyNumber, F_INT2EQ,
              Int16GetDatum(column));
  Datum found = 0;
  px_scan_catalog(AttrDefaultRelationId, AttrDefaultIndexId, keys, 2,
                  [&found](HeapTuple tuple, TupleDesc desc) {
                    bool is_null = true;
                    const Datum tree = heap_getattr(tuple, Anum_pg_attrdef_adbin, desc, &is_null);
                    if (!is_null) found = PointerGetDatum(PG_DETOAST_DATUM_COPY(tree));
                  });
  return found;
}

Datum px_default_of_domain(Oid domain) {
  HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
  if (!HeapTupleIsValid(tuple)) return 0;
  bool is_null = true;
  const Datum tree = SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefaultbin, &is_null);
  const Datum copy = is_null ? 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(tree));
  ReleaseSysCache(tuple);
  return copy;
}

// A default names no column, so it reads the same without the relation, whose columns it would
// otherwise get unique names for, each time: that takes the cube of their number.
void px_append_default(Definitions* out, Form_pg_attribute column, Datum tree) {
  const Oid relation = column->attrelid;
  const char* name = NameStr(column->attname);
  const char* problem = px_attempt(out, [out, relation, name, tree] {
    const text* shown =
        DatumGetTextPP(DirectFunctionCall2(pg_get_expr, tree, ObjectIdGetDatum(InvalidOid)));
    px_append_head(&out->defaults, 3);
    px_append_number(&out->defaults, relation);
    px_append_value(&out->defaults, name, static_cast<int32>(strlen(name)));
    px_append_value(&out->defaults, VARDATA_ANY(shown),
                    static_cast<int32>(VARSIZE_ANY_EXHDR(shown)));
  });
  if (problem != nullptr) px_tell(out, "default of", relation, quote_identifier(name), problem);
}

void px_read_default(const ServedObjects& objects, Form_pg_attribute column, Definitions* out) {
  if (column->attnum <= 0 || column->attisdropped || column->attgenerated != '\0' ||
      column->attidentity == ATTRIBUTE_IDENTITY_BY_DEFAULT) {
    return;
  }
  Datum tree = 0;
  if (column->atthasdef) {
    tree = px_default_of_column(column->attrelid, column->attnum);
  } else if (contains(objects.domains_with_defaults, column->atttypid)) {
    tree = px_default_of_domain(column->atttypid);
  }
  if (tree != 0) px_append_default(out, column, tree);
}

// -- all of them ---------------------------------------------------------------------------------

struct Reading {
  const ServedObjects* objects;
  Definitions* out;
  MemoryContext context;  // of one object
};

template <class Read>
void px_read_each(const Reading& reading, const OidSet& set, Read px_read) {
  for (uint32 i = 0; i < set.count; i++) {
    CHECK_FOR_INTERRUPTS();
    const MemoryContext old = MemoryContextSwitchTo(reading.context);
    px_read(set.items[i], reading);
    MemoryContextSwitchTo(old);
    MemoryContextReset(reading.context);
  }
}

void px_read_defaults_of(Oid relation, const Reading& reading) {
  px_scan_by_oid(AttributeRelationId, AttributeRelidNumIndexId, Anum_pg_attribute_attrelid,
                 relation, [&reading](HeapTuple tuple, TupleDesc) {
                   px_read_default(*reading.objects,
                                   reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple)),
                                   reading.out);
                 });
}

}  // namespace

void px_read_definitions(const ServedObjects& objects, Definitions* out) {
  const Reading reading = {
      &objects, out,
      AllocSetContextCreate(CurrentMemoryContext, "postgrest definition", ALLOCSET_DEFAULT_SIZES)};
  px_read_each(reading, objects.views,
               [](Oid view, const Reading& r) { px_read_view(view, r.out); });
  px_read_each(reading, objects.foreign_tables,
               [](Oid table, const Reading& r) { px_read_foreign_table(table, r.out); });
  const bool by_domain = objects.domains_with_defaults.count > 0;
  px_read_each(reading, by_domain ? objects.exposed : objects.with_defaults, &px_read_defaults_of);
  MemoryContextDelete(reading.context);
}

}  // namespace pgrst::pg
