#include "identity/instance_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "support/test_connector.h"
#include "support/test_endpoint.h"

namespace everyitem::identity {
namespace {

using http::answer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

MetadataSettings resolve(const Variables& variables, Settings settings = {}) {
  return resolve_metadata_settings(profile_with(std::move(settings)), environment_of(variables));
}

TEST(MetadataSettings, DefaultsMatchAwsTools) {
  const MetadataSettings settings = resolve({});
  EXPECT_FALSE(settings.disabled);
  EXPECT_EQ(settings.endpoint.url(), "http://169.254.169.254");
  EXPECT_EQ(settings.timeout, std::chrono::seconds(1));
  EXPECT_EQ(settings.attempts, 1);
  EXPECT_FALSE(settings.allows_version_1);
}

TEST(MetadataSettings, EnvironmentThenProfile) {
  const struct {
    Variables variables;
    Settings settings;
    const char* url;
  } cases[] = {
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://localhost:1/"}},
       {{"ec2_metadata_service_endpoint", "http://localhost:2"}},
       "http://localhost:1"},
      {{}, {{"ec2_metadata_service_endpoint", "http://localhost:2"}}, "http://localhost:2"},
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}}, {}, "http://[fd00:ec2::254]"},
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv4"}},
       {{"ec2_metadata_service_endpoint_mode", "ipv6"}},
       "http://169.254.169.254"},
      {{}, {{"ec2_metadata_service_endpoint_mode", "ipv6"}}, "http://[fd00:ec2::254]"},
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"}},
       {{"ec2_metadata_service_endpoint", "http://localhost:2"}},
       "http://localhost:2"},
  };
  for (const auto& known : cases) {
    EXPECT_EQ(resolve(known.variables, known.settings).endpoint.url(), known.url);
  }
  EXPECT_EQ(
      resolve({{"AWS_METADATA_SERVICE_TIMEOUT", "5"}}, {{"metadata_service_timeout", "7"}}).timeout,
      std::chrono::seconds(5));
  EXPECT_EQ(resolve({}, {{"metadata_service_timeout", "0.5"}}).timeout,
            std::chrono::milliseconds(500));
  EXPECT_EQ(resolve({{"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3"}},
                    {{"metadata_service_num_attempts", "4"}})
                .attempts,
            3);
  EXPECT_EQ(resolve({}, {{"metadata_service_num_attempts", "4"}}).attempts, 4);
  EXPECT_TRUE(resolve({{"AWS_EC2_METADATA_DISABLED", "TRUE"}}).disabled);
  EXPECT_FALSE(resolve({{"AWS_EC2_METADATA_DISABLED", "1"}}).disabled);
  EXPECT_TRUE(resolve({{"AWS_EC2_METADATA_V1_DISABLED", "false"}}).allows_version_1);
  EXPECT_TRUE(resolve({}, {{"ec2_metadata_v1_disabled", "False"}}).allows_version_1);
  EXPECT_FALSE(
      resolve({{"AWS_EC2_METADATA_V1_DISABLED", "true"}}, {{"ec2_metadata_v1_disabled", "false"}})
          .allows_version_1);
}

TEST(MetadataSettings, RemoteHttpNeedsFlag) {
  const Variables elsewhere{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://example.com"}};
  EXPECT_THAT(message_of([&] { resolve(elsewhere); }),
              AllOf(HasSubstr("AWS_EC2_METADATA_SERVICE_ENDPOINT"), HasSubstr("plain HTTP"),
                    HasSubstr("--insecure-http")));
  EXPECT_EQ(
      resolve_metadata_settings(profile_with({}), environment_of(elsewhere), true).endpoint.url(),
      "http://example.com");
  for (const char* url :
       {"http://169.254.169.254", "http://[fd00:ec2::254]", "https://example.com"}) {
    EXPECT_EQ(resolve({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", url}}).endpoint.url(), url);
  }
}

TEST(MetadataSettings, InvalidValuesAreNamed) {
  const struct {
    const char* variable;
    const char* value;
  } cases[] = {
      {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "localhost"},
      {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"},
      {"AWS_METADATA_SERVICE_TIMEOUT", "soon"},
      {"AWS_METADATA_SERVICE_TIMEOUT", "0"},
      {"AWS_METADATA_SERVICE_TIMEOUT", "nan"},
      {"AWS_METADATA_SERVICE_TIMEOUT", "-1"},
      {"AWS_METADATA_SERVICE_TIMEOUT", "1e9"},
      {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "0"},
      {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1.5"},
      {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "99999999999"},
      {"AWS_EC2_METADATA_V1_DISABLED", "no"},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(message_of([&] {
                  resolve({{bad.variable, bad.value}});
                }),
                HasSubstr(bad.variable))
        << bad.value;
  }
  EXPECT_THAT(message_of([] {
                resolve({}, {{"metadata_service_timeout", "x"}});
              }),
              HasSubstr("metadata_service_timeout of profile \"p\""));
}

class InstanceMetadataTest : public testing::Test {
 protected:
  /// The region, or nothing, or what went wrong.
  std::optional<std::string> region() {
    std::optional<std::string> found;
    const auto work = [&]() -> Awaitable<void> {
      found = co_await region_from_metadata(test_.connector);
    };
    http::run(endpoint_.loop, work());
    return found;
  }
  std::string failure() {
    const auto work = [&]() -> Awaitable<void> {
      InstanceMetadata metadata(test_.connector);
      co_await metadata.get("/x");
    };
    return message_of([&] { http::run(endpoint_.loop, work()); });
  }
  /// Lets the time that the client waits pass.
  std::optional<std::string> no_response(std::chrono::nanoseconds timeout) {
    test_.clock.advance(timeout);
    return std::nullopt;
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const std::string& request : endpoint_.requests) {
      all.push_back(line_of(request));
    }
    return all;
  }

  Variables variables_;
  std::function<std::optional<std::string>(const std::string&)> token_ = [](const std::string&) {
    return answer("the-token");
  };
  std::function<std::optional<std::string>(const std::string&)> get_ = [](const std::string&) {
    return answer("eu-west-1");
  };
  TestEndpoint endpoint_{[this](const std::string& request) {
    return request.starts_with("PUT ") ? token_(request) : get_(request);
  }};
  std::string url_ = endpoint_.server.endpoint().url();
  TestConnector test_{[this](std::string_view name) {
    if (name == "AWS_EC2_METADATA_SERVICE_ENDPOINT") {
      return url_;
    }
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::string() : found->second;
  }};
};

TEST_F(InstanceMetadataTest, RegionWithToken) {
  EXPECT_EQ(region(), "eu-west-1");
  EXPECT_THAT(lines(),
              ElementsAre("PUT /latest/api/token", "GET /latest/meta-data/placement/region"));
  EXPECT_THAT(endpoint_.requests[0],
              HasSubstr("\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
  EXPECT_THAT(endpoint_.requests[1], HasSubstr("\r\nX-aws-ec2-metadata-token: the-token\r\n"));
}

TEST_F(InstanceMetadataTest, InvalidRegionIsNone) {
  for (const std::string& answered : {answer(""), answer("<html>"), answer("x", "404 Not Found"),
                                      answer("x", "500 Internal Server Error")}) {
    get_ = [&](const std::string&) { return answered; };
    EXPECT_FALSE(region()) << answered;
  }
}

TEST_F(InstanceMetadataTest, ExpiredTokenReplacedOnce) {
  int tokens = 0;
  token_ = [&](const std::string&) { return answer("token-" + std::to_string(++tokens)); };
  get_ = [](const std::string& request) {
    return request.find("token-2") == std::string::npos ? answer("", "401 Unauthorized")
                                                        : answer("eu-west-1");
  };
  EXPECT_EQ(region(), "eu-west-1");
  EXPECT_EQ(tokens, 2);

  get_ = [](const std::string&) { return answer("", "401 Unauthorized"); };
  EXPECT_EQ(failure(), "HTTP status 401");
  EXPECT_EQ(tokens, 4);
}

TEST_F(InstanceMetadataTest, NoRequestWithoutToken) {
  const struct {
    std::string answered;
    const char* reason;
  } cases[] = {
      {answer("", "403 Forbidden"), "no token: HTTP status 403"},
      {answer("", "404 Not Found"), "no token: HTTP status 404"},
      {answer("", "405 Method Not Allowed"), "no token: HTTP status 405"},
      {answer(""), "no token: HTTP status 200"},
  };
  for (const auto& bad : cases) {
    endpoint_.requests.clear();
    token_ = [&](const std::string&) { return bad.answered; };
    EXPECT_EQ(failure(), bad.reason);
    EXPECT_THAT(lines(), ElementsAre("PUT /latest/api/token"));
  }
}

TEST_F(InstanceMetadataTest, Version1IfAllowed) {
  variables_["AWS_EC2_METADATA_V1_DISABLED"] = "false";
  token_ = [](const std::string&) { return answer("", "404 Not Found"); };
  EXPECT_EQ(region(), "eu-west-1");
  EXPECT_THAT(endpoint_.requests.back(), Not(HasSubstr("X-aws-ec2-metadata-token")));
}

TEST_F(InstanceMetadataTest, MissingTokenIsExplained) {
  variables_["AWS_METADATA_SERVICE_TIMEOUT"] = "0.02";
  token_ = [this](const std::string&) { return no_response(std::chrono::seconds(1)); };
  EXPECT_THAT(failure(), AllOf(HasSubstr("no token within 0.02"), HasSubstr("hop limit")));
}

TEST_F(InstanceMetadataTest, NoResponseIsNone) {
  variables_["AWS_METADATA_SERVICE_TIMEOUT"] = "1";
  get_ = [this](const std::string&) { return no_response(std::chrono::seconds(1)); };
  EXPECT_THAT(failure(), HasSubstr("no response within 1.0 s"));
}

TEST_F(InstanceMetadataTest, MissingMetadataAskedOnce) {
  endpoint_.server.stop_accepting();
  EXPECT_THAT(failure(), HasSubstr("cannot connect: Connection refused"));
  EXPECT_FALSE(region());
}

TEST_F(InstanceMetadataTest, RetriesAsConfigured) {
  variables_["AWS_METADATA_SERVICE_NUM_ATTEMPTS"] = "3";
  int asked = 0;
  get_ = [&](const std::string&) {
    return ++asked < 3 ? answer("", "503 Service Unavailable") : answer("eu-west-1");
  };
  EXPECT_EQ(region(), "eu-west-1");
  asked = -3;
  EXPECT_EQ(failure(), "HTTP status 503");
  EXPECT_EQ(asked, 0);
}

TEST_F(InstanceMetadataTest, NoRequestWhenDisabled) {
  variables_["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_EQ(failure(), "AWS_EC2_METADATA_DISABLED is true");
  EXPECT_FALSE(region());
  EXPECT_THAT(endpoint_.requests, IsEmpty());
}

}  // namespace
}  // namespace everyitem::identity
