// What a role may see of a schema, as descriptions of the API are written from it.
//
// Input -> output: the result sets of inspect_statements() (names and numbers) and the schema cache
// -> tables and functions, by name. What the cache does not know is passed over: it is about to be
// replaced. Ownership: pointers lead into the schema cache, which the description keeps.
#pragma once

#include "core/before_postgres.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "query/transaction.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

struct ApiDescription {
  std::shared_ptr<const SchemaCache> cache;
  std::optional<std::string> comment;  // of the schema
  std::vector<const Table*> tables;
  std::vector<const Routine*> routines;  // of overloads the one with most parameters
  // Names of types as the role sees them, by the names that the cache has, where these differ.
  std::map<std::string, std::string, std::less<>> type_names;

  std::string_view type_name(std::string_view type) const;
};

Result<ApiDescription> describe_api(const std::vector<ResultSet>& result_sets,
                                    const std::string& schema,
                                    std::shared_ptr<const SchemaCache> cache);

// The first line of a comment, and what follows it but for empty lines between.
struct Comment {
  std::string_view summary;
  std::string_view description;  // empty: there is no more
};
Comment split_comment(std::string_view text);

// The column that a column refers to, by a foreign key of this column alone: of a table if there is
// one, else of a view. Null: none.
struct ColumnReference {
  std::string_view table;
  std::string_view column;
};
// For the columns of the table, in their order.
std::vector<std::optional<ColumnReference>> column_references(const Table& table,
                                                              const SchemaCache& cache);

}  // namespace pgrst
