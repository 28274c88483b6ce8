// The SQL-callable functions of schema pgrst.
//
// Each has two halves: a noexcept C++ one that does the work and leaves its results in plain
// memory, and a PostgreSQL one that reads arguments and builds results. The first never raises a
// PostgreSQL error, the second holds no C++ object.

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "app/planned.hpp"
#include "core/config.hpp"
#include "pg/session_request.hpp"

#include "pg/shmem.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PGDLLEXPORT Datum pgrst_request(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum pgrst_to_sql(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum pgrst_reload(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum pgrst_config_changed(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum pgrst_config_check(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(pgrst_request);
PG_FUNCTION_INFO_V1(pgrst_to_sql);
PG_FUNCTION_INFO_V1(pgrst_reload);
PG_FUNCTION_INFO_V1(pgrst_config_changed);
PG_FUNCTION_INFO_V1(pgrst_config_check);
}

namespace pgrst::pg {
namespace {

// -- pgrst.request and pgrst.to_sql --------------------------------------------------------------

struct RequestTexts {
  const char* method;
  const char* target;
  const char* headers;
  const char* body;
  bool by_owner;
};

// Texts from malloc, freed by px_take.
struct AnswerTexts {
  int status;
  char* headers;
  char* body;
  char* transaction;
  // What to raise; null: nothing.
  char* error_message;
  int error_code;
};

char* copy(const std::string& text) { return strdup(text.c_str()); }

void set_error(AnswerTexts* out, int code, const char* message) {
  out->error_code = code;
  out->error_message = strdup(message);
}

void answer_noexcept(const RequestTexts& texts, bool only_sql, AnswerTexts* out) noexcept {
  try {
    HttpRequest request;
    request.method = texts.method;
    const std::string_view target = texts.target;
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
    request.body = texts.body;
    if (!parse_header_object(texts.headers, request.headers)) {
      set_error(out, ERRCODE_INVALID_PARAMETER_VALUE, "headers must be a JSON object of strings");
      return;
    }
    const SessionAnswer answer =
        only_sql ? session_to_sql(request, texts.by_owner) : session_request(request);
    if (answer.error) {
      set_error(out,
                MAKE_SQLSTATE(answer.error->sqlstate[0], answer.error->sqlstate[1],
                              answer.error->sqlstate[2], answer.error->sqlstate[3],
                              answer.error->sqlstate[4]),
                answer.error->message.c_str());
      return;
    }
    out->status = answer.response.status;
    out->headers = copy(answer.headers_json);
    out->body = copy(answer.response.body);
    out->transaction = copy(answer.transaction_json);
  } catch (const std::exception& e) {
    set_error(out, ERRCODE_INTERNAL_ERROR, e.what());
  } catch (...) {
    set_error(out, ERRCODE_INTERNAL_ERROR, "unknown exception");
  }
}

// A palloc'd copy of a text from malloc, which is freed.
text* px_take(char* bytes) {
  text* out = cstring_to_text(bytes == nullptr ? "" : bytes);
  free(bytes);
  return out;
}

void px_answer(FunctionCallInfo fcinfo, bool only_sql, AnswerTexts* out) {
  std::memset(out, 0, sizeof *out);
  RequestTexts texts;
  texts.method = text_to_cstring(PG_GETARG_TEXT_PP(0));
  texts.target = text_to_cstring(PG_GETARG_TEXT_PP(1));
  texts.headers = PG_ARGISNULL(2) ? "{}" : text_to_cstring(PG_GETARG_TEXT_PP(2));
  texts.body = PG_ARGISNULL(3) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(3));
  texts.by_owner = superuser() || px_owns_database(MyDatabaseId, GetUserId());
  answer_noexcept(texts, only_sql, out);
  if (out->error_message == nullptr) return;
  char* message = pstrdup(out->error_message);
  free(out->error_message);
  ereport(ERROR, (errcode(out->error_code), errmsg("%s", message)));
}

void px_require_arguments(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) {
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("method and path must not be null")));
  }
}

// -- pgrst.config --------------------------------------------------------------------------------

// Sends an invalidation of a relation of schema pgrst to all gateways of this database when the
// transaction commits, on standbys too.
void px_send_invalidation(const char* relation) {
  if (RecoveryInProgress()) {
    // Nothing can be sent through the WAL here: tell the gateways of this server directly.
    Shared* s = shared();
    if (s == nullptr) return;
    s->settings_generation.fetch_add(1);
    for (uint32_t i = 0; i < s->database_count; i++) {
      if (Latch* latch = s->database(i).gateway_latch.load()) SetLatch(latch);
    }
    return;
  }
  const Oid schema = get_namespace_oid("pgrst", false);
  const Oid oid = get_relname_relid(relation, schema);
  if (oid != InvalidOid) CacheInvalidateRelcacheByRelid(oid);
}

// Copies what is wrong with a row of pgrst.config; false when nothing is.
bool find_config_problem(const char* name, const char* value, char* problem, size_t size) noexcept {
  try {
    std::string message;
    const std::string_view key = name;
    if (is_app_setting(key)) return false;
    const SettingSpec* spec = find_setting(key);
    if (spec == nullptr) {
      message = "there is no setting of that name";
    } else if (spec->context == SettingContext::kPostmaster ||
               spec->context == SettingContext::kSighup) {
      message = "it can be set in postgresql.conf only";
    } else {
      message = validate_setting(*spec, value).value_or("");
    }
    if (message.empty()) return false;
    const size_t length = message.copy(problem, size - 1);
    problem[length] = '\0';
    return true;
  } catch (...) {
    std::strncpy(problem, "it could not be checked", size);
    return true;
  }
}

}  // namespace
}  // namespace pgrst::pg

using namespace pgrst::pg;  // NOLINT: the functions below are C

Datum pgrst_request(PG_FUNCTION_ARGS) {
  TupleDesc desc = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE) {
    elog(ERROR, "pgrst.request must return a row");
  }
  px_require_arguments(fcinfo);
  AnswerTexts answer;
  px_answer(fcinfo, false, &answer);
  Datum values[3] = {Int32GetDatum(answer.status), PointerGetDatum(px_take(answer.headers)),
                     PointerGetDatum(px_take(answer.body))};
  free(answer.transaction);
  bool nulls[3] = {false, false, false};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

Datum pgrst_to_sql(PG_FUNCTION_ARGS) {
  px_require_arguments(fcinfo);
  AnswerTexts answer;
  px_answer(fcinfo, true, &answer);
  free(answer.headers);
  free(answer.body);
  PG_RETURN_TEXT_P(px_take(answer.transaction));
}

Datum pgrst_reload(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  px_send_invalidation("status");  // the marker of reloads, see invalidation.hpp
  PG_RETURN_VOID();
}

Datum pgrst_config_changed(PG_FUNCTION_ARGS) {
  if (!CALLED_AS_TRIGGER(fcinfo)) elog(ERROR, "pgrst.config_changed is a trigger function");
  px_send_invalidation("config");  // its rows are part of the fingerprint
  PG_RETURN_POINTER(nullptr);
}

Datum pgrst_config_check(PG_FUNCTION_ARGS) {
  if (!CALLED_AS_TRIGGER(fcinfo)) elog(ERROR, "pgrst.config_check is a trigger function");
  auto* data = reinterpret_cast<TriggerData*>(fcinfo->context);
  HeapTuple tuple =
      TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
  bool null_name = false;
  bool null_value = false;
  TupleDesc desc = RelationGetDescr(data->tg_relation);
  const Datum name = heap_getattr(tuple, 1, desc, &null_name);
  const Datum value = heap_getattr(tuple, 2, desc, &null_value);
  if (null_name || null_value) PG_RETURN_POINTER(tuple);  // the table's own constraints refuse it
  char problem[256];
  const char* setting = TextDatumGetCString(name);
  if (find_config_problem(setting, TextDatumGetCString(value), problem, sizeof problem)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("invalid setting \"%s\": %s", setting, problem)));
  }
  PG_RETURN_POINTER(tuple);
}
