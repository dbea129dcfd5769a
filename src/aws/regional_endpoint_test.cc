#include "aws/regional_endpoint.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"

namespace everyitem::aws {
namespace {

using testing::HasSubstr;

TEST(RegionalEndpoint, PartitionSuffix) {
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
TEST(RegionalEndpoint, VariantsFollowRuleSets) {
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

// What the rule set of botocore 1.44.8 gives.
TEST(RegionalEndpoint, SigninIsTheConsoles) {
  const EndpointVariant fips{.fips = true};
  const struct {
    const char* region;
    EndpointVariant variant;
    const char* url;
  } cases[] = {
      {"eu-west-1", {}, "https://eu-west-1.signin.aws.amazon.com"},
      {"cn-north-1", {}, "https://cn-north-1.signin.amazonaws.cn"},
      {"us-gov-east-1", {}, "https://us-gov-east-1.signin.amazonaws-us-gov.com"},
      {"eusc-de-east-1", {}, "https://eusc-de-east-1.signin.amazonaws-eusc.eu"},
      {"us-iso-east-1", {}, "https://us-iso-east-1.signin.c2shome.ic.gov"},
      {"us-isob-east-1", {}, "https://us-isob-east-1.signin.sc2shome.sgov.gov"},
      {"eu-isoe-west-1", {}, "https://eu-isoe-west-1.signin.csphome.adc-e.uk"},
      {"us-isof-south-1", {}, "https://us-isof-south-1.signin.csphome.hci.ic.gov"},
      {"us-gov-west-1", fips, "https://signin-fips.amazonaws-us-gov.com"},
      {"us-gov-east-1", fips, "https://us-gov-east-1.signin-fips.amazonaws-us-gov.com"},
      {"us-east-1", fips, "https://signin-fips.us-east-1.amazonaws.com"},
      {"us-east-1", {.dual_stack = true}, "https://signin.us-east-1.api.aws"},
      {"us-east-1", {.fips = true, .dual_stack = true}, "https://signin-fips.us-east-1.api.aws"},
  };
  for (const auto& known : cases) {
    EXPECT_EQ(regional_endpoint("signin", known.region, known.variant).url(), known.url);
  }
}

// What the rule sets of botocore 1.44.8 give.
TEST(AccountEndpoint, FollowsBotocoreRuleSets) {
  const EndpointVariant fips{.fips = true};
  const EndpointVariant dual_stack{.dual_stack = true};
  const struct {
    const char* name;
    const char* region;
    EndpointVariant variant;
    const char* url;
  } cases[] = {
      {"ddb", "us-east-1", {}, "https://111122223333.ddb.us-east-1.amazonaws.com"},
      {"ddb", "us-east-1", dual_stack, "https://111122223333.ddb.us-east-1.api.aws"},
      {"ddb", "us-gov-west-1", {}, "https://111122223333.ddb.us-gov-west-1.amazonaws.com"},
      {"ddb", "cn-north-1", {}, "https://111122223333.ddb.cn-north-1.amazonaws.com.cn"},
      {"ddb", "cn-north-9", {}, ""},
      {"ddb", "eusc-de-east-1", {}, ""},
      {"ddb", "us-iso-east-1", {}, ""},
      {"ddb", "us-east-1", fips, ""},
      {"ddb", "us-east-1", {.fips = true, .dual_stack = true}, ""},
      {"data-kinesis",
       "us-east-1",
       {},
       "https://111122223333.data-kinesis.us-east-1.amazonaws.com"},
      {"control-kinesis",
       "eusc-de-east-1",
       {},
       "https://111122223333.control-kinesis.eusc-de-east-1.amazonaws.eu"},
      {"data-kinesis", "us-gov-west-1", fips,
       "https://111122223333.data-kinesis-fips.us-gov-west-1.amazonaws.com"},
      {"data-kinesis", "us-east-1", dual_stack,
       "https://111122223333.data-kinesis.us-east-1.api.aws"},
      {"data-kinesis", "us-iso-east-1", {}, ""},
      {"data-kinesis", "us-isob-east-1", {}, ""},
      {"data-kinesis",
       "eu-isoe-west-1",
       {},
       "https://111122223333.data-kinesis.eu-isoe-west-1.cloud.adc-e.uk"},
  };
  for (const auto& known : cases) {
    const auto endpoint = account_endpoint(known.name, "111122223333", known.region, known.variant);
    EXPECT_EQ(endpoint ? endpoint->url() : "", known.url) << known.name << " " << known.region;
  }
}

TEST(AccountEndpoint, UnusableAccountNotShown) {
  for (const char* account : {"evil.example", "1/2", "", "a b"}) {
    const std::string message = message_of([&] { account_endpoint("ddb", account, "us-east-1"); });
    EXPECT_THAT(message, HasSubstr("is not an account ID"));
    EXPECT_THAT(message, testing::Not(HasSubstr("evil")));
  }
}

TEST(RegionalEndpoint, InvalidHostLabelNamed) {
  for (const std::string& region :
       {std::string("us_east_1"), std::string("us-east-1."), std::string("-us"), std::string("us-"),
        std::string("evil.com/"), std::string("ü"), std::string(64, 'a'), std::string()}) {
    EXPECT_THAT(message_of([&] { regional_endpoint("kinesis", region); }),
                HasSubstr("\"" + region + "\" is not a region"));
  }
}

}  // namespace
}  // namespace everyitem::aws
