// Names of tables, columns and functions -> names that OpenAPI 3.1 and the generators that read it
// take: of letters, digits and underscores.
//
// A name that is such a word stays as it is; in others each other character of ASCII becomes '_',
// and the rest of Unicode its number. What is then no longer one of a kind gets a number behind it,
// in the order of the names: within one document every name is unique.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "response/api_description.hpp"

namespace pgrst {

std::string to_word(std::string_view name);
// One for each name. The names differ from each other.
std::vector<std::string> unique_words(const std::vector<std::string_view>& names);

class OpenApiNames {
 public:
  explicit OpenApiNames(const ApiDescription& api);

  const std::string& table(size_t i) const { return tables_[i]; }
  const std::string& routine(size_t i) const { return routines_[i]; }
  // Of a table that the document describes; null: it does not.
  const std::string* find(const Table* table) const;

 private:
  std::vector<std::string> tables_;
  std::vector<std::string> routines_;
  std::unordered_map<const Table*, size_t> places_;
};

}  // namespace pgrst
