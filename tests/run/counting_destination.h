// A destination that only tests have: writes down the ids of what it took, and refuses some.
#pragma once

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "run/destination.h"

namespace everyitem::run {

inline std::string id_of(std::string_view item) {
  return std::string(boost::json::parse(item).at("id").at("S").as_string());
}

/// A few items per batch, as they were read.
class FewItemsBuilder final : public batch::BatchBuilder {
 public:
  static constexpr std::size_t kItems = 7;

  batch::AddResult add(const source::Item& item, source::PageId page) override {
    if (batch_.items.size() == kItems) {
      return batch::AddResult::full;
    }
    const auto offset = static_cast<std::uint32_t>(batch_.body.size());
    batch_.body.append(item.json);
    batch_.add({.record = static_cast<std::uint32_t>(batch_.items.size()),
                .offset = offset,
                .length = static_cast<std::uint32_t>(item.json.size())},
               page);
    return batch::AddResult::added;
  }
  std::string size_limit() const override { return "takes any item"; }
  bool empty() const override { return batch_.items.empty(); }
  batch::RecordBatch seal() override { return std::exchange(batch_, {}); }

 private:
  batch::RecordBatch batch_;
};

/// What a CountingDestination does with what it is given.
struct Counting {
  int file = -1;  ///< where it writes ids, one per line; survives a kill of the process
  std::function<bool(const std::string& id)> refuses = [](const std::string&) { return false; };
  /// Kills the process after this many batches; 0: never.
  std::size_t killed_after = 0;
  std::vector<RunStart> starts = {};  ///< how runs found it
  std::size_t begun = 0;
  std::size_t completed = 0;
};

class CountingSink final : public sink::Sink {
 public:
  explicit CountingSink(Counting& counting) : counting_(counting) {}

  Awaitable<std::vector<sink::RefusedItem>> deliver(const batch::RecordBatch& batch) override {
    std::vector<sink::RefusedItem> refused;
    std::string taken;
    for (std::uint32_t i = 0; i < batch.items.size(); ++i) {
      const std::string id = id_of(batch.item_text(i));
      if (counting_.refuses(id)) {
        refused.push_back({.index = i, .code = "NotWanted", .reason = "it is refused"});
      } else {
        taken += id + "\n";
      }
    }
    if (write(counting_.file, taken.data(), taken.size()) < 0) {
      throw std::runtime_error("cannot write down what was taken");
    }
    if (counting_.killed_after > 0 && --counting_.killed_after == 0) {
      kill(getpid(), SIGKILL);
    }
    co_return refused;
  }
  std::size_t max_batches_in_flight() const override { return 2; }

 private:
  Counting& counting_;
};

class CountingDestination final : public Destination {
 public:
  explicit CountingDestination(Counting& counting) : counting_(counting) {}

  std::string name() const override { return "counting"; }
  std::string location() const override { return "counting"; }
  checkpoint::RunIdentity identity() const override { return {{"counting", "test"}}; }
  bool may_refuse_items() const override { return true; }
  Awaitable<void> prepare(RunStart start) override {
    counting_.starts.push_back(std::move(start));
    co_return;
  }
  void begin() override { ++counting_.begun; }
  LaneDestination open(RunLoop&, std::size_t) override {
    return {.builder = std::make_unique<FewItemsBuilder>(),
            .sink = std::make_shared<CountingSink>(counting_)};
  }
  void complete() override { ++counting_.completed; }

 private:
  Counting& counting_;
};

/// Its line in the list. `counting` outlives it.
inline DestinationKind counting_destination(Counting& counting) {
  return {.name = "counting",
          .is_wanted =
              [](const ScanSettings& settings) {
                return settings.output ==
                       sink::OutputLocation(sink::OutputFile{.path = "counting:"});
              },
          .describe = [&counting](DestinationContext) -> Awaitable<std::unique_ptr<Destination>> {
            co_return std::make_unique<CountingDestination>(counting);
          }};
}

}  // namespace everyitem::run
