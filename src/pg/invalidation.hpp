// Notices that the catalogs may have changed, without a transaction and almost for free.
//
// The gateway reads the raw stream of invalidation messages and passes each on to the caches as
// PostgreSQL's own reader would. Reading it raw matters: COMMENT and ALTER ROLE ... SET send only
// messages for which no callback exists. Any transaction of this process swallows such messages, so
// poll right before one starts; what slipped through all the same is found by comparing the
// server's own message counter.
//
// Input -> output: nothing -> a generation that grows with every hint. A hint is not yet a change
// (pg/introspection.hpp tells). A change committed before a request was sent is hinted at by the
// first poll after the request was read.
#pragma once

#include <cstdint>

#include "pg/pg_prelude.hpp"

namespace pgrst::pg {

// From now on, hints about `database` and about shared catalogs count.
void px_watch_catalogs(Oid database);

// Reads what has come. May process invalidations of relation caches; call between transactions.
void px_poll_invalidations();

uint64_t catalog_generation();
// Grows with those hints that are not only about catalogs of the whole server: roles, databases,
// their settings.
uint64_t database_generation();

// Grows with every message about the view pgrst.status, which nothing but pgrst.reload() sends: it
// asks for a reload, also through the WAL to standbys. A changed `marker` counts from the next
// message on.
uint64_t reload_generation();
void watch_reload_marker(Oid marker);

// -- NOTIFY pgrst --------------------------------------------------------------------------------
// Heard for compatibility: 'reload schema', 'reload config' and the empty payload reload both.

// LISTENs to this channel only, in a transaction of its own; empty: to none.
void px_listen(const char* channel);

// True when a NOTIFY asked for a reload since the last call.
bool px_take_notifications();

}  // namespace pgrst::pg
