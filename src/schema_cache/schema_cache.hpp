// The schema cache: what the catalogs say about the exposed schemas, as one immutable value.
//
// Input -> output: names from requests -> tables, or the error with its hint. Built by builder.cpp
// from catalog rows, swapped whole, never changed afterwards; shared by everything planned against
// it.
#pragma once

#include "core/before_postgres.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "schema_cache/fuzzy_set.hpp"
#include "schema_cache/identifiers.hpp"
#include "schema_cache/relationships.hpp"
#include "schema_cache/routine.hpp"
#include "schema_cache/table.hpp"

namespace pgrst {

// ALTER ROLE ... SET of a role that the authenticator may become.
struct RoleSettings {
  Isolation isolation = Isolation::kReadCommitted;            // default_transaction_isolation
  std::vector<std::pair<std::string, std::string>> settings;  // the others, by name
};

// Makes a media type of rows: an aggregate over the rows of a relation, or of any; or a domain that
// the value of a function is cast to.
struct MediaHandler {
  QualifiedIdentifier function;               // or the domain
  std::optional<QualifiedIdentifier> target;  // the relation or function; none: any
  std::string media_type;                     // of the answer
};

class SchemaCache {
 public:
  // PostgREST gives no hints in schemas with as many tables or more. Here the same goes for
  // functions, and for the relations that one relation is related to.
  static constexpr size_t kMaxNamesForHints = 500;

  void add_table(Table table);
  // From a relation to others of its schema.
  void set_relationships(const QualifiedIdentifier& table, std::vector<Relationship> relationships);
  void add_routine(Routine routine);
  void add_media_handler(std::string media_type, MediaHandler handler);
  // The function of an implicit cast to or from a domain. Types are named as in Column.
  void add_representation(std::string source_type, std::string target_type,
                          QualifiedIdentifier function);
  // When all is added: makes the indexes by which hints are found, of about max_names names. True
  // when there is nothing left to do. Without them there are no hints.
  bool index_names(size_t max_names);
  void set_role_settings(std::map<std::string, RoleSettings, std::less<>> settings);

  // The table, or PGRST205 with the nearest name in that schema.
  Result<const Table*> find_table(std::string_view schema, std::string_view name) const;
  const Table* table_or_null(std::string_view schema, std::string_view name) const;

  // The functions of that name, those with fewest parameters first; null: none.
  const std::vector<Routine>* routines(std::string_view schema, std::string_view name) const;
  // Names of the functions of a schema.
  std::vector<std::string_view> routine_names(std::string_view schema) const;
  // The name of a function of that schema that is most like this one.
  std::optional<std::string> nearest_routine(std::string_view schema, std::string_view name) const;

  // The relationships from a relation to relations of the same schema, in the order of PGRST201.
  // Null when there is none; empty when there are some that cannot be followed.
  const std::vector<Relationship>* relationships(std::string_view schema,
                                                 std::string_view name) const;
  // Names of the relations of a schema that have relationships.
  std::vector<std::string_view> related_tables(std::string_view schema) const;
  // The one that is most like this name; the relation most like it, but not equal, that relations
  // lead to from the one of `relationships`, which are those of this cache.
  std::optional<std::string> nearest_related(std::string_view schema, std::string_view name) const;
  std::optional<std::string> nearest_target(const std::vector<Relationship>& relationships,
                                            std::string_view name) const;

  // The function that makes a value of the target type from one of the source type, or null.
  const QualifiedIdentifier* representation(const std::string& source_type,
                                            const std::string& target_type) const;

  // What makes this media type (in lower case) of a relation, or of the result of a function; null:
  // any relation.
  const MediaHandler* media_handler(const QualifiedIdentifier* target,
                                    const std::string& media_type) const;
  // All that can be made of this relation, or of the result of this function, sorted.
  std::vector<std::string_view> media_types(const QualifiedIdentifier& target) const;

  // Null when the role has none.
  const RoleSettings* role_settings(std::string_view role) const;

  size_t table_count() const { return tables_.size(); }
  size_t relationship_count() const;
  size_t routine_count() const;

  // All there is, for whoever shows it.
  template <class Value>
  using ByIdentifier = std::unordered_map<QualifiedIdentifier, Value, QualifiedIdentifierHash,
                                          QualifiedIdentifierEqual>;
  using TableMap = ByIdentifier<Table>;
  using RelationshipMap = ByIdentifier<std::vector<Relationship>>;
  using RoutineMap = ByIdentifier<std::vector<Routine>>;
  using Representations = std::map<std::pair<std::string, std::string>, QualifiedIdentifier>;
  using MediaHandlers = std::map<std::pair<QualifiedIdentifier, std::string>, MediaHandler>;
  const TableMap& tables() const { return tables_; }
  const RelationshipMap& all_relationships() const { return relationships_; }
  const RoutineMap& all_routines() const { return routines_; }
  const Representations& representations() const { return representations_; }
  const MediaHandlers& media_handlers() const { return media_handlers_; }

 private:
  // A relation with more relationships has an index of its own.
  static constexpr size_t kFewTargets = 16;

  struct SchemaNames {
    FuzzySet tables;
    FuzzySet routines;
    FuzzySet related_tables;
  };
  // An index, and the names that are missing in it, in reverse order; or what they are taken from.
  struct Indexing {
    FuzzySet* index;
    std::vector<std::string_view> names;
    const std::vector<Relationship>* relationships = nullptr;
  };

  void begin_indexing();
  const SchemaNames* names_of(std::string_view schema) const;

  TableMap tables_;
  std::map<std::string, std::vector<std::string>, std::less<>> table_names_;  // by schema
  RelationshipMap relationships_;
  RoutineMap routines_;
  Representations representations_;
  MediaHandlers media_handlers_;
  std::map<std::string, RoleSettings, std::less<>> role_settings_;

  // Their places do not change.
  std::map<std::string, SchemaNames, std::less<>> names_;                   // by schema
  std::unordered_map<const std::vector<Relationship>*, FuzzySet> targets_;  // of many
  std::optional<std::vector<Indexing>> indexing_;
};

}  // namespace pgrst
