// Generates certificates for tests.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <openssl/ssl.h>

namespace everyitem::http {

struct FreeOpenssl {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

/// A certificate and its private key.
struct Certificate {
  std::unique_ptr<EVP_PKEY, FreeOpenssl> key;
  std::unique_ptr<X509, FreeOpenssl> x509;

  std::string pem() const;
};

struct CertificateRequest {
  std::string common_name = "test";
  std::string alternative_names;        ///< in OpenSSL's syntax: "DNS:localhost,IP:127.0.0.1"
  const Certificate* issuer = nullptr;  ///< signs it; null for a self-signed one
  bool authority = false;               ///< whether it may sign others
  std::chrono::seconds valid_from = -std::chrono::hours(1);  ///< from now
  std::chrono::seconds valid_until = std::chrono::hours(1);  ///< from now
};

Certificate make_certificate(const CertificateRequest& request);

}  // namespace everyitem::http
