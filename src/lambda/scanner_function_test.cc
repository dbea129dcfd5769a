#include "lambda/scanner_function.h"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/captured_output.h"
#include "support/fake_clock.h"
#include "support/temporary_home.h"
#include "support/test_server.h"

namespace everyitem::lambda {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A table that throttles whatever it is asked, and Lambda, which queues what it is sent.
class ScannerFunctionTest : public testing::Test {
 protected:
  Answer handle(const std::string& event, Variables variables = {}) {
    variables.insert({{"TABLE_ARN", "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"},
                      {"STREAM_ARN", "arn:aws:kinesis:eu-west-1:123456789012:stream/backfill"},
                      {"CHECKPOINT", "dynamodb:checkpoints"},
                      {"AWS_REGION", "eu-west-1"},
                      {"AWS_ACCESS_KEY_ID", "AKID"},
                      {"AWS_SECRET_ACCESS_KEY", "secret"},
                      {"AWS_ENDPOINT_URL", "http://" + server_.endpoint().authority()},
                      {"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/scanner"}});
    ScannerFunction function(loop_.get_executor(), environment_of(std::move(variables)), clock_,
                             log_);
    const Invocation invocation{
        .request_id = "id-1",
        .function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:scanner:live",
        .deadline = clock_.wall_now() + std::chrono::minutes(15),
        .event = boost::json::parse(event)};
    Answer answer;
    const auto keep = [&]() -> Awaitable<void> { answer = co_await function.handle(invocation); };
    http::run(loop_, keep());
    return answer;
  }

  Awaitable<void> serve(http::Peer& peer) {
    while (const auto request = co_await peer.read_request()) {
      if (request->starts_with("POST /2015-03-31/functions/")) {
        invoked_.push_back(http::body_of(*request));
        co_await peer.write(http::answer("", invoke_status_));
      } else {
        ++calls_;
        co_await peer.write(
            http::answer(R"({"__type":"com.amazon#ThrottlingException"})", "400 Bad Request"));
      }
    }
  }

  /// The lines of the log that have this member.
  std::vector<boost::json::object> lines_with(std::string_view member) {
    std::vector<boost::json::object> lines;
    std::istringstream text(out_.text());
    for (std::string line; std::getline(text, line);) {
      boost::json::object object = boost::json::parse(line).as_object();
      if (object.contains(member)) {
        lines.push_back(std::move(object));
      }
    }
    return lines;
  }

  asio::io_context loop_{1};
  FakeClock clock_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27}};
  CapturedOutput out_;
  Diagnostics diagnostics_{out_.descriptor()};
  Log log_{diagnostics_, clock_};
  std::string invoke_status_ = "202 Accepted";
  std::vector<std::string> invoked_;
  int calls_ = 0;
  http::TestServer server_{loop_, [this](http::Peer& peer) { return serve(peer); }};
};

TEST_F(ScannerFunctionTest, OutsidersAnsweredAtOnce) {
  const auto began = clock_.now();
  const Answer answer = handle(R"({"restart": true})");
  EXPECT_EQ(clock_.now(), began);
  EXPECT_EQ(calls_, 0) << "of services";
  EXPECT_EQ(answer.error_type, "");
  const boost::json::object body = boost::json::parse(answer.body).as_object();
  EXPECT_EQ(body.at("status"), "started");
  EXPECT_EQ(body.at("run"), "orders -> backfill");
  EXPECT_EQ(body.at("checkpoint"), "dynamodb:checkpoints");
  EXPECT_EQ(body.at("follow"),
            "aws logs tail /aws/lambda/scanner --follow --since 5m --region eu-west-1");
  EXPECT_THAT(invoked_, ElementsAre(R"({"restart":true,"everyitem":{"round":1,)"
                                    R"("roundsWithoutProgress":0,"askedAt":1795737600000}})"));
}

TEST_F(ScannerFunctionTest, FailedStartSaysSo) {
  invoke_status_ = "403 Forbidden";
  try {
    handle("{}");
    ADD_FAILURE() << "started";
  } catch (const Error& error) {
    EXPECT_EQ(error.details().code, "StartFailed");
    EXPECT_THAT(error.what(), HasSubstr(R"({"wait": true})"));
  }
}

TEST_F(ScannerFunctionTest, ThrottledRoundHandsOver) {
  const Answer answer = handle(R"({"wait": true, "everyitem": {"round": 7,
                                   "roundsWithoutProgress": 2, "askedAt": 5}})");
  EXPECT_EQ(boost::json::parse(answer.body).at("status"), "handed-over") << answer.body;
  EXPECT_THAT(invoked_, ElementsAre(HasSubstr(R"("everyitem":{"round":8,)"
                                              R"("roundsWithoutProgress":2,"askedAt":5)")));
}

TEST_F(ScannerFunctionTest, ChainHasAnEnd) {
  const Answer answer =
      handle(R"({"everyitem": {"round": 7, "roundsWithoutProgress": 0}})", {{"MAX_ROUNDS", "7"}});
  EXPECT_EQ(answer.error_type, "MaxRounds");
  EXPECT_EQ(boost::json::parse(answer.body).at("status"), "failed");
  EXPECT_THAT(invoked_, IsEmpty());
}

TEST_F(ScannerFunctionTest, QuietRoundLogsProgress) {
  handle(R"({"wait": true})");
  const std::vector<boost::json::object> lines = lines_with("progress");
  EXPECT_GE(lines.size(), 6U);  // 15 minutes, less the hand-over, in steps of 2 and a little
  for (const boost::json::object& line : lines) {
    EXPECT_THAT(std::string(line.at("message").as_string()), HasSubstr("delivered in"));
  }
}

}  // namespace
}  // namespace everyitem::lambda
