// Verification of signed tokens: the first half of the auth stage.
//
// Input -> output: configured secret -> JwtKeySet; token, JwtKeySet -> Claims.
// Invariants: a Claims value exists only for a token whose signature one key verified; which
// algorithm a key serves is decided by the key, never by the token. Times and audience are not
// looked at here (auth/role.hpp). Token text is untrusted: everything is bounded by kMaxTokenBytes.
// Ownership: everything by value; copies of a key set share its public keys. Only files of auth/
// include OpenSSL.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/jws_algorithm.hpp"
#include "auth/public_key.hpp"
#include "core/result.hpp"

namespace pgrst {

inline constexpr size_t kMaxTokenBytes = 64 * 1024;

// The raw bytes of a symmetric key.
struct HmacSecret {
  std::string bytes;
};

struct JwtKey {
  std::variant<HmacSecret, PublicKey> material;
  std::optional<JwsAlgorithm> alg;  // none: every algorithm that the key's kind serves
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

// A symmetric key shorter than its shortest digest can be guessed (RFC 7518, 3.2): the same bound
// for a text and for a JSON Web Key.
Result<void> check_secret_size(std::string_view bytes);

// The settings jwt-secret and jwt-secret-is-base64: a text is one HS256 key, as in PostgREST; a
// JSON object is a JSON Web Key or a set of them (auth/jwk.hpp). Where PostgREST takes a JSON Web
// Key that it cannot read, or a public key in PEM, for the text of an HMAC secret, this is an
// error: who knows the public key could sign with it. Errors are of configuration: their messages
// are for the administrator, and hold nothing of the secret.
Result<JwtKeySet> make_key_set(std::string_view secret, bool is_base64);

// RFC 7515, 5.2 for the compact serialization, with PostgREST's errors: PGRST301 for all but
// PGRST303 "Parsing claims failed". A token with a "kid" is checked with the keys of that kid only,
// one without with every key that serves its algorithm, until one fits. Beyond PostgREST, it
// refuses tokens over kMaxTokenBytes, duplicate members, nesting over kMaxJsonDepth, base64url with
// stray trailing bits, a "crit" header, and ECDSA with another curve than the algorithm's.
Result<Claims> verify_jwt(std::string_view token, const JwtKeySet& keys);

}  // namespace pgrst
