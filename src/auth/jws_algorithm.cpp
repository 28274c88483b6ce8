#include "auth/jws_algorithm.hpp"

#include <algorithm>
#include <array>

namespace pgrst {

namespace {

struct AlgorithmName {
  std::string_view name;
  JwsAlgorithm alg;
};

constexpr std::array<AlgorithmName, 13> kNames = {{
    {"HS256", JwsAlgorithm::kHs256},
    {"HS384", JwsAlgorithm::kHs384},
    {"HS512", JwsAlgorithm::kHs512},
    {"RS256", JwsAlgorithm::kRs256},
    {"RS384", JwsAlgorithm::kRs384},
    {"RS512", JwsAlgorithm::kRs512},
    {"PS256", JwsAlgorithm::kPs256},
    {"PS384", JwsAlgorithm::kPs384},
    {"PS512", JwsAlgorithm::kPs512},
    {"ES256", JwsAlgorithm::kEs256},
    {"ES384", JwsAlgorithm::kEs384},
    {"ES512", JwsAlgorithm::kEs512},
    {"EdDSA", JwsAlgorithm::kEdDsa},
}};

}  // namespace

std::optional<JwsAlgorithm> find_jws_algorithm(std::string_view name) {
  const auto* const found = std::find_if(kNames.begin(), kNames.end(),
                                         [name](const AlgorithmName& a) { return a.name == name; });
  if (found == kNames.end()) return std::nullopt;
  return found->alg;
}

bool is_rsa_pss(JwsAlgorithm alg) {
  return alg == JwsAlgorithm::kPs256 || alg == JwsAlgorithm::kPs384 || alg == JwsAlgorithm::kPs512;
}

bool serves(KeyKind kind, JwsAlgorithm alg) {
  switch (alg) {
    case JwsAlgorithm::kHs256:
    case JwsAlgorithm::kHs384:
    case JwsAlgorithm::kHs512:
      return kind == KeyKind::kSymmetric;
    case JwsAlgorithm::kRs256:
    case JwsAlgorithm::kRs384:
    case JwsAlgorithm::kRs512:
    case JwsAlgorithm::kPs256:
    case JwsAlgorithm::kPs384:
    case JwsAlgorithm::kPs512:
      return kind == KeyKind::kRsa;
    case JwsAlgorithm::kEs256:
      return kind == KeyKind::kP256;
    case JwsAlgorithm::kEs384:
      return kind == KeyKind::kP384;
    case JwsAlgorithm::kEs512:
      return kind == KeyKind::kP521;
    case JwsAlgorithm::kEdDsa:
      return kind == KeyKind::kEd25519 || kind == KeyKind::kEd448;
  }
  return false;
}

}  // namespace pgrst
