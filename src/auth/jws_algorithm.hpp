// The signature algorithms of tokens, and the kinds of key that serve them.
//
// Input -> output: the text of an "alg" -> JwsAlgorithm; algorithm, kind of key -> may they meet.
// Invariant: an algorithm is served by one kind of key only (EdDSA by two, whose signatures have
// different lengths), so that no public key can ever be taken for a secret, nor a curve for
// another.
#pragma once

#include "core/before_postgres.hpp"

#include <optional>
#include <string_view>

namespace pgrst {

// RFC 7518, 3.1 and RFC 8037, 3.1 without "none". PostgREST v16.2 knows all but kPs*.
enum class JwsAlgorithm {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa,
};

enum class KeyKind { kSymmetric, kRsa, kP256, kP384, kP521, kEd25519, kEd448 };

std::optional<JwsAlgorithm> find_jws_algorithm(std::string_view name);

// RSA with PSS padding: what PostgREST does not know.
bool is_rsa_pss(JwsAlgorithm alg);

bool serves(KeyKind kind, JwsAlgorithm alg);

}  // namespace pgrst
