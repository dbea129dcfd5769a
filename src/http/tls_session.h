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

/// OpenSSL works on the socket itself: through a pair of memory buffers, as asio::ssl::stream has
/// it, every byte is copied once more and every record is a turn of the event loop.
class TlsSession {
 public:
  /// `socket` is connected, non-blocking and outlives the session. `host` is the name or the
  /// address that the server's certificate must be for.
  TlsSession(const TlsSettings& settings, asio::ip::tcp::socket& socket, const std::string& host);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession() = default;

  /// Is complete when nothing more is needed and nothing failed.
  IoStep handshake();
  IoStep read_some(std::span<char> into);
  /// A step that needs something must be repeated with the same bytes.
  IoStep write_some(std::string_view bytes);

  /// Whether bytes came from the server that are neither on the socket any more nor were given out.
  bool has_unread() const;

  /// Why `handshake` failed with `error`, in words for the user. Nothing when not TLS failed but
  /// the connection below it.
  std::string explain(const boost::system::error_code& error) const;

 private:
  static int bio_read(BIO* bio, char* into, int size);
  static int bio_write(BIO* bio, const char* bytes, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  static BIO_METHOD* bio_method();

  /// What a call of OpenSSL came to that returned `result`.
  IoStep step(int result, std::size_t bytes);

  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  asio::ip::tcp::socket& socket_;
  boost::system::error_code socket_error_;  ///< of the last use of the socket
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace everyitem::http
