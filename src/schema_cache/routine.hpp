// A function that can be called as /rpc/name.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schema_cache/identifiers.hpp"

namespace pgrst {

enum class Isolation { kReadCommitted, kRepeatableRead, kSerializable };

enum class Volatility : uint8_t { kVolatile, kStable, kImmutable };

// An input parameter. Types are as PostgreSQL prints them.
struct RoutineParam {
  std::string name;  // empty: it has none
  std::string type;
  std::string cast_type;  // the same without a limit of length: bit -> bit varying
  bool required = false;  // it has no default
  bool variadic = false;
};

// An output parameter, or a column of RETURNS TABLE.
struct RoutineColumn {
  std::string name;
  std::string type;
};

struct Routine {
  uint32_t oid = 0;
  QualifiedIdentifier id;
  std::optional<std::string> description;
  std::vector<RoutineParam> params;
  std::vector<RoutineColumn> columns;  // of its rows, where it declares them itself
  QualifiedIdentifier return_type;     // of rows the relation; the type below a domain
  bool returns_set = false;
  bool returns_composite = false;
  Volatility volatility = Volatility::kVolatile;
  bool has_variadic = false;
  std::optional<Isolation> isolation;                         // SET default_transaction_isolation
  std::vector<std::pair<std::string, std::string>> settings;  // the other settings it is made with

  // Its arguments can be named, or it takes a body.
  bool can_be_called() const {
    for (const auto& param : params) {
      if (!param.name.empty()) continue;
      const std::string& type = param.type;
      return params.size() == 1 && (type == "bytea" || type == "json" || type == "jsonb" ||
                                    type == "text" || type == "xml");
    }
    return true;
  }

  bool returns_single() const { return !returns_set; }
  bool returns_scalar() const { return !returns_set && !returns_composite; }
  bool returns_set_of_scalar() const { return returns_set && !returns_composite; }
  bool returns_single_composite() const { return !returns_set && returns_composite; }
  bool returns_void() const {
    return returns_scalar() && return_type == QualifiedIdentifier{"pg_catalog", "void"};
  }
};

}  // namespace pgrst
