#include "http/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"

namespace everyitem::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ParseEndpoint, ReadsSchemeHostPort) {
  const struct {
    const char* url;
    Endpoint endpoint;
  } cases[] = {
      {"http://127.0.0.1:8000", {.tls = false, .host = "127.0.0.1", .port = 8000}},
      {"http://localhost", {.tls = false, .host = "localhost", .port = 80}},
      {"https://dynamodb.eu-west-1.amazonaws.com/",
       {.tls = true, .host = "dynamodb.eu-west-1.amazonaws.com", .port = 443}},
      {"HTTPS://host:65535", {.tls = true, .host = "host", .port = 65535}},
      {"http://dynamodb_local:8000", {.tls = false, .host = "dynamodb_local", .port = 8000}},
      {"http://[::1]:8000", {.tls = false, .host = "::1", .port = 8000}},
      {"https://proxy/base", {.host = "proxy", .path = "/base"}},
  };
  for (const auto& good : cases) {
    EXPECT_EQ(parse_endpoint(good.url, "--endpoint-url"), good.endpoint) << good.url;
  }
}

TEST(ParseEndpoint, RefusesNonEndpointUrls) {
  const struct {
    const char* url;
    const char* fault;
  } cases[] = {
      {"", "not a URL"},
      {"host", "not a URL"},
      {"http://a b", "not a URL"},
      {"http://host:port", "not a URL of a host and port"},
      {"http://host:8000x", "not a URL of a host and port"},
      {"localhost:8000", "scheme must be http or https"},
      {"ftp://host", "scheme must be http or https"},
      {"http://", "the host is missing"},
      {"http:///", "the host is missing"},
      {"http:host", "not a URL of a host and port"},
      {"http://a%20b", "not a host name"},
      {"http://[v1.x]", "not a host name"},
      {"http://me:hush@host", "a user name or password is not allowed"},
      {"http://host/?q", "a query or fragment is not allowed"},
      {"http://host/#f", "a query or fragment is not allowed"},
      {"http://host:0", "the port must be a number from 1 to 65535"},
      {"http://host:", "the port must be a number from 1 to 65535"},
      {"http://host:65536", "the port must be a number from 1 to 65535"},
      {"http://host:99999999999999999999", "the port must be a number from 1 to 65535"},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(
        message_of([&] { parse_endpoint(bad.url, "AWS_ENDPOINT_URL"); }),
        AllOf(HasSubstr("AWS_ENDPOINT_URL: "), HasSubstr(bad.fault), Not(HasSubstr("hush"))))
        << bad.url;
  }
}

TEST(Endpoint, AuthorityOmitsDefaultPort) {
  const auto authority = [](const char* url) { return parse_endpoint(url, "x").authority(); };
  EXPECT_EQ(authority("http://host:80"), "host");
  EXPECT_EQ(authority("http://host:443"), "host:443");
  EXPECT_EQ(authority("https://host:443"), "host");
  EXPECT_EQ(authority("http://[::1]"), "[::1]");
  EXPECT_EQ(authority("http://[::1]:8000"), "[::1]:8000");
}

TEST(Endpoint, UrlRoundTrips) {
  for (const char* url :
       {"http://[::1]:8000", "https://host", "http://host:443", "https://host/a%20b/"}) {
    EXPECT_EQ(parse_endpoint(url, "x").url(), url);
  }
}

TEST(Endpoint, JoinsPathsLikeBotocore) {
  // botocore 1.44.8, awsrequest._urljoin.
  const struct {
    const char* url;
    const char* path;
    const char* target;
  } cases[] = {{"https://h", "/", "/"},
               {"https://h/", "/", "/"},
               {"https://h/", "/a?b", "/a?b"},
               {"https://h/base", "/", "/base"},
               {"https://h/base/", "/", "/base/"},
               {"https://h/base", "/a/b", "/base/a/b"},
               {"https://h/base/", "/a/b", "/base/a/b"}};
  for (const auto& one : cases) {
    EXPECT_EQ(parse_endpoint(one.url, "x").target(one.path), one.target) << one.url;
  }
}

TEST(Endpoint, KnowsLoopbackHosts) {
  for (const char* host :
       {"127.0.0.1", "127.8.9.1", "::1", "localhost", "LocalHost", "dynamodb.localhost"}) {
    EXPECT_TRUE(is_loopback({.tls = false, .host = host, .port = 80})) << host;
  }
  for (const char* host : {"128.0.0.1", "10.0.0.1", "169.254.169.254", "::2", "notlocalhost",
                           "localhost.example.com", "127.0.0.1.example.com", "0.0.0.0"}) {
    EXPECT_FALSE(is_loopback({.tls = false, .host = host, .port = 80})) << host;
  }
}

}  // namespace
}  // namespace everyitem::http
