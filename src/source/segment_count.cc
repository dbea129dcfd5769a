#include "source/segment_count.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/human_format.h"
#include "source/dynamodb_limits.h"

namespace everyitem::source {

namespace {

constexpr std::uint64_t kBytesPerSegment = 64ULL << 20;
constexpr std::uint64_t kSegmentsPerCore = 16;
constexpr std::uint64_t kSegmentsPerCoreUnknownSize = 4;

constexpr std::uint64_t kSharedSegments = 1024;
constexpr std::uint64_t kBytesPerSharedSegment = 512ULL << 20;
constexpr std::uint32_t kSharedSegmentsUnknownSize = 64;

std::uint64_t pieces(std::uint64_t size, std::uint64_t of_each) {
  return (size + of_each - 1) / of_each;
}

SegmentChoice choose_shared_segments(std::uint64_t table_bytes) {
  if (table_bytes == 0) {
    return {kSharedSegmentsUnknownSize, "table of unknown size"};
  }
  const std::uint64_t segments =
      std::max(std::min(pieces(table_bytes, kBytesPerSegment), kSharedSegments),
               pieces(table_bytes, kBytesPerSharedSegment));
  return {static_cast<std::uint32_t>(std::min<std::uint64_t>(segments, kMaxSegments)),
          fmt::format("table about {}", bytes(static_cast<double>(table_bytes)))};
}

}  // namespace

SegmentChoice choose_segments(std::uint64_t table_bytes, std::optional<unsigned> machine_cores) {
  if (!machine_cores) {
    return choose_shared_segments(table_bytes);
  }
  const unsigned cores = *machine_cores;
  const std::string machine = counted(cores, "core");
  if (table_bytes == 0) {
    return {static_cast<std::uint32_t>(cores * kSegmentsPerCoreUnknownSize),
            fmt::format("table of unknown size, {}", machine)};
  }
  const std::uint64_t segments =
      std::min(pieces(table_bytes, kBytesPerSegment), cores * kSegmentsPerCore);
  return {static_cast<std::uint32_t>(segments),
          fmt::format("table about {}, {}", bytes(static_cast<double>(table_bytes)), machine)};
}

}  // namespace everyitem::source
