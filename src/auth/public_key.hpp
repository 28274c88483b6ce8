// Public keys, and the signatures that they verify, by OpenSSL's EVP interface.
//
// Input -> output: the parameters of a JSON Web Key as bytes -> PublicKey, or an error of
// configuration; text, signature -> is it right.
// Invariants: the key is sound (a point of its curve, an odd modulus of a bearable size) and serves
// the algorithms of its kind only. No private part ever gets in here.
// Ownership: the OpenSSL key is immutable and shared by the copies; thread-safe. Errors of OpenSSL
// do not stay in its queue, which the server's own connections use too.
#pragma once

#include "core/before_postgres.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "auth/jws_algorithm.hpp"
#include "core/result.hpp"

struct evp_pkey_st;  // EVP_PKEY

namespace pgrst {

// RFC 7518, 3.3 demands 2048 bits of those who make keys. PostgREST verifies with any; below 1024 a
// key is no protection. The upper bound keeps the check of a key below a second.
inline constexpr size_t kMinRsaBits = 1024;
inline constexpr size_t kMaxRsaBits = 8192;

class PublicKey {
 public:
  // RFC 7518, 6.3.1: modulus and exponent, big-endian.
  static Result<PublicKey> from_rsa(std::string_view n, std::string_view e);

  // RFC 7518, 6.2.1: the coordinates of a point of P-256, P-384 or P-521, big-endian. Leading zeros
  // may be missing or too many, as PostgREST allows.
  static Result<PublicKey> from_ec(KeyKind curve, std::string_view x, std::string_view y);

  // RFC 8037, 2: the public key of Ed25519 or Ed448.
  static Result<PublicKey> from_okp(KeyKind curve, std::string_view x);

  KeyKind kind() const { return kind_; }

  // RFC 7518, 3.3 to 3.5 and RFC 8037, 3.1. A signature of ECDSA is r and s, each of the size of
  // the curve; of any other length it is wrong.
  bool verifies(JwsAlgorithm alg, std::string_view text, std::string_view signature) const;

 private:
  PublicKey(KeyKind kind, std::shared_ptr<evp_pkey_st> key) : kind_(kind), key_(std::move(key)) {}

  KeyKind kind_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace pgrst
