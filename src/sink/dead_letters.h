// Items that can never be delivered are not dropped: they are kept, with the reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/async.h"

namespace everyitem::sink {

/// An item that its destination can never take.
struct DeadLetter {
  std::uint32_t segment = 0;  ///< that it was read from
  std::string code;           ///< the destination's error code; empty if it was not sent
  std::string reason;
  std::string key;   ///< its primary key in JSON; empty if the item does not have its whole key
  std::string item;  ///< its JSON, as it was read
};

/// Called from any event loop; any number of calls at once.
class DeadLetters {
 public:
  DeadLetters() = default;
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;
  virtual ~DeadLetters() = default;

  /// Returns once the letters would survive a loss of power; only then may the checkpoint pass
  /// their items. Throws Error.
  virtual Awaitable<void> write(std::vector<DeadLetter> letters) = 0;
};

}  // namespace everyitem::sink
