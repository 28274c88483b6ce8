// Fuzzes what the descriptions of the API are written from: names, types, defaults and comments,
// one a line, of tables, columns and functions. Whatever a database has, both documents are JSON;
// in OpenAPI 3.1 the operations have names of their own, which are words, and every key of a
// component is one that the specification allows.
#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "unit/openapi_fixtures.hpp"

namespace {

using pgrst::test::Row;

void require(bool condition) {
  if (!condition) std::abort();
}

// The lines, over and over; what PostgreSQL gives is well-formed and has no NUL.
class Lines {
 public:
  explicit Lines(std::string_view text) : lines_(pgrst::split(text, '\n')) {}
  size_t count() const { return lines_.size(); }
  std::string next() {
    std::string line = pgrst::to_valid_utf8(lines_[at_++ % lines_.size()]);
    std::erase(line, '\0');
    return line;
  }
  std::optional<std::string> maybe() {
    std::string line = next();
    return line.empty() ? std::nullopt : std::optional(std::move(line));
  }
  std::string one_of(std::string_view values) {
    const std::string line = next();
    return std::string(
        1, values[(line.empty() ? 0 : static_cast<unsigned char>(line[0])) % values.size()]);
  }

 private:
  std::vector<std::string_view> lines_;
  size_t at_ = 0;
};

// Names of tables are unique in a schema, of columns in a table.
std::string new_name(Lines& lines, std::set<std::string>& taken) {
  std::string name = lines.next();
  while (name.empty() || !taken.insert(name).second) name += "'";
  return name;
}

void add_table(Lines& lines, const std::string& oid, const std::string& name,
               pgrst::test::CatalogRows& rows) {
  rows.sets[pgrst::kTables].push_back({oid, "api", name, "r", "28", lines.maybe()});
  std::set<std::string> columns;
  for (int i = 0; i < 3; i++) {
    const std::string column = new_name(lines, columns), type = lines.next();
    std::optional<std::string> shape = lines.maybe();
    rows.sets[pgrst::kColumns].push_back(
        pgrst::test::column_row(oid, column, type, lines.next(), lines.one_of("tf"), lines.maybe(),
                                lines.maybe(), "7", "90", lines.one_of("ft"), std::move(shape)));
    rows.sets[pgrst::kPrimaryKeys].push_back({oid, std::to_string(i), column});
  }
}

void add_routine(Lines& lines, const std::string& oid, const std::string& name,
                 pgrst::test::CatalogRows& rows) {
  rows.sets[pgrst::kRoutines].push_back({oid, "api", name, lines.maybe(), "pg_catalog",
                                         lines.next(), lines.one_of("tf"), lines.one_of("tf"),
                                         lines.one_of("vsi")});
  std::set<std::string> params;
  for (int i = 0; i < 2; i++) {
    const std::string param = new_name(lines, params), type = lines.next();
    rows.sets[pgrst::kRoutineParams].push_back(
        {oid, param, type, type, lines.one_of("tf"), lines.one_of("ft")});
    rows.sets[pgrst::kRoutineColumns].push_back({oid, param, type});
  }
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
}

bool is_component_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  });
}

void check_openapi31(const simdjson::dom::element& document) {
  std::set<std::string_view> ids;
  for (const auto path : simdjson::dom::object(document["paths"])) {
    for (const auto operation : simdjson::dom::object(path.value)) {
      const std::string_view id = operation.value["operationId"];
      require(is_word(id) && ids.insert(id).second);
    }
  }
  for (const auto kind : simdjson::dom::object(document["components"])) {
    std::set<std::string_view> keys;
    for (const auto component : simdjson::dom::object(kind.value)) {
      require(is_component_key(component.key) && keys.insert(component.key).second);
    }
  }
}

void check(Lines& lines) {
  pgrst::test::CatalogRows rows;
  pgrst::test::Visible visible = {{}, {}};
  rows.sets[pgrst::kEnums] = {{"90", lines.next()}, {"90", lines.next()}};
  std::set<std::string> tables, routines;
  const size_t count = std::min<size_t>(lines.count() / 2 + 1, 20);
  for (size_t i = 0; i < count; i++) {
    const std::string oid = std::to_string(100 + i);
    visible.tables.push_back({new_name(lines, tables)});
    add_table(lines, oid, *visible.tables.back()[0], rows);
    visible.routines.push_back({new_name(lines, routines), oid});
    add_routine(lines, oid, *visible.routines.back()[0], rows);
  }
  visible.comment = {{lines.maybe()}};
  visible.types = {{lines.next(), lines.next()}};
  for (const auto version :
       {pgrst::OpenApiVersion::kSwagger20, pgrst::OpenApiVersion::kOpenApi31}) {
    pgrst::ApiServer server = pgrst::test::any_server();
    server.profile = lines.next();
    const auto pieces = pgrst::write_openapi(pgrst::test::describe(visible, rows), server, version);
    std::string body;
    while (pieces->next(body)) {
    }
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    require(parser.parse(simdjson::padded_string(body)).get(document) == simdjson::SUCCESS);
    if (version == pgrst::OpenApiVersion::kOpenApi31) check_openapi31(document);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Lines lines(std::string_view(reinterpret_cast<const char*>(data), std::min<size_t>(size, 4096)));
  check(lines);
  return 0;
}
