#include "support/test_server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

namespace everyitem::http {

using asio::ip::tcp;

namespace {

/// A test that takes longer is stuck.
constexpr std::chrono::minutes kPatience{10};

/// Runs until either side closes, and then closes both.
Awaitable<void> pump(tcp::socket& from, tcp::socket& to) {
  std::array<char, 16384> bytes;
  for (;;) {
    const auto [error, count] =
        co_await from.async_read_some(asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
    if (error) {
      break;
    }
    const auto part = asio::buffer(bytes.data(), count);
    const auto [failed, written] =
        co_await asio::async_write(to, part, asio::as_tuple(asio::use_awaitable));
    if (failed) {
      break;
    }
  }
  boost::system::error_code ignored;
  from.close(ignored);
  to.close(ignored);
}

}  // namespace

Peer::Peer(tcp::socket socket, int number, asio::ssl::context* tls)
    : tls_(tls != nullptr), stream_(std::move(socket), tls_ ? *tls : unused_), number_(number) {
  stream_.next_layer().set_option(tcp::no_delay(true));
}

Awaitable<std::size_t> Peer::read_some() {
  std::array<char, 65536> bytes;
  const auto buffer = asio::buffer(bytes);
  std::size_t count = 0;
  try {
    if (tls_) {
      count = co_await stream_.async_read_some(buffer, asio::use_awaitable);
    } else {
      count = co_await stream_.next_layer().async_read_some(buffer, asio::use_awaitable);
    }
  } catch (const boost::system::system_error&) {
    co_return 0;
  }
  input_.append(bytes.data(), count);
  co_return count;
}

Awaitable<std::optional<std::string>> Peer::read_request() {
  for (;;) {
    const std::size_t end_of_head = input_.find("\r\n\r\n");
    if (end_of_head != std::string::npos) {
      const std::string_view name = "\r\nContent-Length: ";
      const std::size_t header_at = input_.find(name);
      const std::size_t length =
          header_at < end_of_head
              ? std::strtoul(input_.c_str() + header_at + name.size(), nullptr, 10)
              : 0;
      const std::size_t size = end_of_head + 4 + length;
      if (input_.size() >= size) {
        std::string request = input_.substr(0, size);
        input_.erase(0, size);
        co_return request;
      }
    }
    const std::size_t count = co_await read_some();
    if (count == 0) {
      co_return std::nullopt;
    }
  }
}

Awaitable<void> Peer::write(std::string_view bytes) {
  const auto buffer = asio::buffer(bytes);
  if (tls_) {
    co_await asio::async_write(stream_, buffer, asio::use_awaitable);
  } else {
    co_await asio::async_write(stream_.next_layer(), buffer, asio::use_awaitable);
  }
}

Awaitable<void> Peer::relay(const std::string& address, std::uint16_t port) {
  tcp::socket other(co_await asio::this_coro::executor);
  const tcp::endpoint there(asio::ip::make_address(address), port);
  co_await other.async_connect(there, asio::use_awaitable);
  tcp::socket& here = stream_.next_layer();
  using asio::experimental::awaitable_operators::operator&&;
  co_await (pump(here, other) && pump(other, here));
}

void Peer::close() {
  if (tls_) {
    // The closing message is on the socket when this returns; it does not wait for the client's.
    shutting_down_ = true;
    stream_.async_shutdown([this](const boost::system::error_code&) { shutting_down_ = false; });
  }
  drop();
}

void Peer::drop() { stream_.next_layer().close(); }

void Peer::reset() {
  stream_.next_layer().set_option(asio::socket_base::linger(true, 0));
  stream_.next_layer().close();
}

TestServer::TestServer(asio::io_context& context, Script script, asio::ssl::context* tls,
                       const std::string& address)
    : context_(context),
      script_(std::move(script)),
      tls_(tls),
      acceptor_(context, tcp::endpoint(asio::ip::make_address(address), 0)) {
  ++running_;
  asio::co_spawn(context_, accept(), [this](const std::exception_ptr&) { --running_; });
}

TestServer::~TestServer() {
  acceptor_.close();
  for (const auto& peer : peers_) {
    peer->drop();
  }
  // Other work on the event loop need not end.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  context_.restart();
  const auto is_shutting_down = [](const auto& peer) { return peer->shutting_down_; };
  while ((running_ > 0 || std::ranges::any_of(peers_, is_shutting_down)) &&
         context_.run_one_until(deadline) > 0) {
  }
}

Endpoint TestServer::endpoint(const std::string& host) const {
  return {.tls = tls_ != nullptr, .host = host, .port = acceptor_.local_endpoint().port()};
}

Awaitable<void> TestServer::accept() {
  for (;;) {
    tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
    peers_.push_back(std::make_unique<Peer>(std::move(socket), accepted() + 1, tls_));
    ++running_;
    asio::co_spawn(context_, serve(*peers_.back()),
                   [this](const std::exception_ptr&) { --running_; });
  }
}

Awaitable<void> TestServer::serve(Peer& peer) {
  if (tls_ != nullptr) {
    co_await peer.stream_.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  }
  co_await script_(peer);
}

std::string answer(std::string_view body, std::string_view status, std::string_view headers) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\n").append(headers);
  text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return text.append(body);
}

std::string body_of(const std::string& message) {
  return message.substr(message.find("\r\n\r\n") + 4);
}

std::string text_of(const Response& response) { return std::string(response.body.view()); }

Awaitable<void> answer_all(Peer& peer) {
  while (co_await peer.read_request()) {
    const std::string bytes = answer("ok");
    co_await peer.write(bytes);
  }
}

TestServer::Script answer_once(std::string bytes, bool close) {
  return [bytes = std::move(bytes), close](Peer& peer) -> Awaitable<void> {
    co_await peer.read_request();
    co_await peer.write(bytes);
    if (close) {
      peer.close();
    }
  };
}

Awaitable<void> yield() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

void run(asio::io_context& context, Awaitable<void> work) {
  bool done = false;
  std::exception_ptr thrown;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr error) {
    done = true;
    thrown = std::move(error);
    context.stop();
  });
  context.restart();
  context.run_for(kPatience);
  if (!done) {
    throw std::runtime_error("the test hangs");
  }
  if (thrown) {
    std::rethrow_exception(thrown);
  }
}

Response send(asio::io_context& context, Client& client, const Request& request) {
  Response response;
  const auto work = [&]() -> Awaitable<void> { response = co_await client.send(request); };
  run(context, work());
  return response;
}

TransportError failed_send(asio::io_context& context, Client& client, const Request& request) {
  try {
    const Response response = send(context, client, request);
    throw std::runtime_error("the call did not fail: " + std::to_string(response.status));
  } catch (const TransportError& error) {
    return error;
  }
}

TransportError timed_out_send(asio::io_context& context, Client& client, FakeClock& clock,
                              const bool& begin, const Request& request) {
  bool has_ended = false;
  const auto pass_time = [&]() -> Awaitable<void> {
    while (!has_ended) {
      if (begin) {
        clock.advance(std::chrono::milliseconds(1));
      }
      co_await yield();
    }
  };
  std::optional<TransportError> error;
  const auto call = [&]() -> Awaitable<void> {
    try {
      const Response response = co_await client.send(request);
      throw std::runtime_error("the call did not fail: " + std::to_string(response.status));
    } catch (const TransportError& thrown) {
      error = thrown;
    }
    has_ended = true;
  };
  using asio::experimental::awaitable_operators::operator&&;
  run(context, (call() && pass_time()));
  return error.value();
}

}  // namespace everyitem::http
