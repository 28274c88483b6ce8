// Walks over rows of system catalogs.
#pragma once

#include "pg/pg_prelude.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
}

namespace pgrst::pg {

// Calls px_row(tuple, descriptor) for each row; by `index`, unless that is InvalidOid, for those
// that match the keys.
template <class Row>
void px_scan_catalog(Oid catalog, Oid index, ScanKeyData* keys, int key_count, Row px_row) {
  Relation relation = table_open(catalog, AccessShareLock);
  SysScanDesc scan =
      systable_beginscan(relation, index, index != InvalidOid, nullptr, key_count, keys);
  HeapTuple tuple = nullptr;
  while ((tuple = systable_getnext(scan)) != nullptr) {
    CHECK_FOR_INTERRUPTS();
    px_row(tuple, RelationGetDescr(relation));
  }
  systable_endscan(scan);
  table_close(relation, AccessShareLock);
}

template <class Row>
void px_scan_all(Oid catalog, Row px_row) {
  px_scan_catalog(catalog, InvalidOid, nullptr, 0, px_row);
}

// The rows whose column, the first of the index, holds this object id.
template <class Row>
void px_scan_by_oid(Oid catalog, Oid index, AttrNumber column, Oid value, Row px_row) {
  ScanKeyData key;
  ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
  px_scan_catalog(catalog, index, &key, 1, px_row);
}

// Those of pg_depend that tell what this object depends on.
template <class Row>
void px_scan_dependencies(Oid index, AttrNumber class_column, Oid object_class,
                          AttrNumber object_column, Oid object, Row px_row) {
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], class_column, BTEqualStrategyNumber, F_OIDEQ,
              ObjectIdGetDatum(object_class));
  ScanKeyInit(&keys[1], object_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
  px_scan_catalog(/* pg_depend */ 2608, index, keys, 2, px_row);
}

}  // namespace pgrst::pg
