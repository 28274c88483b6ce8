#include <ctime>
#include <utility>
#include <vector>

#include "app/pipeline.hpp"
#include "app/planned.hpp"
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
  uint64_t served_generation = 0;  // the gateway's, whose settings by db_pre_config are taken over
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

void notice_new_settings(Session& s) {
  const DatabaseShared* db = own_database();
  const uint64_t served = db == nullptr ? 0 : db->snapshot_generation.load();
  if (std::exchange(s.served_generation, served) != served) s.keeper.force();
  Shared* memory = shared();
  const uint64_t generation = memory == nullptr ? 1 : memory->settings_generation.load() + 1;
  if (generation == s.settings_generation) return;
  s.settings_generation = generation;
  s.keeper.set_file_settings(memory == nullptr ? std::string() : published_settings(*memory));
}

// Makes the session's snapshot the present one; an error, or nothing.
std::optional<PgError> refresh(Session& s) {
  notice_new_settings(s);
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

SessionAnswer session_to_sql(const HttpRequest& request, bool by_owner) {
  SessionAnswer answer;
  Session& s = session();
  answer.error = refresh(s);
  if (answer.error) return answer;
  const PlanReader reader = by_owner ? PlanReader::kOwner : PlanReader::kAnybody;
  answer.transaction_json = planned_json(begin_in_session(s, request), reader);
  return answer;
}

}  // namespace pgrst::pg
