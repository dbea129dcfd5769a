// What workers know of each other, as an item of a DynamoDB table (docs/checkpoint_format.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/json.hpp>

#include "base/clock.h"
#include "checkpoint/dynamodb_items.h"
#include "checkpoint/fleet_store.h"

namespace everyitem::checkpoint {

struct StoredFleet {
  FleetRecord record;
  std::uint64_t version = 0;  ///< one more with each write of it

  friend bool operator==(const StoredFleet&, const StoredFleet&) = default;
};

/// `key`: the item's key attributes; `expires_at`: seconds since 1970.
boost::json::object workers_item(boost::json::object key, const StoredFleet& fleet,
                                 std::int64_t expires_at);
/// Throws DamagedCheckpoint, or Error if a later version of everyitem wrote it. `location`: for the
/// message.
StoredFleet parse_workers_item(const boost::json::object& item, const std::string& location);

/// One item with a version, which is written under the condition that the version is as it was
/// read.
class DynamoDbFleetStore final : public FleetStore {
 public:
  /// `location`: that of the run, not of one worker.
  DynamoDbFleetStore(const DynamoDbLocation& location, const StoreContext& context);

  Awaitable<std::optional<FleetRecord>> read() override;
  Awaitable<bool> write(FleetRecord record) override;
  std::string location() const override { return items_.location(); }

 private:
  DynamoDbItems items_;
  Clock& clock_;
  std::optional<std::uint64_t> version_;  ///< as it was last read; nothing where there was none
};

}  // namespace everyitem::checkpoint
