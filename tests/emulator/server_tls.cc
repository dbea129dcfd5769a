#include "emulator/server_tls.h"

#include <stdexcept>

#include "support/test_certificates.h"

namespace everyitem::emulator {

namespace {

constexpr std::chrono::hours kValidFor{24};

}  // namespace

ServerTls::ServerTls() : context(boost::asio::ssl::context::tls_server) {
  const http::Certificate made_authority = http::make_certificate(
      {.common_name = "fault server's authority", .authority = true, .valid_until = kValidFor});
  const http::Certificate certificate =
      http::make_certificate({.common_name = "fault server",
                              .alternative_names = "DNS:localhost,IP:127.0.0.1,IP:::1",
                              .issuer = &made_authority,
                              .valid_until = kValidFor});
  SSL_CTX* const native = context.native_handle();
  // One cipher for all clients regardless of their preferences, so that speeds can be compared.
  SSL_CTX_set_options(native, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(native, "TLS_AES_128_GCM_SHA256") != 1 ||
      SSL_CTX_set_cipher_list(native, "ECDHE-ECDSA-AES128-GCM-SHA256") != 1 ||
      SSL_CTX_use_certificate(native, certificate.x509.get()) != 1 ||
      SSL_CTX_use_PrivateKey(native, certificate.key.get()) != 1) {
    throw std::runtime_error("OpenSSL does not take the certificate that it made");
  }
  authority = made_authority.pem();
}

}  // namespace everyitem::emulator
