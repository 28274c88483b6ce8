// The catalog queries that introspection runs, and the columns they give.
//
// Input -> output: what to look at -> SQL texts with parameters; builder.cpp reads the rows.
// Whoever reads another catalog here adds it to schema_cache/catalogs.hpp; a test looks.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.hpp"

namespace pgrst {

struct CatalogQuery {
  const char* sql;
  std::vector<std::string> params;
};

// Parameters that the executor puts arrays of object ids in the place of (pg/served_objects.hpp):
// what it takes the fingerprint of and what the queries read is the same.
inline constexpr std::string_view kRelationsParam = "{relations}";
inline constexpr std::string_view kTypesParam = "{types}";
// Two arrays: each domain, and the type below it that is no domain.
inline constexpr std::string_view kDomainsParam = "{domains}";
inline constexpr std::string_view kBaseTypesParam = "{base types}";

// What is looked at: the exposed schemas, and those that views may be traced through besides; and
// what is called before.
struct CatalogScope {
  std::vector<std::string> schemas;
  std::vector<std::string> extra_search_path;
  std::optional<QualifiedName> pre_config;  // the function that sets settings
  std::string authenticator;                // the role that requests come from

  bool operator==(const CatalogScope&) const = default;
};

// The result sets of an introspection, in this order. Columns of each, all as text:
//   kTables:       oid, schema, name, kind, updatable bits (1 << CmdType; of views and foreign
//   tables kUpdatability
//                  has them), description
//   kEnums:        type oid, label; types together, in order
//   kColumns:      table oid, name, base type, nominal type, nullable (t/f), default of an identity
//   column (kDefaults
//                  has the others), description,
//                  length at most, oid of its enum, always generated (t/f), shape of its values, or
//                  of the elements of an array, in JSON (o: objects, a: anything, null: by the
//                  type); tables together, in column order
//   kPrimaryKeys:  table oid, column number, column name; keys together, in their order
//   kForeignKeys:  oid, table oid, schema, name, foreign table oid, schema, name, constraint,
//                  unique (t/f), column number, name, foreign column number, name; ordered by table
//                  and constraint, keys together, in their order
//   kViews:        oid, schema, name, exposed (t/f), column number, column name; in column order
//   kComputedRelationships: schema and name of the function, of its argument's relation, of its
//                  result's relation; returns one row at most (t/f)
//   kRepresentations: source type, target type, schema and name of the cast's function
//   kRoutines:     oid, schema, name, description, schema and name of the return type (of rows the
//                  relation), returns a set (t/f), returns rows (t/f), volatility (i, s, v)
//   kRoutineParams: function oid, name, type, type without limit of length, required (t/f),
//                  variadic (t/f); functions together, in order
//   kRoutineColumns: function oid, name, type of its output parameters; functions together, in
//                  order
//   kRoutineSettings: function oid, setting name, value
//   kMediaHandlers: schema and name of what makes the type, schema and name of what it is made of
//                  (a relation, a function, or pg_catalog.anyelement), media type
//   kRoleSettings: role, setting name, value
//   kSettings:     setting name, value of ALTER DATABASE / ALTER ROLE authenticator, where it
//                  stands (for people); the stronger later
// These are no queries, pg/introspection.cpp reads them:
//   kConfigTable:  setting name, value of pgrst.config
//   kPreConfig:    setting name, value that the function db_pre_config has set
//   kViewColumns:  view oid, column number, oid and column number of the relation it comes from
//   kUpdatability: oid of a view or foreign table, updatable bits by itself, oid of the relation
//   that writes to the view
//                  go to (0: none)
//   kDefaults:     table oid, column name, default; tables together, in column order
enum CatalogResult {
  kTables,
  kEnums,
  kColumns,
  kPrimaryKeys,
  kForeignKeys,
  kViews,
  kComputedRelationships,
  kRepresentations,
  kRoutines,
  kRoutineParams,
  kRoutineColumns,
  kRoutineSettings,
  kMediaHandlers,
  kRoleSettings,
  kSettings,
  kConfigTable,
  kPreConfig,
  kViewColumns,
  kUpdatability,
  kDefaults,
  kCatalogResultCount,
};

// As pgrst.introspection shows them.
inline constexpr const char* kCatalogQueryNames[kConfigTable] = {"tables",
                                                                 "enums",
                                                                 "columns",
                                                                 "primary keys",
                                                                 "foreign keys",
                                                                 "views",
                                                                 "computed relationships",
                                                                 "representations",
                                                                 "routines",
                                                                 "routine parameters",
                                                                 "routine columns",
                                                                 "routine settings",
                                                                 "media handlers",
                                                                 "role settings",
                                                                 "settings"};

// One query for each result set before kConfigTable. To be run with an empty search_path, so that
// format_type and pg_get_expr qualify names.
std::vector<CatalogQuery> catalog_queries(const CatalogScope& scope, int server_version);

}  // namespace pgrst
