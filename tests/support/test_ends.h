// A source and a destination that say of themselves what a test wants.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "run/destination.h"
#include "run/source.h"

namespace everyitem::run {

struct TestSource : Source {
  std::string name() const override { return "orders"; }
  std::string arn() const override { return "arn:orders"; }
  std::string location() const override { return where; }
  checkpoint::RunIdentity identity() const override { return {{"table", "orders"}}; }
  Message text() const override { return "table orders"; }
  std::uint64_t estimated_items() const override { return items; }
  std::uint64_t estimated_bytes() const override { return 1000 * items; }
  double bytes_per_read_unit() const override { return 8192; }
  const source::ReadCapacity& read_capacity() const override { return capacity; }
  double max_page_units() const override { return 128; }
  source::SegmentChoice choose_parts(std::optional<unsigned> cores) const override {
    cores_asked = cores;
    return {.segments = parts, .reason = "enough"};
  }
  std::vector<Message> notices() const override { return {"of the source"}; }
  Awaitable<std::optional<double>> try_read() override { co_return 0; }
  std::unique_ptr<source::PartSource> open(RunLoop&, std::uint32_t) override { return nullptr; }

  std::string where = "orders in test";
  std::uint64_t items = 0;
  std::uint32_t parts = 8;
  source::ReadCapacity capacity;
  mutable std::optional<unsigned> cores_asked = 0;
};

struct TestDestination : Destination {
  std::string name() const override { return "backfill"; }
  std::string location() const override { return where; }
  checkpoint::RunIdentity identity() const override { return {{"stream", "backfill"}}; }
  bool keeps_items() const override { return keeps; }
  bool may_refuse_items() const override { return true; }
  Message text() const override { return "stream backfill"; }
  DestinationLimit limit() const override { return limits; }
  std::optional<std::chrono::hours> keeps_for() const override { return retention; }
  std::vector<Message> notices() const override { return {"of the destination"}; }
  Awaitable<void> prepare(RunStart) override { co_return; }
  LaneDestination open(RunLoop&, std::size_t) override { return {}; }

  std::string where = "backfill in test";
  bool keeps = true;
  DestinationLimit limits;
  std::optional<std::chrono::hours> retention;
};

}  // namespace everyitem::run
