// How far a segment has been read.
#pragma once

#include <cstdint>
#include <string>

namespace everyitem::source {

/// Where a segment's next page begins. Belongs to its segment of its TotalSegments: the service
/// rejects it elsewhere.
struct ScanPosition {
  /// LastEvaluatedKey as DynamoDB sent it (JSON); empty at the start, and when complete.
  std::string last_evaluated_key;
  bool complete = false;  ///< the last page has been read

  friend bool operator==(const ScanPosition&, const ScanPosition&) = default;
};

/// One page of a run: the `sequence`-th (from 0) that this process read of the segment.
struct PageId {
  std::uint32_t segment = 0;
  std::uint64_t sequence = 0;

  friend bool operator==(const PageId&, const PageId&) = default;
};

}  // namespace everyitem::source
