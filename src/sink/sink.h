// Where batches go: what a destination provides to deliver them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/async.h"
#include "batch/record_batch.h"

namespace everyitem::sink {

/// Thrown by `deliver` when the reader of a pipe has closed it: it has had enough, which is not a
/// failure.
class DestinationClosed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An item that the destination can never take.
struct RefusedItem {
  std::uint32_t index = 0;     ///< into RecordBatch::items
  std::uint32_t attempts = 1;  ///< how often it was sent
  std::string code;            ///< the destination's error code; empty if it has none
  std::string reason;          ///< in the destination's words, without anything of an item
};

/// One event loop, unless a sink says otherwise.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Returns once the destination has acknowledged every item of the batch, except those that it
  /// can never take, which are returned, each once. What the destination refused only for the
  /// moment was sent again by then. Throws Error if some items cannot be delivered now; others may
  /// have been.
  virtual Awaitable<std::vector<RefusedItem>> deliver(const batch::RecordBatch& batch) = 0;

  /// How many deliveries should be under way at once.
  virtual std::size_t max_batches_in_flight() const = 0;

  /// Whether `deliver` needs RecordBatch::sha256, so that batches waiting for it are best hashed
  /// together. It must compute the hash itself if the batch has none.
  virtual bool needs_sha256() const { return false; }

  /// How it is best filled when it is slower than the source: part by part, so that a run that ends
  /// early has finished as much as possible; or from all parts alike, if its own partitions
  /// correspond to them.
  virtual bool wants_part_by_part() const { return true; }

  /// Records sent again so far because the destination refused them at first.
  virtual std::uint64_t records_sent_again() const { return 0; }
};

}  // namespace everyitem::sink
