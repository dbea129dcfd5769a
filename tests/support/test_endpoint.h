// For tests: an endpoint with scripted responses, on the event loop of the caller.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "aws/credentials.h"
#include "support/test_server.h"

namespace everyitem::identity {

/// The order of the members matters: later ones use earlier ones.
struct TestEndpoint {
  /// The bytes of a response (http::answer), or nothing for no response.
  using Handler = std::function<std::optional<std::string>(const std::string& request)>;

  explicit TestEndpoint(Handler how_to_answer)
      : handler(std::move(how_to_answer)),
        server(loop, [this](http::Peer& peer) { return serve(peer); }) {}

  Awaitable<void> serve(http::Peer& peer) {
    while (std::optional<std::string> request = co_await peer.read_request()) {
      requests.push_back(std::move(*request));
      const std::optional<std::string> answer = handler(requests.back());
      if (answer) {
        co_await peer.write(*answer);
      }
    }
  }

  /// Throws what the look-up throws.
  std::optional<aws::Credentials> find(aws::CredentialsProvider& provider) {
    std::optional<aws::Credentials> found;
    const auto work = [&]() -> Awaitable<void> { found = co_await provider.find(); };
    http::run(loop, work());
    return found;
  }

  asio::io_context loop;
  Handler handler;
  std::vector<std::string> requests;
  http::TestServer server;
};

/// The request line, such as "GET /path?query".
inline std::string line_of(const std::string& request) {
  return request.substr(0, request.find(" HTTP/1.1\r\n"));
}

}  // namespace everyitem::identity
