#include "plan/find_relationship.hpp"

#include <vector>

namespace pgrst {

namespace {

bool is_foreign_key(const Relationship& r) {
  return r.cardinality != Cardinality::kManyToMany && r.cardinality != Cardinality::kComputed;
}
bool has_constraint(const Relationship& r, const std::string& name) {
  return is_foreign_key(r) && r.constraint == name;
}
bool has_column(const Relationship& r, const std::string& name) {
  return is_foreign_key(r) && r.columns.size() == 1 && r.columns[0].first == name;
}
bool has_foreign_column(const Relationship& r, const std::string& name) {
  return is_foreign_key(r) && r.columns.size() == 1 && r.columns[0].second == name;
}

bool matches_self(const Relationship& r, const std::string& target,
                  const std::optional<std::string>& hint) {
  const bool to_many = target == r.foreign_table.name && r.cardinality == Cardinality::kOneToMany;
  if (hint) return to_many && has_foreign_column(r, *hint);
  return to_many || (has_column(r, target) && r.cardinality == Cardinality::kManyToOne);
}

bool matches_other(const Relationship& r, const std::string& target,
                   const std::optional<std::string>& hint) {
  const bool by_name = target == r.foreign_table.name;
  if (!hint) {
    return by_name ||
           (!r.foreign_table_is_view && (has_constraint(r, target) || has_column(r, target)));
  }
  return by_name &&
         (has_constraint(r, *hint) || has_column(r, *hint) || has_foreign_column(r, *hint) ||
          (r.cardinality == Cardinality::kManyToMany && r.junction.name == *hint));
}

bool matches(const Relationship& r, const std::string& target,
             const std::optional<std::string>& hint) {
  if (r.cardinality == Cardinality::kComputed) return target == r.function.name;
  return r.is_self ? matches_self(r, target, hint) : matches_other(r, target, hint);
}

struct Suggestion {
  std::string name;
  std::string instead_of;

  std::string text() const {
    std::string out = "Perhaps you meant '";
    out += name;
    out += "' instead of '";
    out += instead_of;
    return out += "'.";
  }
};

// The nearest name of the origin if it has no relationships, else of the target; none when both are
// known, since then the hint is what is wrong.
std::optional<Suggestion> nearest(const SchemaCache& cache, const std::string& schema,
                                  const std::string& origin, const std::string& target,
                                  const std::vector<Relationship>* relationships) {
  const bool known = relationships != nullptr;
  auto found =
      known ? cache.nearest_target(*relationships, target) : cache.nearest_related(schema, origin);
  if (!found) return std::nullopt;
  return Suggestion{*std::move(found), known ? target : origin};
}

// -- PGRST201 ------------------------------------------------------------------------------------

enum class Side { kFirst, kSecond };

std::string list(const ColumnPairs& pairs, Side side) {
  std::string out = "(";
  for (const auto& [first, second] : pairs) {
    if (out.size() > 1) out += ", ";
    out += side == Side::kFirst ? first : second;
  }
  return out + ")";
}

errors::RelationshipText describe(const Relationship& r) {
  errors::RelationshipText text;
  if (r.cardinality == Cardinality::kComputed) return text;
  text.cardinality = name_of(r.cardinality);
  text.embedding = r.table.name + " with " + r.foreign_table.name;
  if (r.cardinality == Cardinality::kManyToMany) {
    text.relationship = r.junction.name + " using " + r.constraint +
                        list(r.columns, Side::kSecond) + " and " + r.foreign_constraint +
                        list(r.foreign_columns, Side::kSecond);
    text.disambiguated = r.foreign_table.name + "!" + r.junction.name;
  } else {
    text.relationship = r.constraint + " using " + r.table.name + list(r.columns, Side::kFirst) +
                        " and " + r.foreign_table.name + list(r.columns, Side::kSecond);
    text.disambiguated = r.foreign_table.name + "!" + r.constraint;
  }
  return text;
}

}  // namespace

Result<const Relationship*> find_relationship(const SchemaCache& cache, const std::string& schema,
                                              const std::string& origin, const std::string& target,
                                              const std::optional<std::string>& hint) {
  const auto* relationships = cache.relationships(schema, origin);
  std::vector<const Relationship*> found;
  if (relationships != nullptr) {
    for (const auto& r : *relationships) {
      if (matches(r, target, hint)) found.push_back(&r);
    }
  }
  if (found.size() == 1) return found[0];
  if (found.empty()) {
    const auto suggestion = nearest(cache, schema, origin, target, relationships);
    Error error =
        errors::no_relationship(origin, target, hint, schema,
                                suggestion ? std::optional(suggestion->text()) : std::nullopt);
    if (suggestion) {
      error.hinted = {HintedObject::Kind::kRelation, schema, suggestion->name, {}};
    }
    return error;
  }
  std::vector<errors::RelationshipText> texts;
  texts.reserve(found.size());
  for (const auto* r : found) texts.push_back(describe(*r));
  return errors::ambiguous_relationship(origin, target, texts);
}

}  // namespace pgrst
