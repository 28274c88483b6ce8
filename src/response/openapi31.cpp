#include "response/openapi31.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "response/document_parts.hpp"
#include "response/openapi31_parts.hpp"

namespace pgrst {

namespace {

constexpr std::string_view kRootTag = "Introspection";

// -- the frame -----------------------------------------------------------------------------------

std::string server_url(const ApiServer& server) {
  if (!server.is_reachable) return "/";  // where the document is
  const ProxyUri& uri = server.uri;
  const bool bare_ipv6 = uri.host.find(':') != std::string::npos && !uri.host.starts_with('[');
  std::string out = uri.scheme + "://";
  out += bare_ipv6 ? "[" + uri.host + "]" : uri.host;
  const bool usual =
      (uri.scheme == "http" && uri.port == 80) || (uri.scheme == "https" && uri.port == 443);
  if (!usual) out += ":" + std::to_string(uri.port);
  out += uri.path;
  // Paths begin with a slash.
  if (out.ends_with('/')) out.pop_back();
  return out;
}

void add_head(JsonBuilder& json, const OpenApi31& document) {
  const Comment about = about_api(document.api);
  json.begin_object().member("openapi", "3.1.0").key("info").begin_object();
  json.member("title", about.summary);
  if (!about.description.empty()) json.member("description", about.description);
  json.member("version", kApiVersion).end_object();
  json.key("externalDocs").begin_object().member("description", "PostgREST Documentation");
  json.member("url", kApiDocumentation).end_object();
  json.key("servers").begin_array().begin_object().member("url", server_url(document.server));
  json.end_object().end_array();
  if (document.server.wants_jwt) {
    json.key("security")
        .json(document.server.serves_anyone ? R"([{"JWT":[]},{}])" : R"([{"JWT":[]}])");
  }
  json.key("tags").begin_array().begin_object().member("name", kRootTag).end_object();
  if (document.api.routines.empty()) return;
  json.begin_object().member("name", kRoutineTag).member("description", "Functions").end_object();
}

void add_tag(std::string& out, const Table& table) {
  const std::string& name = table.id.name;
  if (name == kRootTag || name == kRoutineTag) return;  // there already
  out += ',';
  JsonBuilder json(out);
  json.begin_object().member("name", name);
  if (table.description) json.member("description", *table.description);
  json.end_object();
}

void begin_paths(std::string& out) {
  out += R"(],"paths":{"/":)";
  JsonBuilder json(out);
  json.begin_object();
  begin_operation(json, {"get", "describe_api", kRootTag, "This document", ""});
  end_parameters(json);
  begin_responses(json);
  json.key("200").json(
      R"({"description":"An OpenAPI document","content":{"application/openapi+json":)"
      R"({"schema":{"type":"object"}}}})");
  end_operation(json);
  json.end_object();
}

constexpr std::string_view kCommonSchemas =
    R"x("postgrest.error":{"type":"object","description":"What went wrong",)x"
    R"x("required":["code","message"],"properties":{)x"
    R"x("code":{"type":"string","description":"`PGRST...`, or the SQLSTATE of PostgreSQL"},)x"
    R"x("message":{"type":"string"},)x"
    R"x("details":{"description":"Text, or a list of what would have been possible"},)x"
    R"x("hint":{"type":["string","null"]}}},)x"
    R"x("postgrest.filter":{"type":"string","description":"`operator.value`; )x"
    R"x(`not.` in front negates","examples":["eq.5","in.(1,2)","not.is.null"],)x"
    R"x("pattern":"^(not\\.)?[a-z]+(\\([^)]*\\))?\\."})x";

constexpr std::string_view kHeaders =
    R"x({"contentRange":{"description":"Which rows these are, and of how many",)x"
    R"x("schema":{"type":"string","examples":["0-9/*","0-9/120"]}},)x"
    R"x("preferenceApplied":{"description":"The preferences that were heeded",)x"
    R"x("schema":{"type":"string"}},)x"
    R"x("location":{"description":"The row that was inserted, if it is one and has a primary key",)x"
    R"x("schema":{"type":"string"}}})x";

constexpr std::string_view kCommonResponses =
    R"x("postgrest.error":{"description":"An error","content":{"application/json":)x"
    R"x({"schema":{"$ref":"#/components/schemas/postgrest.error"}}}},)x"
    R"x("postgrest.empty":{"description":"Done; there is nothing to show"})x";

// -- parameters ----------------------------------------------------------------------------------

struct CommonParameter {
  std::string_view key;
  std::string_view name;
  std::string_view in;
  std::string_view description;
  std::string_view schema;  // JSON
};

constexpr std::array kCommonParameters = std::to_array<CommonParameter>({
    {"select", "select", "query", "Columns and embedded relations to return",
     R"x({"type":"string","examples":["id,name","*,related(*)"]})x"},
    {"order", "order", "query", "Columns to order by",
     R"x({"type":"string","examples":["name","date.desc.nullslast,id"]})x"},
    {"limit", "limit", "query", "Rows to return at most", R"x({"type":"integer","minimum":0})x"},
    {"offset", "offset", "query", "Rows to leave out first", R"x({"type":"integer","minimum":0})x"},
    {"and", "and", "query", "Conditions that all hold",
     R"x({"type":"string","pattern":"^\\(","examples":["(id.gt.5,id.lt.9)"]})x"},
    {"or", "or", "query", "Conditions of which one holds",
     R"x({"type":"string","pattern":"^\\(","examples":["(id.lt.5,name.like.a*)"]})x"},
    {"columns", "columns", "query", "Members of the body to take; others are passed over",
     R"x({"type":"string","examples":["id,name"]})x"},
    {"onConflict", "on_conflict", "query",
     "Unique columns by which a row is there already; without it the primary key",
     R"x({"type":"string"})x"},
    {"range", "Range", "header", "First and last row, from 0 on",
     R"x({"type":"string","pattern":"^[0-9]+-[0-9]*$","examples":["0-9"]})x"},
});

// Preferences that have values of their own; several make a list with commas between.
struct Preferred {
  std::string_view key;
  std::string_view values;  // elements of a JSON array
};

#define PGRST_RETURN R"("return=minimal","return=headers-only","return=representation",)"
#define PGRST_MISSING R"("missing=default","missing=null",)"
#define PGRST_ANY                                       \
  R"("count=exact","count=planned","count=estimated",)" \
  R"("handling=lenient","handling=strict")"

constexpr std::array kPreferences = std::to_array<Preferred>({
    {"preferRead", PGRST_ANY},
    {"preferInsert", PGRST_RETURN PGRST_MISSING
     R"("resolution=merge-duplicates","resolution=ignore-duplicates",)" PGRST_ANY},
    {"preferPut", PGRST_RETURN PGRST_ANY},
    {"preferUpdate", PGRST_RETURN PGRST_MISSING PGRST_ANY},
    {"preferDelete", PGRST_RETURN PGRST_ANY},
    {"preferCall", PGRST_ANY},
});

#undef PGRST_RETURN
#undef PGRST_MISSING
#undef PGRST_ANY

void add_common_parameters(JsonBuilder& json, const ApiServer& server) {
  for (const auto& parameter : kCommonParameters) {
    json.key(parameter.key).begin_object().member("name", parameter.name);
    json.member("in", parameter.in).member("description", parameter.description);
    json.key("schema").json(parameter.schema).end_object();
  }
  for (const auto& preferred : kPreferences) {
    json.key(preferred.key).begin_object().member("name", "Prefer").member("in", "header");
    json.member("description", "Preferences").key("schema").begin_object();
    json.member("type", "array").key("items").begin_object().member("type", "string");
    json.key("enum").begin_array().json(preferred.values);
    if (server.tx_override) json.string("tx=commit").string("tx=rollback");
    json.end_array().end_object().end_object().end_object();
  }
  if (server.profile.empty()) return;
  for (const auto& [key, name] : {std::pair{"acceptProfile", "Accept-Profile"},
                                  std::pair{"contentProfile", "Content-Profile"}}) {
    json.key(key).begin_object().member("name", name).member("in", "header");
    json.member("description", "The schema").key("required").boolean(true);
    json.key("schema").begin_object().member("type", "string").key("enum").begin_array();
    json.string(server.profile).end_array().end_object().end_object();
  }
}

// -- the document --------------------------------------------------------------------------------

void add_tail(std::string& out, const ApiServer& server) {
  out += '}';
  if (server.wants_jwt) {
    out += R"(,"securitySchemes":{"JWT":{"type":"http","scheme":"bearer","bearerFormat":"JWT"}})";
  }
  out += "}}";
}

using Write = void (*)(JsonBuilder& json, const OpenApi31& document, size_t at);

// Members that stand behind others; a piece may be none.
DocumentPart members(size_t pieces, std::shared_ptr<const OpenApi31> document, Write write) {
  return {pieces, [document = std::move(document), write](std::string& out, size_t at) {
            out += ',';
            const size_t begun = out.size();
            JsonBuilder json(out);
            write(json, *document, at);
            if (out.size() == begun) out.pop_back();
          }};
}

}  // namespace

std::unique_ptr<BodyPieces> write_openapi31(ApiDescription api, ApiServer server) {
  // What no request can call has no operation.
  api.routines.erase(std::remove_if(api.routines.begin(), api.routines.end(),
                                    [](const Routine* r) { return !r->can_be_called(); }),
                     api.routines.end());
  OpenApiNames names(api);
  const auto document = std::make_shared<const OpenApi31>(
      OpenApi31{std::move(api), std::move(server), std::move(names)});
  const size_t tables = document->api.tables.size();
  const size_t routines = document->api.routines.size();
  std::vector<DocumentPart> parts;
  parts.push_back({1, [document](std::string& out, size_t) {
                     JsonBuilder json(out);
                     add_head(json, *document);
                   }});
  parts.push_back({tables, [document](std::string& out, size_t at) {
                     add_tag(out, *document->api.tables[at]);
                   }});
  parts.push_back({1, [](std::string& out, size_t) { begin_paths(out); }});
  parts.push_back(members(tables, document, add_table_operations));
  parts.push_back(members(routines, document, add_routine_operations));
  parts.push_back({1, [](std::string& out, size_t) {
                     out.append(R"(},"components":{"schemas":{)").append(kCommonSchemas);
                   }});
  parts.push_back(members(tables, document, add_table_schemas));
  parts.push_back({1, [document](std::string& out, size_t) {
                     out.append(R"(},"headers":)").append(kHeaders).append(R"(,"parameters":{)");
                     JsonBuilder json(out);
                     add_common_parameters(json, document->server);
                   }});
  parts.push_back(members(tables, document, add_table_filters));
  parts.push_back({1, [](std::string& out, size_t) {
                     out.append(R"(},"responses":{)").append(kCommonResponses);
                   }});
  parts.push_back(members(tables, document, add_table_response));
  parts.push_back({1, [document](std::string& out, size_t) { add_tail(out, document->server); }});
  return make_pieces(std::move(parts));
}

}  // namespace pgrst
