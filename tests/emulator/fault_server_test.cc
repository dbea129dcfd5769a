#include "emulator/fault_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/client.h"

namespace everyitem::emulator {
namespace {

/// Credentials that never change.
class FixedCredentials final : public aws::CredentialsProvider {
 public:
  explicit FixedCredentials(aws::Credentials credentials) : credentials_(std::move(credentials)) {}
  Awaitable<std::optional<aws::Credentials>> find() override { co_return credentials_; }
  std::string place() const override { return "the test"; }

 private:
  aws::Credentials credentials_;
};

/// One request of the project's own client, unrepeated: its body, or the code of its error.
std::string call(const FaultServerOptions& options, std::string_view operation,
                 std::string_view body, const aws::Credentials& credentials) {
  asio::io_context loop;
  FaultServer server(loop.get_executor(), options);
  SystemClock clock;
  http::Client http(loop.get_executor(), clock, http::parse_endpoint(server.url(), "test"),
                    nullptr);
  FixedCredentials provider(credentials);
  Random random(1);
  const aws::ServiceModel model = operation == "PutRecords" ? aws::kKinesis : aws::kDynamoDb;
  aws::Client client(model, "us-east-1", http,
                     {.credentials = provider, .clock = clock, .random = random});
  std::string result;
  const auto work = [&]() -> Awaitable<void> {
    try {
      const aws::Client::Accept accept = [&](const http::Response& response) {
        result = response.body.view();
      };
      const aws::Call request{.operation = operation,
                              .object = "test",
                              .body = body,
                              .repetition = aws::Repetition::unsafe,
                              .patience = aws::Patience{.failing = std::chrono::seconds(0)}};
      co_await client.call(request, accept);
    } catch (const Error& error) {
      result = error.details().code.empty() ? error.what() : error.details().code;
    }
    server.stop();
  };
  asio::co_spawn(loop, work, [](const std::exception_ptr& failure) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  });
  loop.run();
  return result;
}

constexpr std::string_view kScan = R"({"TableName":"t","TotalSegments":1,"Segment":0})";

TEST(FaultServer, AnswersSignedRequests) {
  const FaultServerOptions options{.table = {.items = 2}};
  const std::string page = call(options, "Scan", kScan, options.credentials);
  EXPECT_TRUE(page.starts_with(R"({"Items":[{"pk":{"S":"item-000000000000"})")) << page;
}

TEST(FaultServer, BotosSpacedStartKey) {
  const FaultServerOptions options{.table = {.items = 3}};
  const auto scan_after = [&](std::string_view number) {
    return call(options, "Scan",
                fmt::format(R"({{"TableName": "t", "TotalSegments": 1, "Segment": 0, )"
                            R"("ExclusiveStartKey": {{"pk": {{"S": "item-{}"}}}}}})",
                            number),
                options.credentials);
  };
  const std::string page = scan_after("000000000001");
  EXPECT_TRUE(page.starts_with(R"({"Items":[{"pk":{"S":"item-000000000002"})")) << page;
  EXPECT_EQ(scan_after("000000000003"), "ValidationException");
  EXPECT_EQ(scan_after("0"), "ValidationException");
}

TEST(FaultServer, RefusesWrongSignature) {
  const FaultServerOptions options{.table = {.items = 2}};
  aws::Credentials wrong_secret = options.credentials;
  wrong_secret.secret_access_key = "another";
  EXPECT_EQ(call(options, "Scan", kScan, wrong_secret), "InvalidSignatureException");
  aws::Credentials unknown = options.credentials;
  unknown.access_key_id = "AKIDOTHER";
  EXPECT_EQ(call(options, "Scan", kScan, unknown), "UnrecognizedClientException");
  aws::Credentials with_token = options.credentials;
  with_token.session_token = "token";
  EXPECT_EQ(call(options, "Scan", kScan, with_token), "UnrecognizedClientException");
  FaultServerOptions wants_token = options;
  wants_token.credentials.session_token = "token";
  EXPECT_EQ(call(wants_token, "Scan", kScan, options.credentials), "UnrecognizedClientException");
  EXPECT_NE(call(wants_token, "Scan", kScan, with_token).find("Items"), std::string::npos);
}

TEST(FaultServer, KeepsPutRecordsLimits) {
  const FaultServerOptions options;
  EXPECT_EQ(call(options, "PutRecords", R"({"StreamName":"s","Records":[]})", options.credentials),
            "ValidationException");
  std::string body = R"({"StreamName":"s","Records":[)";
  for (int i = 0; i < 501; ++i) {
    body += std::string(i > 0 ? "," : "") + R"({"Data":"e30=","PartitionKey":"k"})";
  }
  EXPECT_EQ(call(options, "PutRecords", body + "]}", options.credentials), "ValidationException");
}

TEST(FaultServer, EveryFaultIsMet) {
  const std::map<Fault, std::string> codes = {
      // The client retries what was not applied, and then meets no other fault.
      {Fault::provisioned_throughput, "Items"},
      {Fault::expired_token, "Items"},
      {Fault::unrecognized_client, "Items"},
      {Fault::clock_skew, "Items"},
      {Fault::not_yet_valid, "Items"},
      {Fault::internal_error, "InternalServerError"},
      {Fault::access_denied, "AccessDeniedException"},
      {Fault::not_found, "ResourceNotFoundException"},
      {Fault::wrong_crc, "checksum"},
      {Fault::cut_short, "mid-response"},
      {Fault::reset_before, "reset"},
      {Fault::reset_after, "reset"},
      {Fault::unavailable_html, "HTTP status 503"},
      {Fault::unavailable_retry_after, "ServiceUnavailable"},
      {Fault::garbage, "half an ite"},
      {Fault::slow_drip, "Items"},
  };
  for (const auto& [fault, expected] : codes) {
    FaultServerOptions options{.table = {.items = 100}};
    options.faults = {{.fault = fault, .operation = "Scan", .at = 0}};
    const std::string result = call(options, "Scan", kScan, options.credentials).substr(0, 200);
    EXPECT_NE(result.find(expected), std::string::npos) << to_string(fault) << ": " << result;
  }
}

TEST(FaultServer, StreamFaultsAreMet) {
  const std::map<Fault, std::string> codes = {
      {Fault::resource_in_use, "ResourceInUseException"},
      {Fault::kms_throttling, "SequenceNumber"},  // repeated
      {Fault::kms_access_denied, "KMSAccessDeniedException"},
      {Fault::kms_disabled, "KMSDisabledException"},
  };
  for (const auto& [fault, expected] : codes) {
    FaultServerOptions options;
    options.faults = {{.fault = fault, .at = 0}};
    const std::string result =
        call(options, "PutRecords",
             R"({"StreamName":"s","Records":[{"Data":"e30=","PartitionKey":"k"}]})",
             options.credentials);
    EXPECT_NE(result.find(expected), std::string::npos) << to_string(fault) << ": " << result;
  }
}

}  // namespace
}  // namespace everyitem::emulator
