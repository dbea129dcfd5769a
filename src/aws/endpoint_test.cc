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

// What the rule sets of botocore 1.43.11 give. Each row: FIPS, dual-stack, both.
TEST(RegionalEndpoint, VariantsAreThoseOfTheRuleSets) {
  const struct {
    const char* service;
    const char* region;
    const char* fips;
    const char* dual_stack;
    const char* both;
  } cases[] = {
      {"dynamodb", "us-east-1", "dynamodb-fips.us-east-1.amazonaws.com",
       "dynamodb.us-east-1.api.aws", "dynamodb-fips.us-east-1.api.aws"},
      {"kinesis", "us-west-2", "kinesis-fips.us-west-2.amazonaws.com", "kinesis.us-west-2.api.aws",
       "kinesis-fips.us-west-2.api.aws"},
      {"ssm", "ca-central-1", "ssm-fips.ca-central-1.amazonaws.com", "ssm.ca-central-1.api.aws",
       "ssm-fips.ca-central-1.api.aws"},
      {"lambda", "us-east-1", "lambda-fips.us-east-1.amazonaws.com", "lambda.us-east-1.api.aws",
       "lambda-fips.us-east-1.api.aws"},
      {"sts", "us-east-1", "sts-fips.us-east-1.amazonaws.com", "sts.us-east-1.api.aws",
       "sts-fips.us-east-1.api.aws"},
      {"portal.sso", "us-east-1", "portal.sso-fips.us-east-1.amazonaws.com",
       "portal.sso.us-east-1.api.aws", "portal.sso-fips.us-east-1.api.aws"},
      {"oidc", "us-east-1", "oidc-fips.us-east-1.amazonaws.com", "oidc.us-east-1.api.aws",
       "oidc-fips.us-east-1.api.aws"},
      {"dynamodb", "us-gov-west-1", "dynamodb.us-gov-west-1.amazonaws.com",
       "dynamodb.us-gov-west-1.api.aws", "dynamodb-fips.us-gov-west-1.api.aws"},
      {"kinesis", "us-gov-west-1", "kinesis.us-gov-west-1.amazonaws.com",
       "kinesis.us-gov-west-1.api.aws", "kinesis-fips.us-gov-west-1.api.aws"},
      {"ssm", "us-gov-east-1", "ssm.us-gov-east-1.amazonaws.com", "ssm.us-gov-east-1.api.aws",
       "ssm-fips.us-gov-east-1.api.aws"},
      {"sts", "us-gov-east-1", "sts.us-gov-east-1.amazonaws.com", "sts.us-gov-east-1.api.aws",
       "sts-fips.us-gov-east-1.api.aws"},
      {"portal.sso", "us-gov-west-1", "portal.sso.us-gov-west-1.amazonaws.com",
       "portal.sso.us-gov-west-1.api.aws", "portal.sso-fips.us-gov-west-1.api.aws"},
      {"oidc", "us-gov-west-1", "oidc.us-gov-west-1.amazonaws.com", "oidc.us-gov-west-1.api.aws",
       "oidc-fips.us-gov-west-1.api.aws"},
      {"lambda", "us-gov-west-1", "lambda-fips.us-gov-west-1.amazonaws.com",
       "lambda.us-gov-west-1.api.aws", "lambda-fips.us-gov-west-1.api.aws"},
      {"dynamodb", "cn-north-1", "dynamodb-fips.cn-north-1.amazonaws.com.cn",
       "dynamodb.cn-north-1.api.amazonwebservices.com.cn",
       "dynamodb-fips.cn-north-1.api.amazonwebservices.com.cn"},
      {"dynamodb", "eusc-de-east-1", "dynamodb-fips.eusc-de-east-1.amazonaws.eu",
       "dynamodb.eusc-de-east-1.api.amazonwebservices.eu",
       "dynamodb-fips.eusc-de-east-1.api.amazonwebservices.eu"},
      {"kinesis", "us-iso-east-1", "kinesis-fips.us-iso-east-1.c2s.ic.gov",
       "kinesis.us-iso-east-1.api.aws.ic.gov", "kinesis-fips.us-iso-east-1.api.aws.ic.gov"},
      {"kinesis", "us-isob-east-1", "kinesis-fips.us-isob-east-1.sc2s.sgov.gov",
       "kinesis.us-isob-east-1.api.aws.scloud", "kinesis-fips.us-isob-east-1.api.aws.scloud"},
      {"kinesis", "eu-isoe-west-1", "kinesis-fips.eu-isoe-west-1.cloud.adc-e.uk",
       "kinesis.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
       "kinesis-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
      {"kinesis", "us-isof-south-1", "kinesis-fips.us-isof-south-1.csp.hci.ic.gov",
       "kinesis.us-isof-south-1.api.aws.hci.ic.gov",
       "kinesis-fips.us-isof-south-1.api.aws.hci.ic.gov"},
  };
  for (const auto& one : cases) {
    const auto host = [&](EndpointVariant variant) {
      return regional_endpoint(one.service, one.region, variant).host;
    };
    EXPECT_EQ(host({.fips = true, .dual_stack = false}), one.fips);
    EXPECT_EQ(host({.fips = false, .dual_stack = true}), one.dual_stack);
    EXPECT_EQ(host({.fips = true, .dual_stack = true}), one.both);
  }
}

TEST(Endpoint, KnowsWhatIsOnThisMachine) {
  for (const char* host :
       {"127.0.0.1", "127.8.9.1", "::1", "localhost", "LocalHost", "dynamodb.localhost"}) {
    EXPECT_TRUE(is_loopback({.tls = false, .host = host, .port = 80})) << host;
  }
  for (const char* host : {"128.0.0.1", "10.0.0.1", "169.254.169.254", "::2", "notlocalhost",
                           "localhost.example.com", "127.0.0.1.example.com", "0.0.0.0"}) {
    EXPECT_FALSE(is_loopback({.tls = false, .host = host, .port = 80})) << host;
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
