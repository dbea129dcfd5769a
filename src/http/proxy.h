// The forward proxy that an endpoint may have to be reached through.
#pragma once

#include <string>
#include <string_view>

#include "http/endpoint.h"

namespace everyitem::http {

/// An HTTP proxy. Endpoints with TLS are reached through a tunnel that it opens (CONNECT), so that
/// it sees their names only; for others it passes on each request.
struct Proxy {
  Endpoint endpoint;          ///< of the proxy itself, without TLS
  std::string authorization;  ///< the value of Proxy-Authorization, a secret; empty for none
  std::string setting;        ///< for messages: "HTTPS_PROXY"

  /// For messages: "the proxy proxy.example.com:3128".
  std::string name() const;
};

/// Reads "http://user:password@host:port"; scheme, credentials and port (80) may be left out.
/// Throws a usage error that names `setting`, and repeats nothing of `url`, for what cannot be the
/// URL of an HTTP proxy.
Proxy parse_proxy(std::string_view url, std::string_view setting);

}  // namespace everyitem::http
