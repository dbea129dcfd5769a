// The SHA-256 of request bodies, for their signatures.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/sha256.h"

namespace everyitem::aws {

/// Hashes the bodies of requests created at about the same time side by side: three take as long as
/// one and a half (base/sha256.h). One event loop.
class PayloadHasher {
 public:
  /// A smaller body is hashed immediately, because it is not worth a turn.
  static constexpr std::size_t kMinBytes = 4096;
  /// The number of event loop turns a body waits for others. There is no timer: if nothing else is
  /// ready to run, turns take no time.
  static constexpr int kTurns = 4;

  /// The hash of the body, which must stay in place until then.
  Awaitable<Sha256> hash(std::string_view body);

 private:
  struct Waiting {
    std::string_view body;
    Sha256 digest{};
    bool done = false;
  };

  void hash_all();

  /// Removes a cancelled request from the waiting ones.
  std::vector<std::weak_ptr<Waiting>> waiting_;
};

}  // namespace everyitem::aws
