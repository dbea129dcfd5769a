#include "aws/sigv4.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_freed_memory.h"

namespace everyitem::aws {

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const http::Header& header, std::ostream* out) {
  *out << header.name << ": " << header.value;
}

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::system_clock::time_point kSuiteTime =
    std::chrono::sys_days{std::chrono::August / 30 / 2015} + 12h + 36min;

Credentials suite_credentials() {
  return {.access_key_id = "AKIDEXAMPLE",
          .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
          .session_token = {},
          .expires_at = {}};
}

/// A signed request of AWS's test suite, taken apart: what was sent and what signing added.
struct SuiteCase {
  std::string method, path, query, body;
  std::vector<http::Header> headers;
  std::string date, token, authorization;
  std::string payload_hash;  ///< empty where the body is hashed
};

SuiteCase read_case(const std::filesystem::path& folder) {
  std::ifstream file(folder / "header-signed-request.txt");
  SuiteCase result;
  std::string line;
  std::getline(file, line);
  const std::size_t method_end = line.find(' ');
  const std::string target =
      line.substr(method_end + 1, line.rfind(" HTTP/1.1") - method_end - 1);  // may hold spaces
  result.method = line.substr(0, method_end);
  result.path = target.substr(0, target.find('?'));
  result.query = target.substr(std::min(result.path.size() + 1, target.size()));
  while (std::getline(file, line) && !line.empty()) {
    if (line.starts_with(' ')) {  // the suite treats a continuation line as one more value
      result.headers.push_back({result.headers.back().name, line});
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    const std::string value = line.substr(colon + 1);
    if (name == "Authorization") {
      result.authorization = value;
    } else if (name == "X-Amz-Date") {
      result.date = value;
    } else if (name == "X-Amz-Security-Token") {
      result.token = value;
    } else {
      if (name == "x-amz-content-sha256") {
        result.payload_hash = value;
      }
      result.headers.push_back({name, value});
    }
  }
  std::getline(file, result.body, '\0');
  return result;
}

std::vector<std::string> suite_cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(EVERYITEM_TESTDATA "/sigv4")) {
    if (entry.is_directory()) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

// The whole suite, but for post-sts-header-after: its token is added when all is signed, so that it
// is post-vanilla with one more header. Ours is always signed.
class SignatureTestSuite : public testing::TestWithParam<std::string> {};

TEST_P(SignatureTestSuite, AddsHeadersAwsPublished) {
  const SuiteCase expected =
      read_case(std::filesystem::path(EVERYITEM_TESTDATA "/sigv4") / GetParam());
  Credentials credentials = suite_credentials();
  credentials.session_token = expected.token;

  std::vector<http::Header> headers{{"X-Amz-Date", expected.date}};
  if (!expected.token.empty()) {
    headers.push_back({"X-Amz-Security-Token", expected.token});
  }
  headers.push_back({"Authorization", expected.authorization});
  EXPECT_EQ(sign({.method = expected.method,
                  .path = expected.path,
                  .query = expected.query,
                  .headers = expected.headers,
                  .body = expected.body,
                  .region = "us-east-1",
                  .service = "service",
                  .time = kSuiteTime,
                  .normalize_path = !GetParam().ends_with("-unnormalized"),
                  .payload_hash = expected.payload_hash},
                 credentials),
            headers);
}

INSTANTIATE_TEST_SUITE_P(Aws, SignatureTestSuite, testing::ValuesIn(suite_cases()),
                         [](const auto& suite_case) {
                           std::string name = suite_case.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Sign, WholeTestSuitePresent) { EXPECT_EQ(suite_cases().size(), 40U); }

TEST(Sign, PathIsNormalized) {
  const std::vector<http::Header> headers{{"Host", "example.amazonaws.com"}};
  const auto signature = [&](std::string_view path, bool normalize_path = true) {
    return sign({.method = "GET",
                 .path = path,
                 .query = {},
                 .headers = headers,
                 .body = {},
                 .region = "us-east-1",
                 .service = "service",
                 .time = kSuiteTime,
                 .normalize_path = normalize_path},
                suite_credentials());
  };
  const struct {
    const char* path;
    const char* plain;
  } cases[] = {{"", "/"},
               {"/..", "/"},
               {"/../../a", "/a"},
               {"/a/b/..", "/a/"},
               {"/a/b/../", "/a/"},
               {"/a/./b", "/a/b"},
               {"/a/.", "/a/"},
               {"/a//b", "/a/b"},
               {"/a/", "/a/"},
               {"/a/.../b", "/a/.../b"},
               {"/.a/b..", "/.a/b.."}};
  for (const auto& one : cases) {
    EXPECT_EQ(signature(one.path), signature(one.plain, false)) << one.path;
  }
}

TEST(Sign, FractionsAreCutOff) {
  const std::vector<http::Header> headers{{"Host", "example.amazonaws.com"}};
  const auto at = [&](std::chrono::system_clock::time_point time) {
    return sign({.method = "POST",
                 .path = "/",
                 .query = {},
                 .headers = headers,
                 .body = {},
                 .region = "us-east-1",
                 .service = "service",
                 .time = time},
                suite_credentials());
  };
  EXPECT_EQ(at(kSuiteTime + 999ms), at(kSuiteTime));
  EXPECT_NE(at(kSuiteTime + 1s), at(kSuiteTime));
}

TEST(Sign, SecretAndBodyHidden) {
  const std::vector<http::Header> headers{{"Host", "example.amazonaws.com"}};
  const Credentials credentials = suite_credentials();
  for (const http::Header& header : sign({.method = "POST",
                                    .path = "/",
                                    .query = {},
                                    .headers = headers,
                                    .body = "confidential",
                                    .region = "us-east-1",
                                    .service = "service",
                                    .time = kSuiteTime},
                                         credentials)) {
    EXPECT_THAT(header.value, testing::Not(testing::HasSubstr(credentials.secret_access_key)));
    EXPECT_THAT(header.value, testing::Not(testing::HasSubstr("confidential")));
  }
}

TEST(Sign, CachedKeyIsRederived) {
  SigningKey kept;
  const std::vector<std::array<std::string, 4>> inputs = {
      {"secret", "20261124", "eu-west-1", "kinesis"},
      {"secret", "20261124", "eu-west-1", "kinesis"},
      {"secret", "20261125", "eu-west-1", "kinesis"},
      {"secret", "20261125", "eu-west-2", "kinesis"},
      {"secret", "20261125", "eu-west-2", "kinesi"},
      {"secret2", "20261125", "eu-west-2", "kinesi"},
      {"secret", "20261124", "eu-west-1", "kinesis"},
  };
  for (const auto& [secret, date, region, service] : inputs) {
    SigningKey fresh;
    EXPECT_EQ(kept.derive(secret, date, region, service),
              fresh.derive(secret, date, region, service))
        << secret << " " << date << " " << region << " " << service;
  }
}

TEST(Sign, SecretWipedFromMemory) {
  const std::string secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  const FreedMemory freed(secret);
  { SigningKey().derive(secret, "20261124", "eu-west-1", "kinesis"); }
  SigningKey kept;
  for (const std::string_view service : {"kinesis", "a-service-with-a-longer-name"}) {
    kept.derive(secret, "20261124", "eu-west-1", service);
  }
  EXPECT_EQ(freed.blocks_with_text(), 0);
}

}  // namespace
}  // namespace everyitem::aws
