#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "core/config.hpp"
#include "core/wire.hpp"
#include "schema_cache/builder.hpp"
#include "schema_cache/catalog_queries.hpp"

#include "pg/introspection.hpp"
#include "pg/gucs.hpp"
#include "pg/guard.hpp"
#include "pg/shmem.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_description.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "nodes/parsenodes.h"
#include "nodes/readfuncs.h"
#include "rewrite/rewriteSupport.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace pgrst::pg {

namespace {

// -- the fingerprint -----------------------------------------------------------------------------

uint64 mix(uint64 sum, uint64 value) {
  return hash_combine64(sum, hash_bytes_uint32_extended(static_cast<uint32>(value), value >> 32));
}

// A growing array of object ids; sorted before it is searched.
struct OidSet {
  Oid* items;
  int count;
  int capacity;
};

void px_add(OidSet* set, Oid oid) {
  if (set->count == set->capacity) {
    set->capacity = set->capacity == 0 ? 256 : set->capacity * 2;
    const Size size = sizeof(Oid) * set->capacity;
    set->items =
        static_cast<Oid*>(set->items == nullptr ? palloc(size) : repalloc(set->items, size));
  }
  set->items[set->count++] = oid;
}

void sort(OidSet* set) { std::sort(set->items, set->items + set->count); }

bool contains(const OidSet* set, Oid oid) {
  return std::binary_search(set->items, set->items + set->count, oid);
}

struct Fingerprint {
  uint64 sum;         // order-independent
  OidSet namespaces;  // of users: neither pg_* nor information_schema
  OidSet relations;   // in them; neither temporary nor index nor TOAST
  OidSet enums;       // in them
  OidSet functions;   // in them
};

bool is_system_namespace(const char* name) {
  return strncmp(name, "pg_", 3) == 0 || strcmp(name, "information_schema") == 0;
}

bool is_resource_kind(char kind) {
  return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_VIEW ||
         kind == RELKIND_MATVIEW || kind == RELKIND_FOREIGN_TABLE;
}

// Adds catalog, object and version of one row to the sum.
void add_row(Fingerprint* f, Oid catalog, Oid object, HeapTuple tuple) {
  f->sum += mix(mix(catalog, object), HeapTupleHeaderGetRawXmin(tuple->t_data));
}

void add_namespace(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple));
  if (is_system_namespace(NameStr(row->nspname))) return;
  px_add(&f->namespaces, row->oid);
  add_row(f, NamespaceRelationId, row->oid, tuple);
}

void add_class(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  if (row->relpersistence == RELPERSISTENCE_TEMP || !is_resource_kind(row->relkind)) return;
  if (!contains(&f->namespaces, row->relnamespace)) return;
  px_add(&f->relations, row->oid);
  uint64 h = mix(RelationRelationId, row->oid);
  h = mix(h, row->relnamespace);
  h = mix(h, static_cast<uint64>(row->relkind) << 8 | (row->relispartition ? 1 : 0));
  h = mix(h, hash_bytes_extended(reinterpret_cast<const unsigned char*>(NameStr(row->relname)),
                                 strlen(NameStr(row->relname)), 0));
  f->sum += h;
}

void add_attribute(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple));
  if (row->attnum <= 0 || !contains(&f->relations, row->attrelid)) return;
  add_row(f, row->attrelid, static_cast<Oid>(row->attnum), tuple);
}

void add_type(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
  if (!contains(&f->namespaces, row->typnamespace)) return;
  if (row->typtype == TYPTYPE_ENUM) px_add(&f->enums, row->oid);
  add_row(f, TypeRelationId, row->oid, tuple);
}

void add_enum_label(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_enum>(GETSTRUCT(tuple));
  if (contains(&f->enums, row->enumtypid)) add_row(f, EnumRelationId, row->oid, tuple);
}

void add_function(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
  if (contains(&f->namespaces, row->pronamespace)) {
    px_add(&f->functions, row->oid);
    add_row(f, ProcedureRelationId, row->oid, tuple);
  }
}

void add_cast(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_cast>(GETSTRUCT(tuple));
  if (row->oid >= FirstNormalObjectId) add_row(f, CastRelationId, row->oid, tuple);
}

void add_constraint(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
  if (contains(&f->relations, row->conrelid)) add_row(f, ConstraintRelationId, row->oid, tuple);
}

void add_attrdef(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_attrdef>(GETSTRUCT(tuple));
  if (contains(&f->relations, row->adrelid)) add_row(f, AttrDefaultRelationId, row->oid, tuple);
}

void add_description(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_description>(GETSTRUCT(tuple));
  const bool of_relation =
      row->classoid == RelationRelationId && contains(&f->relations, row->objoid);
  const bool of_function =
      row->classoid == ProcedureRelationId && contains(&f->functions, row->objoid);
  if (!of_relation && !of_function) return;
  f->sum += mix(mix(mix(DescriptionRelationId, mix(row->classoid, row->objoid)),
                    static_cast<uint32>(row->objsubid)),
                HeapTupleHeaderGetRawXmin(tuple->t_data));
}

void add_rewrite(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_rewrite>(GETSTRUCT(tuple));
  if (contains(&f->relations, row->ev_class)) add_row(f, RewriteRelationId, row->oid, tuple);
}

void add_trigger(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple));
  if (row->tgisinternal || !contains(&f->relations, row->tgrelid)) return;
  add_row(f, TriggerRelationId, row->oid, tuple);
}

void add_role_setting(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_db_role_setting>(GETSTRUCT(tuple));
  add_row(f, row->setdatabase, row->setrole, tuple);
}

void add_role(Fingerprint* f, HeapTuple tuple) {
  add_row(f, AuthIdRelationId, reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple))->oid, tuple);
}

void add_membership(Fingerprint* f, HeapTuple tuple) {
  const auto* row = reinterpret_cast<Form_pg_auth_members>(GETSTRUCT(tuple));
  add_row(f, row->roleid, row->member, tuple);
}

void add_extension(Fingerprint* f, HeapTuple tuple) {
  add_row(f, ExtensionRelationId, reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple))->oid,
          tuple);
}

using AddRow = void (*)(Fingerprint*, HeapTuple);

void px_scan_catalog(Fingerprint* f, Oid catalog, AddRow add) {
  Relation relation = table_open(catalog, AccessShareLock);
  SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, nullptr, 0, nullptr);
  HeapTuple tuple = nullptr;
  while ((tuple = systable_getnext(scan)) != nullptr) {
    CHECK_FOR_INTERRUPTS();
    add(f, tuple);
  }
  systable_endscan(scan);
  table_close(relation, AccessShareLock);
}

// -- pgrst.config --------------------------------------------------------------------------------

// The table's oid, or InvalidOid when it is not there or not as CREATE EXTENSION makes it.
Oid px_config_table() {
  const Oid schema = get_namespace_oid("pgrst", true);
  if (schema == InvalidOid) return InvalidOid;
  const Oid table = get_relname_relid("config", schema);
  if (table == InvalidOid || get_rel_relkind(table) != RELKIND_RELATION) return InvalidOid;
  if (get_atttype(table, 1) != TEXTOID || get_atttype(table, 2) != TEXTOID) return InvalidOid;
  return table;
}

void px_append_value(ByteSink* out, const char* bytes, int32 length) {
  if (!out->append(reinterpret_cast<const char*>(&length), sizeof length) ||
      !out->append(bytes, length)) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  }
}

// Begins a row record.
void px_append_head(ByteSink* out, uint32 columns) {
  if (!out->append(reinterpret_cast<const char*>(&columns), sizeof columns)) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  }
}

// Reads the table without asking for the session's privileges, which no role of a request has: it
// holds secrets. Adds its rows to the fingerprint, or to `out` as row records of name and value.
void px_scan_config(Fingerprint* f, ByteSink* out) {
  const Oid table = px_config_table();
  if (table == InvalidOid) return;
  Relation relation = table_open(table, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(relation, nullptr);
  TableScanDesc scan = table_beginscan(relation, GetActiveSnapshot(), 0, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    slot_getsomeattrs(slot, 2);
    if (slot->tts_isnull[0] || slot->tts_isnull[1]) continue;
    const text* name = DatumGetTextPP(slot->tts_values[0]);
    const text* value = DatumGetTextPP(slot->tts_values[1]);
    const auto name_length = static_cast<int32>(VARSIZE_ANY_EXHDR(name));
    const auto value_length = static_cast<int32>(VARSIZE_ANY_EXHDR(value));
    if (f != nullptr) {
      const auto* name_bytes = reinterpret_cast<const unsigned char*>(VARDATA_ANY(name));
      const auto* value_bytes = reinterpret_cast<const unsigned char*>(VARDATA_ANY(value));
      f->sum += mix(hash_bytes_extended(name_bytes, name_length, 1),
                    hash_bytes_extended(value_bytes, value_length, 2));
    } else {
      px_append_head(out, 2);
      px_append_value(out, VARDATA_ANY(name), name_length);
      px_append_value(out, VARDATA_ANY(value), value_length);
    }
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  table_close(relation, AccessShareLock);
}

// -- where the columns of views come from --------------------------------------------------------

void px_append_number(ByteSink* out, uint32 number) {
  char text[12];
  const int length = snprintf(text, sizeof text, "%u", number);
  px_append_value(out, text, length);
}

void px_append_origins(ByteSink* out, Oid view, const Query* query) {
  ListCell* cell = nullptr;
  foreach (cell, query->targetList) {
    const TargetEntry* entry = lfirst_node(TargetEntry, cell);
    if (entry->resjunk || entry->resorigtbl == InvalidOid) continue;
    px_append_head(out, 4);
    px_append_number(out, view);
    px_append_number(out, static_cast<uint32>(entry->resno));
    px_append_number(out, entry->resorigtbl);
    px_append_number(out, static_cast<uint32>(entry->resorigcol));
  }
}

// The rule that makes a relation a view holds its query, and that says of each column which column
// of which relation it shows.
void px_scan_views(ByteSink* out) {
  const MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "postgrest view", ALLOCSET_DEFAULT_SIZES);
  Relation relation = table_open(RewriteRelationId, AccessShareLock);
  SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, nullptr, 0, nullptr);
  HeapTuple tuple = nullptr;
  while ((tuple = systable_getnext(scan)) != nullptr) {
    CHECK_FOR_INTERRUPTS();
    const auto* row = reinterpret_cast<Form_pg_rewrite>(GETSTRUCT(tuple));
    if (row->ev_class < FirstNormalObjectId ||
        strcmp(NameStr(row->rulename), ViewSelectRuleName) != 0) {
      continue;
    }
    bool is_null = false;
    const Datum action =
        heap_getattr(tuple, Anum_pg_rewrite_ev_action, RelationGetDescr(relation), &is_null);
    if (is_null) continue;
    const MemoryContext old_context = MemoryContextSwitchTo(context);
    const auto* queries = static_cast<List*>(stringToNode(TextDatumGetCString(action)));
    if (list_length(queries) == 1) {
      px_append_origins(out, row->ev_class, linitial_node(Query, queries));
    }
    MemoryContextSwitchTo(old_context);
    MemoryContextReset(context);
  }
  systable_endscan(scan);
  table_close(relation, AccessShareLock);
  MemoryContextDelete(context);
}

Oid px_reload_marker() {
  const Oid schema = get_namespace_oid("pgrst", true);
  return schema == InvalidOid ? InvalidOid : get_relname_relid("status", schema);
}

// -- both together -------------------------------------------------------------------------------

uint64 px_fingerprint() {
  Fingerprint f;
  memset(&f, 0, sizeof f);
  px_scan_catalog(&f, NamespaceRelationId, &add_namespace);
  sort(&f.namespaces);
  px_scan_catalog(&f, RelationRelationId, &add_class);
  sort(&f.relations);
  px_scan_catalog(&f, AttributeRelationId, &add_attribute);
  px_scan_catalog(&f, TypeRelationId, &add_type);
  sort(&f.enums);
  px_scan_catalog(&f, EnumRelationId, &add_enum_label);
  px_scan_catalog(&f, ProcedureRelationId, &add_function);
  sort(&f.functions);
  px_scan_catalog(&f, CastRelationId, &add_cast);
  px_scan_catalog(&f, ConstraintRelationId, &add_constraint);
  px_scan_catalog(&f, AttrDefaultRelationId, &add_attrdef);
  px_scan_catalog(&f, DescriptionRelationId, &add_description);
  px_scan_catalog(&f, RewriteRelationId, &add_rewrite);
  px_scan_catalog(&f, TriggerRelationId, &add_trigger);
  px_scan_catalog(&f, DbRoleSettingRelationId, &add_role_setting);
  px_scan_catalog(&f, AuthIdRelationId, &add_role);
  px_scan_catalog(&f, AuthMemRelationId, &add_membership);
  px_scan_catalog(&f, ExtensionRelationId, &add_extension);
  px_scan_config(&f, nullptr);
  return f.sum;
}

struct Examination {
  const uint64* known_fingerprint;  // null: none
  bool extension_present;
  Oid reload_marker;
  uint64 fingerprint;
  ByteSink* config;
  ByteSink* view_columns;
};

void px_examine(Examination* out, TransactionScope scope) {
  const bool own = scope == TransactionScope::kOwn;
  if (own) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
  }
  PushActiveSnapshot(GetTransactionSnapshot());
  out->extension_present = px_extension_present();
  if (out->extension_present) {
    out->fingerprint = px_fingerprint();
    out->reload_marker = px_reload_marker();
    px_scan_config(nullptr, out->config);
    if (out->known_fingerprint == nullptr || *out->known_fingerprint != out->fingerprint) {
      px_scan_views(out->view_columns);
    }
  }
  PopActiveSnapshot();
  if (own) CommitTransactionCommand();
}

// The settings that the function has set for the gateway, without secrets.
void append_served_settings(ByteSink& out) {
  DatabaseShared* db = own_database();
  if (db == nullptr) return;
  const std::string effective = effective_settings_of(*db);
  std::string records;
  WireReader in(effective);
  while (!in.at_end() && !in.failed()) {
    std::string_view columns[3];
    in.number<uint32_t>();
    for (auto& column : columns) column = in.bytes(static_cast<uint64_t>(in.number<int32_t>()));
    if (columns[2] != kFromPreConfig || columns[1] == kMaskedValue) continue;
    append_row_record(records, {columns[0], columns[1]});
  }
  if (!out.append(records.data(), records.size())) throw std::bad_alloc();
}

// Calls the function that sets settings, in a read-only transaction of its own, and appends what it
// has set. It is the authenticator's: with the rights of another caller it is never run.
std::optional<PgError> run_pre_config(const std::string& call, TransactionScope scope,
                                      ByteSink& out) {
  if (call.empty()) return std::nullopt;
  if (scope == TransactionScope::kInCaller) {
    append_served_settings(out);
    return std::nullopt;
  }
  Transaction transaction;
  transaction.pre_request = call;
  transaction.as_session_user = true;
  Bodies bodies;
  begin_noting_settings();
  TransactionResult result = run_transaction(transaction, scope, nullptr, bodies);
  const std::string settings = take_noted_settings();
  if (!result.error && !out.append(settings.data(), settings.size())) throw std::bad_alloc();
  return result.error;
}

}  // namespace

bool px_extension_present() { return get_extension_oid("postgrest_ext", true) != InvalidOid; }

ResponseHead introspect(RequestMessage& message, TransactionScope scope, Bodies& bodies) {
  ResponseHead head;
  ByteSink config, view_columns;
  config.init();
  view_columns.init();
  const uint64 known = message.known_fingerprint.value_or(0);
  const std::string pre_config = std::exchange(message.transaction.pre_request, "");
  Examination found{
      message.known_fingerprint ? &known : nullptr, false, InvalidOid, 0, &config, &view_columns};
  head.result.error = guard([&] { px_examine(&found, scope); });
  if (head.result.error) {
    config.free_all();
    view_columns.free_all();
    if (scope == TransactionScope::kOwn) abort_and_discard();
    return head;
  }
  head.verdict.extension_present = found.extension_present;
  head.verdict.reload_marker = found.reload_marker;
  head.verdict.fingerprint = found.fingerprint;
  head.verdict.unchanged = message.known_fingerprint == found.fingerprint;
  if (found.extension_present && !head.verdict.unchanged) {
    ByteSink set_by_function;
    set_by_function.init();
    const auto problem = run_pre_config(pre_config, scope, set_by_function);
    if (problem) head.verdict.pre_config_problem = problem->message;
    message.transaction.as_session_user = true;
    head.result = run_transaction(message.transaction, scope, nullptr, bodies);
    if (!head.result.error) {
      for (ByteSink* sink : {&config, &set_by_function, &view_columns}) {
        head.result.result_sets.push_back({0, 0, "", sink->size()});
        bodies.append(*sink);
        sink->init();
      }
    }
    set_by_function.free_all();
  }
  config.free_all();
  view_columns.free_all();
  return head;
}

}  // namespace pgrst::pg
