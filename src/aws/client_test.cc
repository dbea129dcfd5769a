#include "aws/client.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/sigv4.h"
#include "base/human_format.h"
#include "support/test_service.h"

namespace everyitem::aws {
namespace {

using http::answer;
using http::run;
using http::yield;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// What the service does with one request.
struct Reply {
  enum class Then { go_on, close, reset, stall };
  std::string bytes;
  Then then = Then::go_on;
};

Reply ok(std::string_view body = "{}", std::string_view headers = "") {
  return {answer(body, "200 OK", headers)};
}

Reply refusal(std::string_view code, std::string_view status = "400 Bad Request",
              std::string_view headers = "") {
  const std::string body =
      fmt::format(R"({{"__type":"com.amazon.coral.service#{}","message":"in its words"}})", code);
  return {answer(body, status, headers)};
}

Reply throttled() { return refusal("ProvisionedThroughputExceededException"); }
Reply unavailable() { return {answer("", "503 Service Unavailable")}; }

std::string header_of(std::string_view request, std::string_view name) {
  const std::string line = fmt::format("\r\n{}: ", name);
  const std::size_t at = request.find(line);
  if (at == std::string_view::npos || request.find(line, at + 1) != std::string_view::npos) {
    return "(none, or several)";
  }
  const std::size_t start = at + line.size();
  return std::string(request.substr(start, request.find("\r\n", start) - start));
}

class ClientTest : public testing::Test {
 protected:
  /// `number` counts the requests from 1.
  using Script = std::function<Reply(int number)>;

  void serve(Script script, http::Timeouts timeouts = {}) {
    script_ = std::move(script);
    service_ = std::make_unique<TestService>(
        [this](http::Peer& peer, std::string request) { return reply(peer, std::move(request)); },
        kDynamoDb, timeouts);
  }
  /// Answers in order; another request fails the test.
  void serve_in_order(std::vector<Reply> replies) {
    serve([replies = std::move(replies)](int number) {
      EXPECT_LE(static_cast<std::size_t>(number), replies.size()) << "an unexpected request";
      return replies.at(std::min<std::size_t>(number, replies.size()) - 1);
    });
  }

  Awaitable<void> reply(http::Peer& peer, std::string request) {
    requests_.push_back(std::move(request));
    const Reply reply = script_(static_cast<int>(requests_.size()));
    co_await peer.write(reply.bytes);
    if (reply.then == Reply::Then::close) {
      peer.close();
    } else if (reply.then == Reply::Then::reset) {
      peer.reset();
    } else if (reply.then == Reply::Then::stall) {
      // Until the client has given up and opened another connection.
      while (service_->server.accepted() == peer.number()) {
        service_->network_clock.advance(milliseconds(1));
        co_await yield();
      }
    }
  }

  nanoseconds slept() const {
    const auto& sleeps = service_->clock.sleeps();
    return std::accumulate(sleeps.begin(), sleeps.end(), nanoseconds{0});
  }

  void call() { run(service_->loop, service_->client.call(call_, accept_)); }

  /// Returns when all have ended; throws what the first failed one threw. Only the first can be
  /// cancelled, through `signal_`.
  void call_at_once(int calls) {
    const auto work = [this, calls]() -> Awaitable<void> {
      Event ended(service_->loop.get_executor());
      int running = calls;
      std::exception_ptr thrown;
      for (int i = 0; i < calls; ++i) {
        const asio::cancellation_slot slot = i == 0 ? signal_.slot() : asio::cancellation_slot();
        asio::co_spawn(service_->loop, service_->client.call(call_, accept_),
                       asio::bind_cancellation_slot(slot, [&](const std::exception_ptr& failure) {
                         thrown = thrown ? thrown : failure;
                         --running;
                         ended.notify_all();
                       }));
      }
      while (running > 0) {
        co_await ended.wait();
      }
      if (thrown) {
        std::rethrow_exception(thrown);
      }
    };
    run(service_->loop, work());
  }

  /// The error that the call ends with.
  Error failed_call() {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    throw std::runtime_error("the call did not fail");
  }

  /// How the call ends that is cancelled through `signal_`.
  boost::system::error_code cancelled_call() {
    try {
      call_at_once(1);
    } catch (const boost::system::system_error& error) {
      return error.code();
    }
    return {};
  }

  /// The waits that the client's random numbers and `attempts` failures of one class give.
  static std::vector<nanoseconds> backoffs(int attempts) {
    Random random(TestService::kSeed);
    std::vector<nanoseconds> waits;
    for (int i = 1; i <= attempts; ++i) {
      waits.push_back(Backoff{}.wait(i, random.uniform()));
    }
    return waits;
  }

  std::string sent_date(std::size_t request) const {
    return header_of(requests_.at(request), "X-Amz-Date");
  }

  Script script_;
  std::unique_ptr<TestService> service_;
  std::vector<std::string> requests_;
  asio::cancellation_signal signal_;

  Call call_{.operation = "Scan", .object = "table orders", .body = R"({"TableName":"orders"})"};
  std::vector<std::string> accepted_;
  Client::Accept accept_ = [this](const http::Response& response) {
    accepted_.push_back(http::text_of(response));
  };
};

// Asking

TEST_F(ClientTest, AnswerIsGivenOnce) {
  serve_in_order({ok(R"({"Items":[]})")});
  call();
  EXPECT_THAT(accepted_, ElementsAre(R"({"Items":[]})"));
  EXPECT_TRUE(service_->clock.sleeps().empty());
  EXPECT_EQ(service_->client.counters().calls, 1U);
  EXPECT_EQ(service_->client.counters().retries, 0U);
}

TEST_F(ClientTest, RequestSignedAsSent) {
  serve_in_order({ok()});
  call();
  const std::string& request = requests_.at(0);
  EXPECT_THAT(request, StartsWith("POST / HTTP/1.1\r\n"));
  EXPECT_THAT(request, EndsWith("\r\n\r\n"
                                R"({"TableName":"orders"})"));
  EXPECT_EQ(header_of(request, "Host"), service_->server.endpoint().authority());
  EXPECT_EQ(header_of(request, "Content-Type"), "application/x-amz-json-1.0");
  EXPECT_EQ(header_of(request, "Content-Length"), "22");
  EXPECT_EQ(header_of(request, "X-Amz-Target"), "DynamoDB_20120810.Scan");
  EXPECT_EQ(header_of(request, "X-Amz-Date"), "20261123T040000Z");
  EXPECT_EQ(header_of(request, "X-Amz-Security-Token"), "the-token-1");

  const std::string authorization = header_of(request, "Authorization");
  EXPECT_THAT(authorization, StartsWith("AWS4-HMAC-SHA256 Credential=AKID1/20261123/eu-west-1/"
                                        "dynamodb/aws4_request, SignedHeaders=content-type;host;"
                                        "x-amz-date;x-amz-security-token;x-amz-target, "));
  // sign() is checked against AWS' own cases: here, that it was given what is on the wire.
  const std::vector<http::Header> headers = {{"Host", header_of(request, "Host")},
                                             {"Content-Type", header_of(request, "Content-Type")},
                                             {"X-Amz-Target", header_of(request, "X-Amz-Target")}};
  const std::string body = http::body_of(request);
  const auto signature = sign({.method = "POST",
                               .path = "/",
                               .query = {},
                               .headers = headers,
                               .body = body,
                               .region = "eu-west-1",
                               .service = "dynamodb",
                               .time = service_->clock.wall_now()},
                              NumberedCredentials::numbered(1));
  EXPECT_THAT(signature, testing::Contains(http::Header{"Authorization", authorization}));
}

TEST_F(ClientTest, UnsignedNeedsNoCredentials) {
  serve([](int) { return ok(); });
  const std::vector<http::Header> headers = {{"x-token", "t"}};
  call_.is_signed = false;
  call_.method = "GET";
  call_.path = "/latest?a=b";
  call_.body = {};
  call_.headers = headers;
  call();
  const std::string& request = requests_.at(0);
  EXPECT_THAT(request, StartsWith("GET /latest?a=b HTTP/1.1\r\n"));
  EXPECT_EQ(header_of(request, "x-token"), "t");
  EXPECT_THAT(request, AllOf(Not(HasSubstr("Authorization")), Not(HasSubstr("X-Amz-Date"))));
}

TEST_F(ClientTest, EchoedSecretNotShown) {
  serve([](int) {
    return Reply{answer(R"({"message":"bad: a-very-secret-token"})", "403 Forbidden")};
  });
  call_.secrets = {"a-very-secret-token"};
  EXPECT_THAT(failed_call().what(), AllOf(HasSubstr("bad: ***"), Not(HasSubstr("very-secret"))));
}

TEST_F(ClientTest, MissingCredentialsNamePlace) {
  class None final : public CredentialsProvider {
   public:
    Awaitable<std::optional<Credentials>> find() override { co_return std::nullopt; }
    std::string place() const override { return "an empty place"; }
  } none;
  serve_in_order({});
  Client client(kDynamoDb, "eu-west-1", service_->http,
                {.credentials = none, .clock = service_->clock, .random = service_->random});
  try {
    run(service_->loop, client.call(call_, accept_));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "Scan on table orders: no credentials in an empty place");
  }
}

// Throttling

TEST_F(ClientTest, ThrottleRetriedForever) {
  constexpr int kThrottles = 1000;
  serve([](int number) { return number <= kThrottles ? throttled() : ok(); });
  call();
  EXPECT_EQ(requests_.size(), kThrottles + 1U);
  EXPECT_EQ(service_->clock.sleeps(), backoffs(kThrottles));
  EXPECT_EQ(service_->client.counters().throttles, 1000U);
  EXPECT_EQ(service_->client.counters().retries, 0U);
}

TEST_F(ClientTest, BackoffSpreadReachesCap) {
  serve([](int number) { return number <= 200 ? throttled() : ok(); });
  call();
  const auto& sleeps = service_->clock.sleeps();
  ASSERT_EQ(sleeps.size(), 200U);
  for (std::size_t i = 0; i < sleeps.size(); ++i) {
    const auto bound =
        std::min<nanoseconds>(seconds(5), Backoff{}.base * (1ULL << std::min<std::size_t>(i, 20)));
    EXPECT_LT(sleeps[i], bound) << i;
  }
  EXPECT_GT(*std::ranges::max_element(sleeps), milliseconds(4500));
  EXPECT_LT(*std::min_element(sleeps.begin() + 20, sleeps.end()), milliseconds(500));
}

TEST_F(ClientTest, RetryAfterIsHonored) {
  serve_in_order({refusal("ThrottlingException", "400 Bad Request", "Retry-After: 7\r\n"), ok()});
  call();
  EXPECT_THAT(service_->clock.sleeps(), ElementsAre(seconds(7) + backoffs(1).at(0)));
}

TEST_F(ClientTest, UnpaidRetriesWaitLongest) {
  // Calls that fail once each spend more than they earn.
  serve([](int number) { return number % 2 == 1 ? unavailable() : ok(); });
  constexpr int kCalls = 200;
  for (int i = 0; i < kCalls; ++i) {
    call();
  }
  Random random(TestService::kSeed);
  const auto& sleeps = service_->clock.sleeps();
  ASSERT_EQ(sleeps.size(), static_cast<std::size_t>(kCalls));
  int short_waits = 0;
  for (const nanoseconds sleep : sleeps) {
    const double uniform = random.uniform();
    short_waits += sleep == Backoff{}.wait(1, uniform) ? 1 : 0;
    EXPECT_TRUE(sleep == Backoff{}.wait(1, uniform) || sleep == Backoff::longest(uniform));
  }
  // 500 to begin with, 1 earned by each call: 100 + 200 / 5 repeats, in whole ones.
  EXPECT_EQ(short_waits, 139);
}

TEST_F(ClientTest, ThrottleForgivesOccasionalFailures) {
  // 500 and 503 come now and then in hours; none of them is a reason to give up a call that the
  // service answers in between.
  serve([](int number) {
    return number > 6000 ? ok() : number % 20 == 0 ? unavailable() : throttled();
  });
  call();
  EXPECT_EQ(requests_.size(), 6001U);
  EXPECT_GT(service_->clock.now().time_since_epoch(), hours(3));
}

TEST_F(ClientTest, CredentialsExpireWhileThrottled) {
  serve([](int number) {
    return number > 900 ? ok() : number % 300 == 0 ? refusal("ExpiredTokenException") : throttled();
  });
  call();
  EXPECT_EQ(service_->credentials.invalidated, 3);
  EXPECT_EQ(header_of(requests_.back(), "X-Amz-Security-Token"), "the-token-4");
}

// Failures that may pass

TEST_F(ClientTest, FailureRetriedWhateverBody) {
  serve_in_order({refusal("InternalServerError", "500 Internal Server Error"),
                  unavailable(),
                  {answer("<html><body>Bad gateway</body></html>", "502 Bad Gateway",
                          "Content-Type: text/html\r\n")},
                  {answer("{", "500 Internal Server Error")},
                  ok("{}")});
  call();
  EXPECT_EQ(accepted_.size(), 1U);
  EXPECT_EQ(service_->clock.sleeps(), backoffs(4));
  EXPECT_EQ(service_->client.counters().retries, 4U);
}

TEST_F(ClientTest, LastingFailureReportsAttempts) {
  serve([](int) { return refusal("InternalServerError", "500 Internal Server Error"); });
  const Error error = failed_call();
  nanoseconds elapsed{0};
  int attempts = 1;
  for (const nanoseconds wait : backoffs(100)) {
    if (elapsed >= minutes(2)) {
      break;
    }
    elapsed = std::min<nanoseconds>(elapsed + wait, minutes(2));
    ++attempts;
  }
  EXPECT_EQ(requests_.size(), static_cast<std::size_t>(attempts));
  EXPECT_EQ(error.what(),
            fmt::format("Scan on table orders: InternalServerError: in its words (gave up after {} "
                        "attempts in {}: failed requests are retried for at most 2 min 0 s)",
                        attempts, duration(elapsed)));
  EXPECT_EQ(error.details().code, "InternalServerError");
}

TEST_F(ClientTest, MaxWaitEndsThrottle) {
  call_.patience = waiting_at_most(minutes(10));
  serve([](int) { return throttled(); });
  const Error error = failed_call();
  EXPECT_EQ(slept(), minutes(10));
  EXPECT_EQ(error.details().code, "ProvisionedThroughputExceededException");
  EXPECT_THAT(error.what(), HasSubstr(": throttled requests are retried for at most 10 min 0 s)"));
}

TEST_F(ClientTest, MaxWaitProlongsRetries) {
  call_.patience = waiting_at_most(hours(3));
  serve([](int) { return unavailable(); });
  failed_call();
  EXPECT_EQ(slept(), hours(3));
}

TEST_F(ClientTest, FailureAfterThrottleRetried) {
  serve([](int number) { return number <= 100 ? throttled() : unavailable(); });
  failed_call();
  const auto& sleeps = service_->clock.sleeps();
  nanoseconds failing{0};
  for (std::size_t i = 100; i < sleeps.size(); ++i) {
    failing += sleeps[i];
  }
  EXPECT_GE(failing, minutes(1) + seconds(40));  // the last wait for the throttle counts
}

// The bound of a call

/// Every way of not answering. Time passes on the one clock of the call and its connections.
class CallBoundTest : public ClientTest, public testing::WithParamInterface<const char*> {
 protected:
  static constexpr seconds kMaxWait{3};

  CallBoundTest() {
    service_ = std::make_unique<TestService>(
        [this](http::Peer& peer, const std::string&) { return misbehave(peer, ++requests_seen_); });
    http_.emplace(service_->loop.get_executor(), service_->clock, service_->server.endpoint(),
                  nullptr);
    client_.emplace(kDynamoDb, "eu-west-1", *http_,
                    ClientContext{.credentials = service_->credentials,
                                  .clock = service_->clock,
                                  .random = service_->random,
                                  .patience = waiting_at_most(kMaxWait)});
  }

  /// The server's script looks at this object until it has gone.
  void TearDown() override {
    has_ended_ = true;
    client_.reset();
    http_.reset();
    service_->loop.restart();
    service_->loop.poll();
  }

  Awaitable<void> misbehave(http::Peer& peer, int number) {
    const std::string_view how = GetParam();
    const bool fails = how == "Fails" || (how == "Alternates" && number % 3 == 1);
    std::string bytes;
    if (how == "Throttles" || (how == "Alternates" && number % 3 == 2)) {
      bytes = throttled().bytes;
    } else if (how == "AsksToWait") {
      bytes = answer("", "503 Service Unavailable", "Retry-After: 300\r\n");
    } else if (how == "Closes") {
      peer.reset();
      co_return;
    } else if (fails) {
      bytes = unavailable().bytes;
    }
    if (!bytes.empty()) {
      co_await peer.write(bytes);
      co_return;
    }
    const std::string_view dripped = how == "DripsHead"        ? "x"
                                     : how == "DripsInterim"   ? "HTTP/1.1 100 Continue\r\n\r\n"
                                     : how == "DripsBody"      ? "1\r\nx\r\n"
                                     : how == "DripsChunkNote" ? "1;note=useless\r\nx\r\n"
                                                               : "";
    if (how == "DripsHead") {
      co_await peer.write("HTTP/1.1 200 OK\r\n");
    } else if (how.starts_with("DripsBody") || how.starts_with("DripsChunk")) {
      co_await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    while (!has_ended_) {
      co_await peer.write(dripped);  // ends, with the script, once the client has gone
      service_->clock.advance(milliseconds(100));
      co_await yield();
    }
  }

  std::optional<http::Client> http_;
  std::optional<Client> client_;
  int requests_seen_ = 0;
  bool has_ended_ = false;
};

TEST_P(CallBoundTest, EndsSoonAfterPatience) {
  const auto began = service_->clock.now();
  bool has_failed = false;
  const auto work = [&]() -> Awaitable<void> {
    try {
      co_await client_->call(call_, accept_);
    } catch (const Error&) {
      has_failed = true;
    }
    has_ended_ = true;
  };
  run(service_->loop, work());
  EXPECT_TRUE(has_failed);
  // Connecting, and twice the shortest silence where something moves.
  EXPECT_LE(service_->clock.now() - began, kMaxWait + 3 * kMinSilence);
  EXPECT_GE(service_->clock.now() - began, kMaxWait);
}

INSTANTIATE_TEST_SUITE_P(Services, CallBoundTest,
                         testing::Values("Silent", "Fails", "Throttles", "AsksToWait", "Closes",
                                         "Alternates", "DripsHead", "DripsInterim", "DripsBody",
                                         "DripsChunkNote"),
                         [](const auto& how) { return how.param; });

TEST_F(ClientTest, PersistentFailureIsReported) {
  serve([](int number) { return number < 40 ? unavailable() : ok(); });
  call();
  ASSERT_FALSE(service_->notices.empty());
  EXPECT_EQ(service_->notices.front(),
            "Scan on table orders: HTTP status 503; retrying for at most 2 min 0 s");
  EXPECT_LE(service_->notices.size(), 3U);  // one per minute
}

TEST_F(ClientTest, ShortFailureNotReported) {
  serve([](int number) { return number < 4 ? unavailable() : ok(); });
  call();
  EXPECT_TRUE(service_->notices.empty());
}

TEST_F(ClientTest, WaitsUntilReady) {
  serve([](int) { return ok(); });
  int asked = 0;
  accept_ = [&](const http::Response&) {
    if (++asked < 12) {
      throw NotReady("the table is CREATING, not ACTIVE");
    }
  };
  call();
  EXPECT_EQ(asked, 12);
  EXPECT_THAT(service_->notices,
              ElementsAre("Scan on table orders: the table is CREATING, not ACTIVE; "
                          "waiting for it for at most 2 min 0 s"));
}

TEST_F(ClientTest, NeverReadyEnds) {
  serve([](int) { return ok(); });
  accept_ = [](const http::Response&) { throw NotReady("the table is CREATING, not ACTIVE"); };
  EXPECT_THAT(failed_call().what(), HasSubstr("the table is CREATING, not ACTIVE (gave up after "));
  EXPECT_EQ(slept(), minutes(2));
}

TEST_F(ClientTest, LargeErrorNotRead) {
  call_.patience = kOneAttempt;
  call_.max_answer_bytes = 64U << 20;
  serve_in_order({{"HTTP/1.1 400 Bad Request\r\nContent-Length: 60000000\r\n\r\n{"}});
  EXPECT_THAT(failed_call().what(), HasSubstr("the response is larger than 262144 bytes"));
}

TEST_F(ClientTest, CompressedAnswerRefusedPlainly) {
  serve_in_order({ok("\x1f\x8b", "Content-Encoding: gzip\r\n")});
  EXPECT_THAT(failed_call().what(),
              AllOf(HasSubstr("the response is encoded (gzip)"), Not(HasSubstr("boost")),
                    EndsWith("A proxy or gateway on the way must not compress responses.")));
}

TEST_F(ClientTest, TriedWireIsRefused) {
  const struct {
    Reply reply;
    bool refused;
    bool may_pass;
  } cases[] = {
      {{answer("", "500 Internal Server Error")}, true, true},
      {{answer("<h1>no</h1>", "404 Not Found")}, true, false},
      {{answer("", "415 Unsupported Media Type")}, true, false},
      {refusal("SerializationException"), true, false},
      {refusal("InternalFailure", "500 Internal Server Error"), true, true},
      {refusal("AccessDeniedException"), false, false},
  };
  for (const auto& one : cases) {
    serve([&](int) { return one.reply; });
    requests_.clear();
    call_.tries_wire = true;
    try {
      call();
      FAIL();
    } catch (const WireRefused& error) {
      EXPECT_TRUE(one.refused);
      EXPECT_EQ(error.may_pass(), one.may_pass) << one.reply.bytes;
    } catch (const Error& error) {
      EXPECT_FALSE(one.refused) << one.reply.bytes;
    }
    EXPECT_EQ(requests_.size(), 1U);
  }
}

TEST_F(ClientTest, EndpointPathIsSigned) {
  serve_in_order({ok()});
  http::Endpoint endpoint = service_->server.endpoint();
  endpoint.path = "/base";
  http::Client http(service_->loop.get_executor(), service_->network_clock, endpoint, nullptr);
  Client client(
      kDynamoDb, "eu-west-1", http,
      {.credentials = service_->credentials, .clock = service_->clock, .random = service_->random});
  run(service_->loop, client.call(call_, accept_));
  EXPECT_THAT(requests_.at(0), StartsWith("POST /base HTTP/1.1\r\n"));
  const std::vector<http::Header> headers = {
      {"Host", header_of(requests_[0], "Host")},
      {"Content-Type", header_of(requests_[0], "Content-Type")},
      {"X-Amz-Target", header_of(requests_[0], "X-Amz-Target")}};
  const std::string body = http::body_of(requests_[0]);
  const auto signature = sign({.method = "POST",
                               .path = "/base",
                               .query = {},
                               .headers = headers,
                               .body = body,
                               .region = "eu-west-1",
                               .service = "dynamodb",
                               .time = service_->clock.wall_now()},
                              NumberedCredentials::numbered(1));
  EXPECT_THAT(signature, testing::Contains(http::Header{"Authorization",
                                                        header_of(requests_[0], "Authorization")}));
}

/// Records its calls, and waits for `wait` before each retry.
class TestPacer final : public Pacer {
 public:
  TestPacer(Clock& clock, nanoseconds wait) : clock_(clock), wait_(wait) {}

  void failed(ErrorClass error_class, bool may_have_been_applied) override {
    failures.emplace_back(error_class, may_have_been_applied);
  }
  Awaitable<void> before_body(std::size_t) override { co_await clock_.sleep(for_body); }
  Awaitable<void> before_repeat() override {
    ++repeats;
    co_await clock_.sleep(wait_);
  }

  std::vector<std::pair<ErrorClass, bool>> failures;
  int repeats = 0;
  nanoseconds for_body{};

 private:
  Clock& clock_;
  nanoseconds wait_;
};

// What the answer waited for was the caller's memory.
TEST_F(ClientTest, RoomWaitNotCounted) {
  Reply cut_short = ok("{}");
  cut_short.bytes.pop_back();
  cut_short.then = Reply::Then::close;
  serve_in_order({cut_short, ok()});
  TestPacer pacer(service_->clock, seconds(0));
  pacer.for_body = std::chrono::hours(1);
  call_.pacer = &pacer;
  call_.patience = Patience{.failing = seconds(10), .throttled = seconds(10)};
  call();
  EXPECT_EQ(requests_.size(), 2U);
}

TEST_F(ClientTest, PacerHearsRetriedFailures) {
  serve_in_order({throttled(), unavailable(), ok()});
  TestPacer pacer(service_->clock, seconds(1));
  call_.pacer = &pacer;
  call();
  EXPECT_THAT(pacer.failures, ElementsAre(std::pair(ErrorClass::throttle, false),
                                          std::pair(ErrorClass::transient, true)));
  EXPECT_EQ(pacer.repeats, 2);
}

TEST_F(ClientTest, PacerHearsLastFailure) {
  serve_in_order({refusal("AccessDeniedException")});
  TestPacer pacer(service_->clock, seconds(1));
  call_.pacer = &pacer;
  failed_call();
  EXPECT_THAT(pacer.failures, ElementsAre(std::pair(ErrorClass::fatal, false)));
  EXPECT_EQ(pacer.repeats, 0);
}

TEST_F(ClientTest, PacerWaitNotCounted) {
  call_.patience = waiting_at_most(minutes(10));
  serve([](int) { return throttled(); });
  TestPacer pacer(service_->clock, minutes(10));
  call_.pacer = &pacer;
  failed_call();
  const nanoseconds paced = pacer.repeats * minutes(10);
  EXPECT_EQ(slept() - paced, minutes(10));
}

TEST_F(ClientTest, ChecksumMismatchIsRetried) {
  // CRC-32 of "123456789" (the algorithm's check value): 0xCBF43926.
  const std::string crc = "x-amz-crc32: 3421780262\r\n";
  serve_in_order({ok("123456780", crc), ok("12345678", crc), ok("123456789", "x-amz-crc32: x\r\n"),
                  ok("123456789", "x-amz-crc32: 99999999999\r\n"), ok("123456789", crc)});
  call();
  EXPECT_THAT(accepted_, ElementsAre("123456789"));
  EXPECT_EQ(requests_.size(), 5U);
}

TEST_F(ClientTest, AlteredRefusalNotBelieved) {
  serve_in_order(
      {refusal("ResourceNotFoundException", "400 Bad Request", "x-amz-crc32: 1\r\n"), ok()});
  call();
  EXPECT_EQ(accepted_.size(), 1U);
}

TEST_F(ClientTest, CutBodyIsRetried) {
  serve_in_order(
      {{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Items\":[", Reply::Then::close},
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"Ite\r\n", Reply::Then::close},
       ok("whole")});
  call();
  EXPECT_THAT(accepted_, ElementsAre("whole"));
}

TEST_F(ClientTest, ResetConnectionIsReplaced) {
  serve_in_order({{"", Reply::Then::reset},
                  {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", Reply::Then::reset},
                  ok("whole")});
  call();
  EXPECT_THAT(accepted_, ElementsAre("whole"));
  EXPECT_EQ(service_->server.accepted(), 3);
}

TEST_F(ClientTest, NonHttpAnswerRetried) {
  serve_in_order({{"\x16\x03\x01 what is this?\r\n\r\n", Reply::Then::close}, ok("whole")});
  call();
  EXPECT_THAT(accepted_, ElementsAre("whole"));
}

TEST_F(ClientTest, StalledAnswerIsRetried) {
  constexpr http::Timeouts kIdle{.connect = milliseconds::max(), .idle = milliseconds(20)};
  const Reply stalled{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", Reply::Then::stall};
  serve([&](int number) { return number == 1 ? stalled : ok("whole"); }, kIdle);
  call();
  EXPECT_THAT(accepted_, ElementsAre("whole"));
}

TEST_F(ClientTest, ForeignAnswerIsRetried) {
  serve_in_order({ok("{}"), ok("{}"), ok("{}")});
  int asked = 0;
  accept_ = [&](const http::Response&) {
    if (++asked < 3) {
      throw MalformedResponse("the answer to Scan has no Items");
    }
  };
  call();
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(service_->clock.sleeps(), backoffs(2));
}

TEST_F(ClientTest, LastingMalformedAnswerEnds) {
  serve([](int) { return ok(); });
  accept_ = [](const http::Response&) { throw MalformedResponse("the answer has no Items"); };
  EXPECT_THAT(failed_call().what(),
              StartsWith("Scan on table orders: the answer has no Items (gave up after "));
}

TEST_F(ClientTest, WrongEndpointNamedSoon) {
  call_.patience = waiting_at_most(seconds(3));
  serve_in_order({});
  service_->server.stop_accepting();
  const std::string url = service_->http.endpoint().url();
  const Error error = failed_call();
  EXPECT_THAT(error.what(), AllOf(StartsWith("Scan on table orders: " + url + ": cannot connect: "),
                                  HasSubstr(" attempts in 3.0 s: failed requests are retried for "
                                            "at most 3.0 s)"),
                                  EndsWith("Check the region, --endpoint-url and the network.")));
  EXPECT_EQ(slept(), seconds(3));
}

// Failures that stay

TEST_F(ClientTest, FatalRefusalNotRetried) {
  for (const std::string_view code :
       {"ValidationException", "ResourceNotFoundException", "AccessDeniedException", "Unheard"}) {
    requests_.clear();
    serve([code](int) { return refusal(code); });
    const Error error = failed_call();
    EXPECT_EQ(error.details().code, code);
    EXPECT_EQ(error.details().message, "in its words");
    EXPECT_EQ(requests_.size(), 1U) << code;
    EXPECT_TRUE(service_->clock.sleeps().empty());
  }
}

TEST_F(ClientTest, RedirectIsNotFollowed) {
  for (const char* status : {"301 Moved Permanently", "302 Found", "303 See Other",
                             "307 Temporary Redirect", "308 Permanent Redirect"}) {
    requests_.clear();
    serve({});
    http::TestServer elsewhere(service_->loop, http::answer_all);
    const std::string there = elsewhere.endpoint().authority();
    Reply redirect{answer("", status, "Location: http://" + there + "/signed?token=x\r\n")};
    script_ = [&redirect](int) { return redirect; };
    const Error error = failed_call();
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr(service_->http.endpoint().url() + " redirects to " + there),
                      HasSubstr("not followed"), HasSubstr("Check the endpoint's URL"),
                      testing::Not(HasSubstr("token"))));
    EXPECT_EQ(requests_.size(), 1U) << status;
    EXPECT_EQ(elsewhere.accepted(), 0) << status;
    EXPECT_TRUE(service_->clock.sleeps().empty());
  }
}

TEST_F(ClientTest, RedirectWithoutTargetFails) {
  for (const char* header : {"", "Location: /elsewhere\r\n", "Location: http://[\r\n"}) {
    requests_.clear();
    serve_in_order({{answer("", "302 Found", header)}});
    EXPECT_THAT(failed_call().what(), HasSubstr("redirects to another path (status 302)"));
  }
}

TEST_F(ClientTest, BadCertificateNotRetried) {
  FakeClock clock{{}};
  asio::io_context loop;
  http::TestServer server(loop, [](http::Peer& peer) -> Awaitable<void> {
    co_await peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  http::Endpoint endpoint = server.endpoint();
  endpoint.tls = true;
  http::Client http(loop.get_executor(), clock, endpoint, std::make_shared<http::TlsSettings>());
  NumberedCredentials credentials;
  Random random(1);
  Client client(kDynamoDb, "eu-west-1", http,
                {.credentials = credentials, .clock = clock, .random = random});
  try {
    run(loop, client.call(call_, accept_));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(endpoint.url() + ": TLS handshake failed"),
                                    HasSubstr("AWS_CA_BUNDLE")));
  }
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_TRUE(clock.sleeps().empty());
}

TEST_F(ClientTest, UnansweredUnsafeCallEnds) {
  call_.repetition = Repetition::unsafe;
  serve_in_order({{"", Reply::Then::close}, ok()});
  EXPECT_THAT(failed_call().what(), HasSubstr("connection closed without a response"));
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(ClientTest, RefusedUnsafeCallResent) {
  call_.repetition = Repetition::unsafe;
  serve_in_order({throttled(), refusal("ExpiredTokenException"), ok()});
  call();
  EXPECT_EQ(requests_.size(), 3U);
}

TEST_F(ClientTest, FailedUnsafeCallEnds) {
  call_.repetition = Repetition::unsafe;
  serve_in_order({refusal("InternalServerError", "500 Internal Server Error")});
  EXPECT_EQ(failed_call().details().code, "InternalServerError");
}

TEST_F(ClientTest, UndeliveredUnsafeCallResent) {
  call_.repetition = Repetition::unsafe;
  serve_in_order({});
  service_->server.stop_accepting();
  EXPECT_THAT(failed_call().what(), HasSubstr("gave up after"));
  EXPECT_GT(service_->clock.sleeps().size(), 1U);
}

// Credentials

TEST_F(ClientTest, ExpiredCredentialsRenewedOnce) {
  serve_in_order({refusal("ExpiredTokenException"), ok()});
  call();
  EXPECT_EQ(service_->credentials.invalidated, 1);
  EXPECT_EQ(header_of(requests_.at(1), "X-Amz-Security-Token"), "the-token-2");
  EXPECT_THAT(header_of(requests_.at(1), "Authorization"), HasSubstr("Credential=AKID2/"));
}

TEST_F(ClientTest, CredentialsRefusedTwiceEnd) {
  serve_in_order({refusal("ExpiredTokenException"), refusal("ExpiredTokenException")});
  const Error error = failed_call();
  EXPECT_EQ(service_->credentials.invalidated, 1);
  EXPECT_THAT(error.what(), AllOf(StartsWith("Scan on table orders: ExpiredTokenException: "),
                                  HasSubstr("gave up after 2 attempts"),
                                  EndsWith("Renew the session's credentials.")));
}

TEST_F(ClientTest, SharedCredentialsRenewedOnce) {
  serve([this](int number) {
    const bool first = header_of(requests_.at(number - 1), "X-Amz-Security-Token") == "the-token-1";
    return first ? refusal("ExpiredTokenException") : ok();
  });
  call_at_once(8);
  EXPECT_EQ(accepted_.size(), 8U);
  EXPECT_EQ(service_->credentials.invalidated, 1);
}

TEST_F(ClientTest, SecretIsNeverShown) {
  const std::vector<Reply> refusals = {refusal("InvalidSignatureException"),
                                       refusal("AccessDenied"),
                                       refusal("ExpiredTokenException"),
                                       unavailable(),
                                       {"", Reply::Then::reset},
                                       {"rubbish\r\n\r\n"}};
  for (const Reply& refused : refusals) {
    serve([&](int) { return refused; });
    call_.patience = waiting_at_most(seconds(1));
    EXPECT_THAT(failed_call().what(), AllOf(Not(HasSubstr("the-secret")),
                                            Not(HasSubstr("the-token")), Not(HasSubstr("AKID"))));
  }
  for (const std::string& request : requests_) {
    EXPECT_THAT(request, Not(HasSubstr("the-secret")));
  }
}

// The clock

TEST_F(ClientTest, ServiceCorrectsWrongClock) {
  const Reply skewed = refusal("InvalidSignatureException", "400 Bad Request",
                               "Date: Mon, 23 Nov 2026 06:30:00 GMT\r\n");
  serve_in_order({skewed, ok(), ok()});
  call();
  EXPECT_EQ(sent_date(0), "20261123T040000Z");
  EXPECT_EQ(sent_date(1).substr(0, 13), "20261123T0630");
  call();  // and stays so
  EXPECT_EQ(sent_date(2).substr(0, 13), "20261123T0630");
}

TEST_F(ClientTest, FastClockIsCorrected) {
  serve_in_order({refusal("RequestTimeTooSkewed", "400 Bad Request",
                          "Date: Sun, 22 Nov 2026 23:59:00 GMT\r\n"),
                  ok()});
  call();
  EXPECT_EQ(sent_date(1).substr(0, 13), "20261122T2359");
}

TEST_F(ClientTest, InvalidSignatureRightClock) {
  for (const std::string_view headers :
       {"Date: Mon, 23 Nov 2026 04:03:00 GMT\r\n", "Date: Mon, 23 Nov 2026 03:57:00 GMT\r\n",
        "Date: yesterday\r\n", "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
        "Date: Sat, 01 Jan 0000 00:00:00 GMT\r\n", ""}) {
    requests_.clear();
    serve_in_order({refusal("InvalidSignatureException", "400 Bad Request", headers)});
    EXPECT_THAT(failed_call().what(),
                EndsWith("Check the secret access key, and this machine's clock."));
    EXPECT_EQ(requests_.size(), 1U) << headers;
  }
}

/// Of a service whose clock is another each time.
Reply refusal_at(int hour) {
  return refusal("InvalidSignatureException", "400 Bad Request",
                 fmt::format("Date: Mon, 23 Nov 2026 {:02}:30:00 GMT\r\n", hour));
}

TEST_F(ClientTest, SecondClockJumpFollowed) {
  // A run that is resumed meets the service's clock for the first time, and it jumps meanwhile.
  serve_in_order({refusal_at(6), refusal_at(2), ok()});
  call();
  EXPECT_EQ(sent_date(1).substr(0, 13), "20261123T0630");
  EXPECT_EQ(sent_date(2).substr(0, 13), "20261123T0230");
}

TEST_F(ClientTest, EndlessClockJumpsFail) {
  int hour = 6;
  serve([&](int) { return refusal_at(hour++); });
  EXPECT_THAT(failed_call().what(), HasSubstr("the clock is corrected at most 4 times per call"));
  EXPECT_EQ(requests_.size(), 1U + kClockCorrections);
}

TEST_F(ClientTest, ClockCorrectedForAll) {
  serve([this](int number) {
    const bool wrong = sent_date(number - 1) < "20261123T0600";
    return wrong ? refusal("InvalidSignatureException", "400 Bad Request",
                           "Date: Mon, 23 Nov 2026 06:30:00 GMT\r\n")
                 : ok();
  });
  call_at_once(8);
  EXPECT_EQ(accepted_.size(), 8U);
  EXPECT_EQ(requests_.size(), 16U);
}

// Services whose paths say what is called

TEST_F(ClientTest, PathHeadersAndStatus) {
  std::string request;
  TestService lambda(
      [&](http::Peer& peer, std::string arrived) -> Awaitable<void> {
        request = std::move(arrived);
        co_await peer.write(answer("", "202 Accepted"));
      },
      kLambda);
  const std::vector<http::Header> headers = {{"X-Amz-Invocation-Type", "Event"}};
  const Call invoke{.operation = "Invoke",
                    .object = "function f",
                    .body = "{}",
                    .path = "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations",
                    .headers = headers,
                    .success = 202};
  int accepted = 0;
  run(lambda.loop, lambda.client.call(invoke, [&](http::Response) { ++accepted; }));
  EXPECT_EQ(accepted, 1);
  EXPECT_THAT(request,
              StartsWith("POST /2015-03-31/functions/arn%3Aaws%3Alambda/invocations HTTP/1.1\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("X-Amz-Target")));
  EXPECT_EQ(header_of(request, "Content-Type"), "application/json");
  EXPECT_THAT(
      header_of(request, "Authorization"),
      AllOf(HasSubstr("/eu-west-1/lambda/aws4_request"), HasSubstr("x-amz-invocation-type")));
}

TEST_F(ClientTest, UnexpectedStatusIsError) {
  const std::string not_found = answer("{}", "404 Not Found");
  TestService lambda([&](http::Peer& peer, const std::string&) { return peer.write(not_found); },
                     kLambda);
  const Call invoke{.operation = "Invoke", .object = "function f", .body = "{}", .success = 202};
  EXPECT_THROW(run(lambda.loop, lambda.client.call(invoke, [](http::Response) { FAIL(); })), Error);
}

// Cancellation

TEST_F(ClientTest, CancelledWhileAwaitingAnswer) {
  serve([this](int) {
    asio::post(service_->loop, [this] { signal_.emit(asio::cancellation_type::terminal); });
    return Reply{"HTTP/1.1 200 OK\r\n"};
  });
  EXPECT_EQ(cancelled_call(), asio::error::operation_aborted);
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(ClientTest, CancelledWhileBackingOff) {
  serve([](int) { return throttled(); });
  service_->clock.on_sleep = [this] {
    if (service_->clock.sleeps().size() == 3) {
      signal_.emit(asio::cancellation_type::terminal);
    }
  };
  EXPECT_EQ(cancelled_call(), asio::error::operation_aborted);
  EXPECT_EQ(requests_.size(), 3U);
}

}  // namespace
}  // namespace everyitem::aws
