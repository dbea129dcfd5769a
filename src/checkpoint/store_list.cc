// Which store is opened for which location. A backend declares `open_store` next to its store.
#include "base/error.h"
#include "checkpoint/checkpoint_store.h"
#include "checkpoint/dynamodb_shared_run.h"
#include "checkpoint/dynamodb_store.h"
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
    throw usage_error(setting::kShare + " needs a checkpoint in a table",
                      "Give " + setting::kCheckpoint("dynamodb:TABLE/RUN") + ".");
  }
  return *shared;
}

std::unique_ptr<SharedRun> open_shared_run(const CheckpointLocation& location,
                                           const StoreContext& context) {
  return std::make_unique<DynamoDbSharedRun>(require_shareable(location), context);
}

}  // namespace everyitem::checkpoint
