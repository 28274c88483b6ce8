// Fuzzes a whole request: "GET /path?query", and one header a line behind it. Whatever the client
// sends, SQL text stays made of our own words and quoted identifiers, parameters fit their
// placeholders, settings are JSON where they must be, and no header field can be smuggled in.
//
// Byte 'v' in front fuzzes one value instead: the SQL text must be that of any other value.
#include <simdjson.h>

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "query/inspect_builder.hpp"
#include "unit/fixtures.hpp"

namespace {

using pgrst::DatabaseWork;
using pgrst::HttpRequest;
using pgrst::HttpResponse;
using pgrst::Statement;

void require(bool condition) {
  if (!condition) std::abort();
}

// Columns of every type, and relationships of every kind.
pgrst::test::CatalogRows catalog() {
  auto rows = pgrst::test::example_catalog();
  const auto more = pgrst::test::harbour_catalog();
  for (size_t i = 0; i < pgrst::kCatalogResultCount; i++) {
    rows.sets[i].insert(rows.sets[i].end(), more.sets[i].begin(), more.sets[i].end());
  }
  return rows;
}

const pgrst::SnapshotPtr& snapshot() {
  static const auto& instance =
      *new pgrst::SnapshotPtr(pgrst::test::snapshot({{"db_tx_end", "commit-allow-override"},
                                                     {"server_trace_header", "X-Trace"},
                                                     {"db_max_rows", "100"}},
                                                    catalog()));
  return instance;
}

bool is_json(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  return parser.parse(simdjson::padded_string(text)).get(element) == simdjson::SUCCESS;
}

bool is_type_name_byte(char c) {
  const auto u = static_cast<unsigned char>(c);
  return std::isalnum(u) || u >= 0x80 || c == '_' || c == '$' || c == ' ';
}

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// Length of the alias of our own that `text` begins with; 0: none.
size_t own_alias(std::string_view text) {
  for (const std::string_view alias : {" AS pgrst_feature", " AS pgrst_counted"}) {
    if (starts_with(text, alias)) return alias.size();
  }
  return 0;
}

// Outside of quoted identifiers there are words, numbers, operators, '{}' and '[]', but no other
// literal, no comment and no end of statement. Placeholders count up from $1. Casts name their type
// unquoted.
void check_statement(const Statement& statement) {
  const std::string_view text = statement.text;
  require(text.find('\0') == std::string_view::npos);
  size_t placeholders = 0;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    const std::string_view rest = text.substr(i);
    if (c == '"') {
      for (i++;; i++) {
        require(i < text.size());
        if (text[i] != '"') continue;
        if (i + 1 >= text.size() || text[i + 1] != '"') break;
        i++;
      }
    } else if (const size_t length = own_alias(rest); length > 0) {
      i += length - 1;
    } else if (starts_with(rest, " AS ") && rest.substr(4, 1) != "\"") {
      while (i + 1 < text.size() && is_type_name_byte(text[i + 1])) i++;
      require(i + 1 < text.size() && text[i + 1] == ')');
    } else if (c == '$' && rest.size() > 1 && std::isdigit(static_cast<unsigned char>(rest[1]))) {
      placeholders++;
      const std::string number = std::to_string(placeholders);
      require(rest.substr(1, number.size()) == number);
      i += number.size();
    } else if (starts_with(rest, "'{}'") || starts_with(rest, "'[]'")) {
      i += 3;
    } else {
      const auto u = static_cast<unsigned char>(c);
      require(std::isalnum(u) || u >= 0x80 ||
              std::string_view(" _$.,()*=<>&|~@:-").find(c) != std::string_view::npos);
      require(rest.substr(0, 2) != "--");
    }
  }
  require(placeholders == statement.params.size());
}

void check_headers(const HttpResponse& response) {
  require(response.status >= 100 && response.status <= 599);
  for (const auto& header : response.headers) {
    require(!header.name.empty());
    require(header.value.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos);
  }
}

// Nothing of a request for the description is in its statements but the schema, as a parameter.
void check_inspection(const pgrst::Transaction& t) {
  if (t.statements.empty()) return;
  const auto expected = pgrst::inspect_statements({"", pgrst::OpenApiMode::kFollowPrivileges});
  require(t.statements.size() == expected.size());
  for (size_t i = 0; i < expected.size(); i++) {
    require(t.statements[i].text == expected[i].text);
    require(t.statements[i].params.size() == 1);
  }
}

// The rows by which the database says that all may be seen.
pgrst::TransactionResult everything() {
  const auto rows = catalog();
  std::vector<pgrst::test::Row> tables, routines;
  for (const auto& row : rows.sets[pgrst::kTables]) tables.push_back({row[2]});
  for (const auto& row : rows.sets[pgrst::kRoutines]) routines.push_back({row[2], row[0]});
  pgrst::TransactionResult result;
  result.result_sets.resize(pgrst::inspect_statements({}).size());
  result.result_sets[pgrst::kVisibleTables].body = pgrst::test::records(tables);
  result.result_sets[pgrst::kVisibleRoutines].body = pgrst::test::records(routines);
  return result;
}

// It is the version that the header says, whichever was asked for.
void check_description(const DatabaseWork& work) {
  static const auto& result = *new pgrst::TransactionResult(everything());
  const HttpResponse response = pgrst::finish(work.pending, result);
  check_headers(response);
  require(response.status == 200);
  const auto* type = pgrst::find_header(response.headers, "Content-Type");
  const bool is_31 = type->find("version=3.1") != std::string::npos;
  require(starts_with(*type, "application/openapi+json; "));
  if (!work.pending.context.has_body) return;
  require(is_json(response.body));
  require(starts_with(response.body, is_31 ? R"({"openapi":"3.1.0")" : R"({"swagger":"2.0")"));
}

void check_work(const DatabaseWork& work) {
  const pgrst::Transaction& t = work.transaction;
  require(t.role == "anon");
  if (work.pending.writes_body()) {
    check_inspection(t);
    check_description(work);
  } else {
    require(!t.statements.empty());
    for (const auto& statement : t.statements) check_statement(statement);
  }
  for (const auto& [name, value] : t.settings) {
    if (name == "request.headers" || name == "request.cookies" || name == "request.jwt.claims") {
      require(is_json(value));
    }
  }
  const std::string bytes = pgrst::encode(t);
  require(pgrst::encode(pgrst::decode_transaction(bytes).value()) == bytes);
  pgrst::TransactionResult result;
  for (const uint64_t rows : {0, 3}) {
    const pgrst::ResultSet set{rows, rows, pgrst::test::records({{"5"}}), 20};
    result.result_sets.assign(t.statements.size(), set);
    check_headers(pgrst::finish(work.pending, result));
  }
  result.error.emplace();
  result.error->sqlstate = "22P02";
  check_headers(pgrst::finish(work.pending, result));
}

void check_request(const HttpRequest& request) {
  const auto result = pgrst::test::begin_request(request, snapshot());
  if (const auto* response = std::get_if<HttpResponse>(&result)) {
    check_headers(*response);
    require(response->status >= 300 && is_json(response->body));
    return;
  }
  check_work(std::get<DatabaseWork>(result));
}

// Header lines as an HTTP library hands them out: without NUL and line ends.
HttpRequest parse_request(std::string_view text) {
  const auto lines = pgrst::split(text, '\n');
  const size_t space = std::min(lines[0].find(' '), lines[0].size());
  HttpRequest request = pgrst::test::request(lines[0].substr(0, space), lines[0].substr(space));
  if (!request.path.empty()) request.path.erase(0, 1);
  for (size_t i = 1; i < lines.size(); i++) {
    const size_t colon = lines[i].find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    std::string value;
    for (const char c : pgrst::trim(lines[i].substr(colon + 1))) {
      if (c != '\r' && c != '\0') value += c;
    }
    request.headers.push_back({std::string(lines[i].substr(0, colon)), value});
  }
  return request;
}

Statement statement_of(std::string_view shape, std::string_view value) {
  std::string target(shape);
  pgrst::append_percent_encoded(target, value);
  auto result = pgrst::test::begin_request(pgrst::test::request("GET", target), snapshot());
  require(std::holds_alternative<DatabaseWork>(result));
  return std::get<DatabaseWork>(result).transaction.statements.at(0);
}

void check_value(std::string_view value) {
  static constexpr std::string_view kShapes[] = {
      "/items?name=eq.",
      "/items?name=not.neq.",
      "/items?name=gte.",
      "/items?name=like.",
      "/items?name=ilike(all).",
      "/items?name=match.",
      "/items?tags=cs.",
      "/items?name=isdistinct.",
      "/items?vec=wfts.",
      "/items?name=plfts(english).",
      "/ports?select=ships!inner(papers(*))&limit=9&ships.name=eq.",
      "/ports?select=...ships(id,papers(length))&ships.papers.length=not.eq.",
      "/sailors?select=home(),ships()&or=(home.is.null,ships.not.is.null)&home.name=like.",
  };
  for (const auto shape : kShapes) {
    const Statement other = statement_of(shape, "x");
    const Statement statement = statement_of(shape, value);
    require(statement.text == other.text);
    require(statement.params.size() == other.params.size());
    check_statement(statement);
  }
  const Statement exact = statement_of("/items?name=eq.", value);
  require(exact.params.at(0) == pgrst::to_valid_utf8(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (size > 0 && data[0] == 'v') {
    check_value(std::string_view(text).substr(1));
  } else {
    check_request(parse_request(text));
  }
  return 0;
}
