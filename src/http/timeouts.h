// How long a connection may wait.
#pragma once

#include <chrono>

namespace everyitem::http {

/// How long to wait for the network. A large body on a slow line is fine as long as it moves
/// (kMinBytesPerSecond).
struct Timeouts {
  /// For name look-up, TCP, a proxy's tunnel and TLS handshake together.
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds idle{30'000};  ///< without a byte moving in either direction
  /// A connection that was idle for longer is closed instead of reused. Servers close idle
  /// connections after 5 s (Node's default) to minutes; closed ones are noticed too.
  std::chrono::milliseconds keep_alive{60'000};
  /// A connection that was opened longer ago is not reused, so that a long run follows its
  /// endpoint's addresses.
  std::chrono::milliseconds max_age{300'000};
};

/// A body whose connection is slower is given up, once it had twice the idle timeout; otherwise a
/// server could end no call for as long as it sends a byte now and then.
inline constexpr std::size_t kMinBytesPerSecond = 4096;

}  // namespace everyitem::http
