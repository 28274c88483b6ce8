// The certificate and the private key that a listener speaks TLS with.
//
// Input -> output: names of files -> their PEM texts, checked, or what is wrong with them. They are
// checked by GnuTLS, which libmicrohttpd uses them with, and the key's file as PostgreSQL checks
// the one of ssl_key_file. Nothing of the key is in any message; its text is wiped when it goes.
#pragma once

#include "core/before_postgres.hpp"

#include <string>
#include <variant>

namespace pgrst::http {

// Relative names start at the data directory, where the processes of PostgreSQL are. Both or
// neither are set.
struct TlsFiles {
  std::string certificate;
  std::string key;

  bool empty() const { return certificate.empty(); }
  bool operator==(const TlsFiles&) const = default;
};

// Empty: no TLS.
struct TlsIdentity {
  TlsIdentity() = default;
  TlsIdentity(TlsIdentity&&) = default;
  TlsIdentity& operator=(TlsIdentity&& other) noexcept;
  ~TlsIdentity();

  bool empty() const { return certificate.empty(); }
  bool operator==(const TlsIdentity&) const = default;

  std::string certificate;  // and those that lead from it to one that clients know
  std::string key;
};

// The string says what is wrong.
std::variant<TlsIdentity, std::string> read_tls_files(const TlsFiles& files);

}  // namespace pgrst::http
