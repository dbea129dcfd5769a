// Which store is opened for which location. A backend declares `open_store` next to its store.
#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/checkpoint_store.h"
#include "checkpoint/dynamodb_fleet_store.h"
#include "checkpoint/dynamodb_store.h"
#include "checkpoint/fleet_store.h"
#include "checkpoint/null_store.h"
#include "checkpoint/sqlite_store.h"
#include "checkpoint/ssm_store.h"

namespace everyitem::checkpoint {

std::unique_ptr<CheckpointStore> open_checkpoint_store(const CheckpointLocation& location,
                                                       const StoreContext& context) {
  return std::visit([&](const auto& one) { return open_store(one, context); }, location);
}

const DynamoDbLocation& require_shareable(const CheckpointLocation& location) {
  const auto* shared = std::get_if<DynamoDbLocation>(&location);
  if (shared == nullptr) {
    throw usage_error(setting::kWorkers + " needs a checkpoint that all workers share",
                      "Give all of them " + setting::kCheckpoint("dynamodb:TABLE/RUN") + ".");
  }
  return *shared;
}

std::unique_ptr<FleetStore> open_fleet_store(const CheckpointLocation& location,
                                             const StoreContext& context) {
  return std::make_unique<DynamoDbFleetStore>(require_shareable(location), context);
}

CheckpointLocation worker_location(const CheckpointLocation& location, source::WorkerPart part) {
  DynamoDbLocation worker = require_shareable(location);
  worker.run = fmt::format("{}/worker-{}-of-{}", worker.run, part.worker, part.workers);
  return worker;
}

}  // namespace everyitem::checkpoint
