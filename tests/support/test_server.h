// A server that follows a script, on the event loop of the client under test, and that loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "base/async.h"
#include "http/client.h"
#include "support/fake_clock.h"

namespace everyitem::http {

/// One accepted connection. Reading and writing throw boost::system::system_error.
class Peer {
 public:
  Peer(asio::ip::tcp::socket socket, int number, asio::ssl::context* tls);

  /// Counts the connections from 1.
  int number() const { return number_; }
  /// The next request, head and body, or nothing if the client closed the connection.
  Awaitable<std::optional<std::string>> read_request();
  /// Reads some bytes of the next request; 0 if the client closed the connection.
  Awaitable<std::size_t> read_some();
  Awaitable<void> write(std::string_view bytes);
  /// Forwards data in both directions between the client and `port` at `host`'s address, until
  /// either side closes.
  Awaitable<void> relay(const std::string& address, std::uint16_t port);
  /// Ends the stream properly.
  void close();
  /// Ends the TCP connection properly, but without ending TLS.
  void drop();
  /// Ends the TCP connection with a reset.
  void reset();
  SSL* native_tls() { return stream_.native_handle(); }

 private:
  friend class TestServer;

  asio::ssl::context unused_{asio::ssl::context::tls_server};
  bool tls_;
  bool shutting_down_ = false;
  asio::ssl::stream<asio::ip::tcp::socket> stream_;
  int number_;
  std::string input_;
};

class TestServer {
 public:
  /// Handles one connection, which stays open when the script ends.
  using Script = std::function<Awaitable<void>(Peer&)>;

  /// Listens on a free port of `address`. `tls` is borrowed; null for none.
  TestServer(asio::io_context& context, Script script, asio::ssl::context* tls = nullptr,
             const std::string& address = "127.0.0.1");

  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  /// Closes every connection and lets the scripts finish.
  ~TestServer();

  /// `host` must resolve to the server's address.
  Endpoint endpoint(const std::string& host = "127.0.0.1") const;
  /// The number of accepted connections.
  int accepted() const { return static_cast<int>(peers_.size()); }
  /// Refuses connections from now on.
  void stop_accepting() { acceptor_.close(); }

 private:
  Awaitable<void> accept();
  Awaitable<void> serve(Peer& peer);

  asio::io_context& context_;
  Script script_;
  asio::ssl::context* tls_;
  asio::ip::tcp::acceptor acceptor_;
  std::vector<std::unique_ptr<Peer>> peers_;
  int running_ = 0;  ///< running coroutines
};

/// A response with Content-Length.
std::string answer(std::string_view body, std::string_view status = "200 OK",
                   std::string_view headers = "");

/// The body of a request or a response.
std::string body_of(const std::string& message);

std::string text_of(const Response& response);

/// Responds to every request with `answer("ok")`.
Awaitable<void> answer_all(Peer& peer);

/// Reads one request and responds with `bytes`; then ends the stream if `close` is set.
TestServer::Script answer_once(std::string bytes, bool close = false);

/// Lets other coroutines on the event loop run.
Awaitable<void> yield();

/// Runs the event loop until `work` is done; throws what it threw.
void run(asio::io_context& context, Awaitable<void> work);

/// Runs the event loop until the client has its response; throws what it threw.
Response send(asio::io_context& context, Client& client, const Request& request = {});

/// The error the client's call ends with. Throws if it gets a response or another error.
TransportError failed_send(asio::io_context& context, Client& client, const Request& request = {});

/// The error of a call that runs out of time: from when `begin` is true on, which the server's
/// script may set, time passes on `clock` until the call ends.
TransportError timed_out_send(asio::io_context& context, Client& client, FakeClock& clock,
                              const bool& begin, const Request& request = {});

}  // namespace everyitem::http
