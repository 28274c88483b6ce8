#include "pg/served_roles.hpp"

#include "pg/catalog_scan.hpp"
#include "pg/fingerprint.hpp"
#include "pg/oid_set.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_db_role_setting.h"
#include "utils/catcache.h"
#include "utils/syscache.h"
}

namespace pgrst::pg {

namespace {

struct Roles {
  uint64 sum;
  OidSet members_of;  // who requests come from first
  Oid database_owner;
};

uint64 hash_of_role(Form_pg_authid row) {
  const uint64 attributes = (row->rolinherit ? 1 : 0) | (row->rolsuper ? 2 : 0);
  return mix(mix(mix(AuthIdRelationId, row->oid), hash_of_name(row->rolname)), attributes);
}

void px_sum_database(Roles* roles) {
  HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
  if (!HeapTupleIsValid(tuple)) return;
  const auto row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
  roles->database_owner = row->datdba;
  roles->sum += mix(mix(DatabaseRelationId, row->datdba), hash_of_name(row->datname));
  ReleaseSysCache(tuple);
}

// The list grows while it is walked.
void px_follow_memberships(Roles* roles) {
  for (uint32 i = 0; i < roles->members_of.count; i++) {
    const Oid member = roles->members_of.items[i];
    CatCList* list = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(member));
    for (int k = 0; k < list->n_members; k++) {
      HeapTuple tuple = &list->members[k]->tuple;
      const auto row = reinterpret_cast<Form_pg_auth_members>(GETSTRUCT(tuple));
      roles->sum += hash_of_row(AuthMemRelationId, mix(row->roleid, row->member), tuple);
      px_add(&roles->members_of, row->roleid);
    }
    ReleaseSysCacheList(list);
    // Nobody is granted this one: whoever owns the database is a member.
    if (member == roles->database_owner) px_add(&roles->members_of, ROLE_PG_DATABASE_OWNER);
  }
  for (uint32 i = 0; i < roles->members_of.count; i++) {
    HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(roles->members_of.items[i]));
    if (!HeapTupleIsValid(tuple)) continue;
    roles->sum += hash_of_role(reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple)));
    ReleaseSysCache(tuple);
  }
}

// A superuser, who may ask for requests in a session, is a member of all.
void px_take_all_roles(Roles* roles) {
  px_scan_all(AuthIdRelationId, [roles](HeapTuple tuple, TupleDesc) {
    const auto row = reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple));
    px_add(&roles->members_of, row->oid);
    roles->sum += hash_of_role(row);
  });
}

void px_sum_settings(Roles* roles) {
  px_scan_all(DbRoleSettingRelationId, [roles](HeapTuple tuple, TupleDesc) {
    const auto row = reinterpret_cast<Form_pg_db_role_setting>(GETSTRUCT(tuple));
    if (row->setdatabase != InvalidOid && row->setdatabase != MyDatabaseId) return;
    if (row->setrole != InvalidOid && !contains(roles->members_of, row->setrole)) return;
    roles->sum += hash_of_row(DbRoleSettingRelationId, mix(row->setdatabase, row->setrole), tuple);
  });
}

void px_sum_parameter_privileges(Roles* roles) {
  const Oid catalog = px_parameter_acl_catalog();
  if (catalog == InvalidOid) return;
  px_scan_all(catalog, [roles, catalog](HeapTuple tuple, TupleDesc desc) {
    bool is_null = false;
    const Oid oid = DatumGetObjectId(heap_getattr(tuple, 1, desc, &is_null));
    roles->sum += hash_of_row(catalog, oid, tuple);
  });
}

}  // namespace

uint64 px_sum_served_roles(const char* authenticator) {
  Roles roles;
  memset(&roles, 0, sizeof roles);
  px_sum_database(&roles);
  px_add(&roles.members_of, GetSessionUserId());
  px_add(&roles.members_of, get_role_oid(authenticator, true));
  if (superuser_arg(GetSessionUserId())) {
    px_take_all_roles(&roles);
  } else {
    px_follow_memberships(&roles);
  }
  px_sum_settings(&roles);
  px_sum_parameter_privileges(&roles);
  return roles.sum;
}

}  // namespace pgrst::pg
