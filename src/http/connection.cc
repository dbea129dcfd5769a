#include "http/connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "http/tunnel.h"

namespace everyitem::http {

namespace {

using asio::ip::tcp;
using boost::system::error_code;
using Cause = TransportError::Cause;

/// The capacity of a TLS record. A request up to this size is sent as one record.
constexpr std::size_t kTlsRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

/// Room for a body of unknown length: the size of most Scan pages. Growing to it step by step takes
/// six times as long as reading it, and unused room costs nothing.
constexpr std::size_t kUnknownBodyBytes = 1U << 20;

IoStep to_step(const error_code& error, std::size_t bytes, IoStep::Needs when_it_would_block) {
  if (error == asio::error::would_block) {
    return {.needs = when_it_would_block};
  }
  return {.error = error, .bytes = bytes};
}

/// milliseconds::max(), which stands for "unbounded", does not fit into nanoseconds.
std::chrono::nanoseconds bounded(std::chrono::milliseconds timeout) {
  constexpr auto kMax =
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds::max());
  return timeout < kMax ? timeout : std::chrono::nanoseconds::max();
}

/// How the body is encoded in a way that nobody asked for, or nothing.
std::string_view encoding_of(const Response& response) {
  for (const std::string_view header : {"Content-Encoding", "Transfer-Encoding"}) {
    const std::string_view value = response.header(header);
    if (!value.empty() && !boost::beast::iequals(value, "identity") &&
        !boost::beast::iequals(value, "chunked")) {
      return value;
    }
  }
  return {};
}

std::string seconds(std::chrono::nanoseconds duration) {
  return fmt::format("{:.3g} s", std::chrono::duration<double>(duration).count());
}

}  // namespace

Connection::Connection(const asio::any_io_executor& executor, Clock& clock,
                       const Timeouts& timeouts, NameLookup& names)
    : clock_(clock),
      timeouts_(timeouts),
      names_(names),
      socket_(executor),
      timer_(clock.make_timer(executor, [this] { on_timer(); })) {}

// Opening

Awaitable<void> Connection::open(const Endpoint& endpoint, const TlsSettings* tls,
                                 const Proxy* proxy, std::chrono::nanoseconds silence) {
  timeouts_.connect =
      std::min(timeouts_.connect, std::chrono::ceil<std::chrono::milliseconds>(silence));
  const TimePoint deadline = after(bounded(timeouts_.connect));
  retires_ = after(bounded(timeouts_.max_age));
  if (proxy != nullptr) {
    co_await connect_through(*proxy, endpoint, deadline);
  } else {
    co_await connect(endpoint, endpoint.must_be_local, deadline);
  }
  if (tls != nullptr) {
    watch(deadline);
    try {
      co_await shake_hands(*tls, endpoint.host);
    } catch (const TransportError& error) {
      if (proxy == nullptr) {
        throw;
      }
      // An intercepting proxy shows its own certificate.
      throw failure(error.cause(), fmt::format("{} (through {})", error.what(), proxy->name()));
    }
  }
  unwatch();
  open_ = true;
}

Awaitable<void> Connection::connect(const Endpoint& server, bool must_be_local,
                                    TimePoint deadline) {
  std::vector<tcp::endpoint> addresses = co_await names_.find(server, clock_, deadline);
  if (must_be_local) {
    std::erase_if(addresses, [](const auto& place) { return !place.address().is_loopback(); });
    if (addresses.empty()) {
      throw failure(
          Cause::not_local,
          server.host + " is not this machine, so plain HTTP would show others everything");
    }
  }
  error_code error;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    socket_.close(error);
    socket_.open(addresses[i].protocol(), error);
    if (error) {
      continue;
    }
    // Each address may use its share of the remaining time, so that one that never responds does
    // not keep later ones from being tried.
    const TimePoint now = clock_.now();
    watch(now + (deadline - now) / static_cast<TimePoint::rep>(addresses.size() - i));
    const auto [refused] =
        co_await socket_.async_connect(addresses[i], asio::as_tuple(asio::use_awaitable));
    if (!refused) {
      socket_.set_option(tcp::no_delay(true));
      socket_.non_blocking(true);
      co_return;
    }
    if (refused == asio::error::operation_aborted && !timed_out_) {
      throw boost::system::system_error(refused);
    }
    error = timed_out_ ? error_code(asio::error::timed_out) : refused;
  }
  throw failure(Cause::connect, "cannot connect: " + error.message());
}

Awaitable<void> Connection::connect_through(const Proxy& proxy, const Endpoint& endpoint,
                                            TimePoint deadline) {
  try {
    co_await connect(proxy.endpoint, endpoint.must_be_local, deadline);
    if (endpoint.tls) {
      watch(deadline);
      co_await open_tunnel(proxy, endpoint);
    }
  } catch (const TransportError& error) {
    if (error.cause() == Cause::proxy || error.cause() == Cause::proxy_refused) {
      throw;
    }
    if (error.cause() == Cause::not_local) {
      throw failure(error.cause(), fmt::format("{}: {}", proxy.name(), error.what()));
    }
    throw TransportError(Cause::proxy, false, fmt::format("{}: {}", proxy.name(), error.what()),
                         fmt::format("Check {} and the network.", proxy.setting));
  }
}

Awaitable<void> Connection::open_tunnel(const Proxy& proxy, const Endpoint& endpoint) {
  awaited_ = "response to CONNECT";
  const std::string head = connect_request(proxy, endpoint);
  for (std::string_view rest = head; !rest.empty();) {
    const IoStep step = try_write(rest, {});
    if (step.error) {
      throw failure(Cause::proxy, "connection lost: " + step.error.message());
    }
    if (step.needs != IoStep::Needs::nothing) {
      co_await wait(step.needs);
    }
    rest.remove_prefix(step.bytes);
  }
  Response response;
  ResponseParser parser(response);
  parser.header_limit(static_cast<std::uint32_t>(input_.size()));
  parser.skip(true);  // the tunnel's data follows
  co_await parse_to_end(parser, false);
  if (response.status / 100 != 2) {
    throw refusal(proxy, response.status);
  }
  if (!unparsed().empty()) {
    throw failure(Cause::bad_response, "unexpected data from the proxy before TLS");
  }
}

Awaitable<void> Connection::shake_hands(const TlsSettings& tls, const std::string& host) {
  awaited_ = "TLS handshake";
  tls_.emplace(tls, socket_, host);
  for (;;) {
    const IoStep step = tls_->handshake();
    if (step.error) {
      const std::string reason = tls_->explain(step.error);
      throw reason.empty()
          ? failure(Cause::connect,
                    "the connection closed during the TLS handshake: " + step.error.message())
          : failure(Cause::tls, "TLS handshake failed: " + reason);
    }
    if (step.needs == IoStep::Needs::nothing) {
      co_return;
    }
    co_await wait(step.needs);
  }
}

// Exchanging

Awaitable<Response> Connection::exchange(std::string head, std::string_view body, bool head_only,
                                         const AnswerLimits& limits) {
  request_sent_ = answer_begun_ = reusable_ = false;
  idle_ = std::min<std::chrono::nanoseconds>(bounded(timeouts_.idle), limits.silence);
  expect_progress();
  watch(deadline_);
  // A server may respond before it has read everything, and close: the response says why.
  const bool written = co_await write(std::move(head), body);
  expect_progress();
  Response response = co_await read_response(head_only, limits);
  unwatch();
  reusable_ = reusable_ && written;
  expires_ = std::min(after(bounded(timeouts_.keep_alive)), retires_);
  co_return response;
}

Awaitable<bool> Connection::write(std::string head, std::string_view body) {
  if (tls_) {
    const std::string_view joined =
        body.substr(0, kTlsRecordBytes - std::min(kTlsRecordBytes, head.size()));
    head += joined;
    body.remove_prefix(joined.size());
  }
  std::string_view rest_of_head = head;
  while (!rest_of_head.empty() || !body.empty()) {
    const IoStep step = try_write(rest_of_head, body);
    if (step.error) {
      co_return false;
    }
    if (step.needs != IoStep::Needs::nothing) {
      co_await wait(step.needs);
      continue;
    }
    request_sent_ = true;
    progress();
    moved(step.bytes);
    const std::size_t of_head = std::min(step.bytes, rest_of_head.size());
    rest_of_head.remove_prefix(of_head);
    body.remove_prefix(step.bytes - of_head);
  }
  co_return true;
}

Awaitable<Response> Connection::read_response(bool head_only, const AnswerLimits& limits) {
  begin_ = end_ = 0;
  for (;;) {
    Response response;
    ResponseParser parser(response, limits.bytes);
    parser.header_limit(static_cast<std::uint32_t>(input_.size()));
    parser.skip(head_only);
    co_await parse_to_end(parser, false);
    if (response.status / 100 == 1) {
      continue;  // interim: the actual response follows
    }
    if (const std::string_view encoding = encoding_of(response); !encoding.empty()) {
      throw failure(Cause::encoded, fmt::format("the response is encoded ({}), although it was "
                                                "asked for as it is",
                                                encoding));
    }
    if (!parser.is_done()) {
      const bool has_length = parser.content_length() && !parser.chunked();
      const std::size_t length =
          has_length ? static_cast<std::size_t>(*parser.content_length()) : parser.max_bytes();
      if (limits.room != nullptr && response.status / 100 == 2) {
        co_await wait_for_room(*limits.room, length);
      }
      if (has_length) {
        co_await read_body(length, response.body);
      } else {
        response.body.reserve(std::min(kUnknownBodyBytes, parser.max_bytes()));
        parser.eager(true);
        co_await parse_to_end(parser, true);
      }
    }
    response.body.finish();
    reusable_ = parser.keep_alive() && unparsed().empty();
    co_return response;
  }
}

/// The server is not to blame for the time that this takes.
Awaitable<void> Connection::wait_for_room(AnswerRoom& room, std::size_t max_bytes) {
  unwatch();
  co_await room.before_body(max_bytes);
  expect_progress();
  watch(deadline_);
}

Awaitable<void> Connection::parse_to_end(ResponseParser& parser, bool body) {
  if (!unparsed().empty()) {
    parse(parser);
  }
  while (body ? !parser.is_done() : !parser.is_header_done()) {
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    if (end_ == input_.size()) {
      throw failure(Cause::bad_response, "the response contains a line that is too long");
    }
    const std::size_t bytes = co_await read_some(std::span(input_).subspan(end_));
    end_ += bytes;
    if (bytes > 0) {
      const std::size_t before = parser.body_bytes();
      parse(parser);
      moved(parser.body_bytes() - before);
      continue;
    }
    error_code error = boost::beast::http::error::partial_message;
    if (parser.got_some()) {
      parser.put_eof(error);
    }
    if (error) {
      throw cut_short();
    }
  }
}

void Connection::parse(ResponseParser& parser) {
  error_code error;
  begin_ += parser.put(asio::buffer(unparsed()), error);
  if (error == boost::beast::http::error::body_limit) {
    throw failure(Cause::bad_response,
                  fmt::format("the response is larger than {} bytes", parser.max_bytes()));
  }
  if (error && error != boost::beast::http::error::need_more) {
    throw failure(Cause::bad_response, "the response is not HTTP: " + error.message());
  }
}

Awaitable<void> Connection::read_body(std::size_t length, PaddedBuffer& body) {
  body.reserve(length);
  const std::string_view here = unparsed().substr(0, length);
  body.append(here);
  begin_ += here.size();
  moved(here.size());
  while (body.size() < length) {
    const std::span<char> room = body.prepare(length - body.size());
    const std::size_t bytes = co_await read_some(room);
    if (bytes == 0) {
      throw cut_short();
    }
    body.commit(bytes);
    moved(bytes);
  }
}

Awaitable<std::size_t> Connection::read_some(std::span<char> into) {
  // Right after the request there is no response yet, so wait first.
  if (!answer_begun_ && tls_ && !tls_->has_unread()) {
    co_await wait(IoStep::Needs::readable);
  }
  for (;;) {
    IoStep step;
    if (!answer_begun_ && !tls_) {
      const auto [error, bytes] = co_await socket_.async_read_some(
          asio::buffer(into.data(), into.size()), asio::as_tuple(asio::use_awaitable));
      check_waited(error == asio::error::operation_aborted ? error : error_code());
      step = {.error = error, .bytes = bytes};
    } else {
      step = try_read(into);
    }
    if (step.error == asio::error::eof) {
      co_return 0;
    }
    if (step.error) {
      throw failure(Cause::closed, "connection lost: " + step.error.message());
    }
    if (step.needs == IoStep::Needs::nothing) {
      answer_begun_ = true;
      progress();
      co_return step.bytes;
    }
    co_await wait(step.needs);
  }
}

bool Connection::quiet() {
  if (tls_ && tls_->has_unread()) {
    return false;
  }
  char byte = 0;
  error_code error;
  socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
  return error == asio::error::would_block;
}

IoStep Connection::try_read(std::span<char> into) {
  if (tls_) {
    return tls_->read_some(into);
  }
  error_code error;
  const std::size_t bytes = socket_.read_some(asio::buffer(into.data(), into.size()), error);
  return to_step(error, bytes, IoStep::Needs::readable);
}

IoStep Connection::try_write(std::string_view head, std::string_view body) {
  if (tls_) {
    return tls_->write_some(head.empty() ? body : head);
  }
  error_code error;
  const std::array<asio::const_buffer, 2> parts = {asio::buffer(head), asio::buffer(body)};
  const std::size_t bytes = socket_.write_some(parts, error);
  return to_step(error, bytes, IoStep::Needs::writable);
}

TransportError Connection::failure(Cause cause, const std::string& message) const {
  return TransportError(cause, request_sent_, message);
}

TransportError Connection::cut_short() const {
  return failure(Cause::closed, answer_begun_ ? "connection closed mid-response"
                                              : "connection closed without a response");
}

// Waiting

Awaitable<void> Connection::wait(IoStep::Needs needs) {
  const auto what =
      needs == IoStep::Needs::readable ? tcp::socket::wait_read : tcp::socket::wait_write;
  const auto [error] = co_await socket_.async_wait(what, asio::as_tuple(asio::use_awaitable));
  check_waited(error);
}

void Connection::check_waited(const error_code& error) const {
  if (timed_out_ && open_) {
    throw failure(Cause::idle,
                  silent_until_ <= slow_until_
                      ? fmt::format("no data for {}", seconds(idle_))
                      : fmt::format("less than {} KiB per second", kMinBytesPerSecond >> 10U));
  }
  if (timed_out_) {
    throw failure(Cause::connect,
                  fmt::format("no {} within {}", awaited_, seconds(timeouts_.connect)));
  }
  if (error) {
    throw boost::system::system_error(error);
  }
}

void Connection::watch(TimePoint deadline) {
  deadline_ = deadline;
  timed_out_ = false;
  arm_timer();
}

void Connection::unwatch() {
  deadline_ = TimePoint::max();
  timer_->cancel();
}

void Connection::expect_progress() {
  deadline_ = silent_until_ = after(idle_);
  slow_until_ = silent_until_ == TimePoint::max() ? silent_until_ : silent_until_ + idle_;
}

void Connection::progress() {
  if (open_) {
    silent_until_ = after(idle_);
    deadline_ = std::min(silent_until_, slow_until_);
  }
}

void Connection::moved(std::size_t bytes) {
  if (open_ && slow_until_ != TimePoint::max()) {
    constexpr std::chrono::nanoseconds kPerByte =
        std::chrono::nanoseconds(std::chrono::seconds(1)) / kMinBytesPerSecond;
    slow_until_ += static_cast<std::chrono::nanoseconds::rep>(bytes) * kPerByte;
    deadline_ = std::min(silent_until_, slow_until_);
  }
}

void Connection::arm_timer() {
  if (deadline_ != TimePoint::max()) {
    timer_->set(deadline_);
    timer_set_for_ = deadline_;
  }
}

void Connection::on_timer() {
  if (deadline_ != timer_set_for_) {
    arm_timer();
    return;
  }
  timed_out_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

Connection::TimePoint Connection::after(std::chrono::nanoseconds timeout) const {
  const TimePoint now = clock_.now();
  return timeout < TimePoint::max() - now ? now + timeout : TimePoint::max();
}

}  // namespace everyitem::http
