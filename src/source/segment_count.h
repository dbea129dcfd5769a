// How many segments to scan with, when the user does not say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace everyitem::source {

struct SegmentChoice {
  std::uint32_t segments = 1;
  std::string reason;  ///< for the user: "for about 3.2 GB and 2 cores"
};

/// `table_bytes`: TableSizeBytes, which is 0 for up to six hours after a table's first item and so
/// taken as unknown. `cores`: of this machine, 1 or more.
///
/// One segment for each 64 MiB, so that a small table is not cut into crumbs; at most 16 a core:
/// one segment reads at most kPartitionBytesPerSecond (25 MB/s), and 16 of them are what one core
/// moves. An unknown size gets 4 a core.
SegmentChoice choose_segments(std::uint64_t table_bytes, unsigned cores);

}  // namespace everyitem::source
