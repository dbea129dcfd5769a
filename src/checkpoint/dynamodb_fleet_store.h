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
  FleetRecord parse(const boost::json::object& item);

  DynamoDbItems items_;
  Clock& clock_;
  std::optional<std::uint64_t> version_;  ///< as it was last read; nothing where there was none
};

}  // namespace everyitem::checkpoint
