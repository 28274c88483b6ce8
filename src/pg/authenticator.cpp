#include "pg/authenticator.hpp"
#include "pg/invalidation.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/catcache.h"
#include "utils/syscache.h"
}

namespace pgrst::pg {

namespace {

bool px_role_inherits(Oid role) {
  HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
  if (!HeapTupleIsValid(tuple)) return false;
  const bool inherits = reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple))->rolinherit;
  ReleaseSysCache(tuple);
  return inherits;
}

bool px_any_membership_inherits(Oid member) {
  const bool member_inherits = px_role_inherits(member);
  CatCList* memberships = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(member));
  bool found = false;
  for (int i = 0; i < memberships->n_members && !found; i++) {
    HeapTuple tuple = &memberships->members[i]->tuple;
    const auto* membership = reinterpret_cast<Form_pg_auth_members>(GETSTRUCT(tuple));
    found = px_is_inherited(membership, member_inherits);
  }
  ReleaseCatCacheList(memberships);
  return found;
}

}  // namespace

void px_authenticator_inherits(bool* inherits) {
  px_poll_invalidations();
  StartTransactionCommand();
  *inherits = px_any_membership_inherits(GetSessionUserId());
  CommitTransactionCommand();
}

}  // namespace pgrst::pg
