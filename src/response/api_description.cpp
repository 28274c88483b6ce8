#include "response/api_description.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/row_reader.hpp"
#include "query/inspect_builder.hpp"

namespace pgrst {

namespace {

void read_tables(RowReader& rows, const std::string& schema, ApiDescription& out) {
  while (rows.next()) {
    if (const Table* table = out.cache->table_or_null(schema, rows.text(0))) {
      out.tables.push_back(table);
    }
  }
}

// Of the functions of one name only one has room in a document: the last of those that may be seen,
// in the order of the cache, but one that can be called.
bool is_shown_rather(const Routine* routine, const Routine* than) {
  if (routine->can_be_called() != than->can_be_called()) return routine->can_be_called();
  return routine > than;
}

void read_routines(RowReader& rows, const std::string& schema, ApiDescription& out) {
  while (rows.next()) {
    const auto* overloads = out.cache->routines(schema, rows.text(0));
    if (overloads == nullptr) continue;
    uint32_t oid = 0;
    std::from_chars(rows.text(1).data(), rows.text(1).data() + rows.text(1).size(), oid);
    const auto it = std::find_if(overloads->begin(), overloads->end(),
                                 [&](const Routine& routine) { return routine.oid == oid; });
    if (it == overloads->end()) continue;
    const Routine* routine = &*it;
    const bool again = !out.routines.empty() && out.routines.back()->id == routine->id;
    if (!again) {
      out.routines.push_back(routine);
    } else if (is_shown_rather(routine, out.routines.back())) {
      out.routines.back() = routine;
    }
  }
}

bool is_reference(const Relationship& relationship) {
  if (relationship.columns.size() != 1) return false;
  return relationship.cardinality == Cardinality::kManyToOne ||
         (relationship.cardinality == Cardinality::kOneToOne && !relationship.is_parent);
}

}  // namespace

std::string_view ApiDescription::type_name(std::string_view type) const {
  const auto it = type_names.find(type);
  return it == type_names.end() ? type : std::string_view(it->second);
}

Result<ApiDescription> describe_api(const std::vector<ResultSet>& result_sets,
                                    const std::string& schema,
                                    std::shared_ptr<const SchemaCache> cache) {
  if (result_sets.size() <= kSchemaComment) {
    return errors::internal("the transaction gave too few results");
  }
  ApiDescription out;
  out.cache = std::move(cache);
  RowReader tables(result_sets[kVisibleTables].body, 1);
  read_tables(tables, schema, out);
  RowReader routines(result_sets[kVisibleRoutines].body, 2);
  read_routines(routines, schema, out);
  RowReader types(result_sets[kVisibleTypes].body, 2);
  while (types.next()) out.type_names.emplace(types.text(0), types.text(1));
  RowReader comment(result_sets[kSchemaComment].body, 1);
  if (comment.next()) out.comment = comment.optional(0);
  if (tables.damaged() || routines.damaged() || types.damaged() || comment.damaged()) {
    return errors::internal("the transaction gave a damaged row");
  }
  return out;
}

Comment split_comment(std::string_view text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const size_t next = text.find_first_not_of('\n', end);
  return {text.substr(0, end),
          next == std::string_view::npos ? std::string_view() : text.substr(next)};
}

std::vector<std::optional<ColumnReference>> column_references(const Table& table,
                                                              const SchemaCache& cache) {
  std::vector<std::optional<ColumnReference>> references(table.columns.size());
  const auto* relationships = cache.relationships(table.id.schema, table.id.name);
  if (relationships == nullptr) return references;
  for (const bool of_views : {false, true}) {
    for (const auto& relationship : *relationships) {
      if (relationship.foreign_table_is_view != of_views || !is_reference(relationship)) continue;
      const auto& [column, foreign_column] = relationship.columns[0];
      for (size_t i = 0; i < references.size(); i++) {
        if (table.columns[i].name != column || references[i]) continue;
        references[i] = {relationship.foreign_table.name, foreign_column};
      }
    }
  }
  return references;
}

}  // namespace pgrst
