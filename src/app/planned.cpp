#include "app/planned.hpp"

#include <simdjson.h>

#include <utility>

#include "core/json.hpp"

namespace pgrst {

namespace {

std::string settings_to_json(const SettingList& settings) {
  std::string out = "{";
  for (const auto& [name, value] : settings) {
    if (out.size() > 1) out += ", ";
    append_json_string(out, name);
    out += ": ";
    append_json_string(out, value);
  }
  return out + "}";
}

std::string statement_to_json(const Statement& statement, const std::string& payload) {
  std::string out = "{\"sql\": " + json_string(statement.text) + ", \"params\": [";
  for (size_t i = 0; i < statement.params.size(); i++) {
    if (i > 0) out += ", ";
    const SqlParam& param = statement.params[i];
    if (statement.payload_at == i) {
      out += json_string(payload);
    } else {
      out += param ? json_string(*param) : "null";
    }
  }
  return out + "]}";
}

const char* isolation_name(Isolation isolation) {
  switch (isolation) {
    case Isolation::kReadCommitted:
      return "read committed";
    case Isolation::kRepeatableRead:
      return "repeatable read";
    case Isolation::kSerializable:
      return "serializable";
  }
  return "";
}

std::string transaction_json(const Transaction& t) {
  std::string out = "{\"access_mode\": ";
  out += t.access == AccessMode::kReadOnly ? "\"read only\"" : "\"read write\"";
  out += ", \"isolation\": \"" + std::string(isolation_name(t.isolation)) + "\"";
  out += ", \"rollback\": " + std::string(t.rollback ? "true" : "false");
  out += ", \"role_settings\": " + settings_to_json(t.role_settings);
  out += ", \"role\": " + json_string(t.role);
  out += ", \"settings\": " + settings_to_json(t.settings);
  out += ", \"pre_request\": " + (t.pre_request.empty() ? "null" : json_string(t.pre_request));
  out += ", \"statements\": [";
  for (size_t i = 0; i < t.statements.size(); i++) {
    if (i > 0) out += ", ";
    out += statement_to_json(t.statements[i], t.payload);
  }
  return out + "]}";
}

void mask_settings(Transaction& t) {
  for (auto& [name, value] : t.role_settings) {
    if (name != "search_path") value = kMaskedValue;
  }
  for (auto& [name, value] : t.settings) {
    if (is_app_setting(name)) value = kMaskedValue;
  }
}

// A response to OPTIONS has no body.
std::string refused_json(const HttpResponse& response) {
  return "{\"status\": " + std::to_string(response.status) +
         ", \"error\": " + (response.body.empty() ? "null" : response.body) + "}";
}

bool take_text(const simdjson::dom::element& value, std::string& out) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return false;
  out = text;
  return true;
}

bool add_headers(const simdjson::dom::object& object, Headers& headers) {
  for (const auto& member : object) {
    Header header{std::string(member.key), ""};
    if (!take_text(member.value, header.value)) return false;
    headers.push_back(std::move(header));
  }
  return true;
}

}  // namespace

std::string planned_json(BeginResult begun, PlanReader reader) {
  auto* work = std::get_if<DatabaseWork>(&begun);
  if (work == nullptr) return refused_json(std::get<HttpResponse>(begun));
  if (reader == PlanReader::kAnybody) mask_settings(work->transaction);
  if (!work->pending.refusal) return transaction_json(work->transaction);
  // Nothing is run that could tell who may read the hint.
  Error error = *work->pending.refusal;
  error.hint.reset();
  return refused_json(fail(work->pending, error));
}

bool parse_header_object(const std::string& json, Headers& headers) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  return parser.parse(json).get(object) == simdjson::SUCCESS && add_headers(object, headers);
}

std::optional<HttpRequest> parse_request_object(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json).get(object) != simdjson::SUCCESS) return std::nullopt;
  HttpRequest request;
  std::string target;
  for (const auto& member : object) {
    bool good = false;
    if (member.key == "headers") {
      simdjson::dom::object headers;
      good =
          member.value.get(headers) == simdjson::SUCCESS && add_headers(headers, request.headers);
    } else if (member.key == "method") {
      good = take_text(member.value, request.method);
    } else if (member.key == "path") {
      good = take_text(member.value, target);
    } else if (member.key == "body") {
      good = take_text(member.value, request.body);
    }
    if (!good) return std::nullopt;
  }
  if (request.method.empty() || !target.starts_with('/')) return std::nullopt;
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  return request;
}

}  // namespace pgrst
