// Makes tokens and keys for tests: the signing side that the server does not have.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgrst::test {

inline constexpr char kSecret[] = "reallyreallyreallyreallyverysafe";

inline std::string base64url(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = ((bits << 8) | static_cast<unsigned char>(c)) & 0xFFFFU;
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += kAlphabet[(bits >> count) & 63];
    }
  }
  if (count > 0) out += kAlphabet[(bits << (6 - count)) & 63];
  return out;
}

inline std::string sign(std::string_view header, std::string_view payload,
                        std::string_view secret = kSecret, const EVP_MD* digest = EVP_sha256()) {
  const std::string text = base64url(header) + "." + base64url(payload);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(digest, secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return text + "." + base64url({reinterpret_cast<const char*>(mac), size});
}

inline std::string hs256(std::string_view payload) { return sign(R"({"alg":"HS256"})", payload); }

inline unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

inline std::string bytes_of(const BIGNUM* number, int size) {
  std::string out(static_cast<size_t>(size), '\0');
  BN_bn2binpad(number, bytes_of(out), size);
  return out;
}

// A pair of keys, made anew by OpenSSL.
class SigningKey {
 public:
  static SigningKey rsa(unsigned bits) { return SigningKey(EVP_RSA_gen(bits), "RSA", ""); }
  static SigningKey ec(const char* curve) {
    return SigningKey(EVP_EC_gen(curve), "EC", curve);  // "P-256" and so on
  }
  static SigningKey okp(const char* curve) {
    return SigningKey(EVP_PKEY_Q_keygen(nullptr, nullptr, curve), "OKP", curve);
  }

  // The public key as a JSON Web Key; `more` goes at the end: `,"kid":"a"`.
  std::string jwk(const std::string& more = "") const {
    std::string out = "{\"kty\":\"" + type_ + "\"";
    if (!curve_.empty()) out += ",\"crv\":\"" + curve_ + "\"";
    if (type_ == "RSA") {
      out += member("n", bytes(OSSL_PKEY_PARAM_RSA_N)) + member("e", bytes(OSSL_PKEY_PARAM_RSA_E));
    } else if (type_ == "EC") {
      out += member("x", bytes(OSSL_PKEY_PARAM_EC_PUB_X, coordinate_size()));
      out += member("y", bytes(OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_size()));
    } else {
      out += member("x", raw_public_key());
    }
    return out + more + "}";
  }

  // A token with any header; `alg` says how it is signed.
  std::string token(std::string_view alg, std::string_view header, std::string_view payload) const {
    std::string text = base64url(header) + "." + base64url(payload);
    const std::string signature = signature_of(alg, text);
    return text + "." + base64url(signature);
  }
  std::string token(const std::string& alg, std::string_view payload) const {
    return token(alg, "{\"alg\":\"" + alg + "\"}", payload);
  }

  // RFC 7518, 3: r and s for ECDSA.
  std::string signature_of(std::string_view alg, std::string& text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    EVP_PKEY_CTX* settings = nullptr;
    EVP_DigestSignInit(context.get(), &settings, digest_of(alg), nullptr, key_.get());
    if (alg.substr(0, 2) == "PS") {
      EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
    }
    size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size());
    std::string out(size, '\0');
    EVP_DigestSign(context.get(), bytes_of(out), &size, bytes_of(text), text.size());
    out.resize(size);
    return type_ == "EC" ? halves_of(out) : out;
  }

  int coordinate_size() const { return (EVP_PKEY_get_bits(key_.get()) + 7) / 8; }

 private:
  SigningKey(EVP_PKEY* key, std::string type, std::string curve)
      : key_(key, EVP_PKEY_free), type_(std::move(type)), curve_(std::move(curve)) {}

  static std::string member(const std::string& name, const std::string& value) {
    return ",\"" + name + "\":\"" + base64url(value) + "\"";
  }

  static const EVP_MD* digest_of(std::string_view alg) {
    if (alg.substr(2) == "256") return EVP_sha256();
    if (alg.substr(2) == "384") return EVP_sha384();
    return alg.substr(2) == "512" ? EVP_sha512() : nullptr;
  }

  std::string bytes(const char* parameter, int size = 0) const {
    BIGNUM* read = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), parameter, &read);
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(read, BN_free);
    return bytes_of(read, size == 0 ? BN_num_bytes(read) : size);
  }

  std::string raw_public_key() const {
    size_t size = 0;
    EVP_PKEY_get_raw_public_key(key_.get(), nullptr, &size);
    std::string out(size, '\0');
    EVP_PKEY_get_raw_public_key(key_.get(), bytes_of(out), &size);
    return out;
  }

  std::string halves_of(const std::string& der) const {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
    return bytes_of(ECDSA_SIG_get0_r(pair.get()), coordinate_size()) +
           bytes_of(ECDSA_SIG_get0_s(pair.get()), coordinate_size());
  }

  std::shared_ptr<EVP_PKEY> key_;
  std::string type_;
  std::string curve_;
};

}  // namespace pgrst::test
