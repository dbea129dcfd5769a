// Where a service is reached: scheme, host, port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace everyitem::aws {

struct Endpoint {
  bool tls = true;
  std::string host;  ///< a name or an address; an IPv6 address without brackets
  std::uint16_t port = 443;

  /// As the Host header has it: the port only where it is not the scheme's own, IPv6 in brackets.
  std::string authority() const;
  /// "https://authority".
  std::string url() const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Reads "http://127.0.0.1:8000" or "https://host/". Throws a usage error that names `setting` for
/// another scheme, a missing host, a user, a path other than "/", a query or a bad port.
Endpoint parse_endpoint(std::string_view url, std::string_view setting);

/// Which of its endpoints a service is called at.
struct EndpointVariant {
  bool fips = false;        ///< with cryptography validated by FIPS 140
  bool dual_stack = false;  ///< with IPv6 addresses beside those of IPv4
};

/// The service's own endpoint in a region: https://SERVICE.REGION.SUFFIX, where the suffix is the
/// one of the region's partition. `service` is the endpoint prefix: "dynamodb", "portal.sso".
/// Every partition has every variant.
Endpoint regional_endpoint(std::string_view service, std::string_view region,
                           EndpointVariant variant = {});

/// Whether the endpoint is on this machine: 127.0.0.0/8, ::1, localhost and all names below it.
bool is_loopback(const Endpoint& endpoint);

}  // namespace everyitem::aws
