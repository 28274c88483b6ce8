// What user code can leave in a session that neither the end of a transaction nor DISCARD ALL takes
// away. doc/operations.md lists all state of a session, and what becomes of it.
#pragma once

namespace pgrst::pg {

// Undoes what can be undone. For the end of each transaction of a request, whatever came of it;
// needs no transaction.
void px_reset_session_state();

// Whether the process has come to hold what cannot be undone: variables of an interpreter, a
// connection to another database. Then it must serve nobody else. Looks at what was loaded since
// the last call, and costs next to nothing when that is nothing; the first call only takes stock.
bool keeps_session_state() noexcept;

}  // namespace pgrst::pg
