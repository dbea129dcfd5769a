// One connection to an HTTP server: opens, exchanges requests for responses, notices silence.
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
#include "base/clock.h"
#include "http/endpoint.h"
#include "http/io_step.h"
#include "http/message.h"
#include "http/name_lookup.h"
#include "http/proxy.h"
#include "http/response_parser.h"
#include "http/timeouts.h"
#include "http/tls_session.h"
#include "http/tls_settings.h"
#include "http/transport_error.h"

namespace everyitem::http {

/// The socket never blocks. A coroutine waits only if a step needs to, so a megabyte that has
/// already arrived is read without a turn of the event loop. Timeouts cost no timer operation per
/// step: progress moves a deadline, which a single timer checks when it fires.
///
/// One call at a time. After a call has thrown, the connection is unusable. Between calls it has no
/// work on the event loop.
class Connection {
 public:
  /// `clock` and `names` outlive the connection.
  Connection(const asio::any_io_executor& executor, Clock& clock, const Timeouts& timeouts,
             NameLookup& names);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() = default;

  /// Name look-up, TCP and, unless `tls` is null, TLS handshake; with a `proxy`, TCP to that, and
  /// its tunnel to an endpoint with TLS. Call this first, and once. Throws as Client::send;
  /// `endpoint`, `tls` and `proxy` (null for none) are borrowed during the call.
  Awaitable<void> open(const Endpoint& endpoint, const TlsSettings* tls, const Proxy* proxy,
                       std::chrono::nanoseconds silence);

  /// Sends `head` and `body` (borrowed until it returns) and reads the response, which has no
  /// body if `head_only`. Throws as Client::send.
  Awaitable<Response> exchange(std::string head, std::string_view body, bool head_only,
                               const AnswerLimits& limits);

  /// Whether a byte of the last exchange's response has arrived.
  bool answer_begun() const { return answer_begun_; }
  /// Whether another exchange may follow the last one.
  bool reusable() const { return reusable_; }
  /// Whether the server has neither closed the connection nor sent unexpected data.
  bool quiet();
  /// Whether the connection has been idle, or open, for longer than connections are kept.
  bool expired() const { return clock_.now() >= expires_; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Looks up `server` and connects to it, from this machine only if `must_be_local`.
  Awaitable<void> connect(const Endpoint& server, bool must_be_local, TimePoint deadline);
  /// Connects to the proxy and, if the endpoint has TLS, asks it to open a tunnel.
  Awaitable<void> connect_through(const Proxy& proxy, const Endpoint& endpoint, TimePoint deadline);
  Awaitable<void> open_tunnel(const Proxy& proxy, const Endpoint& endpoint);
  Awaitable<void> shake_hands(const TlsSettings& tls, const std::string& host);

  /// Returns false if the server stopped accepting data before everything was written.
  Awaitable<bool> write(std::string head, std::string_view body);
  Awaitable<Response> read_response(bool head_only, const AnswerLimits& limits);
  Awaitable<void> wait_for_room(AnswerRoom& room, std::size_t max_bytes);
  /// Reads and parses to the end of the head or, if `body` is set, of the body.
  Awaitable<void> parse_to_end(ResponseParser& parser, bool body);
  Awaitable<void> read_body(std::size_t length, PaddedBuffer& body);
  /// Returns 0 at the end of the stream.
  Awaitable<std::size_t> read_some(std::span<char> into);
  Awaitable<void> wait(IoStep::Needs needs);
  /// Throws if a wait on the socket that ended with `error` was too long or was cancelled.
  void check_waited(const boost::system::error_code& error) const;

  IoStep try_read(std::span<char> into);
  IoStep try_write(std::string_view head, std::string_view body);

  std::string_view unparsed() const { return {input_.data() + begin_, end_ - begin_}; }
  void parse(ResponseParser& parser);

  TransportError failure(TransportError::Cause cause, const std::string& message) const;
  TransportError cut_short() const;

  /// From here on the socket's waits end when `deadline` passes, until `unwatch`.
  void watch(TimePoint deadline);
  void unwatch();
  /// From here on the request, or its response, has to move.
  void expect_progress();
  /// A byte has moved. Does not move the deadline while the connection opens.
  void progress();
  /// So many bytes of a body, or of the request, have moved.
  void moved(std::size_t bytes);
  void arm_timer();
  void on_timer();
  TimePoint after(std::chrono::nanoseconds timeout) const;

  Clock& clock_;
  Timeouts timeouts_;
  NameLookup& names_;
  asio::ip::tcp::socket socket_;
  std::optional<TlsSession> tls_;
  std::unique_ptr<Timer> timer_;
  TimePoint deadline_ = TimePoint::max();
  TimePoint timer_set_for_ = TimePoint::max();  ///< the deadline that stood then
  bool timed_out_ = false;
  std::chrono::nanoseconds idle_{};  ///< of this exchange
  TimePoint silent_until_;           ///< unless a byte moves
  TimePoint slow_until_;             ///< unless enough bytes move
  std::string_view awaited_;  ///< while the connection opens: what it waits for, for messages

  bool open_ = false;
  bool request_sent_ = false;
  bool answer_begun_ = false;
  bool reusable_ = false;
  TimePoint expires_;
  TimePoint retires_;  ///< from then on no longer reused

  /// Read but not yet parsed: [begin_, end_). A head or a line of it must fit; the response for 500
  /// records does, so it is read in one piece.
  std::array<char, 32768> input_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace everyitem::http
