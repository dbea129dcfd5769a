// A forward proxy, through which an endpoint may have to be reached.
#pragma once

#include <string>
#include <string_view>

#include "http/endpoint.h"

namespace everyitem::http {

/// An HTTP proxy. Endpoints with TLS are reached through a tunnel that it opens (CONNECT), so it
/// only sees their names; requests to other endpoints are forwarded.
struct Proxy {
  Endpoint endpoint;          ///< the address of the proxy, without TLS
  std::string authorization;  ///< the value of Proxy-Authorization, a secret; empty for none
  std::string setting;        ///< for messages: "HTTPS_PROXY"

  /// For messages: "the proxy proxy.example.com:3128".
  std::string name() const;
};

/// Reads "http://user:password@host:port"; scheme, credentials and port (80) are optional.
/// Throws a usage error if this is not the URL of an HTTP proxy. It names `setting` and repeats
/// nothing of `url`.
Proxy parse_proxy(std::string_view url, std::string_view setting);

}  // namespace everyitem::http
