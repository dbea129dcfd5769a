#include "http/endpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::http {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// Less strict than RFC 1123: names of containers may contain an underscore.
bool is_host_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

/// A number from 1 to 65535, and nothing else.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return std::nullopt;
  }
  return port;
}

std::uint16_t usual_port(bool tls) { return tls ? 443 : 80; }

}  // namespace

std::string Endpoint::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != usual_port(tls)) {
    text += ":" + std::to_string(port);
  }
  return text;
}

std::string Endpoint::url() const { return (tls ? "https://" : "http://") + authority() + path; }

std::string Endpoint::target(std::string_view of_request) const {
  // As botocore joins them (_urljoin).
  if (path.empty()) {
    return std::string(of_request);
  }
  if (of_request == "/") {
    return path;
  }
  return path.substr(0, path.size() - (path.ends_with('/') ? 1 : 0)) + std::string(of_request);
}

Endpoint parse_endpoint(std::string_view url, const Message& setting) {
  // The message does not repeat the URL if it may contain a password.
  const auto fail = [&setting](std::string_view fault) {
    return usage_error(setting + ": " + fault,
                       "Give a URL such as http://127.0.0.1:8000 or https://host.");
  };
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) {
    throw fail("not a URL");
  }
  const boost::urls::url_view& view = *parsed;
  const boost::urls::scheme scheme = view.scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) {
    throw fail("the scheme must be http or https");
  }
  if (view.has_userinfo()) {
    throw fail("a user name or password is not allowed");
  }
  const std::string_view path = view.encoded_path();
  // Boost.URL parses "host:8000x" as a port and a path without a slash.
  if (!view.has_authority() || (!path.empty() && path.front() != '/')) {
    throw fail("not a URL of a host and port");
  }
  if (view.has_query() || view.has_fragment()) {
    throw fail("a query or fragment is not allowed");
  }

  Endpoint endpoint;
  endpoint.tls = scheme == boost::urls::scheme::https;
  endpoint.host = view.host_address();
  endpoint.path = path.size() > 1 ? std::string(path) : std::string();
  const bool is_ipv6 = view.host_type() == boost::urls::host_type::ipv6;
  const bool is_future_ip = view.host_type() == boost::urls::host_type::ipvfuture;
  if (is_future_ip || (!is_ipv6 && !is_host_name(endpoint.host))) {
    throw fail("the host is missing or not a host name");
  }
  endpoint.port = usual_port(endpoint.tls);
  if (view.has_port()) {
    const std::optional<std::uint16_t> port = parse_port(view.port());
    if (!port) {
      throw fail("the port must be a number from 1 to 65535");
    }
    endpoint.port = *port;
  }
  return endpoint;
}

bool is_loopback(const Endpoint& endpoint) {
  boost::system::error_code not_an_address;
  const auto address = boost::asio::ip::make_address(endpoint.host, not_an_address);
  if (!not_an_address) {
    return address.is_loopback();
  }
  // RFC 6761, section 6.3: subdomains of localhost are this machine too.
  return boost::algorithm::iequals(endpoint.host, "localhost") ||
         boost::algorithm::iends_with(endpoint.host, ".localhost");
}

}  // namespace everyitem::http
