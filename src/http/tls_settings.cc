#include "http/tls_settings.h"

#include <array>
#include <cstdlib>
#include <filesystem>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "http/tls_session.h"

namespace everyitem::http {

namespace {

std::string last_openssl_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "unknown error";
}

bool exists(const char* path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// OpenSSL looks where its own distribution keeps the roots, or where SSL_CERT_FILE and
/// SSL_CERT_DIR say. A program that was built on one distribution and runs on another (such as
/// Lambda's Amazon Linux) finds nothing there.
void load_system_roots(SSL_CTX* context) {
  SSL_CTX_set_default_verify_paths(context);
  if (std::getenv(X509_get_default_cert_file_env()) != nullptr ||
      std::getenv(X509_get_default_cert_dir_env()) != nullptr ||
      exists(X509_get_default_cert_file()) || exists(X509_get_default_cert_dir())) {
    return;
  }
  constexpr std::array kBundles = {
      "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch
      "/etc/pki/tls/certs/ca-bundle.crt",    // Amazon Linux, Fedora, RHEL
      "/etc/ssl/cert.pem",                   // Alpine
      "/etc/ssl/ca-bundle.pem"               // SUSE
  };
  for (const char* bundle : kBundles) {
    if (SSL_CTX_load_verify_file(context, bundle) == 1) {
      return;
    }
  }
}

}  // namespace

TlsSettings::TlsSettings(const std::string& ca_bundle) : impl_(std::make_unique<Impl>()) {
  impl_->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = impl_->context.get();
  if (context == nullptr) {
    throw std::runtime_error("cannot initialize OpenSSL: " + last_openssl_error());
  }
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // Each record the socket accepts counts as progress.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
  if (ca_bundle.empty()) {
    load_system_roots(context);
  } else if (SSL_CTX_load_verify_file(context, ca_bundle.c_str()) != 1) {
    throw usage_error("cannot read the CA bundle " + ca_bundle + ": " + last_openssl_error(),
                      "It must be a file of certificates in PEM format.");
  }
  ERR_clear_error();
}

TlsSettings::~TlsSettings() = default;

}  // namespace everyitem::http
