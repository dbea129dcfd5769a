#include "aws/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"

namespace everyitem::aws {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ParseEndpoint, ReadsSchemeHostAndPort) {
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
  };
  for (const auto& good : cases) {
    EXPECT_EQ(parse_endpoint(good.url, "--endpoint-url"), good.endpoint) << good.url;
  }
}

TEST(ParseEndpoint, RefusesWhatIsNotAPlainEndpointAndNamesTheSetting) {
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
      {"http://a%20b", "not a host's name"},
      {"http://[v1.x]", "not a host's name"},
      {"http://me:hush@host", "a user name or password is not allowed"},
      {"http://host/path", "the path /path is not allowed"},
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

TEST(Endpoint, AuthorityLeavesOutTheUsualPortAndBracketsAddresses) {
  const auto authority = [](const char* url) { return parse_endpoint(url, "x").authority(); };
  EXPECT_EQ(authority("http://host:80"), "host");
  EXPECT_EQ(authority("http://host:443"), "host:443");
  EXPECT_EQ(authority("https://host:443"), "host");
  EXPECT_EQ(authority("http://[::1]"), "[::1]");
  EXPECT_EQ(authority("http://[::1]:8000"), "[::1]:8000");
}

TEST(Endpoint, UrlIsWhatWasParsed) {
  for (const char* url : {"http://[::1]:8000", "https://host", "http://host:443"}) {
    EXPECT_EQ(parse_endpoint(url, "x").url(), url);
  }
}

TEST(RegionalEndpoint, HasTheSuffixOfTheRegionsPartition) {
  const struct {
    const char* region;
    const char* url;
  } cases[] = {
      {"us-east-1", "https://dynamodb.us-east-1.amazonaws.com"},
      {"ap-southeast-7", "https://dynamodb.ap-southeast-7.amazonaws.com"},
      {"us-gov-west-1", "https://dynamodb.us-gov-west-1.amazonaws.com"},
      {"cn-northwest-1", "https://dynamodb.cn-northwest-1.amazonaws.com.cn"},
      {"eusc-de-east-1", "https://dynamodb.eusc-de-east-1.amazonaws.eu"},
      {"us-iso-east-1", "https://dynamodb.us-iso-east-1.c2s.ic.gov"},
      {"us-isob-east-1", "https://dynamodb.us-isob-east-1.sc2s.sgov.gov"},
      {"eu-isoe-west-1", "https://dynamodb.eu-isoe-west-1.cloud.adc-e.uk"},
      {"us-isof-south-1", "https://dynamodb.us-isof-south-1.csp.hci.ic.gov"},
  };
  for (const auto& known : cases) {
    EXPECT_EQ(regional_endpoint("dynamodb", known.region).url(), known.url);
  }
}

TEST(RegionalEndpoint, ARegionThatCannotBeAHostLabelIsNamed) {
  for (const std::string& region :
       {std::string("us_east_1"), std::string("us-east-1."), std::string("-us"), std::string("us-"),
        std::string("evil.com/"), std::string("ü"), std::string(64, 'a'), std::string()}) {
    EXPECT_THAT(message_of([&] { regional_endpoint("kinesis", region); }),
                HasSubstr("\"" + region + "\" is not a region"));
  }
}

}  // namespace
}  // namespace everyitem::aws
