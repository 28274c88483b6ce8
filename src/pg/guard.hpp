// guard(): the way from C++ into PostgreSQL.
//
// Input -> output: a function that calls PostgreSQL -> nothing, or the PgError it raised.
// Invariants: between the guard and the raise no C++ object with a destructor may live: what runs
// inside is px_ functions, whose locals are trivially destructible. After an error the transaction
// is broken: the only legal next step is to abort it (px_abort_transaction), again under a guard.
// Ownership: the PgError is a copy; PostgreSQL's is freed here.
#pragma once

#include <optional>
#include <string>

#include "core/error.hpp"

#include "pg/pg_prelude.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/elog.h"
#include "utils/memutils.h"
}

namespace pgrst::pg {

enum class ErrorLog { kReport, kSilent };

// Bytes of a text of an error that are passed on. A message may quote a value of any size: "invalid
// input syntax" does. What a function says in JSON cannot be cut, and gets more room.
constexpr size_t kMaxErrorText = 64 * 1024;
constexpr size_t kMaxRaisedJson = 1024 * 1024;

inline size_t max_error_text(int sqlerrcode) {
  return sqlerrcode == MAKE_SQLSTATE('P', 'G', 'R', 'S', 'T') ? kMaxRaisedJson : kMaxErrorText;
}

// Copies the members; leaves `error` as it is.
inline PgError to_pg_error(const ErrorData& error) {
  const size_t limit = max_error_text(error.sqlerrcode);
  const auto text = [&](const char* s) {
    if (s == nullptr) return std::string();
    const size_t size = strlen(s);
    if (size <= limit) return std::string(s, size);
    // Raises nothing.
    return std::string(s, pg_mbcliplen(s, static_cast<int>(size), static_cast<int>(limit)));
  };
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

// What PG_TRY changes, put back whatever way the block is left: should C++ throw through it after
// all, PostgreSQL must not jump into a frame that is gone.
class ErrorStacks {
 public:
  ErrorStacks() : exceptions_(PG_exception_stack), contexts_(error_context_stack) {}
  ~ErrorStacks() {
    PG_exception_stack = exceptions_;
    error_context_stack = contexts_;
  }
  ErrorStacks(const ErrorStacks&) = delete;
  ErrorStacks& operator=(const ErrorStacks&) = delete;

 private:
  sigjmp_buf* exceptions_;
  ErrorContextCallback* contexts_;
};

// Where errors are copied to, emptied after each: FreeErrorData() leaves members behind, and a copy
// must not need memory when it is memory that has run out. Made by the first guard().
constinit inline MemoryContext error_copies = nullptr;

inline void px_make_room_for_errors() {
  if (error_copies != nullptr) return;
  error_copies = AllocSetContextCreate(TopMemoryContext, "postgrest error", ALLOCSET_DEFAULT_SIZES);
}

// log: whether the server log gets the error too, as it would from a client's session.
template <class Body>
std::optional<PgError> guard(const Body& body, ErrorLog log = ErrorLog::kReport) {
  const ErrorStacks stacks;
  const MemoryContext context = CurrentMemoryContext;
  ErrorData* volatile error = nullptr;
  PG_TRY();
  {
    px_make_room_for_errors();
    body();
  }
  PG_CATCH();
  {
    if (log == ErrorLog::kReport) EmitErrorReport();
    MemoryContextSwitchTo(error_copies == nullptr ? TopMemoryContext : error_copies);
    error = CopyErrorData();
    MemoryContextSwitchTo(context);
    FlushErrorState();
  }
  PG_END_TRY();
  if (error == nullptr) return std::nullopt;
  struct Release {
    ~Release() {
      if (error_copies != nullptr) MemoryContextReset(error_copies);
    }
  } const release;
  return to_pg_error(*error);
}

}  // namespace pgrst::pg
