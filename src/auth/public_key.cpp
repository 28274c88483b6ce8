#include "auth/public_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace pgrst {

namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* p) const {
    kFree(p);
  }
};

using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

// Empties OpenSSL's queue of errors at the end of a block.
struct ErrorCleaner {
  ErrorCleaner() = default;
  ErrorCleaner(const ErrorCleaner&) = delete;
  ErrorCleaner& operator=(const ErrorCleaner&) = delete;
  ~ErrorCleaner() { ERR_clear_error(); }
};

// What OpenSSL verifies with large moduli.
constexpr size_t kMaxRsaExponentBytes = 8;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What a curve is to OpenSSL, and the bytes of a coordinate, of r, of s (ECDSA) or of a public key.
struct Curve {
  const char* name;
  size_t size;
};

Curve curve_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
      return {"P-256", 32};
    case KeyKind::kP384:
      return {"P-384", 48};
    case KeyKind::kP521:
      return {"P-521", 66};
    case KeyKind::kEd25519:
      return {"ED25519", 32};
    case KeyKind::kEd448:
      return {"ED448", 57};
    case KeyKind::kSymmetric:
    case KeyKind::kRsa:
      break;
  }
  return {nullptr, 0};
}

BigNumber big_number(std::string_view bytes) {
  return BigNumber(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::string_view without_leading_zeros(std::string_view bytes) {
  return bytes.substr(std::min(bytes.find_first_not_of('\0'), bytes.size()));
}

// A key of `type` with these parameters whose soundness OpenSSL has checked, or null.
Key make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  Key key(made);
  const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) return nullptr;
  return key;
}

// Null for EdDSA, which hashes by itself.
const EVP_MD* digest_of(JwsAlgorithm alg) {
  switch (alg) {
    case JwsAlgorithm::kHs256:
    case JwsAlgorithm::kRs256:
    case JwsAlgorithm::kPs256:
    case JwsAlgorithm::kEs256:
      return EVP_sha256();
    case JwsAlgorithm::kHs384:
    case JwsAlgorithm::kRs384:
    case JwsAlgorithm::kPs384:
    case JwsAlgorithm::kEs384:
      return EVP_sha384();
    case JwsAlgorithm::kHs512:
    case JwsAlgorithm::kRs512:
    case JwsAlgorithm::kPs512:
    case JwsAlgorithm::kEs512:
      return EVP_sha512();
    case JwsAlgorithm::kEdDsa:
      break;
  }
  return nullptr;
}

// The DER form of r and s, which are the halves of `signature`.
std::optional<std::string> ecdsa_der(std::string_view signature, size_t size) {
  if (signature.size() != 2 * size) return std::nullopt;
  BigNumber r = big_number(signature.substr(0, size));
  BigNumber s = big_number(signature.substr(size));
  const EcdsaSignature pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  (void)r.release();
  (void)s.release();
  const int length = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (length <= 0) return std::nullopt;
  std::string der(static_cast<size_t>(length), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  if (i2d_ECDSA_SIG(pair.get(), &out) != length) return std::nullopt;
  return der;
}

// RFC 7518, 3.5: MGF1 with the same digest, which is OpenSSL's choice too, and a salt of its size.
bool set_pss_padding(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

Result<PublicKey> PublicKey::from_rsa(std::string_view n, std::string_view e) {
  const ErrorCleaner cleaner;
  n = without_leading_zeros(n);
  e = without_leading_zeros(e);
  if (n.size() > kMaxRsaBits / 8) return errors::internal("n is too long.");
  if (e.size() > kMaxRsaExponentBytes) return errors::internal("e is too long.");
  const BigNumber modulus = big_number(n);
  const BigNumber exponent = big_number(e);
  if (!modulus || static_cast<size_t>(BN_num_bits(modulus.get())) < kMinRsaBits) {
    return errors::internal("n has less than 1024 bits.");
  }
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  Key key;
  if (exponent && builder &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1) {
    key = make_key("RSA", builder.get());
  }
  if (!key) return errors::internal("n and e are no RSA public key.");
  return PublicKey(KeyKind::kRsa, std::move(key));
}

Result<PublicKey> PublicKey::from_ec(KeyKind kind, std::string_view x, std::string_view y) {
  const ErrorCleaner cleaner;
  const Curve curve = curve_of(kind);
  std::string point = "\x04";  // uncompressed (SEC 1, 2.3.3)
  for (const std::string_view coordinate : {without_leading_zeros(x), without_leading_zeros(y)}) {
    if (coordinate.size() > curve.size) return errors::internal("x or y is too long.");
    point.append(curve.size - coordinate.size(), '\0').append(coordinate);
  }
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  Key key;
  if (builder &&
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.name, 0) ==
          1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) == 1) {
    key = make_key("EC", builder.get());
  }
  if (!key) return errors::internal("x and y are no point of the curve.");
  return PublicKey(kind, std::move(key));
}

Result<PublicKey> PublicKey::from_okp(KeyKind kind, std::string_view x) {
  const ErrorCleaner cleaner;
  const Curve curve = curve_of(kind);
  if (x.size() != curve.size) return errors::internal("x has the wrong length.");
  Key key(EVP_PKEY_new_raw_public_key_ex(nullptr, curve.name, nullptr, bytes_of(x), x.size()));
  if (!key) return errors::internal("x is no public key of the curve.");
  return PublicKey(kind, std::move(key));
}

bool PublicKey::verifies(JwsAlgorithm alg, std::string_view text,
                         std::string_view signature) const {
  if (!serves(kind_, alg)) return false;
  const ErrorCleaner cleaner;
  std::optional<std::string> der;
  if (kind_ == KeyKind::kP256 || kind_ == KeyKind::kP384 || kind_ == KeyKind::kP521) {
    der = ecdsa_der(signature, curve_of(kind_).size);
    if (!der) return false;
    signature = *der;
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // owned by the digest context
  return context &&
         EVP_DigestVerifyInit(context.get(), &settings, digest_of(alg), nullptr, key_.get()) == 1 &&
         (!is_rsa_pss(alg) || set_pss_padding(settings)) &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

}  // namespace pgrst
