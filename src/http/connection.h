// One connection to an HTTP server: opens, exchanges requests for answers, notices silence.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/async.h"
#include "http/endpoint.h"
#include "http/io_step.h"
#include "http/message.h"
#include "http/proxy.h"
#include "http/response_parser.h"
#include "http/timeouts.h"
#include "http/tls_session.h"
#include "http/tls_settings.h"
#include "http/transport_error.h"

namespace everyitem::http {

/// The socket never blocks; a coroutine waits only where a step on it needs to, so a megabyte that
/// is already there is read without a turn of the event loop. The timeouts cost no timer
/// operation a step: progress moves a deadline, and the one timer looks at it when it fires.
///
/// Owned by shared_ptr. One call at a time. After a call threw, the connection is of no more use.
/// Between calls it has no work on the event loop.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(const asio::any_io_executor& executor, const Timeouts& timeouts);

  /// Name look-up, TCP and, unless `tls` is null, TLS handshake; with a `proxy`, TCP to that, and
  /// its tunnel to an endpoint with TLS. Call once, first. Throws as Client::send; `endpoint`,
  /// `tls` and `proxy` (null for none) are borrowed for the length of the call.
  Awaitable<void> open(const Endpoint& endpoint, const TlsSettings* tls, const Proxy* proxy);

  /// Sends `head` and `body` (borrowed until it returns) and reads the answer, which has no body
  /// when `head_only`. Throws as Client::send.
  Awaitable<Response> exchange(std::string head, std::string_view body, bool head_only);

  /// Whether a byte of the last exchange's answer came.
  bool answer_begun() const { return answer_begun_; }
  /// Whether another exchange may follow the last.
  bool reusable() const { return reusable_; }
  /// Whether the server has neither closed the connection nor sent what nobody asked for.
  bool quiet();
  /// Whether the last exchange is longer ago than idle connections are kept.
  bool expired() const { return Clock::now() >= expires_; }

 private:
  using Clock = std::chrono::steady_clock;

  Awaitable<void> connect(const std::vector<asio::ip::tcp::endpoint>& addresses,
                          Clock::time_point deadline);
  /// Connects to the proxy and, where the endpoint has TLS, has it open a tunnel.
  Awaitable<void> connect_through(const Proxy& proxy, const Endpoint& endpoint,
                                  Clock::time_point deadline);
  Awaitable<void> open_tunnel(const Proxy& proxy, const Endpoint& endpoint);
  Awaitable<void> shake_hands(const TlsSettings& tls, const std::string& host);

  /// Returns false when the server took no more before everything was written.
  Awaitable<bool> write(std::string head, std::string_view body);
  Awaitable<Response> read_response(bool head_only);
  /// Reads and parses to the end of the head or, where `body` is set, of the body.
  Awaitable<void> parse_to_end(ResponseParser& parser, bool body);
  Awaitable<void> read_body(std::size_t length, PaddedBuffer& body);
  /// Returns 0 at the end of the stream.
  Awaitable<std::size_t> read_some(std::span<char> into);
  Awaitable<void> wait(IoStep::Needs needs);
  /// Throws where a wait on the socket, ended by `error`, was one too long, or was cancelled.
  void check_waited(const boost::system::error_code& error) const;

  IoStep try_read(std::span<char> into);
  IoStep try_write(std::string_view head, std::string_view body);

  std::string_view unparsed() const { return {input_.data() + begin_, end_ - begin_}; }
  void parse(ResponseParser& parser);

  TransportError failure(TransportError::Cause cause, const std::string& message) const;
  TransportError cut_short() const;

  /// From here on the socket's waits end when `deadline` passes, until `unwatch`.
  void watch(Clock::time_point deadline);
  void unwatch();
  /// While the connection opens, its deadline stands.
  void progress() {
    if (open_) {
      deadline_ = after(timeouts_.idle);
    }
  }
  void arm_timer();
  void on_timer();
  static Clock::time_point after(std::chrono::milliseconds timeout);

  Timeouts timeouts_;
  asio::ip::tcp::socket socket_;
  std::optional<TlsSession> tls_;
  asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool timed_out_ = false;
  std::string_view awaited_;  ///< while the connection opens: what, for messages

  bool open_ = false;
  bool request_sent_ = false;
  bool answer_begun_ = false;
  bool reusable_ = false;
  Clock::time_point expires_;

  /// Read and not yet parsed: [begin_, end_). A head or a line of it must fit; the answer for 500
  /// records does, so that it is read at once.
  std::array<char, 32768> input_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace everyitem::http
