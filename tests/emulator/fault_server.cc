#include "emulator/fault_server.h"

#include <algorithm>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "emulator/server_tls.h"
#include "http/endpoint.h"

namespace everyitem::emulator {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

constexpr std::uint64_t kMaxRequestBytes = 32U << 20;
constexpr std::size_t kDrips = 16;
/// Beast reads no more from the socket than the buffer has room for, which is 512 bytes at first.
constexpr std::size_t kReadBytes = 256U << 10;

std::string http_date(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  std::array<char, 64> text;
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &fields);
  return {text.data(), length};
}

ReceivedRequest to_received(http::request<http::string_body> request) {
  ReceivedRequest received{.method = std::string(request.method_string()),
                           .target = std::string(request.target()),
                           .headers = {},
                           .body = std::move(request.body())};
  for (const auto& field : request) {
    received.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  return received;
}

std::string to_json(const std::vector<IssuedSession>& sessions) {
  boost::json::array list;
  for (const IssuedSession& session : sessions) {
    list.push_back({{"access_key_id", session.access_key_id},
                    {"arn", session.arn},
                    {"operation", session.operation},
                    {"caller", session.caller}});
  }
  return boost::json::serialize(list);
}

std::shared_ptr<EmulatedServices> services_of(const FaultServerOptions& options) {
  auto services = std::make_shared<EmulatedServices>(options.table, options.stream,
                                                     options.credentials, options.identity);
  services->clock_offset = options.clock_offset;
  return services;
}

/// The peer sees a reset instead of a proper end.
void reset(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace

struct FaultServer::Impl : std::enable_shared_from_this<Impl> {
  Impl(const asio::any_io_executor& executor, FaultServerOptions server_options,
       std::shared_ptr<EmulatedServices> its_services)
      : options(std::move(server_options)),
        services_behind(std::move(its_services)),
        services(*services_behind),
        plan(options.faults, options.seed),
        acceptor(executor, tcp::endpoint(asio::ip::make_address(options.address), options.port)) {
    if (options.tls) {
      tls = std::make_unique<ServerTls>();
    }
  }

  Awaitable<void> accept();
  Awaitable<void> serve(std::shared_ptr<tcp::socket> socket);
  /// `Stream` is a tcp::socket, or TLS over one.
  template <typename Stream>
  Awaitable<void> answer_requests(Stream& stream);
  template <typename Stream>
  Awaitable<bool> send(Stream& stream, Reply reply, std::optional<Fault> fault);
  Awaitable<void> wait(std::chrono::microseconds time) const;
  std::string report() const;

  FaultServerOptions options;
  std::shared_ptr<EmulatedServices> services_behind;
  EmulatedServices& services;
  FaultPlan plan;
  std::unique_ptr<ServerTls> tls;                     ///< null without TLS
  std::map<std::string, std::uint64_t> tls_sessions;  ///< by version and cipher
  tcp::acceptor acceptor;
  std::set<std::shared_ptr<tcp::socket>> sockets;
};

Awaitable<void> FaultServer::Impl::accept() {
  const auto self = shared_from_this();
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) {
      co_return;
    }
    socket.set_option(tcp::no_delay(true));
    auto shared = std::make_shared<tcp::socket>(std::move(socket));
    sockets.insert(shared);
    asio::co_spawn(acceptor.get_executor(), serve(shared), asio::detached);
  }
}

Awaitable<void> FaultServer::Impl::serve(std::shared_ptr<tcp::socket> socket) {
  const auto self = shared_from_this();
  if (tls) {
    asio::ssl::stream<tcp::socket&> stream(*socket, tls->context);
    const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                         asio::as_tuple(asio::use_awaitable));
    if (!error) {
      ++tls_sessions[fmt::format("{} {}", SSL_get_version(stream.native_handle()),
                                 SSL_get_cipher_name(stream.native_handle()))];
      co_await answer_requests(stream);
    }
  } else {
    co_await answer_requests(*socket);
  }
  sockets.erase(socket);
}

template <typename Stream>
Awaitable<void> FaultServer::Impl::answer_requests(Stream& stream) {
  tcp::socket& socket = beast::get_lowest_layer(stream);
  beast::flat_buffer buffer;
  buffer.reserve(kReadBytes);
  bool open = true;
  while (open) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMaxRequestBytes);
    const auto [error, bytes] =
        co_await http::async_read(stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
    if (error) {
      break;
    }
    ReceivedRequest request = to_received(parser.release());
    if (request.method == "GET" && request.target == "/report") {
      Reply reply{.body = report()};
      open = co_await send(stream, std::move(reply), std::nullopt);
      continue;
    }
    const std::string operation = EmulatedServices::operation_of(request);
    if (options.watch && !options.watch(Moment::arrived, operation)) {
      reset(socket);
      break;
    }
    if (options.network != nullptr) {
      const bool arrives = co_await options.network->carry_request(request);
      if (!arrives) {
        reset(socket);
        break;
      }
    }
    const std::optional<Fault> fault = plan.next(operation);
    if (fault == Fault::reset_before) {
      reset(socket);
      break;
    }
    Reply reply = services.answer(request, fault, plan);
    if (options.network != nullptr) {
      const bool returns = co_await options.network->carry_reply(request, reply);
      if (!returns) {
        reset(socket);
        break;
      }
    }
    co_await wait(operation == "Scan" ? options.scan_latency : options.put_latency);
    open = co_await send(stream, std::move(reply), fault);
    if (open && options.watch) {
      options.watch(Moment::answered, operation);
    }
  }
}

/// False if the connection cannot be used any more.
template <typename Stream>
Awaitable<bool> FaultServer::Impl::send(Stream& stream, Reply reply, std::optional<Fault> fault) {
  tcp::socket& socket = beast::get_lowest_layer(stream);
  if (fault == Fault::reset_after) {
    reset(socket);
    co_return false;
  }
  if (fault == Fault::stall) {
    // Until the client gives up: it closes the connection, or sends data that nobody reads.
    co_await socket.async_wait(tcp::socket::wait_read, asio::as_tuple(asio::use_awaitable));
    co_return false;
  }
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: {}\r\n"
      "Content-Length: {}\r\n",
      reply.status, reply.status == 200 ? "OK" : "Error", http_date(services.now()),
      reply.content_type, reply.body.size());
  for (const everyitem::http::Header& header : reply.headers) {
    head += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  head += "\r\n";

  const auto write = [&](std::string_view first, std::string_view second) -> Awaitable<bool> {
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(first), asio::buffer(second)};
    const auto [error, bytes] =
        co_await asio::async_write(stream, parts, asio::as_tuple(asio::use_awaitable));
    co_return !error;
  };
  const std::string_view body = reply.body;
  if (fault == Fault::cut_short || fault == Fault::reset_in_body) {
    const std::string_view part =
        body.substr(0, plan.random(std::max<std::size_t>(body.size(), 1)));
    const bool written = co_await write(head, part);
    if (written && fault == Fault::reset_in_body) {
      reset(socket);
    }
    co_return false;
  }
  if (fault == Fault::slow_drip) {
    bool written = co_await write(head, {});
    const std::size_t step = body.size() / kDrips + 1;
    for (std::size_t at = 0; written && at < body.size(); at += step) {
      co_await wait(std::chrono::milliseconds(1));
      written = co_await write(body.substr(at, step), {});
    }
    co_return written;
  }
  co_return co_await write(head, body);
}

Awaitable<void> FaultServer::Impl::wait(std::chrono::microseconds time) const {
  if (time.count() > 0) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

std::string FaultServer::Impl::report() const {
  const ReceivedCounts& received = services.received().counts();
  const auto counted = [](std::string& list, std::string_view name, std::uint64_t count) {
    list += fmt::format(R"({}"{}":{})", list.empty() ? "" : ",", name, count);
  };
  std::string requests;
  for (const auto& [operation, count] : services.counts().requests) {
    counted(requests, operation, count);
  }
  std::string struck;
  for (const auto& [fault, count] : plan.struck()) {
    counted(struck, to_string(fault), count);
  }
  std::string sessions;
  for (const auto& [cipher, count] : tls_sessions) {
    counted(sessions, cipher, count);
  }
  return fmt::format(
      R"({{"items":{},"missing":{},"undeliverable":{},"distinct":{},"duplicates":{},"altered":{},"unknown":{},)"
      R"("signatures_refused":{},"signatures_out_of_time":{},"requests_over_limits":{},"cbor_requests":{},"sunk_bytes":{},"read_units":{:.1f},"reads_refused":{},"records_throttled":{},)"
      R"("aggregated_records":{},"aggregated_out_of_range":{},"aggregated_malformed":{},"aggregated_error":"{}","requests":{{{}}},"faults":{{{}}},"tls_sessions":{{{}}},)"
      R"("callers":{},"expired":{},"issued":{},)"
      R"("seed":{}}})",
      options.table.items, services.received().missing(), services.undeliverable(),
      received.distinct, received.duplicates, received.altered, received.unknown,
      services.counts().signatures_refused, services.counts().signatures_out_of_time,
      services.counts().requests_over_limits, services.counts().cbor_requests,
      services.counts().sunk_bytes, services.counts().read_units, services.counts().reads_refused,
      services.counts().records_throttled, services.counts().aggregated.records,
      services.counts().aggregated.out_of_range, services.counts().aggregated.malformed,
      services.counts().aggregated.first_error, requests, struck, sessions,
      boost::json::serialize(boost::json::value_from(services.counts().callers)),
      boost::json::serialize(boost::json::value_from(services.counts().expired)),
      to_json(services.identities().issued()), options.seed);
}

FaultServer::FaultServer(const asio::any_io_executor& executor, const FaultServerOptions& options)
    : FaultServer(executor, options, services_of(options)) {}

FaultServer::FaultServer(const asio::any_io_executor& executor, FaultServerOptions options,
                         std::shared_ptr<EmulatedServices> services)
    : impl_(std::make_shared<Impl>(executor, std::move(options), std::move(services))) {
  asio::co_spawn(executor, impl_->accept(), asio::detached);
}

FaultServer::~FaultServer() { stop(); }

std::uint16_t FaultServer::port() const { return impl_->acceptor.local_endpoint().port(); }

std::string FaultServer::url() const {
  const everyitem::http::Endpoint endpoint{
      .tls = impl_->tls != nullptr, .host = impl_->options.address, .port = port()};
  return endpoint.url();
}

std::string FaultServer::authority() const { return impl_->tls ? impl_->tls->authority : ""; }

void FaultServer::stop() {
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  for (const auto& socket : impl_->sockets) {
    reset(*socket);
  }
}

const EmulatedServices& FaultServer::services() const { return impl_->services; }

PagesServed FaultServer::take_pages_served() { return impl_->services.take_pages_served(); }

const FaultPlan& FaultServer::plan() const { return impl_->plan; }

std::string FaultServer::report() const { return impl_->report(); }

}  // namespace everyitem::emulator
