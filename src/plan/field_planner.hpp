// Fields and filters of one relation against what the schema cache knows of it.
//
// Input -> output: the syntax tree's -> plan/types.hpp's. A column that the cache does not know is
// planned all the same: it may be a computed one, and PostgreSQL will tell otherwise.
#pragma once

#include "core/before_postgres.hpp"

#include "plan/types.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

class FieldPlanner {
 public:
  FieldPlanner(const SchemaCache& cache, const Table* table) : cache_(cache), table_(table) {}

  PlannedField field(const Field& field) const {
    PlannedField out;
    out.name = field.name;
    out.json_path = field.json_path;
    if (const Column* column = table_ == nullptr ? nullptr : table_->find_column(field.name)) {
      out.nominal_type = column->nominal_type;
      out.base_type = column->base_type;
    }
    out.to_json = out.nominal_type != "json" && out.nominal_type != "jsonb";
    return out;
  }

  PlannedFilter filter(const Filter& filter) const {
    PlannedFilter out{field(filter.field), filter.negated, filter.operation};
    out.field.transform = cache_.representation("text", out.field.nominal_type);
    const auto* fts = std::get_if<OpFts>(&filter.operation);
    // A column that the cache does not know is taken as it is: it may be a computed tsvector.
    if (fts != nullptr && !out.field.nominal_type.empty() && out.field.base_type != "tsvector") {
      out.field.to_tsvector = ToTsVector{fts->language};
    }
    return out;
  }

  PlannedSelect select(const SelectField& item) const {
    PlannedSelect out{output_field(item.field), item.aggregate, item.aggregate_cast, item.cast,
                      item.alias};
    return out;
  }

  PlannedSelect column(const PlannedSelect& star, const Column& column) const {
    PlannedSelect out = star;
    out.field = output_field({column.name, {}});
    return out;
  }

  bool has_representation(const Column& column) const {
    return cache_.representation(column.nominal_type, "json") != nullptr;
  }

 private:
  PlannedField output_field(const Field& f) const {
    PlannedField out = field(f);
    out.transform = cache_.representation(out.nominal_type, "json");
    return out;
  }

  const SchemaCache& cache_;
  const Table* table_;
};

}  // namespace pgrst
