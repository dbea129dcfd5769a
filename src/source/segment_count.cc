#include "source/segment_count.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::source {

namespace {

constexpr std::uint64_t kBytesPerSegment = 64ULL << 20;
constexpr std::uint64_t kSegmentsPerCore = 16;
constexpr std::uint64_t kSegmentsPerCoreUnknownSize = 4;

}  // namespace

SegmentChoice choose_segments(std::uint64_t table_bytes, unsigned cores) {
  const std::string machine = counted(cores, "core");
  if (table_bytes == 0) {
    return {static_cast<std::uint32_t>(cores * kSegmentsPerCoreUnknownSize),
            fmt::format("table of unknown size, {}", machine)};
  }
  const std::uint64_t by_size = (table_bytes + kBytesPerSegment - 1) / kBytesPerSegment;
  const std::uint64_t segments = std::clamp<std::uint64_t>(by_size, 1, cores * kSegmentsPerCore);
  return {static_cast<std::uint32_t>(segments),
          fmt::format("table about {}, {}", bytes(static_cast<double>(table_bytes)), machine)};
}

}  // namespace everyitem::source
