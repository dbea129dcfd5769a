#include "http/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"

namespace everyitem::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ParseProxy, ReadsHostPortCredentials) {
  const struct {
    const char* url;
    const char* host;
    std::uint16_t port;
    const char* authorization;
  } cases[] = {
      {"http://proxy.example.com:3128", "proxy.example.com", 3128, ""},
      {"http://proxy.example.com:3128/", "proxy.example.com", 3128, ""},
      {"HTTP://proxy:3128", "proxy", 3128, ""},
      {"proxy:3128", "proxy", 3128, ""},
      {"//proxy:3128", "proxy", 3128, ""},
      {"http://proxy", "proxy", 80, ""},
      {"http://10.0.0.1:8080", "10.0.0.1", 8080, ""},
      {"http://[fd00::1]:8080", "fd00::1", 8080, ""},
      {"[::1]:8080", "::1", 8080, ""},
      // The example of RFC 7617, section 2.
      {"http://Aladdin:open%20sesame@proxy:1", "proxy", 1, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
      {"me:p%40ss%2F%3a@proxy:1", "proxy", 1, "Basic bWU6cEBzcy86"},
      {"http://me@proxy:1", "proxy", 1, "Basic bWU6"},
      {"http://@proxy:1", "proxy", 1, ""},
  };
  for (const auto& good : cases) {
    const Proxy proxy = parse_proxy(good.url, "HTTPS_PROXY");
    EXPECT_EQ(proxy.endpoint, (Endpoint{.tls = false, .host = good.host, .port = good.port}))
        << good.url;
    EXPECT_EQ(proxy.authorization, good.authorization) << good.url;
    EXPECT_EQ(proxy.setting, "HTTPS_PROXY");
  }
}

TEST(ParseProxy, RefusesWithoutShowingPassword) {
  const struct {
    const char* url;
    const char* fault;
  } cases[] = {
      {"https://me:hush@proxy:3128", "over TLS (https://) is not supported"},
      {"socks5://me:hush@proxy:1080", "SOCKS proxy is not supported"},
      {"socks4a://proxy", "SOCKS proxy is not supported"},
      {"ftp://me:hush@proxy", "only an HTTP proxy (http://) is supported"},
      {"http://me:hush@", "host"},
      {"http://me:hush@proxy:0", "the port must be a number"},
      {"http://me:hush@proxy:port", "not the URL"},
      {"http://me:hu sh@proxy", "not the URL of a proxy"},
      {"http://me:12/hush@proxy:80", "not the URL of a host and port"},
      {"http://me:12#hush@proxy:80", "not the URL of a host and port"},
      {"http://me:12?hush@proxy:80", "not the URL of a host and port"},
      {"http://proxy:3128/path", "not the URL of a host and port"},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(message_of([&] { parse_proxy(bad.url, "https_proxy"); }),
                AllOf(HasSubstr("https_proxy: "), HasSubstr(bad.fault), HasSubstr("http://"),
                      Not(HasSubstr("hush")), Not(HasSubstr("hu sh"))))
        << bad.url;
  }
}

TEST(Proxy, NamedByHostPort) {
  EXPECT_EQ(parse_proxy("http://me:hush@proxy", "x").name(), "the proxy proxy:80");
  EXPECT_EQ(parse_proxy("http://me:hush@[::1]:3128", "x").name(), "the proxy [::1]:3128");
}

}  // namespace
}  // namespace everyitem::http
