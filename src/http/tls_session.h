// TLS over a connected socket, one step at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <openssl/ssl.h>

#include "base/async.h"
#include "http/io_step.h"
#include "http/tls_settings.h"

namespace everyitem::http {

struct TlsSettings::Impl {
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context;
};

/// OpenSSL works directly on the socket. Through a pair of memory buffers, as in asio::ssl::stream,
/// every byte would be copied once more and every record would take a turn of the event loop.
class TlsSession {
 public:
  /// `socket` is connected and non-blocking, and must outlive the session. The server's certificate
  /// must be for `host`, a name or an address.
  TlsSession(const TlsSettings& settings, asio::ip::tcp::socket& socket, const std::string& host);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession() = default;

  /// Complete once nothing more is needed and nothing has failed.
  IoStep handshake();
  IoStep read_some(std::span<char> into);
  /// A step that has to wait must be repeated with the same bytes.
  IoStep write_some(std::string_view bytes);

  /// Whether bytes from the server have been read from the socket but not yet returned.
  bool has_unread() const;

  /// Why `handshake` failed with `error`, in words for the user. Empty if the underlying connection
  /// failed rather than TLS.
  std::string explain(const boost::system::error_code& error) const;

 private:
  static int bio_read(BIO* bio, char* into, int size);
  static int bio_write(BIO* bio, const char* bytes, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  static BIO_METHOD* bio_method();

  /// The meaning of `result`, which a call of OpenSSL returned.
  IoStep step(int result, std::size_t bytes);

  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  asio::ip::tcp::socket& socket_;
  boost::system::error_code socket_error_;  ///< the error of the last use of the socket
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace everyitem::http
