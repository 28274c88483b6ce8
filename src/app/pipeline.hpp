// The pipeline: the way of a request, from HttpRequest to HttpResponse, with the database in the
// middle.
//
// Input -> output: begin() turns a request into either its response or a transaction to run;
// finish() turns what came of the transaction into the response. Both are pure, given the clock, so
// that the gateway, pgrst.request() and the tests share them. Nothing here blocks or runs SQL.
// Around every response, errors included, stand the trace header and the headers of CORS.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "api_request/api_request.hpp"
#include "app/description_cache.hpp"
#include "app/snapshot.hpp"
#include "core/http_message.hpp"
#include "query/transaction.hpp"
#include "response/response.hpp"
#include "response/server_timing.hpp"

namespace pgrst {

// What finish() needs to know of a request that waits for the database.
struct PendingRequest {
  SnapshotPtr snapshot;
  ResponseContext context;
  bool authenticated = false;  // under another role than db_anon_role
  bool headers_only = false;
  std::optional<Header> trace;
  Headers cors;
  PhaseTimer timer;
  RequestAccount account;
  // What is wrong with the request. The transaction asks only whether the role may read the hint.
  std::optional<Error> refusal;

  // The body is written by finish(), from all result sets: none of them is the body.
  bool writes_body() const { return context.kind == ResponseContext::Kind::kInspect; }
};

struct DatabaseWork {
  Transaction transaction;
  PendingRequest pending;
};

using BeginResult = std::variant<HttpResponse, DatabaseWork>;

// What begin() does, in steps: a large body takes many milliseconds to read.
class Beginning {
 public:
  // Takes so many bytes of memory for as long as the request lasts; false when there are none.
  using TakeMemory = std::function<bool(uint64_t)>;

  // now: seconds since the epoch; clock: for Server-Timing, read only where that is enabled;
  // take_memory: for what is made of the body, null: no matter how much.
  Beginning(HttpRequest request, const SnapshotPtr& snapshot, JwtCache& jwt_cache, int64_t now,
            Clock clock = nullptr, TakeMemory take_memory = nullptr);
  Beginning(const Beginning&) = delete;
  Beginning& operator=(const Beginning&) = delete;
  // Reads on in the body for about max_bytes; true when all is read.
  bool step(size_t max_bytes);
  // Once, after step() has returned true.
  BeginResult take();
  // Instead of take(), after a surprise.
  HttpResponse fail(const Error& error) const;

 private:
  Result<void> start(JwtCache& jwt_cache, int64_t now, TakeMemory take_memory);
  Result<BeginResult> plan();
  DatabaseWork check_hint(Error error);

  HttpRequest request_;
  PendingRequest pending_;
  bool is_preflight_ = false;
  AuthResult auth_;
  ApiRequest api_request_;
  std::unique_ptr<PayloadReader> body_;
  std::optional<Error> error_;
};

BeginResult begin(HttpRequest request, const SnapshotPtr& snapshot, JwtCache& jwt_cache,
                  int64_t now, Clock clock = nullptr);

HttpResponse finish(const PendingRequest& pending, const TransactionResult& result);

// What finish() does where it writes_body(), in steps: the description of a large schema takes many
// milliseconds to write. A body of more than kMaxHeldBody is measured only: the response then has
// the pieces to write it from.
class Finishing {
 public:
  static constexpr size_t kMaxHeldBody = 1024 * 1024;  // bytes

  // cache: where descriptions are looked for and kept, which outlives this; null: nowhere.
  Finishing(PendingRequest pending, const TransactionResult& result,
            DescriptionCache* cache = nullptr);
  // Writes on for about max_bytes; true when there is nothing left to do.
  bool step(size_t max_bytes);
  // Once, after step() has returned true.
  HttpResponse take();
  // Instead of take(), after a surprise.
  HttpResponse fail(const Error& error) const;

 private:
  Result<void> start(const TransactionResult& result);
  // True when nothing is left to be written or measured.
  bool take_from_cache();
  void put_into_cache();

  PendingRequest pending_;
  DescriptionCache* cache_;
  std::string cache_key_;
  bool is_known_ = false;  // the size, and the body if it can be held, are from the cache
  std::optional<Error> error_;
  std::shared_ptr<BodyPieces> pieces_;  // null: there is no body, or it is held
  std::string held_;
  bool too_large_ = false;  // to hold
  uint64_t dropped_ = 0;    // bytes that are not held
};

// The response of an error that is not of the transaction's making: queue full, executor lost, ...
HttpResponse fail(const PendingRequest& pending, const Error& error);

// The response to a request that goes no way at all: its body is too large, ... `snapshot` may be
// null.
HttpResponse refuse(const HttpRequest& request, const SnapshotPtr& snapshot, const Error& error);

}  // namespace pgrst
