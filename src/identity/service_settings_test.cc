#include "identity/service_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "base/temporary_home.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Everything that `resolve_service` looks at, for the service "dynamodb".
struct Inputs {
  ServiceFlags flags;
  Variables variables;
  Profile profile{
      .name = "default", .place = "profile \"default\"", .settings = {}, .services = {}};

  ServiceSettings resolve() const {
    return resolve_service("dynamodb", flags, profile, environment_of(variables));
  }
};

TEST(ResolveService, RegionComesFromTheFirstPlaceThatGivesOne) {
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

TEST(ResolveService, WithoutARegionTheErrorSaysHowToGiveOne) {
  EXPECT_THAT(message_of([] { Inputs().resolve(); }),
              AllOf(HasSubstr("no region"), HasSubstr("profile \"default\""),
                    HasSubstr("--region or AWS_REGION")));
}

TEST(ResolveService, ABadRegionIsRefusedEvenWithAnotherEndpoint) {
  Inputs inputs;
  inputs.flags = {.region = "eu_west_1", .arn_region = {}, .endpoint_url = "http://localhost:8000"};
  EXPECT_THAT(message_of([&] { inputs.resolve(); }), HasSubstr("\"eu_west_1\" is not a region"));
}

TEST(ResolveService, EndpointComesFromTheFirstPlaceThatGivesOne) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  const auto url = [&] { return inputs.resolve().endpoint.url(); };
  EXPECT_EQ(url(), "https://dynamodb.eu-west-1.amazonaws.com");
  inputs.profile.settings["endpoint_url"] = "http://profile";
  EXPECT_EQ(url(), "http://profile");
  inputs.profile.services["dynamodb"]["endpoint_url"] = "http://profile-dynamodb";
  EXPECT_EQ(url(), "http://profile-dynamodb");
  inputs.variables["AWS_ENDPOINT_URL"] = "http://variable";
  EXPECT_EQ(url(), "http://variable");
  inputs.variables["AWS_ENDPOINT_URL_DYNAMODB"] = "http://variable-dynamodb";
  EXPECT_EQ(url(), "http://variable-dynamodb");
  inputs.flags.endpoint_url = "http://flag";
  EXPECT_EQ(url(), "http://flag");
}

TEST(ResolveService, SettingsOfAnotherServiceDoNotCount) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  inputs.variables["AWS_ENDPOINT_URL_KINESIS"] = "http://variable-kinesis";
  inputs.profile.services["kinesis"]["endpoint_url"] = "http://profile-kinesis";
  EXPECT_EQ(inputs.resolve().endpoint.url(), "https://dynamodb.eu-west-1.amazonaws.com");
  EXPECT_EQ(
      resolve_service("kinesis", inputs.flags, inputs.profile, environment_of(inputs.variables))
          .endpoint.url(),
      "http://variable-kinesis");
}

TEST(ResolveService, AServiceMayHaveAnotherNameInTheSettings) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  const auto url = [&] {
    return resolve_service("oidc", inputs.flags, inputs.profile, environment_of(inputs.variables),
                           "sso_oidc")
        .endpoint.url();
  };
  EXPECT_EQ(url(), "https://oidc.eu-west-1.amazonaws.com");
  inputs.profile.services["sso_oidc"]["endpoint_url"] = "http://profile-sso-oidc";
  EXPECT_EQ(url(), "http://profile-sso-oidc");
  inputs.variables["AWS_ENDPOINT_URL_SSO_OIDC"] = "http://variable-sso-oidc";
  EXPECT_EQ(url(), "http://variable-sso-oidc");
}

TEST(ResolveService, ConfiguredEndpointsCanBeIgnoredButNotTheFlag) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  inputs.variables = {{"AWS_ENDPOINT_URL", "http://variable"},
                      {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}};
  inputs.profile.settings["endpoint_url"] = "http://profile";
  EXPECT_EQ(inputs.resolve().endpoint.url(), "https://dynamodb.eu-west-1.amazonaws.com");
  inputs.flags.endpoint_url = "http://flag";
  EXPECT_EQ(inputs.resolve().endpoint.url(), "http://flag");
}

TEST(ResolveService, TheProfileCanIgnoreThemTooAndTheVariableOverrulesIt) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  inputs.profile.settings = {{"endpoint_url", "http://profile"},
                             {"ignore_configured_endpoint_urls", "TRUE"}};
  EXPECT_EQ(inputs.resolve().endpoint.url(), "https://dynamodb.eu-west-1.amazonaws.com");
  inputs.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false";
  EXPECT_EQ(inputs.resolve().endpoint.url(), "http://profile");
}

TEST(ResolveService, ABadEndpointIsNamedByTheSettingThatGaveIt) {
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

TEST(ResolveService, TheEndpointSaysWhichProxyItIsReachedThrough) {
  Inputs inputs;
  inputs.flags.region = "eu-west-1";
  EXPECT_FALSE(inputs.resolve().proxy);
  inputs.variables = {{"HTTPS_PROXY", "http://proxy:3128"}, {"NO_PROXY", "localhost"}};
  EXPECT_EQ(inputs.resolve().proxy.value().name(), "the proxy proxy:3128");
  inputs.flags.endpoint_url = "https://localhost:8000";
  EXPECT_FALSE(inputs.resolve().proxy);
}

TEST(ResolveCaBundle, TheVariableComesBeforeTheProfile) {
  Profile profile;
  EXPECT_EQ(resolve_ca_bundle(profile, environment_of({})), "");
  profile.settings["ca_bundle"] = "/profile.pem";
  EXPECT_EQ(resolve_ca_bundle(profile, environment_of({})), "/profile.pem");
  EXPECT_EQ(resolve_ca_bundle(profile, environment_of({{"AWS_CA_BUNDLE", "/variable.pem"}})),
            "/variable.pem");
}

}  // namespace
}  // namespace everyitem::identity
