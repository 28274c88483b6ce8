#include <cstring>

#include "pg/utility_hook.hpp"
#include "pg/shmem.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "tcop/utility.h"
#include "access/htup_details.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
}

namespace pgrst::pg {

namespace {

constexpr long kStepAsideMs = 6000;

ProcessUtility_hook_type previous_hook = nullptr;

const char* option_text(List* options, const char* name) {
  ListCell* cell = nullptr;
  foreach (cell, options) {
    const auto* option = lfirst_node(DefElem, cell);
    if (std::strcmp(option->defname, name) != 0) continue;
    return option->arg == nullptr ? nullptr : defGetString(const_cast<DefElem*>(option));
  }
  return nullptr;
}

// The name of the database that must have no sessions for this statement, or null.
const char* px_database_to_vacate(Node* statement) {
  switch (nodeTag(statement)) {
    case T_DropdbStmt:
      return castNode(DropdbStmt, statement)->dbname;
    case T_RenameStmt: {
      const auto* rename = castNode(RenameStmt, statement);
      return rename->renameType == OBJECT_DATABASE ? rename->subname : nullptr;
    }
    case T_AlterDatabaseStmt: {
      const auto* alter = castNode(AlterDatabaseStmt, statement);
      return option_text(alter->options, "tablespace") != nullptr ? alter->dbname : nullptr;
    }
    case T_CreatedbStmt:
      return option_text(castNode(CreatedbStmt, statement)->options, "template");
    default:
      return nullptr;
  }
}

bool px_is_served(Oid database) {
  Shared* s = shared();
  for (uint32_t i = 0; s != nullptr && i < s->database_count; i++) {
    if (s->database(i).oid.load() == database) return true;
  }
  return false;
}

// Whether the command has a chance: otherwise anybody could stop the service with commands that
// fail.
bool px_may_do_it(Node* statement, Oid database) {
  if (superuser() || px_owns_database(database, GetUserId())) return true;
  if (!IsA(statement, CreatedbStmt)) return false;
  HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
  if (!HeapTupleIsValid(tuple)) return false;
  const bool is_template = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datistemplate;
  ReleaseSysCache(tuple);
  return is_template;
}

StepAsideRequest* px_post_request(Oid database) {
  Shared* s = shared();
  StepAsideRequest* posted = nullptr;
  LWLockAcquire(s->lock, LW_EXCLUSIVE);
  for (auto& request : s->step_aside) {
    if (request.in_use) continue;
    request.in_use = true;
    request.done = false;
    request.database = database;
    GET_VXID_FROM_PGPROC(request.requester, *MyProc);
    request.requester_latch = MyLatch;
    posted = &request;
    break;
  }
  LWLockRelease(s->lock);
  return posted;
}

bool px_is_done(const StepAsideRequest* request) {
  LWLockAcquire(shared()->lock, LW_SHARED);
  const bool done = request->done || !request->in_use;
  LWLockRelease(shared()->lock);
  return done;
}

// Waits until the workers have gone; after kStepAsideMs the command runs all the same, and says
// itself who is in its way.
void px_ask_to_step_aside(Oid database) {
  StepAsideRequest* request = px_post_request(database);
  if (request == nullptr) return;
  const TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kStepAsideMs);
  while (!px_is_done(request)) {
    wake_launcher();
    const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);
    if (left <= 0) return;
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                    left < 100 ? left : 100, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
  }
}

void px_before(PlannedStmt* planned, ProcessUtilityContext context) {
  Node* statement = planned->utilityStmt;
  const char* name = px_database_to_vacate(statement);
  if (name == nullptr) return;
  const Oid database = get_database_oid(name, true);
  if (database == InvalidOid || !px_is_served(database)) return;
  if (!px_may_do_it(statement, database)) return;
  // These commands refuse transaction blocks themselves, but only after we would have stopped the
  // workers.
  if (!IsA(statement, RenameStmt)) {
    PreventInTransactionBlock(context == PROCESS_UTILITY_TOPLEVEL,
                              "this command on a served database");
  }
  px_ask_to_step_aside(database);
}

void px_process_utility(PlannedStmt* planned, const char* query, bool read_only_tree,
                        ProcessUtilityContext context, ParamListInfo params, QueryEnvironment* env,
                        DestReceiver* dest, QueryCompletion* completion) {
  px_before(planned, context);
  if (previous_hook != nullptr) {
    previous_hook(planned, query, read_only_tree, context, params, env, dest, completion);
  } else {
    standard_ProcessUtility(planned, query, read_only_tree, context, params, env, dest, completion);
  }
}

}  // namespace

void px_install_utility_hook() {
  previous_hook = ProcessUtility_hook;
  ProcessUtility_hook = &px_process_utility;
}

}  // namespace pgrst::pg
