// Items that can never be delivered are not dropped: they are kept, with the reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/async.h"

namespace everyitem::sink {

/// Which run letters are of: where its items come from, and where they could not be delivered to.
struct DeadLetterOrigin {
  std::string table;
  std::string table_arn = {};  ///< empty if it is not known
  std::string index = {};      ///< empty if the table itself is read
  std::string destination;
  std::string token = {};  ///< the run's
};

/// An item that its destination can never take.
struct DeadLetter {
  std::uint32_t segment = 0;   ///< that it was read from
  std::uint32_t attempts = 0;  ///< how often it was sent
  std::string code;            ///< the destination's error code; empty if it was not sent
  std::string reason;
  std::string key;   ///< its primary key in JSON; empty if the item does not have its whole key
  std::string item;  ///< its JSON, as it was read
};

/// A place for the letters of one run. A further place is one file with such a class, and one line
/// in run/dead_letters_location.h. `write` is called from any event loop, any number of times at
/// once; the others from the run's own loop.
class DeadLetters {
 public:
  DeadLetters() = default;
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;
  virtual ~DeadLetters() = default;

  /// Before the run begins: throws Error if nothing could be written. Changes nothing.
  virtual Awaitable<void> check() { co_return; }
  /// A restart has begun, before the first `write`: the letters of the run before it may go, if
  /// they could be mistaken for this one's. Throws Error.
  virtual void discard_earlier() {}

  /// Returns once the letters would survive a loss of power; only then may the checkpoint pass
  /// their items. A letter may be written again, by a later process of the run too. Throws Error.
  virtual Awaitable<void> write(std::vector<DeadLetter> letters) = 0;
};

}  // namespace everyitem::sink
