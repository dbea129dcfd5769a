// The items that runs have in a DynamoDB table of checkpoints, found by "run" and "item"
// (docs/checkpoint_format.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "aws/client.h"
#include "base/async.h"
#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// One run's. Calls throw Error. One event loop, which is that of the context's client.
class DynamoDbItems {
 public:
  /// `what` they are, for messages.
  DynamoDbItems(DynamoDbLocation location, const StoreContext& context,
                std::string_view what = "checkpoint");

  const std::string& table() const { return location_.table; }
  const std::string& run() const { return location_.run; }
  std::string location() const { return location_.text(); }

  /// The attributes by which an item is found.
  boost::json::object key(const std::string& item) const;
  /// Any operation on the table.
  Awaitable<boost::json::object> call(std::string operation, boost::json::object request);
  /// The item as it is now; nothing if there is no such item.
  Awaitable<std::optional<boost::json::object>> get(std::string item);
  /// Writes the item if the condition holds; false when it does not. In it may stand #run, #token
  /// and #version for these attributes. After a lost answer it may be false although it was
  /// written.
  Awaitable<bool> put_if(boost::json::object item, std::string condition,
                         boost::json::object values);

 private:
  DynamoDbLocation location_;
  std::string_view what_;
  aws::Client& client_;
};

}  // namespace everyitem::checkpoint
