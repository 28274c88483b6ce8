// Transaction: everything one request wants of the database, and TransactionResult: what came of
// it.
//
// Input -> output: values -> message bytes for the ring and back. A Transaction is a list of
// statements and returns a list of result sets, run in one database transaction under one role. The
// decoders accept only well-formed messages.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "query/sql_builder.hpp"
#include "schema_cache/schema_cache.hpp"

namespace pgrst {

enum class AccessMode : uint8_t { kReadWrite, kReadOnly };

// What becomes of the rows of a statement.
enum class ResultFormat : uint8_t {
  kNone,        // nothing: not even counted
  kCount,       // counted
  kJsonArray,   // a JSON array of objects, the bytes that json_agg gives
  kJsonObject,  // the first row as a JSON object; all rows counted
  kJsonValues,  // the first columns of all rows as a JSON array
  kJsonValue,   // the first column of the first row, "null" when there is none; all rows counted
  kJsonValuesStripped,
  kJsonValueStripped,
  kJsonArrayStripped,  // the same without members that are null
  kJsonObjectStripped,
  kCsv,
  kGeoJson,
  kRaw,        // one row: how many rows it was made of, and the bytes of the body
  kRecords,    // row records, see schema_cache/builder.hpp
  kExplained,  // kRecords of an EXPLAIN
  kLines,      // the first columns as text, a line each; of an EXPLAIN
};

// Rows [offset, offset + limit) of a result.
struct RowWindow {
  uint64_t offset = 0;
  uint64_t limit = UINT64_MAX;
};

struct Statement {
  std::string text;
  std::vector<SqlParam> params;
  ResultFormat format = ResultFormat::kNone;
  RowWindow window;  // rows outside are counted only
  // Of kCsv: the first column is no part of the result. Where it is null the row is none, and only
  // tells that the names of the columns are due.
  bool has_marks = false;
  // This parameter is the payload of the transaction; what stands in params is not used.
  std::optional<size_t> payload_at;
};

using SettingList = std::vector<std::pair<std::string, std::string>>;

struct Transaction {
  AccessMode access = AccessMode::kReadOnly;
  Isolation isolation = Isolation::kReadCommitted;
  bool rollback = false;      // end it with ROLLBACK although all went well
  SettingList role_settings;  // applied before the role is taken: search_path, those of the role
  std::string role;           // an empty one does not exist, as in PostgreSQL
  SettingList settings;       // applied after it: request.*, ...
  // Run as the session user, whatever `role` says: what we do ourselves, never what a request asks.
  // No message carries it; who runs the transaction sets it.
  bool as_session_user = false;
  std::string pre_request;  // SQL to run before the statements; empty: none
  std::vector<Statement> statements;
  // What the request brings, as a parameter for one statement. It may be large: it is moved, never
  // copied, and the encoded message does not hold it.
  std::string payload;
  // How many rows the first statement may give (within its window) or write: with others the
  // transaction is rolled back, though its result is returned.
  uint64_t min_rows = 0;
  uint64_t max_rows = UINT64_MAX;
  uint64_t max_bytes = UINT64_MAX;  // of all bodies together; more is error 54000
};

struct ResultSet {
  uint64_t rows = 0;       // within the window
  uint64_t total = 0;      // all of them
  std::string body;        // of small result sets that the pipeline reads
  uint64_t body_size = 0;  // bytes of the body, wherever it is
};

// What is known of a transaction beyond its error or its result sets.
enum class Completion : uint8_t {
  kKnown,
  kUnconfirmed,  // it has committed here; the wait for a synchronous standby was broken off
  kResultLost,   // it has committed, but what it gave could not be kept
};

struct TransactionResult {
  std::optional<PgError> error;  // then nothing else is set
  std::vector<ResultSet> result_sets;
  std::string response_headers;  // the settings response.headers and response.status, or empty
  std::string response_status;
  std::string inserted;  // the setting response.inserted (mutate_builder.cpp)
  Completion completion = Completion::kKnown;
};

// Appends the message to `out`.
void encode(const Transaction& transaction, std::string& out);
std::string encode(const Transaction& transaction);
std::optional<Transaction> decode_transaction(std::string_view message);

// The result without the bodies, which follow it in the stream in the order of the result sets.
std::string encode_head(const TransactionResult& result);
std::optional<TransactionResult> decode_head(std::string_view message);

}  // namespace pgrst
