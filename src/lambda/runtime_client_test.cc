#include "lambda/runtime_client.h"

#include <cstdlib>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/test_server.h"

namespace everyitem::lambda {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

/// An invocation as the Runtime API hands it out.
std::string invocation(std::string_view id, std::string_view event = "{}",
                       std::string_view deadline = "1795500000123") {
  return http::answer(
      event, "200 OK",
      fmt::format("Lambda-Runtime-Aws-Request-Id: {0}\r\nLambda-Runtime-Deadline-Ms: {1}\r\n"
                  "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:1:function:f\r\n"
                  "Lambda-Runtime-Trace-Id: Root=1-{0}\r\n",
                  id, deadline));
}

Error access_denied() {
  return Error(ErrorKind::failed, {.operation = "Scan", .code = "AccessDeniedException"});
}

class RuntimeClientTest : public testing::Test {
 protected:
  /// Hands out what is in `invocations_`, in order, and takes every answer.
  Awaitable<void> serve(http::Peer& peer) {
    while (const auto request = co_await peer.read_request()) {
      if (request->starts_with("GET /2018-06-01/runtime/invocation/next ")) {
        const std::string next = std::move(invocations_.front());
        invocations_.pop_front();
        co_await peer.write(next);
      } else {
        answers_.push_back(*request);
        co_await peer.write(http::answer(R"({"status":"OK"})", answer_status_));
      }
    }
  }

  /// Serves until the answer to the last invocation.
  void serve_all(RuntimeClient::Handler handler) {
    const std::size_t all = invocations_.size();
    http::run(loop_, client_.serve([&](const Invocation& invocation) -> Awaitable<Answer> {
      seen_.push_back(invocation);
      Answer answer = co_await handler(invocation);
      answer.last = answers_.size() + 1 == all;
      co_return answer;
    }));
  }

  static Awaitable<Answer> echo(const Invocation& invocation) {
    Answer answer;
    answer.body = boost::json::serialize(invocation.event);
    co_return answer;
  }

  SystemClock clock_;
  asio::io_context loop_;
  std::deque<std::string> invocations_;
  std::string answer_status_ = "202 Accepted";
  std::vector<std::string> answers_;
  std::vector<Invocation> seen_;
  std::vector<std::string> complaints_;
  http::TestServer server_{loop_, [this](http::Peer& peer) { return serve(peer); }};
  RuntimeClient client_{loop_.get_executor(), clock_, server_.endpoint().authority(),
                        [this](const std::string& id, std::string_view text) {
                          complaints_.push_back(fmt::format("{}: {}", id, text));
                        }};
};

TEST_F(RuntimeClientTest, InvocationIsAnswered) {
  invocations_ = {invocation("id-1", R"({"restart":true})")};
  std::string trace;
  serve_all([&](const Invocation& invocation) {
    trace = std::getenv("_X_AMZN_TRACE_ID");
    return echo(invocation);
  });
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].request_id, "id-1");
  EXPECT_EQ(seen_[0].function_arn, "arn:aws:lambda:eu-west-1:1:function:f");
  EXPECT_EQ(seen_[0].deadline.time_since_epoch(), std::chrono::milliseconds(1795500000123));
  EXPECT_EQ(trace, "Root=1-id-1");
  EXPECT_THAT(
      answers_,
      ElementsAre(StartsWith("POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n")));
  EXPECT_EQ(http::body_of(answers_[0]), R"({"restart":true})");
}

TEST_F(RuntimeClientTest, AnswersArePrintable) {
  invocations_ = {invocation("id-1", R"({"a":"\u202e\u009b"})")};
  serve_all(echo);
  EXPECT_EQ(http::body_of(answers_[0]), R"({"a":"\u202e\u009b"})");
}

TEST_F(RuntimeClientTest, SeveralInvocationsOneProcess) {
  invocations_ = {invocation("a"), invocation("b"), invocation("c")};
  serve_all(echo);
  EXPECT_THAT(answers_, ElementsAre(HasSubstr("/a/response"), HasSubstr("/b/response"),
                                    HasSubstr("/c/response")));
}

TEST_F(RuntimeClientTest, NoPayloadIsNull) {
  invocations_ = {invocation("a", ""), invocation("b", " \n"), invocation("c", "null")};
  serve_all(echo);
  for (const Invocation& invocation : seen_) {
    EXPECT_TRUE(invocation.event.is_null());
  }
}

TEST_F(RuntimeClientTest, HandlersExceptionIsError) {
  invocations_ = {invocation("usage"), invocation("service"), invocation("plain"),
                  invocation("other"), invocation("good")};
  serve_all([](const Invocation& invocation) -> Awaitable<Answer> {
    if (invocation.request_id == "usage") {
      throw usage_error("TABLE_ARN is not set");
    }
    if (invocation.request_id == "service") {
      throw access_denied();
    }
    if (invocation.request_id == "plain") {
      throw std::runtime_error("out of luck");
    }
    if (invocation.request_id == "other") {
      throw 42;  // NOLINT: what no handler of ours throws
    }
    return echo(invocation);
  });
  const auto failed = [](std::string_view id, std::string_view type) {
    return AllOf(StartsWith(fmt::format("POST /2018-06-01/runtime/invocation/{}/error ", id)),
                 HasSubstr(fmt::format("\r\nLambda-Runtime-Function-Error-Type: {}\r\n", type)),
                 HasSubstr(fmt::format(R"("errorType":"{}")", type)));
  };
  ASSERT_EQ(answers_.size(), 5U);
  EXPECT_THAT(answers_[0], AllOf(failed("usage", "InvalidSettings"),
                                 HasSubstr(R"("errorMessage":"TABLE_ARN is not set")")));
  EXPECT_THAT(answers_[1], failed("service", "AccessDeniedException"));
  EXPECT_THAT(answers_[2],
              AllOf(failed("plain", "Unexpected"), HasSubstr(R"("errorMessage":"out of luck")")));
  EXPECT_THAT(answers_[3], failed("other", "Unexpected"));
  EXPECT_THAT(answers_[4], HasSubstr("/good/response"));
}

TEST_F(RuntimeClientTest, NonJsonEventFails) {
  const std::string deep(1000, '[');
  invocations_ = {invocation("a", "{\"restart\":"), invocation("b", "hello"),
                  invocation("c", "{} {}"), invocation("d", deep), invocation("e")};
  serve_all(echo);
  EXPECT_EQ(seen_.size(), 1U);
  ASSERT_EQ(answers_.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(answers_[i], AllOf(HasSubstr("/error HTTP"), HasSubstr("InvalidSettings"),
                                   HasSubstr("the event is not JSON")));
  }
  EXPECT_THAT(complaints_, SizeIs(4));
  EXPECT_THAT(complaints_[2], AllOf(StartsWith("c: "), HasSubstr("the event is not JSON")));
}

TEST_F(RuntimeClientTest, MissingDeadlineIsError) {
  invocations_ = {invocation("a", "{}", "soon"), invocation("b")};
  serve_all(echo);
  EXPECT_THAT(answers_, ElementsAre(HasSubstr("/a/error"), HasSubstr("/b/response")));
}

TEST_F(RuntimeClientTest, RefusedAnswerIsReported) {
  answer_status_ = "403 Forbidden";
  invocations_ = {invocation("a"), invocation("b")};
  serve_all(echo);
  EXPECT_THAT(complaints_, ElementsAre(EndsWith("a: the answer was not taken: HTTP status 403"),
                                       EndsWith("b: the answer was not taken: HTTP status 403")));
}

TEST_F(RuntimeClientTest, BrokenRuntimeApiEnds) {
  answer_status_ = "500 Internal Server Error";
  invocations_ = {invocation("a")};
  EXPECT_THROW(serve_all(echo), Error);
  invocations_ = {http::answer("", "500 Internal Server Error")};
  EXPECT_THROW(serve_all(echo), Error);
  invocations_ = {http::answer("{}")};  // without a request id nothing can be answered
  EXPECT_THROW(serve_all(echo), Error);
  EXPECT_THAT(complaints_, IsEmpty());
}

TEST_F(RuntimeClientTest, FailedInitIsReported) {
  http::run(loop_, client_.report_init_error(
                       std::make_exception_ptr(std::runtime_error("no luck at all"))));
  EXPECT_THAT(answers_, ElementsAre(AllOf(StartsWith("POST /2018-06-01/runtime/init/error "),
                                          HasSubstr("no luck at all"))));
}

TEST(RuntimeClient, ApiHostAndPort) {
  SystemClock clock;
  asio::io_context loop;
  EXPECT_THROW(RuntimeClient(loop.get_executor(), clock, "", {}), Error);
  EXPECT_NO_THROW(RuntimeClient(loop.get_executor(), clock, "127.0.0.1:9001", {}));
}

}  // namespace
}  // namespace everyitem::lambda
