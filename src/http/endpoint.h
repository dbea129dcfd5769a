// The address of a server: scheme, host, port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/message.h"

namespace everyitem::http {

struct Endpoint {
  bool tls = true;
  std::string host;  ///< a name or an address; an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string path = {};  ///< before that of every request: "/base", percent-encoded; or empty
  /// Nobody has allowed plain HTTP to leave this machine, whatever address the host turns out to
  /// be.
  bool must_be_local = false;

  /// As in the Host header: with the port only if it is not the scheme's default, IPv6 in brackets.
  std::string authority() const;
  /// "https://authority", and the path.
  std::string url() const;
  /// What a request for `path` asks the server for.
  std::string target(std::string_view path) const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Reads "http://127.0.0.1:8000" or "https://host/". Throws a usage error that names `setting` for
/// another scheme, a missing host, a user, a query or a bad port.
Endpoint parse_endpoint(std::string_view url, const Message& setting);

/// Whether the endpoint is on this machine: 127.0.0.0/8, ::1, localhost and its subdomains.
bool is_loopback(const Endpoint& endpoint);

}  // namespace everyitem::http
