// Every difference between PostgreSQL 14 and 19 that this project meets, with its reason. No other
// file looks at PG_VERSION_NUM.
#pragma once

#include "pg/pg_prelude.hpp"

extern "C" {
#include "catalog/objectaddress.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_database.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "parser/analyze.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
// 16 moved VARDATA_ANY and friends out of postgres.h.
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
// 18 moved wait event sets out of latch.h.
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#if PG_VERSION_NUM >= 150000
#include "catalog/pg_parameter_acl.h"
#endif
#if PG_VERSION_NUM >= 170000
#include "storage/proc.h"
#endif
}

namespace pgrst::pg {

// 15 gave the function its last argument.
inline Query* px_parse_analyze_varparams(RawStmt* raw, const char* sql, Oid** types, int* count) {
#if PG_VERSION_NUM >= 150000
  return parse_analyze_varparams(raw, sql, types, count, nullptr);
#else
  return parse_analyze_varparams(raw, sql, types, count);
#endif
}

// All settings of this process: an array, and with 16 a new one that is to be freed.
template <class Use>
inline void px_each_guc(Use px_use) {
#if PG_VERSION_NUM >= 160000
  int count = 0;
  struct config_generic** all = get_guc_variables(&count);
#else
  const int count = GetNumConfigOptions();
  struct config_generic** all = get_guc_variables();
#endif
  for (int i = 0; i < count; i++) px_use(all[i]);
#if PG_VERSION_NUM >= 160000
  pfree(all);
#endif
}

// What a check hook leaves for the assign hook. 16 frees it in a context of its own; before, it
// comes from malloc. Null when there is no memory.
inline void* px_guc_extra(size_t size) {
#if PG_VERSION_NUM >= 160000
  return guc_malloc(LOG, size);
#else
  return malloc(size);
#endif
}

#if PG_VERSION_NUM >= 160000
constexpr char kHowNotToInherit[] =
    "Grant the roles WITH INHERIT FALSE: the authenticator only has to take them.";
#else
constexpr char kHowNotToInherit[] =
    "ALTER ROLE ... NOINHERIT: the authenticator only has to take its roles.";
#endif

// 16 lets each membership say whether rights come with it; before, the member says it for all.
inline bool px_is_inherited(const FormData_pg_auth_members* membership, bool member_inherits) {
#if PG_VERSION_NUM >= 160000
  (void)member_inherits;
  return membership->inherit_option;
#else
  (void)membership;
  return member_inherits;
#endif
}

// 17 ties wait event sets to resource owners; without one they live as long as the process.
inline WaitEventSet* px_create_wait_event_set(int events) {
#if PG_VERSION_NUM >= 170000
  return CreateWaitEventSet(nullptr, events);
#else
  return CreateWaitEventSet(TopMemoryContext, events);
#endif
}

// 16 made one function of the many.
inline bool px_owns_database(Oid database, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(DatabaseRelationId, database, role);
#else
  return pg_database_ownercheck(database, role);
#endif
}

// As the input function of json checks it, but without a copy. 17 changed the order of arguments.
inline bool px_is_json(char* text, size_t size) {
#if PG_VERSION_NUM >= 170000
  JsonLexContext* lex =
      makeJsonLexContextCstringLen(nullptr, text, size, GetDatabaseEncoding(), false);
#else
  JsonLexContext* lex =
      makeJsonLexContextCstringLen(text, static_cast<int>(size), GetDatabaseEncoding(), false);
#endif
  return pg_parse_json(lex, &nullSemAction) == JSON_SUCCESS;
}

// transaction_timeout exists from 17 on. A background worker has to arm it itself.
inline void px_arm_transaction_timeout() {
#if PG_VERSION_NUM >= 170000
  if (TransactionTimeout > 0) enable_timeout_after(TRANSACTION_TIMEOUT, TransactionTimeout);
#endif
}

inline void px_disarm_transaction_timeout() {
#if PG_VERSION_NUM >= 170000
  if (get_timeout_active(TRANSACTION_TIMEOUT)) disable_timeout(TRANSACTION_TIMEOUT, false);
#endif
}

// Privileges to set parameters exist from 15 on.
inline Oid px_parameter_acl_catalog() {
#if PG_VERSION_NUM >= 150000
  return ParameterAclRelationId;
#else
  return InvalidOid;
#endif
}

// From 15 on only a hook may request shared memory; before, _PG_init does.
#if PG_VERSION_NUM >= 150000
#define PGRST_HAS_SHMEM_REQUEST_HOOK 1
#else
#define PGRST_HAS_SHMEM_REQUEST_HOOK 0
#endif

}  // namespace pgrst::pg
