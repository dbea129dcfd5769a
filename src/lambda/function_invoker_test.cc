#include "lambda/function_invoker.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/test_service.h"

namespace everyitem::lambda {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kFunction = "arn:aws:lambda:eu-west-1:123456789012:function:scan:live";

/// A Lambda service that sends these responses in order, repeating the last. An empty one means no
/// response in the time that there is.
struct Lambda {
  static constexpr std::chrono::seconds kWithin{10};

  explicit Lambda(std::vector<std::string> in_order)
      : answers(std::move(in_order)),
        service(
            [this](http::Peer& peer, std::string request) -> Awaitable<void> {
              requests.push_back(std::move(request));
              const std::string answer = answers[std::min(requests.size(), answers.size()) - 1];
              if (answer.empty()) {
                service.network_clock.advance(kWithin);
              } else {
                co_await peer.write(answer);
              }
            },
            aws::kLambda) {}

  void invoke() {
    FunctionInvoker invoker(service.client, service.network_clock, kFunction);
    http::run(service.loop, invoker.invoke(R"({"everyitem":{"round":2}})", kWithin));
  }
  std::string refusal() {
    try {
      invoke();
    } catch (const Error& error) {
      return error.what();
    }
    return "not refused";
  }

  std::vector<std::string> answers;
  std::vector<std::string> requests;
  aws::TestService service;
};

std::string queued() { return http::answer("", "202 Accepted"); }
std::string throttled() {
  return http::answer(
      R"({"Reason":"ConcurrentInvocationLimitExceeded","message":"Rate Exceeded."})",
      "429 Too Many Requests", "x-amzn-ErrorType: TooManyRequestsException\r\n");
}
std::string denied() {
  return http::answer(R"({"Message":"not authorized to perform: lambda:InvokeFunction"})",
                      "403 Forbidden", "x-amzn-ErrorType: AccessDeniedException\r\n");
}

TEST(FunctionInvoker, QueuesEventByArn) {
  Lambda lambda({queued()});
  lambda.invoke();
  ASSERT_EQ(lambda.requests.size(), 1U);
  EXPECT_THAT(lambda.requests[0],
              AllOf(StartsWith("POST /2015-03-31/functions/"
                               "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Ascan"
                               "%3Alive/invocations HTTP/1.1\r\n"),
                    HasSubstr("\r\nX-Amz-Invocation-Type: Event\r\n")));
  EXPECT_EQ(http::body_of(lambda.requests[0]), R"({"everyitem":{"round":2}})");
}

TEST(FunctionInvoker, RetriesWithinTime) {
  Lambda lambda(
      {throttled(), throttled(), http::answer("", "500 Internal Server Error"), queued()});
  lambda.invoke();
  EXPECT_EQ(lambda.requests.size(), 4U);
}

TEST(FunctionInvoker, EndsWhenTimeEnds) {
  Lambda lambda({throttled()});
  EXPECT_THAT(lambda.refusal(), HasSubstr("TooManyRequestsException"));
}

TEST(FunctionInvoker, SilenceEndsInTime) {
  Lambda lambda({""});
  EXPECT_THAT(lambda.refusal(), HasSubstr("not queued within 10 s"));
}

TEST(FunctionInvoker, FinalRefusalNotRepeated) {
  Lambda lambda({denied()});
  EXPECT_THAT(lambda.refusal(), AllOf(HasSubstr("AccessDeniedException"),
                                      HasSubstr("lambda:InvokeFunction"), HasSubstr(kFunction)));
  EXPECT_EQ(lambda.requests.size(), 1U);
}

}  // namespace
}  // namespace everyitem::lambda
