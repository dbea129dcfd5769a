#include "http/proxy.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/error.h"

namespace everyitem::http {

namespace {

std::string base64(std::string_view text) {
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL appends a zero
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

}  // namespace

std::string Proxy::name() const {
  // With the port even if it is the default, because few people know a proxy's default port.
  return fmt::format(
      "the proxy {}:{}",
      endpoint.host.find(':') == std::string::npos ? endpoint.host : "[" + endpoint.host + "]",
      endpoint.port);
}

Proxy parse_proxy(std::string_view url, std::string_view setting) {
  const auto fail = [setting](std::string_view fault) {
    return usage_error(Message(setting) + ": " + fault,
                       "Give the proxy as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with "
                       "special characters of the password percent-encoded.");
  };
  std::string whole(url);
  if (url.starts_with("//")) {
    whole.insert(0, "http:");
  } else if (url.find("://") == std::string_view::npos) {
    whole.insert(0, "http://");
  }
  const auto parsed = boost::urls::parse_uri(whole);
  if (!parsed) {
    throw fail("not the URL of a proxy");
  }
  const boost::urls::url_view& view = *parsed;
  if (view.scheme_id() == boost::urls::scheme::https) {
    throw fail("a proxy that is spoken to over TLS (https://) is not supported, only http://");
  }
  if (view.scheme_id() != boost::urls::scheme::http) {
    throw fail(view.scheme().starts_with("socks")
                   ? "a SOCKS proxy is not supported, only an HTTP proxy (http://)"
                   : "only an HTTP proxy (http://) is supported");
  }
  // An unencoded '/', '?' or '#' in a password ends up as one of these.
  const std::string_view path = view.encoded_path();
  if ((!path.empty() && path != "/") || view.has_query() || view.has_fragment()) {
    throw fail("not the URL of a host and port");
  }
  Proxy proxy;
  proxy.endpoint = parse_endpoint("http://" + std::string(view.encoded_host_and_port()), setting);
  proxy.setting = setting;
  if (view.has_userinfo() && !view.encoded_user().empty()) {
    proxy.authorization = "Basic " + base64(view.user() + ":" + view.password());
  }
  return proxy;
}

}  // namespace everyitem::http
