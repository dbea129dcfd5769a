// How long a connection may wait.
#pragma once

#include <chrono>

namespace everyitem::http {

/// How long to wait for the network. None of these bounds a whole call: a large response on a slow
/// line is fine as long as it moves.
struct Timeouts {
  /// For name look-up, TCP, a proxy's tunnel and TLS handshake together.
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds idle{30'000};  ///< without a byte moving in either direction
  /// A connection that was idle for longer is closed instead of reused. Servers close idle
  /// connections after 5 s (Node's default) to minutes; closed ones are noticed too.
  std::chrono::milliseconds keep_alive{60'000};
};

}  // namespace everyitem::http
