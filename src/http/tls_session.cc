#include "http/tls_session.h"

#include <new>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "http/transport_error.h"

namespace everyitem::http {

namespace {

/// The library's own explanations of rejected certificates are for X.509 experts.
std::string explain_certificate(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet (is the clock right?)";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "host name mismatch, its certificate is for another host";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "its certificate is self-signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its certificate is from an unknown issuer";
    default:
      return std::string("its certificate is not valid: ") + X509_verify_cert_error_string(result);
  }
}

}  // namespace

TlsSession::TlsSession(const TlsSettings& settings, asio::ip::tcp::socket& socket,
                       const std::string& host)
    : socket_(socket), ssl_(SSL_new(settings.impl().context.get())) {
  BIO* const bio = ssl_ ? BIO_new(bio_method()) : nullptr;
  if (bio == nullptr) {
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_connect_state(ssl_.get());

  X509_VERIFY_PARAM* const verification = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(
      verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  boost::system::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  const bool taken =
      not_an_address ? X509_VERIFY_PARAM_set1_host(verification, host.data(), host.size()) == 1 &&
                           SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1
                     : X509_VERIFY_PARAM_set1_ip_asc(verification, host.c_str()) == 1;
  if (!taken) {
    // Without this, any certificate would be accepted.
    throw TransportError(TransportError::Cause::tls, false,
                         "no certificate can be for the host " + host);
  }
}

IoStep TlsSession::handshake() {
  ERR_clear_error();
  return step(SSL_do_handshake(ssl_.get()), 0);
}

IoStep TlsSession::read_some(std::span<char> into) {
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
  return step(result, bytes);
}

IoStep TlsSession::write_some(std::string_view bytes) {
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
  return step(result, written);
}

bool TlsSession::has_unread() const { return SSL_has_pending(ssl_.get()) == 1; }

IoStep TlsSession::step(int result, std::size_t bytes) {
  if (result > 0) {
    return {.bytes = bytes};
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.needs = IoStep::Needs::readable};
    case SSL_ERROR_WANT_WRITE:
      return {.needs = IoStep::Needs::writable};
    case SSL_ERROR_ZERO_RETURN:
      return {.error = asio::error::eof};
    case SSL_ERROR_SYSCALL:
      // Anyone can cause an end without TLS's closing message, so it does not count as a proper
      // end.
      return {.error = socket_error_ && socket_error_ != asio::error::eof
                           ? socket_error_
                           : asio::ssl::error::stream_truncated};
    default:
      return {.error = {static_cast<int>(ERR_peek_last_error()), asio::error::get_ssl_category()}};
  }
}

std::string TlsSession::explain(const boost::system::error_code& error) const {
  if (error.category() != asio::error::get_ssl_category()) {
    return {};
  }
  switch (ERR_GET_REASON(static_cast<unsigned long>(error.value()))) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return explain_certificate(SSL_get_verify_result(ssl_.get()));
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return "protocol version: it does not speak TLS 1.2 or later";
    case SSL_R_WRONG_VERSION_NUMBER:
      return "it does not speak TLS (is it http:// and not https://?)";
    default:
      return error.message();
  }
}

// OpenSSL reads and writes through a BIO. Its own BIO for sockets would raise SIGPIPE when the
// server is gone, which ends a program that does not expect it.

int TlsSession::bio_read(BIO* bio, char* into, int size) {
  auto& self = *static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t bytes = self.socket_.read_some(
      asio::buffer(into, static_cast<std::size_t>(size)), self.socket_error_);
  if (!self.socket_error_) {
    return static_cast<int>(bytes);
  }
  if (self.socket_error_ == asio::error::would_block) {
    BIO_set_retry_read(bio);
  }
  return -1;
}

int TlsSession::bio_write(BIO* bio, const char* bytes, int size) {
  auto& self = *static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t written = self.socket_.write_some(
      asio::buffer(bytes, static_cast<std::size_t>(size)), self.socket_error_);
  if (!self.socket_error_) {
    return static_cast<int>(written);
  }
  if (self.socket_error_ == asio::error::would_block) {
    BIO_set_retry_write(bio);
  }
  return -1;
}

long TlsSession::bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* TlsSession::bio_method() {
  struct Free {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  };
  static const std::unique_ptr<BIO_METHOD, Free> method = [] {
    std::unique_ptr<BIO_METHOD, Free> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "asio socket"));
    if (!made) {
      throw std::bad_alloc();
    }
    BIO_meth_set_read(made.get(), bio_read);
    BIO_meth_set_write(made.get(), bio_write);
    BIO_meth_set_ctrl(made.get(), bio_control);
    return made;
  }();
  return method.get();
}

}  // namespace everyitem::http
