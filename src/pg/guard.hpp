// guard(): the way from C++ into PostgreSQL.
//
// Input -> output: a function that calls PostgreSQL -> nothing, or the PgError it raised.
// Invariants: between the guard and the raise no C++ object with a destructor may live: what runs
// inside is px_ functions, whose locals are trivially destructible. After an error the transaction
// is broken: the only legal next step is to abort it (px_abort_transaction), again under a guard.
// Ownership: the PgError is a copy; PostgreSQL's is freed here.
#pragma once

#include <optional>

#include "core/error.hpp"

#include "pg/pg_prelude.hpp"

extern "C" {
#include "utils/elog.h"
#include "utils/memutils.h"
}

namespace pgrst::pg {

enum class ErrorLog { kReport, kSilent };

// Copies the members; leaves `error` as it is.
inline PgError to_pg_error(const ErrorData& error) {
  const auto text = [](const char* s) { return std::string(s == nullptr ? "" : s); };
  PgError out;
  out.sqlstate = unpack_sql_state(error.sqlerrcode);
  out.message = text(error.message);
  out.detail = text(error.detail);
  out.hint = text(error.hint);
  out.schema_name = text(error.schema_name);
  out.table_name = text(error.table_name);
  out.column_name = text(error.column_name);
  out.constraint_name = text(error.constraint_name);
  out.datatype_name = text(error.datatype_name);
  return out;
}

// log: whether the server log gets the error too, as it would from a client's session.
template <class Body>
std::optional<PgError> guard(const Body& body, ErrorLog log = ErrorLog::kReport) {
  const MemoryContext context = CurrentMemoryContext;
  ErrorData* volatile error = nullptr;
  PG_TRY();
  { body(); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    if (log == ErrorLog::kReport) EmitErrorReport();
    error = CopyErrorData();
    FlushErrorState();
  }
  PG_END_TRY();
  if (error == nullptr) return std::nullopt;
  std::optional<PgError> out(to_pg_error(*error));
  FreeErrorData(error);
  return out;
}

}  // namespace pgrst::pg
