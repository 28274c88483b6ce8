#include <chrono>
#include <new>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/config.hpp"
#include "core/text.hpp"
#include "core/wire.hpp"
#include "schema_cache/builder.hpp"
#include "schema_cache/catalog_queries.hpp"

#include "pg/introspection.hpp"

#include "pg/definitions.hpp"
#include "pg/fingerprint.hpp"
#include "pg/guard.hpp"
#include "pg/gucs.hpp"
#include "pg/row_records.hpp"
#include "pg/served_objects.hpp"
#include "pg/served_roles.hpp"
#include "pg/shmem.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/tuptable.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
}

namespace pgrst::pg {

namespace {

// What introspection waits for a lock at most. Its own work needs none that others hold for long.
constexpr const char* kLockTimeout = "300ms";
constexpr const char* kStatementTimeout = "120s";

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

// Reads the table without asking for the session's privileges, which no role of a request has: it
// holds secrets. Adds its rows to the sum, and to `out` as row records of name and value.
void px_scan_config(uint64* sum, ByteSink* out) {
  const Oid table = px_config_table();
  if (table == InvalidOid) return;
  Relation relation = try_relation_open(table, AccessShareLock);
  if (relation == nullptr) return;  // dropped meanwhile
  TupleTableSlot* slot = table_slot_create(relation, nullptr);
  TableScanDesc scan = table_beginscan(relation, GetActiveSnapshot(), 0, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    slot_getsomeattrs(slot, 2);
    if (slot->tts_isnull[0] || slot->tts_isnull[1]) continue;
    const text* name = DatumGetTextPP(slot->tts_values[0]);
    const text* value = DatumGetTextPP(slot->tts_values[1]);
    const auto name_length = static_cast<int32>(VARSIZE_ANY_EXHDR(name));
    const auto value_length = static_cast<int32>(VARSIZE_ANY_EXHDR(value));
    *sum += mix(hash_of_text(VARDATA_ANY(name), name_length, 1),
                hash_of_text(VARDATA_ANY(value), value_length, 2));
    px_append_head(out, 2);
    px_append_value(out, VARDATA_ANY(name), name_length);
    px_append_value(out, VARDATA_ANY(value), value_length);
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  table_close(relation, AccessShareLock);
}

Oid px_reload_marker() {
  const Oid schema = get_namespace_oid("pgrst", true);
  return schema == InvalidOid ? InvalidOid : get_relname_relid("status", schema);
}

// -- the examination -----------------------------------------------------------------------------

// Everything that is read without a query.
struct Examination {
  const Fingerprint* known;  // null: none
  bool only_roles;           // the rest of the known fingerprint still holds
  ServedScope scope;
  bool extension_present;
  Oid reload_marker;
  Fingerprint fingerprint;
  ByteSink config;
  ByteSink relations;  // array literals
  ByteSink types;
  ByteSink domains;  // pairs of Oid
  Definitions definitions;
  int64 fingerprint_us;
  int64 definitions_us;
};

struct OwnedExamination : Examination {
  OwnedExamination() {
    std::memset(static_cast<void*>(this), 0, sizeof *this);
    each_sink([](ByteSink& sink) { sink.init(); });
  }
  OwnedExamination(const OwnedExamination&) = delete;
  OwnedExamination& operator=(const OwnedExamination&) = delete;
  ~OwnedExamination() {
    each_sink([](ByteSink& sink) { sink.free_all(); });
  }

  template <class F>
  void each_sink(F f) {
    for (ByteSink* sink :
         {&config, &relations, &types, &domains, &definitions.view_columns,
          &definitions.updatability, &definitions.defaults, &definitions.left_out}) {
      f(*sink);
    }
  }
};

int64 now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void px_append_oids(ByteSink* out, const OidSet& set) {
  px_append_bytes(out, "{", 1);
  for (uint32 i = 0; i < set.count; i++) {
    char text[12];
    const int length = snprintf(text, sizeof text, i == 0 ? "%u" : ",%u", set.items[i]);
    px_append_bytes(out, text, static_cast<size_t>(length));
  }
  px_append_bytes(out, "}", 1);
}

bool is_known(const Examination& e) { return e.known != nullptr && *e.known == e.fingerprint; }

void px_examine_objects(Examination* out) {
  const int64 begun = now_us();
  ServedObjects objects;
  px_find_served_objects(out->scope, &objects);
  out->domains = objects.domains;
  out->fingerprint.objects = objects.sum;
  px_scan_config(&out->fingerprint.objects, &out->config);
  out->fingerprint_us = now_us() - begun;
  if (is_known(*out)) return;
  px_append_oids(&out->relations, objects.relations);
  px_append_oids(&out->types, objects.types);
  px_read_definitions(objects, &out->definitions);
  out->definitions_us = now_us() - begun - out->fingerprint_us;
}

void px_examine_catalogs(Examination* out) {
  const MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "postgrest catalogs", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext old_context = MemoryContextSwitchTo(context);
  PushActiveSnapshot(GetTransactionSnapshot());
  out->extension_present = px_extension_present();
  if (out->extension_present) {
    out->reload_marker = px_reload_marker();
    out->fingerprint.roles = px_sum_served_roles(out->scope.authenticator);
    if (out->only_roles) out->fingerprint.objects = out->known->objects;
    if (!out->only_roles || !is_known(*out)) px_examine_objects(out);
  }
  PopActiveSnapshot();
  MemoryContextSwitchTo(old_context);
  MemoryContextDelete(context);
}

void px_set_local(const char* name, const char* value) {
  (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
                          false);
}

void px_examine(Examination* out, TransactionScope scope) {
  const bool own = scope == TransactionScope::kOwn;
  if (own) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
  }
  const int level = NewGUCNestLevel();
  px_set_local("search_path", "");
  if (own) {
    px_set_local("lock_timeout", kLockTimeout);
    px_set_local("statement_timeout", kStatementTimeout);
    enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
  }
  px_examine_catalogs(out);
  if (own && get_timeout_active(STATEMENT_TIMEOUT)) disable_timeout(STATEMENT_TIMEOUT, false);
  AtEOXact_GUC(false, level);
  if (own) CommitTransactionCommand();
}

// -- the queries ---------------------------------------------------------------------------------

std::string text_of(const ByteSink& sink) {
  std::string text(sink.size(), '\0');
  sink.copy_to(text.data());
  return text;
}

// Array literals of the domains, and of the types below them that are no domains.
std::pair<std::string, std::string> resolve_domains(const std::string& pairs) {
  std::unordered_map<Oid, Oid> below;
  std::vector<Oid> domains(pairs.size() / sizeof(Oid));
  std::memcpy(domains.data(), pairs.data(), domains.size() * sizeof(Oid));
  for (size_t i = 0; i + 1 < domains.size(); i += 2) below[domains[i]] = domains[i + 1];
  std::string names = "{", types = "{";
  std::vector<Oid> chain;
  for (size_t i = 0; i + 1 < domains.size(); i += 2) {
    Oid type = domains[i];
    chain.clear();
    for (auto it = below.find(type); it != below.end(); it = below.find(type)) {
      chain.push_back(type);
      type = it->second;
    }
    for (const Oid domain : chain) below[domain] = type;  // those above need not go as deep again
    if (i > 0) {
      names += ',';
      types += ',';
    }
    names += std::to_string(domains[i]);
    types += std::to_string(type);
  }
  return {names + '}', types + '}'};
}

void fill_in(Transaction& transaction, const Examination& found) {
  const auto [domains, base_types] = resolve_domains(text_of(found.domains));
  const std::string relations = text_of(found.relations), types = text_of(found.types);
  for (auto& statement : transaction.statements) {
    for (auto& param : statement.params) {
      if (param == kRelationsParam) param = relations;
      if (param == kTypesParam) param = types;
      if (param == kDomainsParam) param = domains;
      if (param == kBaseTypesParam) param = base_types;
    }
  }
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

// What was read without queries goes behind what they give, in the order of CatalogResult.
void append_examined(Examination& found, ByteSink& set_by_function, ResponseHead& head,
                     Bodies& bodies) {
  Definitions& definitions = found.definitions;
  for (ByteSink* sink : {&found.config, &set_by_function, &definitions.view_columns,
                         &definitions.updatability, &definitions.defaults}) {
    head.result.result_sets.push_back({0, 0, "", sink->size()});
    bodies.append(*sink);
    sink->init();
  }
}

}  // namespace

bool px_extension_present() { return get_extension_oid("postgrest_ext", true) != InvalidOid; }

ResponseHead introspect(RequestMessage& message, TransactionScope scope, Bodies& bodies) {
  ResponseHead head;
  std::vector<const char*> schemas;
  for (const auto& schema : message.subject.schemas) schemas.push_back(schema.c_str());
  OwnedExamination found;
  found.known = message.known_fingerprint ? &*message.known_fingerprint : nullptr;
  found.only_roles = message.only_roles && found.known != nullptr;
  found.scope.schemas = schemas.data();
  found.scope.schema_count = static_cast<int>(schemas.size());
  found.scope.authenticator = message.subject.authenticator.c_str();
  if (message.subject.pre_config) {
    found.scope.function_schema = message.subject.pre_config->schema.c_str();
    found.scope.function_name = message.subject.pre_config->name.c_str();
  }
  const std::string pre_config = std::exchange(message.transaction.pre_request, "");
  head.result.error = guard([&] { px_examine(&found, scope); });
  if (head.result.error) {
    if (scope == TransactionScope::kOwn) abort_and_discard();
    return head;
  }
  head.verdict.extension_present = found.extension_present;
  head.verdict.reload_marker = found.reload_marker;
  head.verdict.fingerprint = found.fingerprint;
  head.verdict.unchanged = found.extension_present && is_known(found);
  head.verdict.times_us = {static_cast<uint64_t>(found.fingerprint_us),
                           static_cast<uint64_t>(found.definitions_us)};
  if (found.extension_present && !head.verdict.unchanged) {
    head.verdict.left_out = text_of(found.definitions.left_out);
    head.verdict.read_again = found.definitions.read_again;
    ByteSink set_by_function;
    set_by_function.init();
    const auto problem = run_pre_config(pre_config, scope, set_by_function);
    if (problem) head.verdict.pre_config_problem = problem->message;
    message.transaction.as_session_user = true;
    fill_in(message.transaction, found);
    if (scope == TransactionScope::kOwn) {
      message.transaction.settings.emplace_back("lock_timeout", kLockTimeout);
      message.transaction.settings.emplace_back("statement_timeout", kStatementTimeout);
    }
    head.result = run_transaction(message.transaction, scope, nullptr, bodies);
    head.verdict.times_us.insert(head.verdict.times_us.end(), bodies.times.begin(),
                                 bodies.times.end());
    if (!head.result.error) append_examined(found, set_by_function, head, bodies);
    set_by_function.free_all();
  }
  return head;
}

}  // namespace pgrst::pg
