// What an executor does for the schema cache: fingerprint, catalog queries, the table pgrst.config.
//
// A snapshot of the catalogs is suspect as soon as an invalidation message hints at a change
// (pg/invalidation.hpp). Most hints are noise (ANALYZE, VACUUM, temporary tables), so first a
// fingerprint is taken: sums over the rows that the schema cache is made of, one of the database's
// objects (pg/served_objects.hpp), one of the server's roles (pg/served_roles.hpp). Only if one
// differs from what is known do the queries run, over the objects that were found.
//
// The fingerprint is taken before the queries read: a change between the two makes the next
// fingerprint differ, so it costs one reading more and is never missed. The catalogs summed up
// are those of schema_cache/catalogs.hpp.
#pragma once

#include "pg/protocol.hpp"
#include "pg/spi_transaction.hpp"

namespace pgrst::pg {

// Runs message.transaction (the catalog queries) if the fingerprint is not the known one; before
// that its pre_request, the call of db_pre_config, by itself. In a caller's transaction that is not
// called: what it has set for the gateway is taken instead. The bodies are the result sets in the
// order of schema_cache/catalog_queries.hpp.
ResponseHead introspect(RequestMessage& message, TransactionScope scope, Bodies& bodies);

// Whether postgrest_ext is installed in this database. Needs a transaction.
bool px_extension_present();

}  // namespace pgrst::pg
