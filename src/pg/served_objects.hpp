// Which objects of the database the API is made of, and a sum over their rows in the catalogs.
//
// Only these are read by an introspection, and only a change of these makes one: what other schemas
// and other sessions' temporary objects hold costs nothing. A sum does not depend on an order, and
// takes of each row its object id and xmin; of pg_class and pg_database, which are updated in
// place, the columns that are read.
//
//   exposed      relations of the exposed schemas; no partitions, nothing temporary
//   relations    these, what their views stand on however deep, and both ends of the foreign keys
//   of all of them types        of the columns of `exposed` and of the exposed functions, what
//   these are made of, down to base types names        whatever the defaults of columns and domains
//   name: sequences, functions, collations, ...
#pragma once

#include "pg/byte_sink.hpp"
#include "pg/oid_set.hpp"

namespace pgrst::pg {

// What is exposed, by name. The texts belong to the caller.
struct ServedScope {
  const char* const* schemas;
  int schema_count;
  const char* function_schema;  // of a function besides: db_pre_config; null: none
  const char* function_name;
  const char* authenticator;
};

struct ServedObjects {
  uint64 sum;
  OidSet schemas;
  OidSet exposed;
  OidSet relations;
  OidSet views;           // of `relations`
  OidSet foreign_tables;  // of `relations`
  OidSet types;
  OidSet with_defaults;  // of `exposed`: some of their columns have defaults
  OidSet domains_with_defaults;
  ByteSink domains;   // pairs of Oid: each domain of `types`, and the type that it is made of
  OidSet namespaces;  // of everything
};

// In the current memory context, which the caller throws away; only `domains` is to be freed. Needs
// a transaction and an active snapshot.
void px_find_served_objects(const ServedScope& scope, ServedObjects* out);

}  // namespace pgrst::pg
