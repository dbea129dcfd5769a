// The items that runs have in a DynamoDB table of checkpoints, found by "run" and "item"
// (docs/checkpoint_format.md).
#pragma once

#include <optional>
#include <string>

#include <boost/json.hpp>

#include "aws/client.h"
#include "base/async.h"
#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// Where a run is in a table of checkpoints.
struct DynamoDbPlace {
  std::string table;  ///< its name or ARN, as calls take it
  std::string run;
};

/// `place` is TABLE or TABLE/RUN; TABLE is a name or an ARN. Throws a usage error for another.
DynamoDbPlace parse_dynamodb_place(const std::string& place);

/// One run's. Calls throw Error. One event loop, which is that of the context's client.
class DynamoDbItems {
 public:
  /// `location`: what --checkpoint takes, for messages. Throws a usage error where the table's name
  /// is none.
  DynamoDbItems(DynamoDbPlace place, std::string location, const StoreContext& context);

  const std::string& table() const { return place_.table; }
  const std::string& run() const { return place_.run; }
  const std::string& location() const { return location_; }

  /// The attributes by which an item is found.
  boost::json::object key(const std::string& item) const;
  /// Any operation on the table.
  Awaitable<boost::json::object> call(std::string operation, boost::json::object request);
  /// The item as it is now; nothing where there is none.
  Awaitable<std::optional<boost::json::object>> get(std::string item);
  /// Writes the item if the condition holds; false when it does not. In it may stand #NAME for the
  /// attributes epoch, owner, lease_until (as #lease), run and version. After a lost answer it may
  /// be false although it was written.
  Awaitable<bool> put_if(boost::json::object item, std::string condition,
                         boost::json::object values);

 private:
  DynamoDbPlace place_;
  std::string location_;
  aws::RetryLimits limits_;
  aws::Client& client_;
};

}  // namespace everyitem::checkpoint
