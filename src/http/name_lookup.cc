#include "http/name_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "http/transport_error.h"

namespace everyitem::http {

namespace {

using asio::ip::tcp;
using TimePoint = std::chrono::steady_clock::time_point;

NameLookup::Answer ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  NameLookup::Answer answer;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    answer.failure = gai_strerror(error);
    return answer;
  }
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    tcp::endpoint endpoint;
    if (entry->ai_addrlen <= endpoint.capacity()) {
      std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
      answer.addresses.push_back(endpoint.address());
    }
  }
  freeaddrinfo(found);
  return answer;
}

/// A connection that waits, on its own event loop.
struct Waiter {
  explicit Waiter(const asio::any_io_executor& executor)
      : ended(executor, asio::steady_timer::time_point::max()) {}

  asio::steady_timer ended;  ///< cancelled when it is answered or out of time
  bool is_answered = false;
  bool is_late = false;
  NameLookup::Answer answer;
};

struct Name {
  bool is_asked = false;  ///< a thread is waiting for the system
  TimePoint asked;        ///< the last time
  NameLookup::Answer answer;
  std::vector<std::shared_ptr<Waiter>> waiters;
};

}  // namespace

struct NameLookup::Shared {
  explicit Shared(System the_system) : system(std::move(the_system)) {}

  /// Answers `waiter` at once, or once the system has answered.
  static void ask(const std::shared_ptr<Shared>& self, const std::string& host, TimePoint now,
                  const std::shared_ptr<Waiter>& waiter);
  void answer(const std::string& host, Answer answer);
  /// From now on the event loop of `waiter` may be gone.
  void forget(const std::string& host, const std::shared_ptr<Waiter>& waiter);

  const System system;
  std::mutex mutex;
  std::map<std::string, Name> names;  ///< of the endpoints and proxies that the process uses
};

void NameLookup::Shared::ask(const std::shared_ptr<Shared>& self, const std::string& host,
                             TimePoint now, const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(self->mutex);
  Name& name = self->names[host];
  if (!name.answer.addresses.empty() && now < name.asked + kLifetime) {
    waiter->answer = name.answer;
    waiter->is_answered = true;
    return;
  }
  if (!name.is_asked) {
    std::thread([self, host] { self->answer(host, self->system(host)); }).detach();
    name.is_asked = true;
    name.asked = now;
  }
  name.waiters.push_back(waiter);
}

void NameLookup::Shared::answer(const std::string& host, Answer answer) {
  const std::lock_guard lock(mutex);
  Name& name = names[host];
  name.is_asked = false;
  name.answer = std::move(answer);
  for (const std::shared_ptr<Waiter>& waiter : std::exchange(name.waiters, {})) {
    asio::post(waiter->ended.get_executor(), [waiter, answer = name.answer] {
      waiter->answer = answer;
      waiter->is_answered = true;
      waiter->ended.cancel();
    });
  }
}

void NameLookup::Shared::forget(const std::string& host, const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex);
  std::erase(names[host].waiters, waiter);
}

NameLookup::NameLookup(System system) : shared_(std::make_shared<Shared>(std::move(system))) {}

Awaitable<std::vector<tcp::endpoint>> NameLookup::find(const Endpoint& endpoint, Clock& clock,
                                                       TimePoint deadline) {
  boost::system::error_code not_an_address;
  const asio::ip::address literal = asio::ip::make_address(endpoint.host, not_an_address);
  if (!not_an_address) {
    co_return std::vector<tcp::endpoint>{{literal, endpoint.port}};
  }

  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto waiter = std::make_shared<Waiter>(executor);
  const auto timer = clock.make_timer(executor, [&waiter = *waiter] {
    waiter.is_late = true;
    waiter.ended.cancel();
  });
  struct Registration {
    ~Registration() { shared->forget(host, waiter); }
    std::shared_ptr<Shared> shared;
    const std::string& host;
    std::shared_ptr<Waiter> waiter;
  };
  try {
    Shared::ask(shared_, endpoint.host, clock.now(), waiter);
  } catch (const std::system_error& error) {
    throw TransportError(TransportError::Cause::resolve, false,
                         std::string("no thread to look up the address: ") + error.what());
  }
  const Registration registration{shared_, endpoint.host, waiter};
  if (!waiter->is_answered) {
    if (deadline != TimePoint::max()) {
      timer->set(deadline);
    }
    const auto [cancelled] = co_await waiter->ended.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!waiter->is_answered && !waiter->is_late) {
      throw boost::system::system_error(cancelled);
    }
  }
  if (!waiter->is_answered) {
    throw TransportError(TransportError::Cause::connect, false,
                         "looking up the address took longer than the connect timeout");
  }
  if (waiter->answer.addresses.empty()) {
    throw TransportError(TransportError::Cause::resolve, false,
                         "the host has no address: " + waiter->answer.failure);
  }
  std::vector<tcp::endpoint> endpoints;
  for (const asio::ip::address& address : waiter->answer.addresses) {
    endpoints.emplace_back(address, endpoint.port);
  }
  co_return endpoints;
}

NameLookup& process_names() {
  static NameLookup names(ask_system);
  return names;
}

}  // namespace everyitem::http
