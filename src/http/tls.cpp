#include "http/tls.hpp"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "core/regular_file.hpp"

namespace pgrst::http {

namespace {

enum class Kind { kCertificate, kKey };

std::string named(Kind kind, const std::string& name) {
  return (kind == Kind::kKey ? "private key file \"" : "certificate file \"") + name + "\"";
}

void wipe(std::string& text) { explicit_bzero(text.data(), text.size()); }

// What is wrong with who has access to a key; the rules are PostgreSQL's.
std::optional<std::string> check_access(const struct stat& info) {
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return " must be owned by the database user or root";
  }
  const mode_t others = info.st_uid == geteuid() ? S_IRWXG | S_IRWXO : S_IWGRP | S_IXGRP | S_IRWXO;
  if ((info.st_mode & others) == 0) return std::nullopt;
  return " has group or world access: it must have permissions u=rw (0600) or less, or u=rw,g=r "
         "(0640) or less if it is owned by root";
}

std::optional<std::string> read_file(const std::string& name, Kind kind, std::string& text) {
  const int file = open_without_waiting(name);
  if (file < 0) return "could not open " + named(kind, name) + ": " + strerror(errno);
  auto problem = read_regular_file(file, text, kind == Kind::kKey ? &check_access : nullptr);
  close(file);
  // libmicrohttpd takes a text that ends with the first NUL.
  if (!problem && (text.empty() || text.find('\0') != std::string::npos)) {
    problem = " is not in PEM format";
  }
  if (problem) return named(kind, name) + *problem;
  return std::nullopt;
}

gnutls_datum_t datum(std::string& text) {
  return {reinterpret_cast<unsigned char*>(text.data()), static_cast<unsigned>(text.size())};
}

int check_certificate(std::string& text) {
  gnutls_x509_crt_t* certificates = nullptr;
  unsigned count = 0;
  const gnutls_datum_t pem = datum(text);
  const int rc = gnutls_x509_crt_list_import2(&certificates, &count, &pem, GNUTLS_X509_FMT_PEM, 0);
  if (rc < 0) return rc;
  for (unsigned i = 0; i < count; i++) gnutls_x509_crt_deinit(certificates[i]);
  gnutls_free(certificates);
  return count == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : 0;
}

int check_key(std::string& text) {
  gnutls_x509_privkey_t key = nullptr;
  int rc = gnutls_x509_privkey_init(&key);
  if (rc < 0) return rc;
  const gnutls_datum_t pem = datum(text);
  rc = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN);
  gnutls_x509_privkey_deinit(key);
  return rc;
}

int check_together(TlsIdentity& identity) {
  gnutls_certificate_credentials_t credentials = nullptr;
  int rc = gnutls_certificate_allocate_credentials(&credentials);
  if (rc < 0) return rc;
  const gnutls_datum_t certificate = datum(identity.certificate);
  const gnutls_datum_t key = datum(identity.key);
  rc = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
  gnutls_certificate_free_credentials(credentials);
  return rc;
}

bool has_passphrase(const std::string& key) {
  return key.find("BEGIN ENCRYPTED PRIVATE KEY") != std::string::npos ||
         key.find("Proc-Type: 4,ENCRYPTED") != std::string::npos;
}

std::optional<std::string> check(const TlsFiles& files, TlsIdentity& identity) {
  const std::string certificate = named(Kind::kCertificate, files.certificate);
  const std::string key = named(Kind::kKey, files.key);
  if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
    return "libmicrohttpd was built without TLS";
  }
  if (const int rc = check_certificate(identity.certificate); rc < 0) {
    return certificate + " cannot be used: " + gnutls_strerror(rc);
  }
  if (has_passphrase(identity.key)) {
    return key + " is protected by a passphrase, which nobody is there to enter";
  }
  if (const int rc = check_key(identity.key); rc < 0) {
    return key + " cannot be used: " + gnutls_strerror(rc);
  }
  if (const int rc = check_together(identity); rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
    return key + " does not belong to " + certificate;
  } else if (rc < 0) {
    return certificate + " and " + key + " cannot be used: " + gnutls_strerror(rc);
  }
  return std::nullopt;
}

}  // namespace

TlsIdentity::~TlsIdentity() { wipe(key); }

TlsIdentity& TlsIdentity::operator=(TlsIdentity&& other) noexcept {
  wipe(key);
  certificate = std::move(other.certificate);
  key = std::move(other.key);
  return *this;
}

std::variant<TlsIdentity, std::string> read_tls_files(const TlsFiles& files) {
  TlsIdentity identity;
  if (files.empty()) return identity;
  auto problem = read_file(files.certificate, Kind::kCertificate, identity.certificate);
  if (!problem) problem = read_file(files.key, Kind::kKey, identity.key);
  if (!problem) problem = check(files, identity);
  if (problem) return std::move(*problem);
  return identity;
}

}  // namespace pgrst::http
