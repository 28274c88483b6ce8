// The one catalogue of errors a client can see.
//
// Input -> output: the facts of an error -> Error{status, code, message, details, hint, headers};
// and Error -> JSON body. Every PGRST code, message, detail and hint of the project stands in
// error.cpp and nowhere else; they are PostgREST v16.2's, byte for byte
// (docs/references/errors.rst).
// Invariant: what an error repeats of a request is shortened, a list of names too: an error is
// never much larger than kMaxQuoted bytes for each place in its texts, whatever the request was.
#pragma once

#include "core/before_postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/http_message.hpp"

namespace pgrst {

enum class ErrorVerbosity { kVerbose, kMinimal };

// What a hint names. A role that may not use it must not read the hint.
struct HintedObject {
  enum class Kind { kRelation, kRoutine };
  Kind kind = Kind::kRelation;
  std::string schema;
  std::string name;
  std::vector<uint32_t> routines;  // oids; one of them is enough
};

struct Error {
  int status = 500;
  std::string reason;  // empty: the standard phrase of the status
  std::string code;
  std::string message;
  std::optional<std::string> details_json;  // a JSON value, already encoded
  std::optional<std::string> hint;
  std::optional<HintedObject> hinted;  // with hint; none: it names nothing that is not known
  Headers headers;
};

// {"code":...,"details":...,"hint":...,"message":...}; code and message only when minimal.
std::string error_body(const Error& error, ErrorVerbosity verbosity);

// The whole response: body, Content-Type, Content-Length, Proxy-Status and the error's own headers.
HttpResponse error_response(const Error& error, ErrorVerbosity verbosity);

// What PostgreSQL reported, as pg/guard.hpp copies it out of ErrorData. Empty means not given.
struct PgError {
  std::string sqlstate;  // five characters
  std::string message;
  std::string detail;
  std::string hint;
  std::string schema_name;
  std::string table_name;
  std::string column_name;
  std::string constraint_name;
  std::string datatype_name;
};

namespace errors {

// Bytes of a text of the request, or of a list of them, that an error repeats. No name that there
// can be is as long.
inline constexpr size_t kMaxQuoted = 2048;
std::string quotable(std::string_view text);

// PGRST000-003: the way to the database.
Error connection_failed(std::optional<std::string> details);  // 503 PGRST000
Error executor_lost();                                        // 503 PGRST001
Error no_schema_cache();                                      // 503 PGRST002
Error acquisition_timeout();                                  // 504 PGRST003
Error request_timeout();                                      // 504 57014
Error unconfirmed_commit();                                   // 504 40003

// PGRST1xx: the request.
Error query_param(std::string message, std::string_view details);            // 400 PGRST100
Error invalid_rpc_method(std::string_view method);                           // 405 PGRST101
Error invalid_body(std::string message);                                     // 400 PGRST102
Error range_negative_limit();                                                // 416 PGRST103
Error range_lower_gt_upper();                                                // 416 PGRST103
Error range_out_of_bounds(std::string_view offset, std::string_view total);  // 416 PGRST103
Error unacceptable_schema(std::string_view schema,
                          const std::vector<std::string>& exposed);  // 406 PGRST106
Error media_type(const std::vector<std::string>& accepted);          // 406 PGRST107
Error not_embedded(std::string_view resource);                       // 400 PGRST108
// The request names an embed by relation although it has an alias.
Error not_embedded_by_alias(std::string_view relation, std::string_view alias);    // 400 PGRST108
Error invalid_filters();                                                           // 405 PGRST105
Error guc_headers();                                                               // 500 PGRST111
Error guc_status();                                                                // 500 PGRST112
Error put_limit_not_allowed();                                                     // 400 PGRST114
Error put_matching_pk();                                                           // 400 PGRST115
Error singularity(uint64_t rows);                                                  // 406 PGRST116
Error duplicate_table_name(std::string_view name);                                 // 400 42712
Error related_order_not_to_one(std::string_view origin, std::string_view target);  // 400 PGRST118
Error unsupported_method(std::string_view method);                                 // 405 PGRST117
Error invalid_preferences(const std::vector<std::string>& invalid);                // 400 PGRST122
Error aggregates_not_allowed();                                                    // 400 PGRST123
Error max_affected_violation(uint64_t rows);                                       // 400 PGRST124
Error max_affected_rpc();                                                          // 400 PGRST128
Error invalid_resource_path();                                                     // 404 PGRST125
Error openapi_disabled();                                                          // 404 PGRST126
Error not_implemented(std::string_view details);                                   // 400 PGRST127

// PGRST2xx: the schema cache. `hint_*`: what the fuzzy search found.
Error no_relationship(std::string_view parent, std::string_view child,
                      const std::optional<std::string>& embed_hint, std::string_view schema,
                      std::optional<std::string> hint);  // 400 PGRST200
// How PGRST201 describes one of several relationships; it says nothing of computed ones.
struct RelationshipText {
  std::string cardinality;
  std::string embedding;
  std::string relationship;
  std::string disambiguated;  // target!hint
};
Error ambiguous_relationship(std::string_view parent, std::string_view child,
                             const std::vector<RelationshipText>& found);  // 300 PGRST201
// A function that was looked for. `nearest`: the hint's name of one, with its parameters if the
// name is right.
struct RoutineSearch {
  std::string schema;
  std::string name;
  // Sorted; of very many the first.
  std::vector<std::string> arguments;
  // Called by POST: with one of these bodies, or with JSON.
  enum class Body { kNone, kJson, kText, kXml, kBytes };
  Body body = Body::kNone;
};
Error routine_not_found(const RoutineSearch& search,
                        const std::optional<std::string>& nearest);  // 404 PGRST202
// signatures: "schema.name(param => type, ...)".
Error ambiguous_routine(const std::vector<std::string>& signatures);         // 300 PGRST203
Error column_not_found(std::string_view relation, std::string_view column);  // 400 PGRST204
Error table_not_found(std::string_view schema, std::string_view table,
                      const std::optional<std::string>& hint_table);  // 404 PGRST205

// PGRST3xx: JWT. The 401s carry WWW-Authenticate.
Error jwt_secret_missing();  // 500 PGRST300
// `message` is one of the decode messages of jwt.cpp; details where PostgREST gives them.
Error jwt_decode(std::string message, std::optional<std::string> details);  // 401 PGRST301
Error jwt_token_required();                                                 // 401 PGRST302
Error jwt_claims(std::string message);                                      // 401 PGRST303
// What PostgreSQL says of such a role, where it must not be asked.
Error no_such_role(std::string_view role);  // 401 22023

// Limits of this server. They have no counterpart in PostgREST, whose HTTP library answers them.
Error payload_too_large(uint64_t limit_bytes);  // 413 PGRST102
Error no_room_for_body();                       // 503 PGRST102
Error too_many_embeds(size_t limit);            // 400 PGRST100
Error internal(std::string_view what);          // 500 PGRSTX00

// What PostgreSQL says of it. Told before it is asked, since it asks itself late.
Error too_many_targets();  // 500 54011

// An error that PostgreSQL raised while the request's transaction ran. `authenticated`: the request
// ran as another role than db_anon_role (42501 is 403 then, 401 otherwise). Knows SQLSTATE PTxyz
// and PGRST.
Error from_postgres(const PgError& error, bool authenticated);

}  // namespace errors
}  // namespace pgrst
