// The items that runs have in a DynamoDB table of checkpoints, found by "run" and "item"
// (docs/checkpoint_format.md).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "aws/client.h"
#include "base/async.h"
#include "base/clock.h"
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
  /// Writes the item if the condition holds; false when it does not. In it may stand #run, #token,
  /// #turn and #version for these attributes. After a lost answer it may be false although it was
  /// written.
  Awaitable<bool> put_if(boost::json::object item, std::string condition,
                         boost::json::object values);
  /// Deletes it if the condition holds; false when it does not, as put_if.
  Awaitable<bool> delete_if(const std::string& item, std::string condition,
                            boost::json::object values);
  /// The run's items whose name begins so, in the order of their names, as they are now.
  Awaitable<std::vector<boost::json::object>> query(const std::string& prefix,
                                                    bool keys_alone = false);
  /// Those with these names, or names between them, in their order, as they are now.
  Awaitable<std::vector<boost::json::object>> query_between(const std::string& first,
                                                            const std::string& last);
  /// The names of the run's items whose name begins so, in their order.
  Awaitable<std::vector<std::string>> names(std::string prefix);
  /// Deletes the items of these names; ignores those that are gone. Awaits `between`, if there
  /// is one, before each request.
  Awaitable<void> remove(std::vector<std::string> names, std::function<Awaitable<void>()> between);

 private:
  Awaitable<std::vector<boost::json::object>> query_where(std::string which,
                                                          boost::json::object values,
                                                          bool keys_alone);
  Awaitable<void> write_batch(boost::json::array requests);
  Awaitable<bool> write_if(std::string operation, boost::json::object request,
                           std::string condition, boost::json::object values);

  DynamoDbLocation location_;
  std::string_view what_;
  aws::Client& client_;
  Clock& clock_;
};

}  // namespace everyitem::checkpoint
