// Names of database objects as keys of the schema cache.
#pragma once

#include "core/before_postgres.hpp"

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace pgrst {

struct QualifiedIdentifier {
  std::string schema;
  std::string name;

  auto operator<=>(const QualifiedIdentifier&) const = default;
};

// Lets the cache be searched by two string_views without building a key.
struct QualifiedIdentifierView {
  std::string_view schema;
  std::string_view name;
};

struct QualifiedIdentifierHash {
  using is_transparent = void;
  size_t operator()(QualifiedIdentifierView id) const {
    const std::hash<std::string_view> hash;
    return hash(id.schema) * 31 + hash(id.name);
  }
  size_t operator()(const QualifiedIdentifier& id) const {
    return (*this)(QualifiedIdentifierView{id.schema, id.name});
  }
};

struct QualifiedIdentifierEqual {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return std::string_view(a.schema) == std::string_view(b.schema) &&
           std::string_view(a.name) == std::string_view(b.name);
  }
};

}  // namespace pgrst
