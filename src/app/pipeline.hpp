// The pipeline: the way of a request, from HttpRequest to HttpResponse, with the database in the
// middle.
//
// Input -> output: begin() turns a request into either its response or a transaction to run;
// finish() turns what came of the transaction into the response. Both are pure, so that the
// gateway, pgrst.request() and the tests share them. Nothing here blocks or runs SQL.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "api_request/api_request.hpp"
#include "app/snapshot.hpp"
#include "core/http_message.hpp"
#include "query/transaction.hpp"
#include "response/response.hpp"

namespace pgrst {

// What finish() needs to know of a request that waits for the database.
struct PendingRequest {
  SnapshotPtr snapshot;
  ResponseContext context;
  bool authenticated = false;  // under another role than db_anon_role
  bool headers_only = false;
  std::optional<Header> trace;
};

struct DatabaseWork {
  Transaction transaction;
  PendingRequest pending;
};

using BeginResult = std::variant<HttpResponse, DatabaseWork>;

// What begin() does, in steps: a large body takes many milliseconds to read.
class Beginning {
 public:
  // now: seconds since the epoch.
  Beginning(HttpRequest request, const SnapshotPtr& snapshot, JwtCache& jwt_cache, int64_t now);
  // Reads on in the body for about max_bytes; true when all is read.
  bool step(size_t max_bytes);
  // Once, after step() has returned true.
  BeginResult take();

 private:
  Result<void> start(JwtCache& jwt_cache, int64_t now);
  Result<BeginResult> plan();

  HttpRequest request_;
  PendingRequest pending_;
  AuthResult auth_;
  ApiRequest api_request_;
  std::unique_ptr<PayloadReader> body_;
  std::optional<Error> error_;
};

BeginResult begin(HttpRequest request, const SnapshotPtr& snapshot, JwtCache& jwt_cache,
                  int64_t now);

HttpResponse finish(const PendingRequest& pending, const TransactionResult& result);

// The response of an error that is not of the transaction's making: queue full, executor lost, ...
HttpResponse fail(const PendingRequest& pending, const Error& error);

}  // namespace pgrst
