// A newly generated certificate for this machine, and a TLS context that uses it.
#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

namespace everyitem::emulator {

struct ServerTls {
  ServerTls();

  boost::asio::ssl::context context;  ///< TLS 1.2 and 1.3, only AES-128-GCM
  /// The CA certificate (PEM) that signed the one for localhost and 127.0.0.1.
  std::string authority;
};

}  // namespace everyitem::emulator
