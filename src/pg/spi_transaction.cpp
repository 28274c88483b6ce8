#include <cstring>

#include "pg/spi_transaction.hpp"
#include "pg/guard.hpp"
#include "pg/json_writer.hpp"
#include "pg/plan_cache.hpp"
#include "pg/session_state.hpp"
#include "pg/worker.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "commands/prepare.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "jit/jit.h"
#include "mb/pg_wchar.h"
#include "nodes/params.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/bufmgr.h"
#include "storage/condition_variable.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/wait_event.h"
}

namespace pgrst::pg {

namespace {

// -- settings ------------------------------------------------------------------------------------

void px_check_text(const std::string& text) {
  (void)pg_verify_mbstr(GetDatabaseEncoding(), text.data(), static_cast<int>(text.size()), false);
}

void px_set(const char* name, const std::string& value) {
  px_check_text(value);
  (void)set_config_option(name, value.c_str(), superuser() ? PGC_SUSET : PGC_USERSET, PGC_S_SESSION,
                          GUC_ACTION_LOCAL, true, 0, false);
}

// Neither an empty role nor "none", which would mean the session's own role, the authenticator: no
// request may become that.
void px_set_role(const std::string& role) {
  if (role.empty() || pg_strcasecmp(role.c_str(), "none") == 0) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("role \"%s\" does not exist", role.c_str())));
  }
  px_set("role", role);
}

void px_set_all(const SettingList& settings) {
  for (const auto& setting : settings) {
    // The number of buffers for temporary tables cannot change once an earlier request has used
    // some.
    if (NLocBuffer != 0 && setting.first == "temp_buffers") continue;
    px_set(setting.first.c_str(), setting.second);
  }
}

// Background workers have to arm the time-outs of statements themselves.
void px_arm_timeouts() {
  if (StatementTimeout > 0) enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
  px_arm_transaction_timeout();
}

void px_disarm_timeouts() {
  if (get_timeout_active(STATEMENT_TIMEOUT)) disable_timeout(STATEMENT_TIMEOUT, false);
  px_disarm_transaction_timeout();
}

// -- parameters ----------------------------------------------------------------------------------

void free_text(std::string* text) noexcept { std::string().swap(*text); }

// A large JSON text as a datum, where it is: a copy would double what a request costs. False when
// it has to go the usual way, be it only to say what is wrong with it.
bool px_json_in_place(std::string* payload, Datum* value) {
  constexpr size_t kLarge = 1024 * 1024;
  static_assert(kPayloadSpare == VARHDRSZ);
  const size_t size = payload->size();
  if (size < kLarge || size > MaxAllocSize - VARHDRSZ || payload->capacity() - size < VARHDRSZ ||
      !px_is_json(payload->data(), size)) {
    return false;
  }
  payload->insert(0, VARHDRSZ, '\0');  // within the capacity: cannot fail
  SET_VARSIZE(payload->data(), size + VARHDRSZ);
  *value = PointerGetDatum(payload->data());
  return true;
}

// The payload becomes a datum. If that holds a copy of it, the text is given back at once.
Datum px_payload(const PreparedPlan* plan, int at, std::string* payload) {
  px_check_text(*payload);
  Datum value;
  if (plan->types[at] == JSONOID && px_json_in_place(payload, &value)) return value;
  value = InputFunctionCall(&plan->input_functions[at], payload->data(), plan->io_params[at], -1);
  free_text(payload);
  return value;
}

ParamListInfo px_params(const PreparedPlan* plan, const Statement& statement,
                        std::string* payload) {
  const std::vector<SqlParam>& values = statement.params;
  if (plan->param_count == 0) return nullptr;
  ParamListInfo params = makeParamList(plan->param_count);
  for (int i = 0; i < plan->param_count; i++) {
    const SqlParam& value = values[i];
    ParamExternData* param = &params->params[i];
    param->pflags = PARAM_FLAG_CONST;
    param->ptype = plan->types[i];
    if (statement.payload_at == static_cast<size_t>(i)) {
      param->value = px_payload(plan, i, payload);
      param->isnull = false;
      param->pflags = 0;  // as a constant it would be copied into the plan, twice
      continue;
    }
    if (value) px_check_text(*value);
    char* text = value ? const_cast<char*>(value->c_str()) : nullptr;
    param->value = InputFunctionCall(&plan->input_functions[i], text, plan->io_params[i], -1);
    param->isnull = !value.has_value();
  }
  return params;
}

// The workers' own default (px_connect) would show among the settings of a plan, which are to be
// those that any session has.
void px_show_usual_settings() {
  if (jit_is_suppressed() && !jit_enabled) px_set("jit", "on");
}

// -- statements ----------------------------------------------------------------------------------

struct StatementRun {
  const Statement* statement;
  std::string* payload;
  PreparedPlan* plan;
  ByteSink* sink;
  uint64 rows;
  uint64 total;
  uint64 took_us;
};

RowFormat row_format(const Statement& statement) {
  switch (statement.format) {
    case ResultFormat::kJsonArray:
      return RowFormat::kJsonArray;
    case ResultFormat::kJsonObject:
      return RowFormat::kJsonObject;
    case ResultFormat::kJsonValues:
      return RowFormat::kJsonValues;
    case ResultFormat::kJsonValue:
      return RowFormat::kJsonValue;
    case ResultFormat::kJsonValuesStripped:
      return RowFormat::kJsonValuesStripped;
    case ResultFormat::kJsonValueStripped:
      return RowFormat::kJsonValueStripped;
    case ResultFormat::kJsonArrayStripped:
      return RowFormat::kJsonArrayStripped;
    case ResultFormat::kJsonObjectStripped:
      return RowFormat::kJsonObjectStripped;
    case ResultFormat::kCsv:
      return statement.has_marks ? RowFormat::kCsvMarked : RowFormat::kCsv;
    case ResultFormat::kGeoJson:
      return RowFormat::kGeoJson;
    case ResultFormat::kLines:
      return RowFormat::kLines;
    case ResultFormat::kRaw:
      return RowFormat::kRaw;
    case ResultFormat::kRecords:
    case ResultFormat::kExplained:
      return RowFormat::kRecords;
    case ResultFormat::kNone:
    case ResultFormat::kCount:
      break;
  }
  return RowFormat::kCountOnly;
}

void px_run_statement(StatementRun* run, bool read_only) {
  const Statement& statement = *run->statement;
  if (statement.format == ResultFormat::kLines) px_show_usual_settings();
  instr_time begun;
  INSTR_TIME_SET_CURRENT(begun);
  debug_query_string = statement.text.c_str();
  pgstat_report_activity(STATE_RUNNING, debug_query_string);
  if (run->plan->plan == nullptr) {
    px_check_text(statement.text);
    px_prepare(statement.text.c_str(), static_cast<int>(statement.params.size()), run->plan);
  }
  DestReceiver* receiver =
      px_create_row_receiver(row_format(statement), statement.window.offset, statement.window.limit,
                             run->plan->plan, run->sink, CurrentMemoryContext);
  SPIExecuteOptions options;
  memset(&options, 0, sizeof options);
  options.params = px_params(run->plan, statement, run->payload);
  // To SPI every utility statement is one that writes.
  const bool explains =
      statement.format == ResultFormat::kExplained || statement.format == ResultFormat::kLines;
  options.read_only = read_only && !explains;
  options.dest = receiver;
  const int rc = SPI_execute_plan_extended(run->plan->plan, &options);
  if (rc < 0) elog(ERROR, "SPI_execute_plan_extended: %s", SPI_result_code_string(rc));
  px_finish(receiver);
  run->rows = px_row_count(receiver);
  run->total = px_total_count(receiver);
  // A write without RETURNING sends no rows.
  if (rc == SPI_OK_INSERT || rc == SPI_OK_UPDATE || rc == SPI_OK_DELETE) {
    run->rows = run->total = SPI_processed;
  }
  instr_time took;
  INSTR_TIME_SET_CURRENT(took);
  INSTR_TIME_SUBTRACT(took, begun);
  run->took_us = INSTR_TIME_GET_MICROSEC(took);
}

void px_run_pre_request(const std::string& sql) {
  debug_query_string = sql.c_str();
  pgstat_report_activity(STATE_RUNNING, debug_query_string);
  const int rc = SPI_execute(sql.c_str(), false, 0);
  if (rc < 0) elog(ERROR, "SPI_execute: %s", SPI_result_code_string(rc));
  SPI_freetuptable(SPI_tuptable);
  // The statements must see what it wrote.
  PopActiveSnapshot();
  CommandCounterIncrement();
  PushActiveSnapshot(GetTransactionSnapshot());
}

// A copy that outlives the transaction, or null when the setting is not set or empty.
char* px_copy_setting(const char* name) {
  const char* value = GetConfigOption(name, true, false);
  if (value == nullptr || value[0] == '\0') return nullptr;
  char* copy = strdup(value);
  if (copy == nullptr) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  return copy;
}

struct TransactionRun {
  const Transaction* transaction;
  TransactionScope scope;
  StatementRun* statements;
  int statement_count;
  char* response_headers;  // from strdup
  char* response_status;
  char* inserted;
};

// Whether the transaction is to be undone although nothing failed.
bool wants_rollback(const TransactionRun& run) {
  const Transaction& t = *run.transaction;
  if (t.rollback || run.statement_count == 0) return t.rollback;
  const uint64 rows = run.statements[0].rows;
  return rows < t.min_rows || rows > t.max_rows;
}

int isolation_level(Isolation isolation) {
  switch (isolation) {
    case Isolation::kRepeatableRead:
      return XACT_REPEATABLE_READ;
    case Isolation::kSerializable:
      return XACT_SERIALIZABLE;
    case Isolation::kReadCommitted:
      break;
  }
  return XACT_READ_COMMITTED;
}

// Steps 3 to 6 of the header comment.
void px_run_body(TransactionRun* run) {
  const Transaction& t = *run->transaction;
  const bool read_only = t.access == AccessMode::kReadOnly;
  px_set_all(t.role_settings);
  if (!t.as_session_user) px_set_role(t.role);
  px_set_all(t.settings);
  if (run->scope == TransactionScope::kOwn) px_arm_timeouts();
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
  PushActiveSnapshot(GetTransactionSnapshot());
  if (!t.pre_request.empty()) px_run_pre_request(t.pre_request);
  uint64 bytes_left = t.max_bytes;
  for (int i = 0; i < run->statement_count; i++) {
    ByteSink* sink = run->statements[i].sink;
    sink->limit = bytes_left;
    px_run_statement(&run->statements[i], read_only);
    bytes_left -= sink->size();
  }
  SPI_finish();
  PopActiveSnapshot();
  run->response_headers = px_copy_setting("response.headers");
  run->response_status = px_copy_setting("response.status");
  if (!read_only) run->inserted = px_copy_setting("response.inserted");
}

// What a request may do ends with what its method allows. PostgreSQL lets a function RESET the
// access mode before 16.
void px_check_still_read_only(const Transaction& t) {
  if (t.access != AccessMode::kReadOnly || XactReadOnly) return;
  ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                  errmsg("cannot leave the read-only mode of the transaction")));
}

bool had_temp_objects = false;  // of the transaction that runs or was aborted last

// -- the commit ----------------------------------------------------------------------------------

volatile bool committed = false;
volatile sig_atomic_t cancel_signals = 0;

// The commit that is under way; a level of 0: none is.
struct CommitState {
  int settings_level;
  bool writes_wal;
  sig_atomic_t cancel_signals_before;
  bool unconfirmed;
};
CommitState commit_state = {0, false, 0, false};

// Whether this commit was to wait for a synchronous standby, and ended without its answer. A wait
// ends early for a cancel or the end of the process, with a WARNING for the client only.
bool px_standby_has_not_confirmed() {
  const bool was_interrupted =
      cancel_signals != commit_state.cancel_signals_before || ProcDiePending;
  if (!was_interrupted || !commit_state.writes_wal || !SyncRepRequested() ||
      SyncRepStandbyNames == nullptr || SyncRepStandbyNames[0] == '\0') {
    return false;
  }
  int mode = SYNC_REP_WAIT_FLUSH;
  if (synchronous_commit == SYNCHRONOUS_COMMIT_REMOTE_WRITE) mode = SYNC_REP_WAIT_WRITE;
  if (synchronous_commit == SYNCHRONOUS_COMMIT_REMOTE_APPLY) mode = SYNC_REP_WAIT_APPLY;
  LWLockAcquire(SyncRepLock, LW_SHARED);
  const XLogRecPtr confirmed = WalSndCtl->lsn[mode];
  LWLockRelease(SyncRepLock);
  return confirmed < XactLastCommitEnd;
}

// The last of a commit that asks others: it is done, everybody sees it, its locks are gone. Now the
// settings of the request go, before CommitTransaction() would make what was SET without LOCAL the
// session's. Until here they hold: synchronous_commit, commit_delay and what extensions read when
// they commit elsewhere are those of the request.
void px_on_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level, void*) {
  if (phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_commit || !is_top_level) return;
  if (commit_state.settings_level == 0) return;
  committed = true;
  commit_state.unconfirmed = px_standby_has_not_confirmed();
  AtEOXact_GUC(false, commit_state.settings_level);
  commit_state.settings_level = 0;
}

void px_commit(int settings_level) {
  static bool registered = false;
  if (!registered) {
    RegisterResourceReleaseCallback(&px_on_release, nullptr);
    registered = true;
  }
  CHECK_FOR_INTERRUPTS();
  commit_state = {settings_level, XactLastRecEnd != 0, cancel_signals, false};
  EndTransactionBlock(false);
  CommitTransactionCommand();
  // From here on nothing may turn the result into an error.
  QueryCancelPending = false;
}

// -- a transaction of its own --------------------------------------------------------------------

// The session user bounds what user code can reach. It was no superuser when the worker connected;
// it may have become one since. The look-up is cached.
void px_refuse_superuser() {
  if (superuser_arg(GetSessionUserId())) {
    ereport(FATAL, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("the authenticator role has become a superuser")));
  }
}

void px_begin(const Transaction& t) {
  had_temp_objects = false;
  committed = false;
  commit_state = {0, false, 0, false};
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  px_refuse_superuser();
  XactIsoLevel = isolation_level(t.isolation);
  if (t.access == AccessMode::kReadOnly) XactReadOnly = true;
  // As BEGIN does. Extensions take what runs outside of a block for a statement that commits by
  // itself, and commit on other servers what may be rolled back here.
  BeginTransactionBlock();
  CommitTransactionCommand();
  StartTransactionCommand();
}

void px_run_own(TransactionRun* run) {
  px_begin(*run->transaction);
  const int level = NewGUCNestLevel();
  px_run_body(run);
  AfterTriggerFireDeferred();
  px_disarm_timeouts();
  px_check_still_read_only(*run->transaction);
  had_temp_objects = (MyXactFlags & XACT_FLAGS_ACCESSEDTEMPNAMESPACE) != 0;
  PortalHashTableDeleteAll();
  if (wants_rollback(*run)) {
    AbortOutOfAnyTransaction();
    QueryCancelPending = false;
  } else {
    px_commit(level);
  }
}

// In the caller's transaction there is neither isolation to choose nor anything to discard;
// deferred triggers wait for its end.
void px_run_in_caller(TransactionRun* run) {
  const Transaction& t = *run->transaction;
  const int level = NewGUCNestLevel();
  if (t.access == AccessMode::kReadOnly) px_set("transaction_read_only", "on");
  px_run_body(run);
  AtEOXact_GUC(false, level);
}

void px_run_in_subtransaction(TransactionRun* run) {
  MemoryContext context = CurrentMemoryContext;
  ResourceOwner owner = CurrentResourceOwner;
  const char* volatile query = debug_query_string;
  BeginInternalSubTransaction(nullptr);
  MemoryContextSwitchTo(context);
  PG_TRY();
  {
    px_run_in_caller(run);
    if (wants_rollback(*run)) {
      RollbackAndReleaseCurrentSubTransaction();
    } else {
      ReleaseCurrentSubTransaction();
    }
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
  }
  PG_CATCH();
  {
    debug_query_string = query;
    MemoryContextSwitchTo(context);
    ErrorData* error = CopyErrorData();
    FlushErrorState();
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    ReThrowError(error);
  }
  PG_END_TRY();
  debug_query_string = query;
}

void px_end_activity() {
  debug_query_string = nullptr;
  pgstat_report_stat(false);
  pgstat_report_activity(STATE_IDLE, nullptr);
}

void px_abort() {
  had_temp_objects = had_temp_objects || (MyXactFlags & XACT_FLAGS_ACCESSEDTEMPNAMESPACE) != 0;
  commit_state.settings_level = 0;
  disable_all_timeouts(false);
  QueryCancelPending = false;
  // Outside a transaction nobody else gives these back.
  LWLockReleaseAll();
  ConditionVariableCancelSleep();
  pgstat_report_wait_end();
  AbortOutOfAnyTransaction();
}

// What outlives a transaction; step 9. Whatever raises here leaves something behind.
void px_discard(bool with_temp_objects) {
  LockReleaseSession(USER_LOCKMETHOD);
  DropAllPreparedStatements();
  ResetSequenceCaches();
  px_reset_session_state();
  if (!with_temp_objects) return;
  StartTransactionCommand();
  PushActiveSnapshot(GetTransactionSnapshot());  // for what is toasted of their catalog rows
  ResetTempTableNamespace();
  PopActiveSnapshot();
  CommitTransactionCommand();
}

// The last one counts.
const std::string& search_path_of(const Transaction& t) {
  static const std::string none;
  const std::string* found = &none;
  for (const SettingList* list : {&t.role_settings, &t.settings}) {
    for (const auto& [name, value] : *list) {
      if (name == "search_path") found = &value;
    }
  }
  return *found;
}

}  // namespace

// -- bodies --------------------------------------------------------------------------------------

void Bodies::resize(size_t count) {
  clear();
  sinks_.resize(count);
  for (auto& sink : sinks_) sink.init();
}

void Bodies::clear() {
  for (auto& sink : sinks_) sink.free_all();
  sinks_.clear();
}

namespace {

bool unclean = false;

void discard() {
  if (guard([] { px_discard(had_temp_objects); })) {
    unclean = true;
    (void)guard([] { px_abort(); });
  }
}

// After one of these nobody knows what a library made of it half-way: PL/pgSQL, for one, refuses
// every function after an allocation that failed while it was being loaded.
bool leaves_doubts(const PgError& error) { return error.sqlstate == "53200"; }

}  // namespace

// -- the transaction -----------------------------------------------------------------------------

TransactionResult run_transaction(Transaction& transaction, TransactionScope scope,
                                  PlanCache* plans, Bodies& bodies) {
  const size_t count = transaction.statements.size();
  bodies.resize(count);
  PlanCache own_plans(0, 0);
  PlanCache& cache = plans == nullptr ? own_plans : *plans;
  std::vector<StatementRun> statements(count);
  for (size_t i = 0; i < count; i++) {
    const Statement& statement = transaction.statements[i];
    PreparedPlan* plan = cache.find(statement.text, transaction.role, search_path_of(transaction));
    statements[i] = {&statement, &transaction.payload, plan, &bodies[i], 0, 0, 0};
  }
  TransactionRun run{&transaction, scope,  statements.data(), static_cast<int>(count), nullptr,
                     nullptr,      nullptr};
  TransactionResult result;
  if (scope == TransactionScope::kOwn) {
    result.error = guard([&] { px_run_own(&run); });
    if (result.error) {
      abort_and_discard();
      unclean = unclean || leaves_doubts(*result.error);
    } else {
      discard();
      if (commit_state.unconfirmed) result.completion = Completion::kUnconfirmed;
    }
    if (guard([] { px_end_activity(); })) unclean = true;
  } else {
    result.error = guard([&] { px_run_in_subtransaction(&run); }, ErrorLog::kSilent);
  }
  cache.keep();
  if (result.error) {
    bodies.clear();
  } else {
    for (size_t i = 0; i < count; i++) {
      result.result_sets.push_back({statements[i].rows, statements[i].total, "", bodies[i].size()});
      bodies.times.push_back(statements[i].took_us);
    }
    if (run.response_headers != nullptr) result.response_headers = run.response_headers;
    if (run.response_status != nullptr) result.response_status = run.response_status;
    if (run.inserted != nullptr) result.inserted = run.inserted;
  }
  free(run.response_headers);
  free(run.response_status);
  free(run.inserted);
  return result;
}

bool transaction_committed() { return committed; }
void forget_transaction_committed() { committed = false; }
void note_cancel_signal() { cancel_signals = cancel_signals + 1; }
bool session_is_unclean() { return unclean; }
void mark_session_unclean() { unclean = true; }

void abort_and_discard() {
  (void)guard([] { px_abort(); });
  discard();
}

}  // namespace pgrst::pg
