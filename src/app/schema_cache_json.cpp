#include <deque>
#include <utility>
#include <vector>

#include "app/admin.hpp"
#include "core/json.hpp"
#include "core/json_builder.hpp"

namespace pgrst {

namespace {

std::string text_of(const QualifiedIdentifier& id) {
  return id.schema.empty() ? id.name : id.schema + "." + id.name;
}

void add_optional(JsonBuilder& json, std::string_view name,
                  const std::optional<std::string>& text) {
  json.key(name);
  if (text) {
    json.string(*text);
  } else {
    json.json("null");
  }
}

void add_list(JsonBuilder& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const auto& text : texts) json.string(text);
  json.end_array();
}

void add_column(JsonBuilder& json, const Column& column) {
  json.begin_object();
  json.member("name", column.name).member("type", column.nominal_type);
  json.key("nullable").boolean(column.nullable);
  add_optional(json, "default", column.default_value);
  add_optional(json, "description", column.description);
  if (column.labels) add_list(json, "enum", *column.labels);
  if (column.max_length >= 0) json.key("maxLength").number(column.max_length);
  json.end_object();
}

std::string table_json(const Table& table) {
  std::string out;
  JsonBuilder json(out);
  json.begin_object();
  json.member("schema", table.id.schema).member("name", table.id.name);
  add_optional(json, "description", table.description);
  json.key("isView").boolean(table.is_view());
  json.key("insertable").boolean(table.insertable);
  json.key("updatable").boolean(table.updatable);
  json.key("deletable").boolean(table.deletable);
  add_list(json, "primaryKey", table.pk_columns);
  json.key("columns").begin_array();
  for (const auto& column : table.columns) add_column(json, column);
  json.end_array().end_object();
  return out;
}

void add_pairs(JsonBuilder& json, std::string_view name, const ColumnPairs& pairs) {
  json.key(name).begin_array();
  for (const auto& [own, other] : pairs) {
    json.begin_array().string(own).string(other).end_array();
  }
  json.end_array();
}

std::string relationship_json(const Relationship& r) {
  std::string out;
  JsonBuilder json(out);
  json.begin_object();
  json.member("table", text_of(r.table)).member("foreignTable", text_of(r.foreign_table));
  json.member("cardinality", name_of(r.cardinality));
  if (r.cardinality == Cardinality::kComputed) {
    json.member("function", text_of(r.function));
    json.key("returnsOne").boolean(r.returns_one).end_object();
    return out;
  }
  json.member("constraint", r.constraint);
  add_pairs(json, "columns", r.columns);
  if (r.cardinality == Cardinality::kManyToMany) {
    json.member("junction", text_of(r.junction));
    json.member("foreignConstraint", r.foreign_constraint);
    add_pairs(json, "foreignColumns", r.foreign_columns);
  }
  json.end_object();
  return out;
}

const char* name_of(Volatility volatility) {
  switch (volatility) {
    case Volatility::kVolatile:
      return "volatile";
    case Volatility::kStable:
      return "stable";
    case Volatility::kImmutable:
      return "immutable";
  }
  return "";
}

std::string routine_json(const Routine& routine) {
  std::string out;
  JsonBuilder json(out);
  json.begin_object();
  json.member("schema", routine.id.schema).member("name", routine.id.name);
  add_optional(json, "description", routine.description);
  json.member("volatility", name_of(routine.volatility));
  json.member("returns", text_of(routine.return_type));
  json.key("returnsSet").boolean(routine.returns_set);
  json.key("parameters").begin_array();
  for (const auto& param : routine.params) {
    json.begin_object().member("name", param.name).member("type", param.type);
    json.key("required").boolean(param.required);
    json.key("variadic").boolean(param.variadic).end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string representation_json(const SchemaCache::Representations::value_type& entry) {
  std::string out;
  JsonBuilder json(out);
  json.begin_object();
  json.member("source", entry.first.first).member("target", entry.first.second);
  json.member("function", text_of(entry.second)).end_object();
  return out;
}

std::string handler_json(const SchemaCache::MediaHandlers::value_type& entry) {
  std::string out;
  JsonBuilder json(out);
  json.begin_object();
  json.member("target", text_of(entry.first.first)).member("mediaType", entry.first.second);
  json.end_object();
  return out;
}

// One entry of one list in a piece.
class SchemaCachePieces final : public BodyPieces {
 public:
  explicit SchemaCachePieces(SnapshotPtr snapshot) : snapshot_(std::move(snapshot)) { rewind(); }

  bool next(std::string& out) override {
    const SchemaCache& cache = snapshot_->schema_cache;
    switch (list_) {
      case 0:
        return write_list(out, "{\"dbMediaHandlers\":[", cache.media_handlers(), handler_,
                          [](const auto& entry) { return handler_json(entry); });
      case 1:
        return write_list(out, "],\"dbRelationships\":[", cache.all_relationships(), relationships_,
                          [](const auto& entry) {
                            std::string some;
                            for (const auto& r : entry.second) {
                              if (!some.empty()) some += ',';
                              some += relationship_json(r);
                            }
                            return some;
                          });
      case 2:
        return write_list(out, "],\"dbRepresentations\":[", cache.representations(),
                          representation_,
                          [](const auto& entry) { return representation_json(entry); });
      case 3:
        return write_list(out, "],\"dbRoutines\":[", cache.all_routines(), routines_,
                          [](const auto& entry) {
                            std::string some;
                            for (const auto& routine : entry.second) {
                              if (!some.empty()) some += ',';
                              some += routine_json(routine);
                            }
                            return some;
                          });
      case 4:
        return write_list(out, "],\"dbTables\":[", cache.tables(), table_,
                          [](const auto& entry) { return table_json(entry.second); });
      case 5:
        out += "]}";
        list_++;
        return true;
      default:
        return false;
    }
  }

  void rewind() override {
    const SchemaCache& cache = snapshot_->schema_cache;
    list_ = 0;
    begun_ = false;
    is_first_ = true;
    handler_ = cache.media_handlers().begin();
    relationships_ = cache.all_relationships().begin();
    representation_ = cache.representations().begin();
    routines_ = cache.all_routines().begin();
    table_ = cache.tables().begin();
  }

 private:
  template <class Map, class Write>
  bool write_list(std::string& out, std::string_view head, const Map& map,
                  typename Map::const_iterator& at, Write write) {
    if (!begun_) {
      out += head;
      begun_ = true;
      is_first_ = true;
    }
    if (at == map.end()) {
      list_++;
      begun_ = false;
      return true;
    }
    const std::string entry = write(*at++);
    if (entry.empty()) return true;
    if (!is_first_) out += ',';
    is_first_ = false;
    out += entry;
    return true;
  }

  SnapshotPtr snapshot_;
  int list_ = 0;
  bool begun_ = false;
  bool is_first_ = true;
  SchemaCache::MediaHandlers::const_iterator handler_;
  SchemaCache::RelationshipMap::const_iterator relationships_;
  SchemaCache::Representations::const_iterator representation_;
  SchemaCache::RoutineMap::const_iterator routines_;
  SchemaCache::TableMap::const_iterator table_;
};

}  // namespace

std::shared_ptr<BodyPieces> write_schema_cache(SnapshotPtr snapshot) {
  return std::make_shared<SchemaCachePieces>(std::move(snapshot));
}

}  // namespace pgrst
