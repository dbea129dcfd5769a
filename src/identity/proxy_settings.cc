#include "identity/proxy_settings.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace everyitem::identity {

namespace {

namespace ip = boost::asio::ip;

struct Setting {
  std::string name;
  std::string value;
};

/// The name of the variable that is set; the lower-case one if both are.
Setting either(std::string_view lower, std::string_view upper, const Environment& environment) {
  std::string value = environment(lower);
  if (!value.empty()) {
    return {std::string(lower), std::move(value)};
  }
  return {std::string(upper), environment(upper)};
}

std::optional<ip::address> parse_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(text), error);
  return error ? std::nullopt : std::optional(address);
}

bool is_in_range(const ip::address& address, std::string_view range) {
  boost::system::error_code error;
  if (address.is_v4()) {
    const ip::network_v4 network = ip::make_network_v4(std::string(range), error);
    return !error && ip::network_v4(address.to_v4(), network.prefix_length()).canonical() ==
                         network.canonical();
  }
  const ip::network_v6 network = ip::make_network_v6(std::string(range), error);
  return !error && ip::network_v6(address.to_v6(), network.prefix_length()).canonical() ==
                       network.canonical();
}

/// Removes ":port" from the end of `entry`, unless it is part of an IPv6 address.
std::optional<std::uint16_t> take_port(std::string_view& entry) {
  const std::size_t colon = entry.rfind(':');
  const bool alone = colon != std::string_view::npos && colon > 0 &&
                     (entry.find(':') == colon || entry[colon - 1] == ']');
  if (!alone) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  const std::string_view digits = entry.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  entry = entry.substr(0, colon);
  return port;
}

bool is_named(const http::Endpoint& endpoint, std::string_view entry) {
  if (entry == "*") {
    return true;
  }
  const std::optional<std::uint16_t> port = take_port(entry);
  if (port && *port != endpoint.port) {
    return false;
  }
  const std::optional<ip::address> address = parse_address(endpoint.host);
  if (address) {
    return entry.find('/') != std::string_view::npos ? is_in_range(*address, entry)
                                                     : parse_address(entry) == address;
  }
  if (entry.starts_with("*.")) {
    entry.remove_prefix(1);
  }
  entry.remove_prefix(std::min(entry.find_first_not_of('.'), entry.size()));
  const std::string_view host = endpoint.host;
  if (entry.empty() || !boost::algorithm::iends_with(host, entry)) {
    return false;
  }
  return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

}  // namespace

bool is_exempt(const http::Endpoint& endpoint, std::string_view no_proxy) {
  constexpr std::string_view kBetween = ", \t\r\n";
  while (!no_proxy.empty()) {
    const std::string_view entry = no_proxy.substr(0, no_proxy.find_first_of(kBetween));
    no_proxy.remove_prefix(std::min(entry.size() + 1, no_proxy.size()));
    if (!entry.empty() && is_named(endpoint, entry)) {
      return true;
    }
  }
  return false;
}

std::optional<http::Proxy> resolve_proxy(const http::Endpoint& endpoint,
                                         const Environment& environment) {
  const Setting proxy = endpoint.tls ? either("https_proxy", "HTTPS_PROXY", environment)
                                     : either("http_proxy", "HTTP_PROXY", environment);
  if (proxy.value.empty() ||
      is_exempt(endpoint, either("no_proxy", "NO_PROXY", environment).value)) {
    return std::nullopt;
  }
  return http::parse_proxy(proxy.value, proxy.name);
}

}  // namespace everyitem::identity
