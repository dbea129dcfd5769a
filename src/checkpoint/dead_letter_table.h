// Dead letters in a DynamoDB table: an item per letter (docs/output.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "checkpoint/checkpoint_store.h"
#include "checkpoint/dynamodb_items.h"
#include "sink/dead_letters.h"

namespace everyitem::checkpoint {

/// The attributes of a letter besides those it is found by. `written_at`: seconds since 1970.
boost::json::object letter_attributes(const sink::DeadLetterOrigin& origin,
                                      const sink::DeadLetter& letter, std::int64_t written_at);

/// A letter holds the key of its item and nothing else of it, so that it fits whatever the item's
/// size: the item itself is still in its own table. It is found by the run's token and that
/// key, so writing it again changes nothing, and runs that share the table do not meet. Nothing
/// deletes letters, and they do not expire.
class DeadLetterTable final : public sink::DeadLetters {
 public:
  /// A destination's texts are cut off after this many bytes; everything else is short.
  static constexpr std::size_t kMaxCodeBytes = 128;
  static constexpr std::size_t kMaxReasonBytes = 4096;

  /// `home`: the event loop of the context's client, on which all calls are made.
  DeadLetterTable(const DynamoDbLocation& location, const StoreContext& context,
                  sink::DeadLetterOrigin origin, asio::any_io_executor home);

  /// With a PutItem whose condition never holds: whoever may make it may write letters.
  Awaitable<void> check() override;
  Awaitable<void> write(std::vector<sink::DeadLetter> letters) override;

 private:
  boost::json::object item_of(const sink::DeadLetter& letter) const;
  Awaitable<void> check_here();
  Awaitable<void> write_here(const std::vector<sink::DeadLetter>& letters);

  DynamoDbItems items_;
  Clock& clock_;
  sink::DeadLetterOrigin origin_;
  asio::any_io_executor home_;
};

}  // namespace everyitem::checkpoint
