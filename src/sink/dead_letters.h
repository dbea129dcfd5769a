// What can never be delivered is not dropped: it is kept, with its reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/async.h"

namespace everyitem::sink {

/// An item that its destination can never take.
struct DeadLetter {
  std::uint32_t segment = 0;  ///< in which it was read
  std::string code;           ///< the service's error code; empty where it was not even sent
  std::string reason;
  std::string key;   ///< its primary key, JSON; empty where it does not have its whole key
  std::string item;  ///< JSON
};

/// From any event loop; any number of calls at once.
class DeadLetters {
 public:
  DeadLetters() = default;
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;
  virtual ~DeadLetters() = default;

  /// Returns once the letters survive a loss of power; only then the checkpoint may pass their
  /// items. Throws Error.
  virtual Awaitable<void> write(std::vector<DeadLetter> letters) = 0;
};

}  // namespace everyitem::sink
