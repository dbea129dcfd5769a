// What a process knows of the parts of a shared run that has too many to look at all of them at
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "checkpoint/shared_run.h"

namespace everyitem::run {

/// The parts in ranges of kPartsPerLook, each as it was last seen. A part that is complete stays
/// so: what is known to be complete needs no other look. One event loop.
class PartRanges {
 public:
  /// Nothing is known of `parts` parts.
  explicit PartRanges(std::uint32_t parts);

  /// At most this many are incomplete: those that were, and those that were never seen.
  std::size_t incomplete() const { return incomplete_; }
  /// Whether all that is incomplete is what this process cannot read and nobody reads, as far as
  /// was seen last.
  bool hopeless() const;

  /// The next range with incomplete parts that begins at `first` or after it, or else from the
  /// beginning. There must be one.
  checkpoint::PartRange next(std::uint32_t first) const;
  /// From the first incomplete range to the last. There must be one.
  checkpoint::PartRange all() const;

  /// Call for each part that was looked at, in their order. `hopeless`: as above.
  void saw(const checkpoint::StoredSegment& part, bool hopeless);
  /// This process has completed it.
  void completed(std::uint32_t part);

 private:
  struct Range {
    std::uint32_t incomplete = 0;
    std::uint32_t hopeless = 0;  ///< of these
  };

  checkpoint::PartRange range(std::size_t first, std::size_t last) const;
  bool is_open(std::size_t range) const { return ranges_[range].incomplete > 0; }

  std::uint32_t parts_;
  std::size_t incomplete_;
  std::vector<Range> ranges_;
};

}  // namespace everyitem::run
