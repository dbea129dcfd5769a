// Resolves host names, for all connections of a process.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "http/endpoint.h"

namespace everyitem::http {

/// Used from any thread. Looks each name up once, however many connections need it, and again once
/// the answer is older than kLifetime. The system's look-up cannot be stopped: it has a thread of
/// its own, for which nobody waits.
class NameLookup {
 public:
  /// Like the addresses of AWS's services, whose records live from 5 s to a minute.
  static constexpr std::chrono::seconds kLifetime{30};

  struct Answer {
    std::vector<asio::ip::address> addresses;
    std::string failure;  ///< why there are none
  };
  /// Blocks until there is an answer. Called on threads of the look-up's own, also after it is
  /// gone.
  using System = std::function<Answer(const std::string& host)>;

  explicit NameLookup(System system);

  /// The addresses of the endpoint, at least one. A host that is an address needs no look-up.
  /// Throws TransportError (resolve; connect if `deadline` passed on `clock`) and, if cancelled,
  /// boost::system::system_error(operation_aborted).
  Awaitable<std::vector<asio::ip::tcp::endpoint>> find(
      const Endpoint& endpoint, Clock& clock, std::chrono::steady_clock::time_point deadline);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// Asks the system's resolver.
NameLookup& process_names();

}  // namespace everyitem::http
