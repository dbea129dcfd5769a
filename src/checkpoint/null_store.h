// Keeps nothing: for runs that are not to be resumed.
#pragma once

#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

class NullStore final : public CheckpointStore {
 public:
  Awaitable<std::optional<RunView>> look() override { co_return std::nullopt; }
  Awaitable<std::optional<RunState>> load() override { co_return std::nullopt; }
  Awaitable<void> begin(RunState /*state*/) override { co_return; }
  Awaitable<void> save(std::vector<SegmentProgress> /*moved*/) override { co_return; }
  std::string location() const override { return {}; }
};

inline std::unique_ptr<CheckpointStore> open_store(const NoCheckpoint& /*location*/,
                                                   const StoreContext& /*context*/) {
  return std::make_unique<NullStore>();
}

}  // namespace everyitem::checkpoint
