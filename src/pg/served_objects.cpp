#include "pg/served_objects.hpp"

#include "pg/catalog_scan.hpp"
#include "pg/fingerprint.hpp"
#include "pg/row_records.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/hsearch.h"
#include "utils/syscache.h"
}

namespace pgrst::pg {

namespace {

struct Finder {
  ServedObjects* out;
  const ServedScope* scope;
  OidSet functions;
  OidSet with_identity;   // of `exposed`
  uint32 relation_count;  // of the whole database, indexes and all
};

// -- relations -----------------------------------------------------------------------------------

bool is_resource_kind(char kind) {
  return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_VIEW ||
         kind == RELKIND_MATVIEW || kind == RELKIND_FOREIGN_TABLE;
}

uint64 hash_of_class(Form_pg_class row) {
  uint64 h = mix(RelationRelationId, row->oid);
  h = mix(h, row->relnamespace);
  h = mix(h, static_cast<uint64>(row->relkind) << 8 | (row->relispartition ? 1 : 0));
  return mix(h, hash_of_name(row->relname));
}

void px_take_class(Finder* f, Form_pg_class row) {
  ServedObjects* out = f->out;
  if (!px_add(&out->relations, row->oid)) return;
  out->sum += hash_of_class(row);
  px_add(&out->namespaces, row->relnamespace);
  if (row->relkind == RELKIND_VIEW || row->relkind == RELKIND_MATVIEW)
    px_add(&out->views, row->oid);
  if (row->relkind == RELKIND_FOREIGN_TABLE) px_add(&out->foreign_tables, row->oid);
}

// One that is not exposed, but needed. Of the system's own only views can tell anything new.
void px_take_hidden_relation(Finder* f, Oid relation) {
  if (contains(f->out->relations, relation)) return;
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) return;
  const auto row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  const bool counts = relation >= FirstNormalObjectId || row->relkind == RELKIND_VIEW;
  if (counts && is_resource_kind(row->relkind) && row->relpersistence != RELPERSISTENCE_TEMP) {
    px_take_class(f, row);
  }
  ReleaseSysCache(tuple);
}

void px_find_exposed(Finder* f) {
  px_scan_all(RelationRelationId, [f](HeapTuple tuple, TupleDesc) {
    const auto row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    f->relation_count++;
    if (!is_resource_kind(row->relkind) || row->relispartition ||
        row->relpersistence == RELPERSISTENCE_TEMP ||
        !contains(f->out->schemas, row->relnamespace)) {
      return;
    }
    px_take_class(f, row);
    px_add(&f->out->exposed, row->oid);
  });
}

// What the rule that makes a view names. The list grows while it is walked.
void px_follow_views(Finder* f) {
  for (uint32 i = 0; i < f->out->views.count; i++) {
    px_scan_by_oid(RewriteRelationId, RewriteRelRulenameIndexId, Anum_pg_rewrite_ev_class,
                   f->out->views.items[i], [f](HeapTuple rule, TupleDesc) {
                     const Oid oid = reinterpret_cast<Form_pg_rewrite>(GETSTRUCT(rule))->oid;
                     f->out->sum += hash_of_row(RewriteRelationId, oid, rule);
                     px_scan_dependencies(
                         DependDependerIndexId, Anum_pg_depend_classid, RewriteRelationId,
                         Anum_pg_depend_objid, oid, [f](HeapTuple tuple, TupleDesc) {
                           const auto row = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
                           if (row->refclassid == RelationRelationId) {
                             px_take_hidden_relation(f, row->refobjid);
                           }
                         });
                   });
  }
}

// INSTEAD OF triggers make views updatable.
void px_sum_triggers(Finder* f) {
  for (uint32 i = 0; i < f->out->views.count; i++) {
    px_scan_by_oid(TriggerRelationId, TriggerRelidNameIndexId, Anum_pg_trigger_tgrelid,
                   f->out->views.items[i], [f](HeapTuple tuple, TupleDesc) {
                     const auto row = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple));
                     f->out->sum += hash_of_row(TriggerRelationId, row->oid, tuple);
                   });
  }
}

// -- keys ----------------------------------------------------------------------------------------

struct Key {
  Oid relation;
  Oid foreign;  // InvalidOid: a primary or a unique key
  uint64 hash;
};

// A foreign key brings its other end in, and a key of something that nobody needs counts nothing.
void px_take_keys(Finder* f) {
  struct {
    Key* items;
    uint32 count;
    uint32 capacity;
  } keys = {nullptr, 0, 0};
  px_scan_all(ConstraintRelationId, [&keys](HeapTuple tuple, TupleDesc) {
    const auto row = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
    if (row->contype != CONSTRAINT_PRIMARY && row->contype != CONSTRAINT_UNIQUE &&
        row->contype != CONSTRAINT_FOREIGN) {
      return;
    }
    if (row->conrelid < FirstNormalObjectId) return;
    if (keys.count == keys.capacity) {
      keys.capacity = keys.capacity == 0 ? 256 : keys.capacity * 2;
      const Size size = sizeof(Key) * keys.capacity;
      keys.items = static_cast<Key*>(keys.items == nullptr
                                         ? MemoryContextAllocHuge(CurrentMemoryContext, size)
                                         : repalloc_huge(keys.items, size));
    }
    keys.items[keys.count++] = {row->conrelid, row->confrelid,
                                hash_of_row(ConstraintRelationId, row->oid, tuple)};
  });
  OidSet others;
  memset(&others, 0, sizeof others);
  for (uint32 i = 0; i < keys.count; i++) {
    const Key& key = keys.items[i];
    if (key.foreign == InvalidOid) continue;
    if (contains(f->out->relations, key.relation)) px_add(&others, key.foreign);
    if (contains(f->out->relations, key.foreign)) px_add(&others, key.relation);
  }
  for (uint32 i = 0; i < others.count; i++) px_take_hidden_relation(f, others.items[i]);
  for (uint32 i = 0; i < keys.count; i++) {
    if (contains(f->out->relations, keys.items[i].relation)) f->out->sum += keys.items[i].hash;
  }
}

// -- columns, functions --------------------------------------------------------------------------

void px_take_attribute(Finder* f, HeapTuple tuple) {
  const auto row = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple));
  ServedObjects* out = f->out;
  if (row->attnum <= 0) return;
  out->sum += hash_of_row(row->attrelid, static_cast<uint16>(row->attnum), tuple);
  if (row->attisdropped || !contains(out->exposed, row->attrelid)) return;
  px_add(&out->types, row->atttypid);
  if (row->atthasdef) px_add(&out->with_defaults, row->attrelid);
  if (row->attidentity != '\0') px_add(&f->with_identity, row->attrelid);
}

// Reads all columns of the database when many of them are wanted, otherwise those of each relation.
void px_take_attributes(Finder* f) {
  const OidSet& relations = f->out->relations;
  if (relations.count > f->relation_count / 8) {
    px_scan_all(AttributeRelationId, [f](HeapTuple tuple, TupleDesc) {
      const auto row = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple));
      if (contains(f->out->relations, row->attrelid)) px_take_attribute(f, tuple);
    });
    return;
  }
  for (uint32 i = 0; i < relations.count; i++) {
    px_scan_by_oid(AttributeRelationId, AttributeRelidNumIndexId, Anum_pg_attribute_attrelid,
                   relations.items[i],
                   [f](HeapTuple tuple, TupleDesc) { px_take_attribute(f, tuple); });
  }
}

// Without a schema it is found by the search_path: any function of that name counts.
bool is_pre_config(const ServedScope& scope, Oid schema, Form_pg_proc row) {
  return scope.function_name != nullptr &&
         strcmp(NameStr(row->proname), scope.function_name) == 0 &&
         (scope.function_schema[0] == '\0' ? row->oid >= FirstNormalObjectId
                                           : row->pronamespace == schema);
}

void px_take_types_of_function(Finder* f, HeapTuple tuple, TupleDesc desc) {
  const auto row = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
  px_add(&f->out->types, row->prorettype);
  for (int i = 0; i < row->pronargs; i++) px_add(&f->out->types, row->proargtypes.values[i]);
  bool is_null = false;
  const Datum all = heap_getattr(tuple, Anum_pg_proc_proallargtypes, desc, &is_null);
  if (is_null) return;
  const ArrayType* array = DatumGetArrayTypeP(all);
  if (ARR_NDIM(array) != 1) return;
  const Oid* types = reinterpret_cast<Oid*>(ARR_DATA_PTR(array));
  for (int i = 0; i < ARR_DIMS(array)[0]; i++) px_add(&f->out->types, types[i]);
}

void px_take_functions(Finder* f) {
  const Oid schema = f->scope->function_name == nullptr
                         ? InvalidOid
                         : get_namespace_oid(f->scope->function_schema, true);
  px_scan_all(ProcedureRelationId, [f, schema](HeapTuple tuple, TupleDesc desc) {
    const auto row = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const bool exposed = contains(f->out->schemas, row->pronamespace);
    if (!exposed && !is_pre_config(*f->scope, schema, row)) return;
    f->out->sum += hash_of_row(ProcedureRelationId, row->oid, tuple);
    px_add(&f->out->namespaces, row->pronamespace);
    if (!exposed) return;
    px_add(&f->functions, row->oid);
    px_take_types_of_function(f, tuple, desc);
  });
}

// -- what defaults name --------------------------------------------------------------------------

void px_take_object(Finder* f, Oid catalog, Oid object) {
  if (object < FirstNormalObjectId) return;
  if (catalog == RelationRelationId) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(object));
    if (!HeapTupleIsValid(tuple)) return;
    const auto row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    f->out->sum += hash_of_class(row);
    px_add(&f->out->namespaces, row->relnamespace);
    ReleaseSysCache(tuple);
    return;
  }
  if (catalog == TypeRelationId) {
    px_add(&f->out->types, object);
    return;
  }
  if (catalog == NamespaceRelationId) {
    px_add(&f->out->namespaces, object);
    return;
  }
  if (!is_objectclass_supported(catalog)) return;
  Relation relation = table_open(catalog, AccessShareLock);
  HeapTuple tuple = get_catalog_object_by_oid(relation, get_object_attnum_oid(catalog), object);
  if (HeapTupleIsValid(tuple)) {
    f->out->sum += hash_of_row(catalog, object, tuple);
    const AttrNumber column = get_object_attnum_namespace(catalog);
    bool is_null = true;
    const Datum schema = column == InvalidAttrNumber
                             ? Datum{0}
                             : heap_getattr(tuple, column, RelationGetDescr(relation), &is_null);
    if (!is_null) px_add(&f->out->namespaces, DatumGetObjectId(schema));
  }
  table_close(relation, AccessShareLock);
}

// How many there are, but for the relation itself and what the system brings along.
int px_take_dependencies(Finder* f, Oid catalog, Oid object, Oid but_relation) {
  int count = 0;
  px_scan_dependencies(DependDependerIndexId, Anum_pg_depend_classid, catalog, Anum_pg_depend_objid,
                       object, [f, but_relation, &count](HeapTuple tuple, TupleDesc) {
                         const auto row = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
                         if (row->refclassid == RelationRelationId && row->refobjid == but_relation)
                           return;
                         count++;
                         px_take_object(f, row->refclassid, row->refobjid);
                       });
  return count;
}

// Defaults that name nothing, as most do: known in this process, so that only others are asked
// about each time. The expression of one never changes: another default is another row.
struct DefaultVersion {
  Oid oid;
  TransactionId xmin;
};

HTAB* px_plain_defaults() {
  constexpr long kMax = 200000;
  static HTAB* table = nullptr;
  if (table != nullptr && hash_get_num_entries(table) > kMax) {
    HTAB* full = table;
    table = nullptr;
    hash_destroy(full);
  }
  if (table == nullptr) {
    HASHCTL control;
    memset(&control, 0, sizeof control);
    control.keysize = sizeof(DefaultVersion);
    control.entrysize = sizeof(DefaultVersion);
    table = hash_create("postgrest defaults", 256, &control, HASH_ELEM | HASH_BLOBS);
  }
  return table;
}

void px_take_default(Finder* f, HeapTuple tuple) {
  const auto row = reinterpret_cast<Form_pg_attrdef>(GETSTRUCT(tuple));
  f->out->sum += hash_of_row(AttrDefaultRelationId, row->oid, tuple);
  const DefaultVersion version = {row->oid, HeapTupleHeaderGetRawXmin(tuple->t_data)};
  if (hash_search(px_plain_defaults(), &version, HASH_FIND, nullptr) != nullptr) return;
  const bool is_plain = px_take_dependencies(f, AttrDefaultRelationId, row->oid, row->adrelid) == 0;
  if (is_plain) (void)hash_search(px_plain_defaults(), &version, HASH_ENTER, nullptr);
}

void px_take_defaults(Finder* f) {
  const OidSet& relations = f->out->with_defaults;
  if (relations.count > f->relation_count / 8) {
    px_scan_all(AttrDefaultRelationId, [f](HeapTuple tuple, TupleDesc) {
      const auto row = reinterpret_cast<Form_pg_attrdef>(GETSTRUCT(tuple));
      if (contains(f->out->with_defaults, row->adrelid)) px_take_default(f, tuple);
    });
    return;
  }
  for (uint32 i = 0; i < relations.count; i++) {
    px_scan_by_oid(AttrDefaultRelationId, AttrDefaultIndexId, Anum_pg_attrdef_adrelid,
                   relations.items[i],
                   [f](HeapTuple tuple, TupleDesc) { px_take_default(f, tuple); });
  }
}

// Sequences of identity columns depend on these, not the other way round.
void px_take_identities(Finder* f) {
  for (uint32 i = 0; i < f->with_identity.count; i++) {
    px_scan_dependencies(DependReferenceIndexId, Anum_pg_depend_refclassid, RelationRelationId,
                         Anum_pg_depend_refobjid, f->with_identity.items[i],
                         [f](HeapTuple tuple, TupleDesc) {
                           const auto row = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
                           if (row->deptype == DEPENDENCY_INTERNAL && row->refobjsubid != 0 &&
                               row->classid == RelationRelationId) {
                             px_take_object(f, RelationRelationId, row->objid);
                           }
                         });
  }
}

// -- types ---------------------------------------------------------------------------------------

// The list grows while it is walked, by what each type is made of.
void px_take_types(Finder* f) {
  OidSet& types = f->out->types;
  for (uint32 i = 0; i < types.count; i++) {
    CHECK_FOR_INTERRUPTS();
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(types.items[i]));
    if (!HeapTupleIsValid(tuple)) continue;
    const auto row = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    f->out->sum += hash_of_row(TypeRelationId, row->oid, tuple);
    px_add(&f->out->namespaces, row->typnamespace);
    px_add(&types, row->typbasetype);
    px_add(&types, row->typelem);
    const char kind = row->typtype;
    bool is_null = true;
    if (kind == TYPTYPE_DOMAIN) {
      px_append_bytes(&f->out->domains, &row->oid, sizeof(Oid));
      px_append_bytes(&f->out->domains, &row->typbasetype, sizeof(Oid));
      (void)SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefaultbin, &is_null);
    }
    ReleaseSysCache(tuple);
    if (!is_null) {
      px_add(&f->out->domains_with_defaults, types.items[i]);
      (void)px_take_dependencies(f, TypeRelationId, types.items[i], InvalidOid);
    }
    if (kind != TYPTYPE_ENUM) continue;
    px_scan_by_oid(EnumRelationId, EnumTypIdSortOrderIndexId, Anum_pg_enum_enumtypid,
                   types.items[i], [f](HeapTuple label, TupleDesc) {
                     const auto form = reinterpret_cast<Form_pg_enum>(GETSTRUCT(label));
                     f->out->sum += hash_of_row(EnumRelationId, form->oid, label);
                   });
  }
}

void px_take_casts(Finder* f) {
  px_scan_all(CastRelationId, [f](HeapTuple tuple, TupleDesc) {
    const auto row = reinterpret_cast<Form_pg_cast>(GETSTRUCT(tuple));
    const auto counts = [f](Oid type) {
      return type < FirstNormalObjectId || contains(f->out->types, type);
    };
    if (row->oid < FirstNormalObjectId || !counts(row->castsource) || !counts(row->casttarget)) {
      return;
    }
    f->out->sum += hash_of_row(CastRelationId, row->oid, tuple);
    px_take_object(f, ProcedureRelationId, row->castfunc);
  });
}

// -- the rest ------------------------------------------------------------------------------------

void px_take_foreign_tables(Finder* f) {
  for (uint32 i = 0; i < f->out->foreign_tables.count; i++) {
    const Oid table = f->out->foreign_tables.items[i];
    HeapTuple tuple = SearchSysCache1(FOREIGNTABLEREL, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple)) continue;
    const Oid server = reinterpret_cast<Form_pg_foreign_table>(GETSTRUCT(tuple))->ftserver;
    f->out->sum += hash_of_row(ForeignTableRelationId, table, tuple);
    ReleaseSysCache(tuple);
    px_take_object(f, ForeignServerRelationId, server);
  }
}

void px_take_descriptions(Finder* f) {
  px_scan_all(DescriptionRelationId, [f](HeapTuple tuple, TupleDesc) {
    const auto row = reinterpret_cast<Form_pg_description>(GETSTRUCT(tuple));
    const bool counts =
        (row->classoid == RelationRelationId && contains(f->out->exposed, row->objoid)) ||
        (row->classoid == ProcedureRelationId && contains(f->functions, row->objoid));
    if (!counts) return;
    const uint64 object = mix(mix(row->classoid, row->objoid), static_cast<uint32>(row->objsubid));
    f->out->sum += hash_of_row(DescriptionRelationId, object, tuple);
  });
}

void px_sum_namespaces(Finder* f) {
  for (uint32 i = 0; i < f->out->namespaces.count; i++) {
    const Oid oid = f->out->namespaces.items[i];
    HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple)) continue;
    const auto row = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple));
    f->out->sum += mix(mix(NamespaceRelationId, oid), hash_of_name(row->nspname));
    ReleaseSysCache(tuple);
  }
}

void px_find_schemas(Finder* f) {
  for (int i = 0; i < f->scope->schema_count; i++) {
    const Oid oid = get_namespace_oid(f->scope->schemas[i], true);
    px_add(&f->out->schemas, oid);
    px_add(&f->out->namespaces, oid);
  }
}

}  // namespace

void px_find_served_objects(const ServedScope& scope, ServedObjects* out) {
  memset(out, 0, sizeof *out);
  out->domains.init();
  Finder f;
  memset(&f, 0, sizeof f);
  f.out = out;
  f.scope = &scope;
  px_find_schemas(&f);
  px_find_exposed(&f);
  px_follow_views(&f);
  px_take_keys(&f);
  px_sum_triggers(&f);
  px_take_foreign_tables(&f);
  px_take_attributes(&f);
  px_take_functions(&f);
  px_take_defaults(&f);
  px_take_identities(&f);
  px_take_types(&f);
  px_take_casts(&f);
  px_take_descriptions(&f);
  px_sum_namespaces(&f);
}

}  // namespace pgrst::pg
