// The SHA-256 of requests' bodies, which their signatures are made of.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/sha256.h"

namespace everyitem::aws {

/// Hashes the bodies of requests that are made at about the same time side by side: three take the
/// time of one and a half (base/sha256.h). One event loop.
class PayloadHasher {
 public:
  /// A body of less is hashed at once: it is not worth a turn.
  static constexpr std::size_t kLeastBytes = 4096;
  /// Turns of the event loop that a body waits for others. No timer: where nothing else is ready to
  /// run, turns take no time.
  static constexpr int kTurns = 4;

  /// The body's; it stays until then.
  Awaitable<Sha256> hash(std::string_view body);

 private:
  struct Waiting {
    std::string_view body;
    Sha256 digest{};
    bool done = false;
  };

  void hash_all();

  /// A request that is cancelled does not wait any more.
  std::vector<std::weak_ptr<Waiting>> waiting_;
};

}  // namespace everyitem::aws
