#include "http/name_lookup.h"

#include <memory>
#include <string>

#include <boost/asio/ip/address.hpp>
#include <boost/system/system_error.hpp>

#include "http/transport_error.h"

namespace everyitem::http {

namespace {

using asio::ip::tcp;
using boost::system::error_code;

struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor)
      : resolver(executor), ended(executor, asio::steady_timer::time_point::max()) {}

  tcp::resolver resolver;
  asio::steady_timer ended;  ///< cancelled when it is answered or out of time
  bool is_answered = false;
  bool is_late = false;
  error_code error;
  std::vector<tcp::endpoint> addresses;
};

}  // namespace

Awaitable<std::vector<tcp::endpoint>> look_up(const Endpoint& endpoint, Clock& clock,
                                              std::chrono::steady_clock::time_point deadline) {
  error_code not_an_address;
  const asio::ip::address address = asio::ip::make_address(endpoint.host, not_an_address);
  if (!not_an_address) {
    co_return std::vector<tcp::endpoint>{{address, endpoint.port}};
  }

  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto lookup = std::make_shared<Lookup>(executor);
  const auto timer = clock.make_timer(executor, [&lookup = *lookup] {
    lookup.is_late = true;
    lookup.ended.cancel();
  });
  if (deadline != std::chrono::steady_clock::time_point::max()) {
    timer->set(deadline);
  }
  lookup->resolver.async_resolve(
      endpoint.host, std::to_string(endpoint.port), tcp::resolver::numeric_service,
      [lookup](const error_code& error, const tcp::resolver::results_type& results) {
        lookup->is_answered = true;
        lookup->error = error;
        lookup->addresses.assign(results.begin(), results.end());
        lookup->ended.cancel();
      });
  const auto [cancelled] = co_await lookup->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!lookup->is_answered && !lookup->is_late) {
    throw boost::system::system_error(cancelled);
  }
  if (!lookup->is_answered) {
    throw TransportError(TransportError::Cause::connect, false,
                         "looking up the address took longer than the connect timeout");
  }
  if (lookup->error || lookup->addresses.empty()) {
    throw TransportError(TransportError::Cause::resolve, false,
                         "the host has no address: " + lookup->error.message());
  }
  co_return std::move(lookup->addresses);
}

}  // namespace everyitem::http
