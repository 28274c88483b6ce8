// Verification of signed tokens: the first half of the auth stage.
//
// Input -> output: configured secret -> JwtKeySet; token, JwtKeySet -> Claims.
// Invariants: a Claims value exists only for a token whose signature one key verified; which
// algorithm a key serves is decided by the key, never by the token. Times and audience are not
// looked at here (auth/role.hpp). Token text is untrusted: everything is bounded by kMaxTokenBytes.
// Ownership: everything by value. Only files of auth/ include OpenSSL.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace pgrst {

inline constexpr size_t kMaxTokenBytes = 64 * 1024;

// RFC 7518, 3.1 and RFC 8037, 3.1, as far as PostgREST knows them.
enum class JwsAlgorithm {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa,
};

enum class JwtKeyKind { kSymmetric };

struct JwtKey {
  JwtKeyKind kind = JwtKeyKind::kSymmetric;
  std::string secret;               // the raw bytes of a symmetric key
  std::optional<JwsAlgorithm> alg;  // none: every algorithm of the key's kind
  std::optional<std::string> kid;
};

struct JwtKeySet {
  std::vector<JwtKey> keys;
};

// The claims of a verified token: the text of one JSON object, sound in the sense of
// auth/strict_json.hpp.
struct Claims {
  std::string json;
};

// The settings jwt-secret and jwt-secret-is-base64: a text is one HS256 key, as in PostgREST; a
// JSON object is a JSON Web Key or a set of them (auth/jwk.hpp), never an HMAC secret itself. An
// error is one of configuration: its message is for the administrator.
Result<JwtKeySet> make_key_set(std::string_view secret, bool is_base64);

// RFC 7515, 5.2 for the compact serialization, with PostgREST's errors: PGRST301 for all but
// PGRST303 "Parsing claims failed". Beyond PostgREST, it refuses tokens over kMaxTokenBytes,
// duplicate members, nesting over kMaxJsonDepth, base64url with stray trailing bits and a "crit"
// header.
Result<Claims> verify_jwt(std::string_view token, const JwtKeySet& keys);

}  // namespace pgrst
