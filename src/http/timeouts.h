// How long a connection may wait for what.
#pragma once

#include <chrono>

namespace everyitem::http {

/// How long to wait for the network. None bounds a whole call: a large answer on a slow line is
/// fine as long as it moves.
struct Timeouts {
  /// Name look-up, TCP, a proxy's tunnel and TLS handshake together.
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds idle{30'000};  ///< without one byte moving in either direction
  /// A pooled connection unused for longer is closed instead of used. Servers close theirs after
  /// 5 s (Node's default) to minutes; one that was closed is noticed too.
  std::chrono::milliseconds keep_alive{60'000};
};

}  // namespace everyitem::http
