// The number of segments, if the user does not set it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace everyitem::source {

struct SegmentChoice {
  std::uint32_t segments = 1;
  std::string reason;  ///< for the user: "table about 3.2 GB, 2 cores"
};

/// `table_bytes` is TableSizeBytes, which is 0 for up to six hours after a table's first item and
/// therefore means unknown. `cores` is the number of this machine's cores, 1 or more; nothing when
/// it does not matter, because other machines read too.
///
/// One segment per 64 MiB, so that a small table is not split into tiny segments, and at most 16
/// per core: a segment can be read at kPartitionBytesPerSecond (25 MB/s), and a core can handle 16
/// of them. If the size is unknown, 4 per core.
///
/// Without `cores`: one per 64 MiB up to 1,024, and of tables above 512 GiB one per 512 MiB: what
/// is written of a segment stays little compared with what is read of it, and 1,000 machines that
/// read 10 TB do not wait long for the last ones. If the size is unknown, 64.
SegmentChoice choose_segments(std::uint64_t table_bytes, std::optional<unsigned> cores);

}  // namespace everyitem::source
