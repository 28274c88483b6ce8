// The catalog queries that introspection runs, and the columns they give.
//
// Input -> output: the schemas to expose -> SQL texts with parameters; builder.cpp reads the rows.
// What these queries read and what pg/introspection.cpp sums up in its fingerprint must be the same
// set of catalogs: whoever adds a catalog here adds it there.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <vector>

namespace pgrst {

struct CatalogQuery {
  const char* sql;
  std::vector<std::string> params;
};

// The result sets of an introspection, in this order. Columns of each, all as text:
//   kTables:       oid, schema, name, kind, updatable bits (pg_relation_is_updatable), description
//   kColumns:      table oid, name, base type, nominal type, nullable (t/f), default, description;
//                  tables together, in column order
//   kPrimaryKeys:  table oid, column name; sorted
//   kRoleSettings: role, setting name, value
//   kSettings:     setting name, value of ALTER DATABASE / ALTER ROLE authenticator; the stronger
//   later kConfigTable:  setting name, value of pgrst.config (not a query: pg/introspection.cpp
//   reads it)
enum CatalogResult {
  kTables,
  kColumns,
  kPrimaryKeys,
  kRoleSettings,
  kSettings,
  kConfigTable,
  kCatalogResultCount,
};

// One query for each result set before kConfigTable. To be run with an empty search_path, so that
// format_type and pg_get_expr qualify names.
std::vector<CatalogQuery> catalog_queries(const std::vector<std::string>& schemas,
                                          int server_version);

}  // namespace pgrst
