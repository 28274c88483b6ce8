#include <simdjson.h>

#include <ctime>
#include <vector>

#include "app/pipeline.hpp"
#include "core/json.hpp"
#include "pg/session_request.hpp"
#include "pg/snapshot_keeper.hpp"

#include "pg/broker.hpp"
#include "pg/introspection.hpp"
#include "pg/shmem.hpp"
#include "pg/spi_transaction.hpp"

namespace pgrst::pg {

namespace {

// What a session keeps between calls.
struct Session {
  SnapshotKeeper keeper;
  JwtCache jwt_cache{0};
  uint64_t settings_generation = 0;
};

Session& session() {
  static auto* the_session = new Session();  // for the life of the process
  return *the_session;
}

void take_bodies(TransactionResult& result, const Bodies& bodies) {
  for (size_t i = 0; i < result.result_sets.size() && i < bodies.size(); i++) {
    std::string& body = result.result_sets[i].body;
    body.resize(bodies.at(i).size());
    bodies.at(i).copy_to(body.data());
  }
}

void take_file_settings(Session& s) {
  Shared* memory = shared();
  const uint64_t generation = memory == nullptr ? 1 : memory->settings_generation.load() + 1;
  if (generation == s.settings_generation) return;
  s.settings_generation = generation;
  s.keeper.set_file_settings(memory == nullptr ? std::string() : published_settings(*memory));
}

// Makes the session's snapshot the present one; an error, or nothing.
std::optional<PgError> refresh(Session& s) {
  take_file_settings(s);
  // Another round when the database names other schemas than postgresql.conf, or db_pre_config.
  for (int round = 0; round < 5; round++) {
    const std::string bytes = s.keeper.start(1, PG_VERSION_NUM);
    auto message = decode_request(std::string_view(bytes).substr(kSizePrefix));
    Bodies bodies;
    ResponseHead head = introspect(*message, TransactionScope::kInCaller, bodies);
    take_bodies(head.result, bodies);
    const auto error = head.result.error;
    Verdict verdict = s.keeper.on_result(head, 1);
    while (verdict == Verdict::kBuilding) verdict = s.keeper.build(SIZE_MAX);
    if (error) return error;
    if (verdict == Verdict::kPublished) s.jwt_cache.clear();
    if (!s.keeper.suspect(1)) break;
  }
  if (s.keeper.snapshot()) return std::nullopt;
  PgError problem;
  problem.sqlstate = "F0000";
  problem.message = "postgrest_ext is not configured: " + s.keeper.problem();
  return problem;
}

BeginResult begin_in_session(Session& s, HttpRequest request) {
  return begin(std::move(request), s.keeper.snapshot(), s.jwt_cache, std::time(nullptr),
               &monotonic_ns);
}

std::string headers_to_json(const Headers& headers) {
  std::string out = "[";
  for (const auto& header : headers) {
    if (out.size() > 1) out += ", ";
    out += '{';
    append_json_string(out, header.name);
    out += ": ";
    append_json_string(out, header.value);
    out += '}';
  }
  return out + "]";
}

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

std::string transaction_to_json(const Transaction& t) {
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

}  // namespace

SessionAnswer session_request(const HttpRequest& request) {
  SessionAnswer answer;
  Session& s = session();
  answer.error = refresh(s);
  if (answer.error) return answer;
  BeginResult begun = begin_in_session(s, request);
  if (auto* response = std::get_if<HttpResponse>(&begun)) {
    answer.response = std::move(*response);
  } else {
    auto& work = std::get<DatabaseWork>(begun);
    Bodies bodies;
    TransactionResult result =
        run_transaction(work.transaction, TransactionScope::kInCaller, nullptr, bodies);
    // Whoever cancels or ends the caller's statement means this session, not the request.
    if (result.error && result.error->sqlstate.substr(0, 2) == "57") {
      answer.error = result.error;
      return answer;
    }
    take_bodies(result, bodies);
    answer.response = finish(work.pending, result);
    if (answer.response.body_is_result) answer.response.body = result.result_sets[0].body;
  }
  if (request.method == "HEAD") answer.response.body.clear();
  answer.headers_json = headers_to_json(answer.response.headers);
  return answer;
}

SessionAnswer session_to_sql(const HttpRequest& request) {
  SessionAnswer answer;
  Session& s = session();
  answer.error = refresh(s);
  if (answer.error) return answer;
  BeginResult begun = begin_in_session(s, request);
  const auto* work = std::get_if<DatabaseWork>(&begun);
  if (work != nullptr && !work->pending.refusal) {
    answer.transaction_json = transaction_to_json(work->transaction);
    return answer;
  }
  if (work != nullptr) {
    // Nothing is run that could tell who may read the hint.
    Error error = *work->pending.refusal;
    error.hint.reset();
    answer.response = fail(work->pending, error);
  } else {
    answer.response = std::move(std::get<HttpResponse>(begun));
  }
  answer.transaction_json = "{\"status\": " + std::to_string(answer.response.status) +
                            ", \"error\": " + answer.response.body + "}";
  return answer;
}

bool parse_header_object(const std::string& json, Headers& headers) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json).get(object) != simdjson::SUCCESS) return false;
  for (const auto& member : object) {
    std::string_view value;
    if (member.value.get(value) != simdjson::SUCCESS) return false;
    headers.push_back({std::string(member.key), std::string(value)});
  }
  return true;
}

}  // namespace pgrst::pg
