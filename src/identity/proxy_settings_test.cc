#include "identity/proxy_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "support/temporary_home.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

http::Endpoint endpoint_of(const std::string& url) { return http::parse_endpoint(url, "x"); }

/// The name of the proxy for `url`, without "the proxy "; empty without a proxy.
std::string proxy_of(const std::string& url, const Variables& variables) {
  const auto proxy = resolve_proxy(endpoint_of(url), environment_of(variables));
  return proxy ? proxy->name().substr(std::string("the proxy ").size()) : "";
}

TEST(ResolveProxy, SchemeSelectsVariable) {
  const Variables both{{"HTTPS_PROXY", "http://a:1"}, {"HTTP_PROXY", "http://b:2"}};
  EXPECT_EQ(proxy_of("https://host", both), "a:1");
  EXPECT_EQ(proxy_of("http://host", both), "b:2");
  EXPECT_EQ(proxy_of("https://host", {{"HTTP_PROXY", "http://b:2"}}), "");
  EXPECT_EQ(proxy_of("http://host", {{"HTTPS_PROXY", "http://a:1"}}), "");
  EXPECT_EQ(proxy_of("https://host", {}), "");
}

TEST(ResolveProxy, LowerCaseComesFirst) {
  const Variables all{{"HTTPS_PROXY", "upper:1"}, {"https_proxy", "lower:1"},
                      {"HTTP_PROXY", "upper:2"},  {"http_proxy", "lower:2"},
                      {"NO_PROXY", "a"},          {"no_proxy", "b"}};
  EXPECT_EQ(proxy_of("https://host", all), "lower:1");
  EXPECT_EQ(proxy_of("http://host", all), "lower:2");
  EXPECT_EQ(proxy_of("https://a", all), "lower:1");
  EXPECT_EQ(proxy_of("https://b", all), "");
  EXPECT_EQ(proxy_of("https://host", {{"https_proxy", "lower:1"}}), "lower:1");
}

TEST(ResolveProxy, NothingExemptByDefault) {
  const Variables proxies{{"HTTPS_PROXY", "a:1"}, {"HTTP_PROXY", "b:2"}};
  for (const char* host : {"127.0.0.1:8000", "localhost:8000", "[::1]:8000"}) {
    EXPECT_EQ(proxy_of(std::string("http://") + host, proxies), "b:2");
  }
}

TEST(ResolveProxy, ExemptIgnoresBadProxy) {
  EXPECT_EQ(proxy_of("https://host", {{"HTTPS_PROXY", "socks5://p"}, {"NO_PROXY", "host"}}), "");
}

TEST(ResolveProxy, BadProxyHidesPassword) {
  EXPECT_THAT(message_of([] {
                proxy_of("https://host", {{"HTTPS_PROXY", "socks5://me:hush@proxy:1"}});
              }),
              AllOf(HasSubstr("HTTPS_PROXY: "), HasSubstr("SOCKS"), Not(HasSubstr("hush"))));
  EXPECT_THAT(message_of([] {
                proxy_of("http://host", {{"http_proxy", "https://me:hush@proxy:1"}});
              }),
              AllOf(HasSubstr("http_proxy: "), HasSubstr("over TLS"), Not(HasSubstr("hush"))));
}

TEST(NoProxy, ExemptsListedHosts) {
  const struct {
    const char* no_proxy;
    const char* url;
    bool exempt;
  } cases[] = {
      {"", "https://host", false},
      {"*", "https://host", true},
      {"other,*", "https://host", true},
      {"host", "https://host", true},
      {"HOST", "https://host", true},
      {"host", "https://HOST", true},
      {"host", "https://hos", false},
      {"host", "https://ghost", false},
      {"host", "https://below.host", true},
      {"amazonaws.com", "https://dynamodb.eu-west-1.amazonaws.com", true},
      {".amazonaws.com", "https://dynamodb.eu-west-1.amazonaws.com", true},
      {"*.amazonaws.com", "https://dynamodb.eu-west-1.amazonaws.com", true},
      {"..amazonaws.com", "https://dynamodb.eu-west-1.amazonaws.com", true},
      {".amazonaws.com", "https://amazonaws.com", true},
      {"amazonaws.com", "https://evilamazonaws.com", false},
      {"amazonaws.com", "https://amazonaws.com.cn", false},
      {".", "https://host", false},
      {",, ,", "https://host", false},
      {"a, host ,b", "https://host", true},
      {"a host b", "https://host", true},
      {"host:443", "https://host", true},
      {"host:443", "https://host:8443", false},
      {"host:8443", "https://host:8443", true},
      {".host:8443", "https://below.host:8443", true},
      {"host:", "https://host", false},
      {"127.0.0.1", "http://127.0.0.1:8000", true},
      {"127.0.0.1:8000", "http://127.0.0.1:8000", true},
      {"127.0.0.1:8001", "http://127.0.0.1:8000", false},
      {"127.0.0.1", "http://127.0.0.2", false},
      {"0.0.1", "http://127.0.0.1", false},
      {"127.0.0.1", "http://localhost", false},
      {"10.0.0.0/8", "http://10.1.2.3", true},
      {"10.9.9.9/8", "http://10.1.2.3", true},
      {"10.0.0.0/8", "http://11.1.2.3", false},
      {"0.0.0.0/0", "http://11.1.2.3", true},
      {"10.1.2.3/32", "http://10.1.2.3", true},
      {"10.0.0.0/33", "http://10.0.0.0", false},
      {"10.0.0.0/", "http://10.0.0.0", false},
      {"10.0.0.0/8", "http://host", false},
      {"::1", "http://[::1]:8000", true},
      {"[::1]", "http://[::1]:8000", true},
      {"[::1]:8000", "http://[::1]:8000", true},
      {"[::1]:8001", "http://[::1]:8000", false},
      {"0:0:0:0:0:0:0:1", "http://[::1]:8000", true},
      {"fd00::/8", "http://[fd12::1]", true},
      {"fd00::/8", "http://[fe80::1]", false},
      {"fd00::/8", "http://10.0.0.1", false},
      {"10.0.0.0/8", "http://[fd12::1]", false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(is_exempt(endpoint_of(one.url), one.no_proxy), one.exempt)
        << "\"" << one.no_proxy << "\" " << one.url;
  }
}

}  // namespace
}  // namespace everyitem::identity
