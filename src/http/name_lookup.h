// Resolves host names.
#pragma once

#include <chrono>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "http/endpoint.h"

namespace everyitem::http {

/// The addresses of the endpoint, at least one. A host that is an address needs no look-up.
/// Throws TransportError (resolve; connect if `deadline` passed on `clock`) and, if cancelled,
/// boost::system::system_error(operation_aborted). The system's look-up cannot be
/// stopped: it ends by itself, and until then the event loop has work.
Awaitable<std::vector<asio::ip::tcp::endpoint>> look_up(
    const Endpoint& endpoint, Clock& clock, std::chrono::steady_clock::time_point deadline);

}  // namespace everyitem::http
