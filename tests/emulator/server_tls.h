// A certificate for this machine, made anew, and what serves with it.
#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

namespace everyitem::emulator {

struct ServerTls {
  ServerTls();

  boost::asio::ssl::context context;  ///< of TLS 1.2 and 1.3, AES-128-GCM alone
  /// Whom a client must trust, in PEM: who signed the certificate for localhost and 127.0.0.1.
  std::string authority;
};

}  // namespace everyitem::emulator
