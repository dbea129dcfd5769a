// A scripted service on the event loop of its client.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "aws/client.h"
#include "aws/credentials.h"
#include "support/fake_clock.h"
#include "support/test_server.h"

namespace everyitem::aws {

/// Returns credentials number 1; once these are rejected, number 2; and so on.
class NumberedCredentials final : public CredentialsProvider {
 public:
  static Credentials numbered(int number) {
    const std::string text = std::to_string(number);
    return {.access_key_id = "AKID" + text,
            .secret_access_key = "the-secret-" + text,
            .session_token = "the-token-" + text,
            .expires_at = {}};
  }

  Awaitable<std::optional<Credentials>> find() override { co_return numbered(1 + invalidated); }
  void invalidate() override { ++invalidated; }
  std::string place() const override { return "a test"; }

  int invalidated = 0;
};

/// Fails with the first failure.
inline constexpr Patience kOneAttempt{.failing = std::chrono::seconds(0)};

/// The order of the members matters: later ones use earlier ones.
struct TestService {
  /// Responds to one request, or misbehaves.
  using Handler = std::function<Awaitable<void>(http::Peer&, std::string request)>;

  explicit TestService(Handler how_to_answer, ServiceModel model = kDynamoDb,
                       http::Timeouts timeouts = {}, const Patience& patience = {})
      : handler(std::move(how_to_answer)),
        server(loop, [this](http::Peer& peer) { return serve(peer); }),
        http(loop.get_executor(), network_clock, server.endpoint(), nullptr, timeouts),
        client(model, "eu-west-1", http,
               {.credentials = credentials,
                .clock = clock,
                .random = random,
                .patience = patience,
                .notice = [this](const Message& text) { notices.push_back(text.text()); }}) {}

  Awaitable<void> serve(http::Peer& peer) {
    while (std::optional<std::string> request = co_await peer.read_request()) {
      co_await handler(peer, std::move(*request));
    }
  }

  static constexpr std::uint64_t kSeed = 20120810;

  static constexpr auto kNow =
      std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + std::chrono::hours(4);

  FakeClock clock{kNow};
  /// The clock of connections. Only the test advances it, so that the sleep of one call does not
  /// count as silence for another.
  FakeClock network_clock{kNow};
  asio::io_context loop;
  Random random{kSeed};
  NumberedCredentials credentials;
  std::vector<std::string> notices;  ///< of the client
  Handler handler;
  http::TestServer server;
  http::Client http;
  Client client;
};

}  // namespace everyitem::aws
