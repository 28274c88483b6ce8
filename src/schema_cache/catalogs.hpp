// The system catalogs that the schema cache is made of.
//
// Every catalog that schema_cache/catalog_queries.cpp reads, itself or through a view or a
// function, has a row here, and pg/served_objects.cpp or pg/served_roles.cpp sums its rows up in
// the fingerprint. A test compares the queries with this table, another changes something in each
// catalog and looks whether that is noticed.
#pragma once

#include "core/before_postgres.hpp"

#include <string_view>

namespace pgrst {

inline constexpr std::string_view kWatchedCatalogs[] = {
    // of the database
    "pg_attrdef", "pg_attribute", "pg_cast", "pg_class", "pg_collation", "pg_constraint",
    "pg_depend", "pg_description", "pg_enum", "pg_foreign_server", "pg_foreign_table",
    "pg_namespace", "pg_operator", "pg_proc", "pg_rewrite", "pg_trigger", "pg_ts_config", "pg_type",
    // of the whole server
    "pg_auth_members", "pg_authid", "pg_database", "pg_db_role_setting", "pg_parameter_acl"};

struct CatalogReader {
  std::string_view name;
  std::string_view reads;  // with blanks between
};

// Views and functions that the queries use, and the catalogs behind them.
inline constexpr CatalogReader kCatalogReaders[] = {
    {"pg_roles", "pg_authid pg_db_role_setting"},
    {"pg_settings", ""},
    {"pg_has_role", "pg_authid pg_auth_members pg_database"},
    {"has_function_privilege", "pg_proc pg_authid pg_auth_members"},
    {"has_parameter_privilege", "pg_parameter_acl pg_authid pg_auth_members"},
    {"format_type", "pg_type pg_namespace"},
    {"current_database", "pg_database"},
    // The functions behind casts to and from them.
    {"regclass", "pg_class pg_namespace"},
    {"regtype", "pg_type pg_namespace"},
    {"regnamespace", "pg_namespace"},
};

}  // namespace pgrst
