#include "identity/service_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "support/temporary_home.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// All inputs of `resolve_service`, for DynamoDB.
struct Inputs {
  aws::ServiceModel model = aws::kDynamoDb;
  ServiceFlags flags;
  Variables variables;
  Profile profile{
      .name = "default", .place = "profile \"default\"", .settings = {}, .services = {}};

  ServiceSettings resolve() const {
    return resolve_service(model, flags, profile, environment_of(variables));
  }
};

TEST(ResolveService, RegionFromFirstSource) {
  Inputs inputs;
  inputs.profile.settings["region"] = "eu-west-5";
  EXPECT_EQ(inputs.resolve().region, "eu-west-5");
  inputs.variables["AWS_DEFAULT_REGION"] = "eu-west-4";
  EXPECT_EQ(inputs.resolve().region, "eu-west-4");
  inputs.variables["AWS_REGION"] = "eu-west-3";
  EXPECT_EQ(inputs.resolve().region, "eu-west-3");
  inputs.flags.arn_region = "eu-west-2";
  EXPECT_EQ(inputs.resolve().region, "eu-west-2");
  inputs.flags.region = "eu-west-1";
  EXPECT_EQ(inputs.resolve().region, "eu-west-1");
}

TEST(ResolveService, MissingRegionHint) {
  EXPECT_THAT(message_of([] { Inputs().resolve(); }),
              AllOf(HasSubstr("no region"), HasSubstr("profile \"default\""),
                    HasSubstr("--region or AWS_REGION")));
}

TEST(ResolveService, InvalidRegionAlwaysRefused) {
  Inputs inputs;
  inputs.flags = {.region = "eu_west_1", .arn_region = {}, .endpoint_url = "http://localhost:8000"};
  EXPECT_THAT(message_of([&] { inputs.resolve(); }),
              HasSubstr("--region is \"eu_west_1\", which is not a region"));
}

TEST(ResolveService, EndpointFromFirstSource) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  const auto url = [&] { return inputs.resolve().endpoint.url(); };
  EXPECT_EQ(url(), "https://dynamodb.eu-west-1.amazonaws.com");
  inputs.profile.settings["endpoint_url"] = "https://profile";
  EXPECT_EQ(url(), "https://profile");
  inputs.profile.services["dynamodb"]["endpoint_url"] = "https://profile-dynamodb";
  EXPECT_EQ(url(), "https://profile-dynamodb");
  inputs.variables["AWS_ENDPOINT_URL"] = "https://variable";
  EXPECT_EQ(url(), "https://variable");
  inputs.variables["AWS_ENDPOINT_URL_DYNAMODB"] = "https://variable-dynamodb";
  EXPECT_EQ(url(), "https://variable-dynamodb");
  inputs.flags.endpoint_url = "https://flag";
  EXPECT_EQ(url(), "https://flag");
}

TEST(ResolveService, OtherServicesAreIgnored) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  inputs.variables["AWS_ENDPOINT_URL_KINESIS"] = "https://variable-kinesis";
  inputs.profile.services["kinesis"]["endpoint_url"] = "https://profile-kinesis";
  EXPECT_EQ(inputs.resolve().endpoint.url(), "https://dynamodb.eu-west-1.amazonaws.com");
  EXPECT_EQ(
      resolve_service(aws::kKinesis, inputs.flags, inputs.profile, environment_of(inputs.variables))
          .endpoint.url(),
      "https://variable-kinesis");
}

TEST(ResolveService, SettingsNameMayDiffer) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  const auto url = [&] {
    return resolve_service(aws::kSsoOidc, inputs.flags, inputs.profile,
                           environment_of(inputs.variables))
        .endpoint.url();
  };
  EXPECT_EQ(url(), "https://oidc.eu-west-1.amazonaws.com");
  inputs.profile.services["sso_oidc"]["endpoint_url"] = "https://profile-sso-oidc";
  EXPECT_EQ(url(), "https://profile-sso-oidc");
  inputs.variables["AWS_ENDPOINT_URL_SSO_OIDC"] = "https://variable-sso-oidc";
  EXPECT_EQ(url(), "https://variable-sso-oidc");
}

TEST(ResolveService, VariableIgnoresConfiguredEndpoints) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  inputs.variables = {{"AWS_ENDPOINT_URL", "https://variable"},
                      {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}};
  inputs.profile.settings["endpoint_url"] = "https://profile";
  EXPECT_EQ(inputs.resolve().endpoint.url(), "https://dynamodb.eu-west-1.amazonaws.com");
  inputs.flags.endpoint_url = "https://flag";
  EXPECT_EQ(inputs.resolve().endpoint.url(), "https://flag");
}

TEST(ResolveService, ProfileIgnoresConfiguredEndpoints) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  inputs.profile.settings = {{"endpoint_url", "https://profile"},
                             {"ignore_configured_endpoint_urls", "TRUE"}};
  EXPECT_EQ(inputs.resolve().endpoint.url(), "https://dynamodb.eu-west-1.amazonaws.com");
  inputs.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false";
  EXPECT_EQ(inputs.resolve().endpoint.url(), "https://profile");
}

TEST(ResolveService, InvalidEndpointNamesSetting) {
  const auto message = [](const Inputs& inputs) { return message_of([&] { inputs.resolve(); }); };
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  inputs.profile.settings["endpoint_url"] = "x";
  EXPECT_THAT(message(inputs), HasSubstr("endpoint_url of profile \"default\": "));
  inputs.profile.services["dynamodb"]["endpoint_url"] = "x";
  EXPECT_THAT(message(inputs),
              HasSubstr("dynamodb endpoint_url in the services of profile \"default\": "));
  inputs.variables["AWS_ENDPOINT_URL"] = "x";
  EXPECT_THAT(message(inputs), HasSubstr("AWS_ENDPOINT_URL: "));
  inputs.variables["AWS_ENDPOINT_URL_DYNAMODB"] = "x";
  EXPECT_THAT(message(inputs), HasSubstr("AWS_ENDPOINT_URL_DYNAMODB: "));
  inputs.flags.endpoint_url = "x";
  EXPECT_THAT(message(inputs), HasSubstr("--endpoint-url: "));
}

/// The host and region of STS calls, as "host region".
std::string sts_of(const std::string& region, Variables variables = {}, ServiceFlags flags = {}) {
  flags.region = region;
  const ServiceSettings sts =
      resolve_service(aws::kSts, flags, Inputs().profile, environment_of(std::move(variables)));
  return sts.endpoint.host + " " + sts.region;
}

TEST(ResolveService, StsRegionalByDefault) {
  const Variables legacy{{"AWS_STS_REGIONAL_ENDPOINTS", "legacy"}};
  EXPECT_EQ(sts_of("eu-west-1"), "sts.eu-west-1.amazonaws.com eu-west-1");
  EXPECT_EQ(sts_of("eu-west-1", {{"AWS_STS_REGIONAL_ENDPOINTS", "regional"}}),
            "sts.eu-west-1.amazonaws.com eu-west-1");
  EXPECT_EQ(sts_of("eu-west-1", legacy), "sts.amazonaws.com us-east-1");
  EXPECT_EQ(sts_of("us-east-1", legacy), "sts.amazonaws.com us-east-1");
  EXPECT_EQ(sts_of("ap-east-1", legacy), "sts.ap-east-1.amazonaws.com ap-east-1");
  EXPECT_EQ(sts_of("cn-north-1", legacy), "sts.cn-north-1.amazonaws.com.cn cn-north-1");
  Variables with_fips = legacy;
  with_fips["AWS_USE_FIPS_ENDPOINT"] = "true";
  EXPECT_EQ(sts_of("us-west-2", with_fips), "sts-fips.us-west-2.amazonaws.com us-west-2");
  Variables elsewhere = legacy;
  elsewhere["AWS_ENDPOINT_URL_STS"] = "https://sts.test";
  EXPECT_EQ(sts_of("eu-west-1", elsewhere), "sts.test eu-west-1");
  EXPECT_THAT(message_of([] {
                sts_of("eu-west-1", {{"AWS_STS_REGIONAL_ENDPOINTS", "local"}});
              }),
              HasSubstr("AWS_STS_REGIONAL_ENDPOINTS: \"local\" is neither regional nor legacy"));
}

TEST(ResolveService, ProfileSelectsLegacySts) {
  Inputs inputs;
  inputs.profile.settings = {{"region", "eu-west-1"}, {"sts_regional_endpoints", "legacy"}};
  const auto host = [&] {
    return resolve_service(aws::kSts, {}, inputs.profile, environment_of(inputs.variables))
        .endpoint.host;
  };
  EXPECT_EQ(host(), "sts.amazonaws.com");
  inputs.variables["AWS_STS_REGIONAL_ENDPOINTS"] = "regional";
  EXPECT_EQ(host(), "sts.eu-west-1.amazonaws.com");
}

TEST(ResolveService, StsNeedsNoRegion) {
  EXPECT_EQ(sts_of(""), "sts.amazonaws.com us-east-1");
  EXPECT_EQ(sts_of("aws-global"), "sts.amazonaws.com us-east-1");
  EXPECT_EQ(sts_of("", {{"AWS_USE_FIPS_ENDPOINT", "true"}}),
            "sts-fips.us-east-1.amazonaws.com us-east-1");
  EXPECT_EQ(sts_of("", {{"AWS_ENDPOINT_URL", "https://sts.test"}}), "sts.test us-east-1");
}

TEST(ResolveService, FipsDualStackPrecedence) {
  Inputs inputs;
  inputs.flags.region = "us-east-1";
  const auto host = [&] { return inputs.resolve().endpoint.host; };
  inputs.profile.settings = {{"use_fips_endpoint", "true"}};
  EXPECT_EQ(host(), "dynamodb-fips.us-east-1.amazonaws.com");
  inputs.profile.settings["use_dualstack_endpoint"] = "True";
  EXPECT_EQ(host(), "dynamodb-fips.us-east-1.api.aws");
  inputs.variables["AWS_USE_FIPS_ENDPOINT"] = "FALSE";
  EXPECT_EQ(host(), "dynamodb.us-east-1.api.aws");
  inputs.variables["AWS_USE_DUALSTACK_ENDPOINT"] = "false";
  EXPECT_EQ(host(), "dynamodb.us-east-1.amazonaws.com");
  inputs.variables["AWS_USE_FIPS_ENDPOINT"] = "true";
  EXPECT_EQ(host(), "dynamodb-fips.us-east-1.amazonaws.com");
  inputs.flags.endpoint_url = "https://flag";
  EXPECT_EQ(host(), "flag");
}

TEST(ResolveService, InvalidSwitchIsNamed) {
  Inputs inputs;
  inputs.flags.region = "us-east-1";
  const auto message = [&] { return message_of([&] { inputs.resolve(); }); };
  inputs.profile.settings["use_fips_endpoint"] = "on";
  EXPECT_THAT(message(), HasSubstr("use_fips_endpoint of profile \"default\": \"on\" is neither"));
  for (const char* name : {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
                           "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}) {
    inputs.profile.settings.clear();
    inputs.variables = {{name, "1"}};
    EXPECT_THAT(message(), HasSubstr(name + std::string(": \"1\" is neither true nor false")));
  }
}

TEST(ResolveService, PseudoRegionMeansFips) {
  Inputs inputs;
  for (const char* region : {"fips-us-east-1", "us-east-1-fips"}) {
    inputs.flags.region = region;
    inputs.variables = {{"AWS_USE_FIPS_ENDPOINT", "false"}};
    EXPECT_EQ(inputs.resolve().region, "us-east-1");
    EXPECT_EQ(inputs.resolve().endpoint.host, "dynamodb-fips.us-east-1.amazonaws.com");
  }
}

TEST(ResolveService, RemotePlainHttpRefused) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  const auto message = [&] { return message_of([&] { inputs.resolve(); }); };
  const auto refusal_of = [](const std::string& setting, const std::string& url) {
    return AllOf(HasSubstr(setting + ": " + url + " is plain HTTP"), HasSubstr("https://"),
                 HasSubstr("--insecure-http"));
  };
  inputs.profile.settings["endpoint_url"] = "http://profile:8000";
  EXPECT_THAT(message(), refusal_of("endpoint_url of profile \"default\"", "http://profile:8000"));
  inputs.variables["AWS_ENDPOINT_URL_DYNAMODB"] = "http://10.0.0.1";
  EXPECT_THAT(message(), refusal_of("AWS_ENDPOINT_URL_DYNAMODB", "http://10.0.0.1"));
  inputs.flags.endpoint_url = "http://[fd00::1]:8000";
  EXPECT_THAT(message(), refusal_of("--endpoint-url", "http://[fd00::1]:8000"));
  inputs.flags.insecure_http = true;
  EXPECT_EQ(inputs.resolve().endpoint.url(), "http://[fd00::1]:8000");
}

TEST(ResolveService, LocalPlainHttpAllowed) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  for (const char* url : {"http://127.0.0.1:8000", "http://127.1.2.3", "http://[::1]:8000",
                          "http://localhost:8000", "http://dynamodb.localhost"}) {
    inputs.flags.endpoint_url = url;
    EXPECT_EQ(inputs.resolve().endpoint.url(), url);
  }
}

TEST(ResolveService, EndpointSelectsProxy) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  EXPECT_FALSE(inputs.resolve().proxy);
  inputs.variables = {{"HTTPS_PROXY", "http://proxy:3128"}, {"NO_PROXY", "localhost"}};
  EXPECT_EQ(inputs.resolve().proxy.value().name(), "the proxy proxy:3128");
  inputs.flags.endpoint_url = "https://localhost:8000";
  EXPECT_FALSE(inputs.resolve().proxy);
}

TEST(ResolveCaBundle, VariableBeforeProfile) {
  Profile profile;
  EXPECT_EQ(resolve_ca_bundle(profile, environment_of({})), "");
  profile.settings["ca_bundle"] = "/profile.pem";
  EXPECT_EQ(resolve_ca_bundle(profile, environment_of({})), "/profile.pem");
  EXPECT_EQ(resolve_ca_bundle(profile, environment_of({{"AWS_CA_BUNDLE", "/variable.pem"}})),
            "/variable.pem");
}

/// For an account that is known, in us-east-1.
class AccountEndpoints : public testing::Test {
 protected:
  AccountEndpoints() {
    inputs_.flags.region = "us-east-1";
    inputs_.flags.account_id = "111122223333";
  }
  std::string url() const { return inputs_.resolve().endpoint.url(); }
  bool depends() const {
    return depends_on_account(inputs_.model, inputs_.flags, inputs_.profile,
                              environment_of(inputs_.variables));
  }
  void mode(const std::string& mode) { inputs_.variables["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = mode; }

  Inputs inputs_;
};

TEST_F(AccountEndpoints, PreferredOnceAccountKnown) {
  EXPECT_EQ(url(), "https://111122223333.ddb.us-east-1.amazonaws.com");
  inputs_.model = aws::kKinesis;
  EXPECT_EQ(url(), "https://111122223333.data-kinesis.us-east-1.amazonaws.com");
  inputs_.model = aws::kKinesisControl;
  EXPECT_EQ(url(), "https://111122223333.control-kinesis.us-east-1.amazonaws.com");
  inputs_.model = aws::kSsm;
  EXPECT_EQ(url(), "https://ssm.us-east-1.amazonaws.com");
  inputs_.model = aws::kDynamoDb;
  inputs_.flags.account_id = "";
  EXPECT_EQ(url(), "https://dynamodb.us-east-1.amazonaws.com");
}

TEST_F(AccountEndpoints, ResourcesAccountComesFirst) {
  inputs_.flags.arn_account = "444455556666";
  inputs_.flags.arn_region = "us-east-1";
  EXPECT_EQ(url(), "https://444455556666.ddb.us-east-1.amazonaws.com");
  inputs_.flags.arn_region = "eu-west-1";  // not the region that is called
  EXPECT_EQ(url(), "https://111122223333.ddb.us-east-1.amazonaws.com");
}

TEST_F(AccountEndpoints, ModeVariableBeforeProfile) {
  inputs_.profile.settings["account_id_endpoint_mode"] = "Disabled";
  EXPECT_EQ(url(), "https://dynamodb.us-east-1.amazonaws.com");
  mode("preferred");
  EXPECT_EQ(url(), "https://111122223333.ddb.us-east-1.amazonaws.com");
  mode("maybe");
  EXPECT_THAT(message_of([&] { url(); }),
              AllOf(HasSubstr("AWS_ACCOUNT_ID_ENDPOINT_MODE"), HasSubstr("\"maybe\"")));
}

TEST_F(AccountEndpoints, RequiredButUnavailableFails) {
  mode("required");
  EXPECT_EQ(url(), "https://111122223333.ddb.us-east-1.amazonaws.com");
  inputs_.flags.region = "us-iso-east-1";
  EXPECT_THAT(message_of([&] { url(); }), HasSubstr("dynamodb has none in us-iso-east-1"));
  inputs_.flags.region = "us-east-1";
  inputs_.variables["AWS_USE_FIPS_ENDPOINT"] = "true";
  EXPECT_THAT(message_of([&] { url(); }), HasSubstr("dynamodb has none in us-east-1 with FIPS"));
  inputs_.variables.erase("AWS_USE_FIPS_ENDPOINT");
  inputs_.flags.account_id = "";
  EXPECT_THAT(message_of([&] { url(); }),
              AllOf(HasSubstr("the account is not known"), HasSubstr("AWS_ACCOUNT_ID")));
  inputs_.model = aws::kSsm;
  EXPECT_EQ(url(), "https://ssm.us-east-1.amazonaws.com");
}

TEST_F(AccountEndpoints, ConfiguredEndpointComesFirst) {
  inputs_.variables["AWS_ENDPOINT_URL"] = "https://localhost";
  mode("required");
  EXPECT_EQ(url(), "https://localhost");
}

TEST_F(AccountEndpoints, CredentialsOnlyIfNeeded) {
  inputs_.flags.account_id = "";
  EXPECT_TRUE(depends());
  inputs_.flags.arn_account = "444455556666";
  inputs_.flags.arn_region = "us-east-1";
  EXPECT_FALSE(depends());
  inputs_.flags.arn_account = "";
  mode("disabled");
  EXPECT_FALSE(depends());
  mode("preferred");
  inputs_.model = aws::kSsm;
  EXPECT_FALSE(depends());
  inputs_.model = aws::kDynamoDb;
  inputs_.flags.region = "us-iso-east-1";
  EXPECT_FALSE(depends());
  inputs_.flags.region = "us-east-1";
  inputs_.flags.endpoint_url = "https://localhost";
  EXPECT_FALSE(depends());
}

TEST(RetrySettings, AreCheckedLikeBotocore) {
  const auto refusal = [](const Variables& variables, const Settings& settings = {}) {
    const Profile profile{.name = "b", .place = "profile \"b\"", .settings = settings};
    return message_of([&] { check_retry_settings(profile, environment_of(variables)); });
  };
  check_retry_settings({}, environment_of({}));
  check_retry_settings({},
                       environment_of({{"AWS_MAX_ATTEMPTS", "1"}, {"AWS_RETRY_MODE", "legacy"}}));
  for (const char* attempts : {"0", "-1", "many", "3x", "1.5"}) {
    EXPECT_THAT(refusal({{"AWS_MAX_ATTEMPTS", attempts}}),
                AllOf(HasSubstr("AWS_MAX_ATTEMPTS"), HasSubstr(attempts)));
  }
  EXPECT_THAT(refusal({}, {{"max_attempts", "no"}}), HasSubstr("max_attempts of profile \"b\""));
  EXPECT_THAT(refusal({{"AWS_RETRY_MODE", "Standard"}}),
              HasSubstr("\"Standard\" is not one of legacy, standard and adaptive"));
  EXPECT_THAT(refusal({}, {{"retry_mode", "no"}}), HasSubstr("retry_mode of profile \"b\""));
}

}  // namespace
}  // namespace everyitem::identity
