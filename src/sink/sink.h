// Where batches go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/async.h"
#include "batch/record_batch.h"

namespace everyitem::sink {

/// Thrown by `deliver` when the reader of a pipe has gone: it has had enough, which is no failure.
class DestinationClosed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An item that the destination can never take: its record was refused by itself, as not valid.
struct RefusedItem {
  std::uint32_t record = 0;  ///< its place in batch.records
  std::uint32_t place = 0;   ///< among the items of the record
  std::string code;          ///< the service's
  std::string reason;        ///< in the service's words
  std::string item;          ///< its JSON
};

/// How many records these items are of, which stand record by record.
inline std::size_t count_records(std::span<const RefusedItem> refused) {
  std::size_t records = 0;
  for (std::size_t i = 0; i < refused.size(); ++i) {
    records += i == 0 || refused[i].record != refused[i - 1].record ? 1 : 0;
  }
  return records;
}

/// One event loop, but for those that say otherwise.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Returns once the destination has acknowledged every record of the batch, but for those that
  /// it can never take, whose items are returned, record by record. What it refused for the moment
  /// has been sent again. Throws Error when some can not be delivered now: others may have been.
  virtual Awaitable<std::vector<RefusedItem>> deliver(const batch::RecordBatch& batch) = 0;

  /// Whether it needs RecordBatch::sha256, and computes it where it is not known.
  virtual bool needs_sha256() const { return false; }

  /// How many deliveries it makes sense to have under way at once.
  virtual std::size_t max_batches_in_flight() const = 0;

  /// Records that had to be sent again because the destination refused them at first.
  virtual std::uint64_t records_sent_again() const { return 0; }
};

}  // namespace everyitem::sink
