#include "api_request/media_type.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "core/text.hpp"

namespace pgrst {

namespace {

using Kind = MediaType::Kind;

struct Row {
  Kind kind;
  std::string_view mime;
};

constexpr std::array kMimes = {
    Row{Kind::kJson, "application/json"},
    Row{Kind::kGeoJson, "application/geo+json"},
    Row{Kind::kCsv, "text/csv"},
    Row{Kind::kPlainText, "text/plain"},
    Row{Kind::kXml, "text/xml"},
    Row{Kind::kOpenApi, "application/openapi+json"},
    Row{Kind::kUrlEncoded, "application/x-www-form-urlencoded"},
    Row{Kind::kOctetStream, "application/octet-stream"},
    Row{Kind::kAny, "*/*"},
    Row{Kind::kArrayStripped, "application/vnd.pgrst.array+json;nulls=stripped"},
    Row{Kind::kSingular, "application/vnd.pgrst.object+json"},
    Row{Kind::kSingularStripped, "application/vnd.pgrst.object+json;nulls=stripped"},
};

// The main part "type/subtype" of a media type in lower case, and its parameters.
struct Tokens {
  std::string essence;
  bool nulls_stripped = false;
  std::string plan_for = "application/json";
  std::string plan_options;
  std::string version;
};

bool is_type_byte(char c, bool sub) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '*' || (sub && (c == '+' || c == '-'));
}

// The bytes at the start of `text` that may stand in a type or subtype.
size_t type_length(std::string_view text, bool sub) {
  size_t n = 0;
  while (n < text.size() && is_type_byte(text[n], sub)) n++;
  return n;
}

// The text up to a ';' that does not stand in quotes; `rest` is what follows it.
std::string_view next_parameter(std::string_view& rest) {
  bool quoted = false;
  size_t n = 0;
  for (; n < rest.size() && (quoted || rest[n] != ';'); n++) quoted = quoted != (rest[n] == '"');
  const auto parameter = rest.substr(0, n);
  rest.remove_prefix(n < rest.size() ? n + 1 : n);
  return parameter;
}

// EBNF: media-type = type "/" subtype *( OWS ";" OWS key OWS "=" OWS ( token | quoted ) ) ...
// What follows is passed over, and so are parameters from the first on that is none, as PostgREST
// does. A text that does not begin like this has no essence.
Tokens tokenize(std::string_view text) {
  Tokens tokens;
  const size_t type = type_length(text, false);
  if (type == 0 || type >= text.size() || text[type] != '/') return tokens;
  const size_t subtype = type_length(text.substr(type + 1), true);
  if (subtype == 0) return tokens;
  tokens.essence = to_lower_ascii(text.substr(0, type + 1 + subtype));
  std::string_view rest = trim(text.substr(type + 1 + subtype));
  if (rest.empty() || rest.front() != ';') return tokens;
  rest.remove_prefix(1);
  while (!rest.empty()) {
    const auto part = next_parameter(rest);
    const size_t eq = part.find('=');
    if (eq == std::string_view::npos) break;
    std::string_view value = trim(part.substr(eq + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    const std::string name = to_lower_ascii(trim(part.substr(0, eq)));
    if (name == "nulls") tokens.nulls_stripped = value == "stripped";
    if (name == "for") tokens.plan_for = value;
    if (name == "options") tokens.plan_options = value;
    if (name == "version") tokens.version = value;
  }
  return tokens;
}

struct Ranked {
  std::string text;
  double quality = 1;
  int specificity = 0;
};

// A number begins with a digit, as for Haskell's reads; anything else counts as 1.
double parse_quality(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return 1.0;
  const std::string copy(text.substr(0, 16));
  char* end = nullptr;
  const double q = std::strtod(copy.c_str(), &end);
  return end == copy.c_str() || std::isnan(q) ? 1.0 : q;
}

// One element of an Accept header: spaces removed, ";q=" and all after it cut off.
Ranked rank(std::string_view element) {
  Ranked r;
  for (const char c : element) {
    if (c != ' ') r.text += c;
  }
  const size_t q = r.text.find(";q=");
  if (q != std::string::npos) {
    const std::string_view rest = std::string_view(r.text).substr(q + 3);
    r.quality = parse_quality(rest.substr(0, rest.find(';')));
    r.text.resize(q);
  }
  r.specificity = static_cast<int>(std::count(r.text.begin(), r.text.end(), ';')) -
                  static_cast<int>(std::count(r.text.begin(), r.text.end(), '*'));
  return r;
}

constexpr std::string_view kPlanOptions[] = {"analyze", "verbose", "settings", "buffers", "wal"};

MediaType plan_type(const Tokens& tokens, bool is_json) {
  MediaType type{Kind::kPlan, to_mime(parse_media_type(tokens.plan_for)), is_json, {}};
  const auto given = split(tokens.plan_options, '|');
  for (const auto option : kPlanOptions) {
    if (std::find(given.begin(), given.end(), option) != given.end()) {
      type.plan_options.emplace_back(option);
    }
  }
  return type;
}

// A plan for a plan, and so on, is a plan: whoever asks for it gets no recursion.
bool is_plan(std::string_view essence) {
  return essence == "application/vnd.pgrst.plan" || essence == "application/vnd.pgrst.plan+text" ||
         essence == "application/vnd.pgrst.plan+json";
}

}  // namespace

MediaType parse_media_type(std::string_view text) {
  const Tokens tokens = tokenize(text);
  const std::string& essence = tokens.essence;
  if (essence == "application/vnd.pgrst.object+json" || essence == "application/vnd.pgrst.object") {
    return {tokens.nulls_stripped ? Kind::kSingularStripped : Kind::kSingular, "", false, {}};
  }
  if (essence == "application/vnd.pgrst.array+json" || essence == "application/vnd.pgrst.array") {
    return {tokens.nulls_stripped ? Kind::kArrayStripped : Kind::kJson, "", false, {}};
  }
  if (is_plan(essence)) {
    if (is_plan(tokenize(tokens.plan_for).essence))
      return {Kind::kOther, std::string(text), false, {}};
    return plan_type(tokens, essence == "application/vnd.pgrst.plan+json");
  }
  for (const auto& row : kMimes) {
    if (row.mime != essence) continue;
    MediaType type{row.kind, "", false, {}};
    if (row.kind == Kind::kOpenApi) type.version = tokens.version;
    return type;
  }
  return {Kind::kOther, std::string(text), false, {}};
}

std::string to_mime(const MediaType& type) {
  if (type.kind == Kind::kPlan) {
    std::string out = "application/vnd.pgrst.plan+";
    out += type.plan_is_json ? "json" : "text";
    out += "; for=\"" + type.other + "\"";
    for (size_t i = 0; i < type.plan_options.size(); i++) {
      out += (i == 0 ? "; options=" : "|") + type.plan_options[i];
    }
    return out;
  }
  for (const auto& row : kMimes) {
    if (row.kind == type.kind) return std::string(row.mime);
  }
  return type.other;
}

std::string to_content_type(const MediaType& type) {
  std::string out = to_mime(type);
  if (!type.version.empty()) out += "; version=" + type.version;
  if (type.kind != Kind::kOctetStream && type.kind != Kind::kOther) out += "; charset=utf-8";
  return out;
}

std::vector<MediaType> parse_accept(std::string_view header) {
  std::vector<Ranked> ranked;
  if (header.empty()) return {};
  for (const auto element : split(header, ',')) ranked.push_back(rank(element));
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return std::pair(a.quality, a.specificity) > std::pair(b.quality, b.specificity);
  });
  std::vector<MediaType> types;
  types.reserve(ranked.size());
  for (const auto& r : ranked) types.push_back(parse_media_type(r.text));
  return types;
}

}  // namespace pgrst
