#include "http/client.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/test_server.h"

namespace everyitem::http {
namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;
using testing::HasSubstr;
using Cause = TransportError::Cause;

constexpr Timeouts kIdle{.idle = milliseconds(40)};

/// Bytes that are nowhere the same for long, so that a piece lost or moved is seen.
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>((i * 2654435761U) >> 13);
  }
  return text;
}

std::string chunked(std::string_view body, std::size_t chunk_size, std::string_view trailer = "") {
  std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(chunk_size, body.size()))) {
    const std::string_view chunk = body.substr(0, chunk_size);
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx;note=1\r\n", chunk.size());
    text.append(size.data()).append(chunk).append("\r\n");
  }
  return text.append("0\r\n").append(trailer).append("\r\n");
}

std::string until_close(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + std::string(body);
}

/// The event loop, and clients of a server on it.
class HttpClientTest : public testing::Test {
 protected:
  Client client_of(const TestServer& server, Timeouts timeouts = {}) {
    return Client(context_.get_executor(), clock_, server.endpoint(), nullptr, timeouts);
  }

  /// What a client gets from a server that sends `bytes` and closes the connection.
  Response answered(const std::string& bytes, const Request& request = {}) {
    TestServer server(context_, answer_once(bytes, true));
    Client client = client_of(server);
    return send(context_, client, request);
  }
  TransportError refused(const std::string& bytes) {
    TestServer server(context_, answer_once(bytes, true));
    Client client = client_of(server);
    return failed_send(context_, client);
  }

  TransportError timed_out(const TestServer& server, Timeouts timeouts, const bool& begin,
                           const Request& request = {}) {
    Client client = client_of(server, timeouts);
    return timed_out_send(context_, client, clock_, begin, request);
  }

  FakeClock clock_{std::chrono::system_clock::time_point()};
  asio::io_context context_;
};

// The exchange

TEST_F(HttpClientTest, SendsRequestGivesAnswer) {
  std::string seen;
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    seen = (co_await peer.read_request()).value();
    const std::string bytes = answer("body", "400 Bad Request", "X-Amzn-RequestId: 7\r\n");
    co_await peer.write(bytes);
  });
  Client client = client_of(server);
  const Response response =
      send(context_, client,
           {.method = "PUT", .target = "/a?b=c", .headers = {{"X-One", "1"}}, .body = "{}"});
  EXPECT_EQ(seen, "PUT /a?b=c HTTP/1.1\r\nHost: " + server.endpoint().authority() +
                      "\r\nX-One: 1\r\nAccept-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body.view(), "body");
  EXPECT_EQ(response.header("x-amzn-requestid"), "7");
  EXPECT_EQ(response.header("x-other"), "");
}

TEST_F(HttpClientTest, BodiesHaveParserPadding) {
  for (const std::string& bytes : {answer(""), answer("x"), chunked("x", 1), until_close("x")}) {
    const Response response = answered(bytes);
    EXPECT_GE(response.body.capacity(), response.body.size() + PaddedBuffer::kPadding);
  }
}

TEST_F(HttpClientTest, RefusesHeaderInjection) {
  TestServer server(context_, answer_all);
  Client client = client_of(server);
  const Request request{.headers = {{"Authorization", "secret\r\nX-Evil: 1"}}};
  try {
    send(context_, client, request);
    FAIL() << "was sent";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("Authorization"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret")));
  }
  EXPECT_EQ(server.accepted(), 0);
}

TEST_F(HttpClientTest, ReadsEveryBodyFraming) {
  EXPECT_EQ(text_of(answered(answer("0123456789"))), "0123456789");
  EXPECT_EQ(text_of(answered(answer(""))), "");
  EXPECT_EQ(text_of(answered(chunked("0123456789", 3))), "0123456789");
  EXPECT_EQ(text_of(answered(chunked("", 3))), "");
  const Response with_trailer = answered(chunked("0123456789", 4, "X-Sum: 1\r\n"));
  EXPECT_EQ(with_trailer.header("X-Sum"), "1");
  EXPECT_EQ(text_of(answered(until_close("0123456789"))), "0123456789");
  EXPECT_EQ(text_of(answered(until_close(""))), "");
  EXPECT_EQ(text_of(answered("HTTP/1.0 200 OK\r\n\r\nold")), "old");
}

TEST_F(HttpClientTest, ReadsAnswersWithoutBody) {
  for (const std::string status : {"204 No Content", "304 Not Modified"}) {
    TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
      const std::string bytes = "HTTP/1.1 " + status + "\r\nContent-Length: 5\r\n\r\n";
      while (co_await peer.read_request()) {
        co_await peer.write(bytes);
      }
    });
    Client client = client_of(server);
    EXPECT_EQ(text_of(send(context_, client)), "");
    EXPECT_EQ(text_of(send(context_, client)), "");
    EXPECT_EQ(server.accepted(), 1);
  }
  const Response response =
      answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {.method = "HEAD"});
  EXPECT_EQ(response.header("Content-Length"), "5");
}

TEST_F(HttpClientTest, SkipsInterimAnswers) {
  const Response response = answered(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer("ok"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.view(), "ok");
  EXPECT_EQ(response.header("Link"), "");
}

TEST_F(HttpClientTest, ReadsLargeBodies) {
  const std::string body = pattern(8U << 20);
  for (const std::string& bytes : {answer(body), chunked(body, 100'000), until_close(body)}) {
    EXPECT_TRUE(text_of(answered(bytes, {.limits = {.bytes = body.size()}})) == body);
  }
}

TEST_F(HttpClientTest, SendsLargeBodies) {
  const std::string body = pattern(8U << 20);
  std::string seen;
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    seen = body_of((co_await peer.read_request()).value());
    const std::string bytes = answer("ok");
    co_await peer.write(bytes);
  });
  Client client = client_of(server);
  send(context_, client, {.body = body});
  EXPECT_TRUE(seen == body);
}

TEST_F(HttpClientTest, ReadsByteByByte) {
  for (const std::string& bytes :
       {answer("0123456789"), chunked("0123456789", 4, "X-Sum: 1\r\n"), until_close("0123456789"),
        "HTTP/1.1 100 Continue\r\n\r\n" + answer("0123456789")}) {
    TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
      co_await peer.read_request();
      for (const char& byte : bytes) {
        co_await peer.write({&byte, 1});
        co_await yield();
      }
      peer.close();
    });
    Client client = client_of(server);
    EXPECT_EQ(text_of(send(context_, client)), "0123456789");
  }
}

TEST_F(HttpClientTest, ReadsEarlyAnswer) {
  const std::string body(8U << 20, 'x');
  TestServer server(context_, [](Peer& peer) -> Awaitable<void> {
    const std::string bytes = answer("too large", "413 Payload Too Large");
    co_await peer.write(bytes);
    peer.drop();
  });
  Client client = client_of(server);
  EXPECT_EQ(send(context_, client, {.body = body}).status, 413);
}

// The pool

TEST_F(HttpClientTest, KeepsConnections) {
  TestServer server(context_, answer_all);
  Client client = client_of(server);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(text_of(send(context_, client)), "ok");
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(HttpClientTest, DropsUnusableConnection) {
  for (const std::string& bytes :
       {answer("ok", "200 OK", "Connection: close\r\n"),
        std::string("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), answer("ok") + "trailing",
        answer(std::string(20'000, 'x')) + "trailing"}) {
    TestServer server(context_, answer_once(bytes));
    Client client = client_of(server);
    send(context_, client);
    EXPECT_EQ(send(context_, client).status, 200);
    EXPECT_EQ(server.accepted(), 2);
  }
}

TEST_F(HttpClientTest, ReplacesAnExpiredConnection) {
  TestServer server(context_, answer_all);
  Client client = client_of(server, {.keep_alive = milliseconds(40)});
  send(context_, client);
  clock_.advance(milliseconds(39));
  send(context_, client);
  EXPECT_EQ(server.accepted(), 1);
  clock_.advance(milliseconds(40));
  send(context_, client);
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(HttpClientTest, ReusesLastUsedConnection) {
  TestServer server(context_, [](Peer& peer) -> Awaitable<void> {
    const std::string bytes = answer(std::to_string(peer.number()));
    while (co_await peer.read_request()) {
      co_await peer.write(bytes);
    }
  });
  Client client = client_of(server);
  std::vector<std::string> order;
  const auto call = [&]() -> Awaitable<void> {
    const Request request;
    const Response response = co_await client.send(request);
    order.push_back(text_of(response));
  };
  asio::co_spawn(context_, call(), asio::detached);
  while (order.empty()) {
    run(context_, call());
  }
  while (order.size() < 2) {
    run(context_, yield());
  }
  const std::string last = order.back();
  EXPECT_EQ(server.accepted(), 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(text_of(send(context_, client)), last);
  }
}

/// Connection 1 answers once and then does `then`; every other connection answers all.
TestServer::Script first_connection(std::function<Awaitable<void>(Peer&)> then) {
  return [then = std::move(then)](Peer& peer) -> Awaitable<void> {
    if (peer.number() > 1) {
      co_await answer_all(peer);
      co_return;
    }
    co_await peer.read_request();
    const std::string bytes = answer("first");
    co_await peer.write(bytes);
    co_await then(peer);
  };
}

TEST_F(HttpClientTest, ReplacesConnectionClosedIdle) {
  bool got_first = false;
  bool closed = false;
  for (const bool talks : {false, true}) {
    got_first = closed = false;
    TestServer server(context_, first_connection([&](Peer& peer) -> Awaitable<void> {
                        while (!got_first) {
                          co_await yield();
                        }
                        if (talks) {
                          const std::string bytes = answer("too slow", "408 Request Timeout");
                          co_await peer.write(bytes);
                        }
                        peer.close();
                        closed = true;
                      }));
    Client client = client_of(server);
    EXPECT_EQ(text_of(send(context_, client)), "first");
    got_first = true;
    while (!closed) {
      run(context_, yield());
    }
    EXPECT_EQ(text_of(send(context_, client)), "ok");
    EXPECT_EQ(server.accepted(), 2);
  }
}

TEST_F(HttpClientTest, ReplacesConnectionClosedSending) {
  for (const bool reset : {false, true}) {
    TestServer server(context_, first_connection([&](Peer& peer) -> Awaitable<void> {
                        co_await peer.read_request();
                        reset ? peer.reset() : peer.close();
                      }));
    Client client = client_of(server);
    EXPECT_EQ(text_of(send(context_, client)), "first");
    EXPECT_EQ(text_of(send(context_, client)), "ok");
    EXPECT_EQ(server.accepted(), 2);
  }
}

TEST_F(HttpClientTest, ReplacesAConnectionOnce) {
  TestServer server(context_, [](Peer& peer) -> Awaitable<void> {
    co_await peer.read_request();
    if (peer.number() == 1) {
      const std::string bytes = answer("first");
      co_await peer.write(bytes);
      co_await peer.read_request();
    }
    peer.close();
  });
  Client client = client_of(server);
  send(context_, client);
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::closed);
  EXPECT_TRUE(error.request_sent());
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(HttpClientTest, NotReplacedMidAnswer) {
  TestServer server(context_, first_connection([](Peer& peer) -> Awaitable<void> {
                      co_await peer.read_request();
                      co_await peer.write("H");
                      peer.close();
                    }));
  Client client = client_of(server);
  send(context_, client);
  EXPECT_EQ(failed_send(context_, client).cause(), Cause::closed);
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(HttpClientTest, ReplacedConnectionTookRequest) {
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    co_await peer.read_request();
    const std::string bytes = answer("first");
    co_await peer.write(bytes);
    co_await peer.read_request();
    server.stop_accepting();
    peer.close();
  });
  Client client = client_of(server);
  send(context_, client);
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::connect);
  EXPECT_TRUE(error.request_sent());
}

TEST_F(HttpClientTest, RunsManyConcurrentCalls) {
  constexpr int kCalls = 50;
  int waiting = 0;
  Event all_there(context_.get_executor());
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    for (;;) {
      const auto request = co_await peer.read_request();
      if (!request) {
        co_return;
      }
      if (++waiting % kCalls == 0) {
        all_there.notify_all();
      } else {
        co_await all_there.wait();
      }
      const std::string bytes = answer(body_of(*request));
      co_await peer.write(bytes);
    }
  });
  Client client = client_of(server);
  for (int round = 0; round < 2; ++round) {
    int answered_rightly = 0;
    const auto call = [&](int number) -> Awaitable<void> {
      const std::string body = "call " + std::to_string(number);
      const Request request{.body = body};
      const Response response = co_await client.send(request);
      answered_rightly += response.body.view() == body ? 1 : 0;
    };
    for (int i = 1; i <= kCalls; ++i) {
      asio::co_spawn(context_, call(i), asio::detached);
    }
    while (answered_rightly < kCalls) {
      run(context_, yield());
    }
    EXPECT_EQ(server.accepted(), kCalls);
  }
}

TEST_F(HttpClientTest, IdleLetsLoopEnd) {
  TestServer server(context_, answer_once(answer("ok")));
  Client client = client_of(server);
  send(context_, client);
  EXPECT_EQ(clock_.timers_set(), 0U);
  server.stop_accepting();
  context_.restart();
  context_.run();  // ends by itself: it has nothing to wait for
}

TEST_F(HttpClientTest, DestroyedWithIdleConnections) {
  TestServer server(context_, answer_all);
  {
    Client client = client_of(server);
    send(context_, client);
  }
  server.stop_accepting();
  context_.restart();
  context_.run();  // ends by itself: it has nothing to wait for
}

// Failures

TEST_F(HttpClientTest, ReportsCutBody) {
  const std::string whole = answer("0123456789");
  const std::string in_chunks = chunked("0123456789", 4);
  for (const std::string& bytes :
       {whole.substr(0, whole.size() - 1), whole.substr(0, 30), std::string("HTTP"),
        in_chunks.substr(0, in_chunks.size() - 2), in_chunks.substr(0, 60)}) {
    const TransportError error = refused(bytes);
    EXPECT_EQ(error.cause(), Cause::closed) << bytes;
    EXPECT_TRUE(error.request_sent());
    EXPECT_THAT(error.what(), HasSubstr("mid-response"));
  }
}

TEST_F(HttpClientTest, ReportsMissingAnswer) {
  const TransportError error = refused("");
  EXPECT_EQ(error.cause(), Cause::closed);
  EXPECT_TRUE(error.request_sent());
  EXPECT_THAT(error.what(), HasSubstr("without a response"));
}

TEST_F(HttpClientTest, TellsAReset) {
  bool headers_read = false;
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    co_await peer.read_request();
    co_await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    // The reset throws away what the client has not read.
    co_await yield();
    headers_read = true;
    peer.reset();
  });
  Client client = client_of(server);
  const TransportError error = failed_send(context_, client);
  EXPECT_TRUE(headers_read);
  EXPECT_EQ(error.cause(), Cause::closed);
  EXPECT_TRUE(error.request_sent());
}

TEST_F(HttpClientTest, SilenceTimesOut) {
  for (const std::string& bytes : {std::string(), answer("0123456789").substr(0, 45)}) {
    bool silent = false;
    TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
      co_await peer.read_request();
      co_await peer.write(bytes);
      silent = true;
    });
    const TransportError error = timed_out(server, kIdle, silent);
    EXPECT_EQ(error.cause(), Cause::idle);
    EXPECT_TRUE(error.request_sent());
    EXPECT_STREQ(error.what(), "no data for 0.04 s");
  }
}

TEST_F(HttpClientTest, StuckRequestTimesOut) {
  const std::string body(16U << 20, 'x');
  bool silent = false;
  TestServer reads_little(context_, [&](Peer& peer) -> Awaitable<void> {
    co_await peer.read_some();
    silent = true;
  });
  EXPECT_EQ(timed_out(reads_little, kIdle, silent, {.body = body}).cause(), Cause::idle);
}

/// Returns when the client has looked at its clock again, as it does whenever bytes moved.
Awaitable<void> wait_for_progress(const FakeClock& clock, std::uint64_t reads_before) {
  while (clock.reads() == reads_before) {
    co_await yield();
  }
}

TEST_F(HttpClientTest, ToleratesSlowAnswer) {
  const std::string body = pattern(20 * kMinBytesPerSecond);
  const std::string bytes = answer(body);
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    co_await peer.read_request();
    const std::size_t piece = kMinBytesPerSecond * 39 / 1000 + 1;
    for (std::string_view rest = bytes; !rest.empty();
         rest.remove_prefix(std::min(piece, rest.size()))) {
      clock_.advance(kIdle.idle - milliseconds(1));
      const std::uint64_t reads = clock_.reads();
      co_await peer.write(rest.substr(0, piece));
      co_await wait_for_progress(clock_, reads);
    }
  });
  Client client = client_of(server, kIdle);
  EXPECT_TRUE(text_of(send(context_, client)) == body);
}

TEST_F(HttpClientTest, DripsTimeOut) {
  const struct {
    std::string_view first;
    std::string_view drip;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nX: ", "x"},
      {"", "HTTP/1.1 100 Continue\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", "x"},
      {"HTTP/1.1 200 OK\r\n\r\n", "x"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1;a=useless\r\nx\r\n"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "x: y\r\n"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.first);
    bool begun = false;
    TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
      co_await peer.read_request();
      co_await peer.write(one.first);
      begun = true;
      for (;;) {
        co_await peer.write(one.drip);
        co_await yield();  // time passes
      }
    });
    const auto before = clock_.now();
    const TransportError error = timed_out(server, kIdle, begun);
    EXPECT_EQ(error.cause(), Cause::idle);
    EXPECT_STREQ(error.what(), "less than 4 KiB per second");
    EXPECT_LE(clock_.now() - before, 8 * kIdle.idle);
  }
}

TEST_F(HttpClientTest, CallShortensSilenceLimit) {
  bool silent = false;
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    co_await peer.read_request();
    silent = true;
  });
  EXPECT_STREQ(timed_out(server, {}, silent, {.limits = {.silence = milliseconds(40)}}).what(),
               "no data for 0.04 s");
}

/// Has room after a day.
class LateRoom final : public AnswerRoom {
 public:
  explicit LateRoom(FakeClock& clock) : clock_(clock) {}
  Awaitable<void> before_body(std::size_t max_bytes) override {
    asked.push_back(max_bytes);
    clock_.advance(std::chrono::hours(24));
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  std::vector<std::size_t> asked;

 private:
  FakeClock& clock_;
};

TEST_F(HttpClientTest, BodiesWaitForRoom) {
  LateRoom room(clock_);
  const Request request{.limits = {.bytes = 500, .room = &room}};
  const std::string body = pattern(400);
  for (const std::string& bytes : {answer(body), chunked(body, 90), until_close(body)}) {
    EXPECT_EQ(text_of(answered(bytes, request)), body);
  }
  EXPECT_THAT(room.asked, testing::ElementsAre(400, 500, 500));
  room.asked.clear();
  EXPECT_EQ(text_of(answered(answer(""), request)), "");
  EXPECT_EQ(text_of(answered(answer("no", "404 Not Found"), request)), "no");
  EXPECT_THAT(room.asked, testing::IsEmpty());
}

TEST_F(HttpClientTest, TimesOutAfterRoom) {
  LateRoom room(clock_);
  bool silent = false;
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    co_await peer.read_request();
    const std::string half = answer("0123456789").substr(0, 45);
    co_await peer.write(half);
    silent = true;
  });
  const Request request{.limits = {.room = &room}};
  EXPECT_EQ(timed_out(server, kIdle, silent, request).cause(), Cause::idle);
  EXPECT_THAT(room.asked, testing::ElementsAre(10));
}

TEST_F(HttpClientTest, ToleratesSlowRequest) {
  const std::string body(32U << 20, 'x');
  int pauses = 0;
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    std::uint64_t reads = 0;
    for (std::size_t read = 0; read < body.size() * 9 / 10;) {
      const std::size_t bytes = co_await peer.read_some();
      if (bytes == 0) {
        co_return;
      }
      read += bytes;
      if (clock_.reads() != reads) {  // the client wrote some more
        clock_.advance(kIdle.idle - milliseconds(1));
        ++pauses;
        reads = clock_.reads();
      }
    }
    co_await answer_all(peer);
  });
  Client client = client_of(server, kIdle);
  EXPECT_EQ(text_of(send(context_, client, {.body = body})), "ok");
  EXPECT_GT(pauses, 5);
}

TEST_F(HttpClientTest, WaitsForeverWhenTold) {
  TestServer server(context_, answer_all);
  Client client = client_of(server, {.connect = milliseconds::max(),
                                     .idle = milliseconds::max(),
                                     .keep_alive = milliseconds::max(),
                                     .max_age = milliseconds::max()});
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(HttpClientTest, RefusesNonHttpAnswers) {
  for (const std::string& bytes :
       {std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("HTTP/3.0 200 OK\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsize\r\n")}) {
    const TransportError error = refused(bytes);
    EXPECT_EQ(error.cause(), Cause::bad_response) << bytes;
    EXPECT_TRUE(error.request_sent());
  }
}

TEST_F(HttpClientTest, RefusesOversizedAnswers) {
  const std::string large(100'000, 'x');
  for (const std::string& bytes :
       {"HTTP/1.1 200 OK\r\nX-Large: " + large + "\r\n\r\n", "HTTP/1.1 200 " + large + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;" + large + "\r\n",
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\nx"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4000001\r\nx")}) {
    EXPECT_EQ(refused(bytes).cause(), Cause::bad_response) << bytes.substr(0, 80);
  }
}

TEST_F(HttpClientTest, BodyLimitIsExact) {
  const AnswerLimits limits{.bytes = 1000};
  for (const std::size_t size : {1000U, 1001U}) {
    const std::string body(size, 'x');
    for (const std::string& bytes : {answer(body), chunked(body, 100), until_close(body)}) {
      TestServer server(context_, answer_once(bytes, true));
      Client client = client_of(server);
      const Request request{.limits = limits};
      if (size == limits.bytes) {
        EXPECT_EQ(send(context_, client, request).body.size(), size);
      } else {
        EXPECT_STREQ(failed_send(context_, client, request).what(),
                     "the response is larger than 1000 bytes");
      }
    }
  }
}

TEST_F(HttpClientTest, ErrorsHaveOwnLimit) {
  const std::string body(kSmallAnswerBytes + 1, 'x');
  for (const char* status : {"400 Bad Request", "500 Internal Server Error", "301 Moved"}) {
    TestServer server(context_, answer_once(answer(body, status), true));
    Client client = client_of(server);
    EXPECT_EQ(failed_send(context_, client, {.limits = {.bytes = 64U << 20}}).cause(),
              Cause::bad_response)
        << status;
  }
}

TEST_F(HttpClientTest, RefusesEncodedAnswers) {
  for (const char* headers : {"Content-Encoding: gzip\r\n", "Content-Encoding: br\r\n",
                              "Transfer-Encoding: gzip, chunked\r\n"}) {
    TestServer server(
        context_,
        answer_once("HTTP/1.1 200 OK\r\n" + std::string(headers) + "\r\n0\r\n\r\n", true));
    Client client = client_of(server);
    EXPECT_EQ(failed_send(context_, client).cause(), Cause::encoded) << headers;
  }
  EXPECT_EQ(text_of(answered(answer("ok", "200 OK", "Content-Encoding: identity\r\n"))), "ok");
}

TEST_F(HttpClientTest, OldConnectionIsRetired) {
  TestServer server(context_, answer_all);
  Client client = client_of(server, {.max_age = milliseconds(100)});
  for (int i = 0; i < 4; ++i) {
    send(context_, client);
    clock_.advance(milliseconds(30));
  }
  EXPECT_EQ(server.accepted(), 1);
  send(context_, client);
  EXPECT_EQ(server.accepted(), 2);
}

// Opening

TEST_F(HttpClientTest, TellsThatNobodyListens) {
  TestServer server(context_, answer_all);
  Client client = client_of(server);
  server.stop_accepting();
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::connect);
  EXPECT_FALSE(error.request_sent());
  EXPECT_THAT(error.what(), HasSubstr("refused"));
}

TEST_F(HttpClientTest, ReportsHostWithoutAddress) {
  Client client(context_.get_executor(), clock_,
                {.tls = false, .host = "dynamodb.nowhere.invalid", .port = 80}, nullptr);
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::resolve);
  EXPECT_FALSE(error.request_sent());
}

TEST_F(HttpClientTest, TriesEveryHostAddress) {
  // Where localhost has two, nobody listens on the other.
  TestServer server(context_, answer_all);
  Client client(context_.get_executor(), clock_, server.endpoint("localhost"), nullptr);
  EXPECT_EQ(text_of(send(context_, client)), "ok");
}

TEST_F(HttpClientTest, TakesIpv6Address) {
  std::string seen;
  std::optional<TestServer> server;
  try {
    server.emplace(
        context_,
        [&](Peer& peer) -> Awaitable<void> {
          seen = (co_await peer.read_request()).value();
          const std::string bytes = answer("ok");
          co_await peer.write(bytes);
        },
        nullptr, "::1");
  } catch (const boost::system::system_error&) {
    GTEST_SKIP() << "no IPv6 here";
  }
  Client client(context_.get_executor(), clock_, server->endpoint("::1"), nullptr);
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_THAT(seen, HasSubstr("Host: [::1]:"));
}

/// A port where connecting is neither refused nor accepted: the queue of those that wait is full.
class BlackHole {
 public:
  explicit BlackHole(asio::io_context& context) : acceptor_(context) {
    acceptor_.open(tcp::v4());
    acceptor_.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    acceptor_.listen(0);
    for (int i = 0; i < 8; ++i) {
      waiting_.emplace_back(context, tcp::v4());
      waiting_.back().non_blocking(true);
      // Asio's own would wait for the outcome.
      const tcp::endpoint target = acceptor_.local_endpoint();
      (void)::connect(waiting_.back().native_handle(), target.data(),
                      static_cast<socklen_t>(target.size()));
    }
  }

  Endpoint endpoint() const {
    return {.tls = false, .host = "127.0.0.1", .port = acceptor_.local_endpoint().port()};
  }

 private:
  tcp::acceptor acceptor_;
  std::vector<tcp::socket> waiting_;
};

TEST_F(HttpClientTest, ConnectingTimesOut) {
  const BlackHole black_hole(context_);
  Client client(context_.get_executor(), clock_, black_hole.endpoint(), nullptr);
  const TransportError error = timed_out_send(context_, client, clock_, true);
  EXPECT_EQ(error.cause(), Cause::connect);
  EXPECT_FALSE(error.request_sent());
  EXPECT_THAT(error.what(), HasSubstr("timed out"));
}

// What may not leave the machine

TEST_F(HttpClientTest, LocalEndpointStaysLocal) {
  TestServer server(context_, answer_all);
  Endpoint endpoint = server.endpoint("dynamodb.localhost");
  endpoint.must_be_local = true;
  std::vector<asio::ip::address> addresses = {asio::ip::make_address("192.0.2.1")};
  NameLookup elsewhere([&](const std::string&) { return NameLookup::Answer{addresses, {}}; });
  Client client(context_.get_executor(), clock_, endpoint, nullptr, {}, {}, elsewhere);
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::not_local);
  EXPECT_FALSE(error.request_sent());
  EXPECT_THAT(error.what(), HasSubstr("dynamodb.localhost is not this machine"));

  addresses.push_back(asio::ip::make_address("127.0.0.1"));
  clock_.advance(NameLookup::kLifetime);
  EXPECT_EQ(text_of(send(context_, client)), "ok");
}

// Cancelling

/// Starts a call and cancels it once `when` is true; the error that it ends with.
boost::system::error_code cancelled_send(asio::io_context& context, Client& client,
                                         const std::function<bool()>& when) {
  asio::cancellation_signal cancel;
  bool done = false;
  boost::system::error_code ended;
  const Request request;
  asio::co_spawn(context, client.send(request),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](const std::exception_ptr& error, const Response&) {
                       done = true;
                       try {
                         if (error) {
                           std::rethrow_exception(error);
                         }
                       } catch (const boost::system::system_error& thrown) {
                         ended = thrown.code();
                       }
                     }));
  run(context, yield());
  while (!when()) {
    run(context, yield());
  }
  cancel.emit(asio::cancellation_type::terminal);
  while (!done) {
    run(context, yield());
  }
  return ended;
}

TEST_F(HttpClientTest, CancellationClosesConnection) {
  bool asked = false;
  bool closed = false;
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    if (peer.number() > 1) {
      co_await answer_all(peer);
      co_return;
    }
    co_await peer.read_request();
    asked = true;
    closed = !(co_await peer.read_request()).has_value();
  });
  Client client = client_of(server);
  EXPECT_EQ(cancelled_send(context_, client, [&] { return asked; }),
            asio::error::operation_aborted);
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_TRUE(closed);
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(HttpClientTest, ConnectingCanBeCancelled) {
  const BlackHole black_hole(context_);
  Client client(context_.get_executor(), clock_, black_hole.endpoint(), nullptr);
  EXPECT_EQ(cancelled_send(context_, client, [] { return true; }), asio::error::operation_aborted);
}

TEST_F(HttpClientTest, CancellationDuringLookup) {
  const auto cancelled = std::make_shared<std::promise<void>>();
  NameLookup names([answer_from = cancelled->get_future().share()](const std::string&) {
    answer_from.wait();
    return NameLookup::Answer{.addresses = {}, .failure = "too late"};
  });
  Client client(context_.get_executor(), clock_,
                {.tls = false, .host = "dynamodb.nowhere.invalid", .port = 80}, nullptr, {}, {},
                names);
  EXPECT_EQ(cancelled_send(context_, client, [] { return true; }), asio::error::operation_aborted);
  cancelled->set_value();
}

}  // namespace
}  // namespace everyitem::http
