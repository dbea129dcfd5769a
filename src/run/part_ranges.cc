#include "run/part_ranges.h"

#include <algorithm>
#include <stdexcept>

#include "run/sharing_times.h"

namespace everyitem::run {

using checkpoint::PartRange;

PartRanges::PartRanges(std::uint32_t parts)
    : parts_(parts), incomplete_(parts), ranges_((parts + kPartsPerLook - 1) / kPartsPerLook) {
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    ranges_[i].incomplete = range(i, i).count;
  }
}

bool PartRanges::hopeless() const {
  return incomplete_ > 0 && std::ranges::all_of(ranges_, [](const Range& range) {
           return range.hopeless == range.incomplete;
         });
}

PartRange PartRanges::range(std::size_t first, std::size_t last) const {
  const auto begin = static_cast<std::uint32_t>(first * kPartsPerLook);
  const auto end =
      static_cast<std::uint32_t>(std::min<std::size_t>((last + 1) * kPartsPerLook, parts_));
  return {.first = begin, .count = end - begin};
}

PartRange PartRanges::next(std::uint32_t first) const {
  const std::size_t begin = (first + kPartsPerLook - 1) / kPartsPerLook;
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    const std::size_t index = (begin + i) % ranges_.size();
    if (is_open(index)) {
      return range(index, index);
    }
  }
  throw std::logic_error("all parts are complete");
}

PartRange PartRanges::all() const {
  std::size_t first = 0;
  std::size_t last = ranges_.size() - 1;
  while (!is_open(first)) {
    if (++first == ranges_.size()) {
      throw std::logic_error("all parts are complete");
    }
  }
  while (!is_open(last)) {
    --last;
  }
  return range(first, last);
}

void PartRanges::saw(const checkpoint::StoredSegment& part, bool hopeless) {
  const std::uint32_t number = part.progress.segment;
  Range& range = ranges_[number / kPartsPerLook];
  if (number % kPartsPerLook == 0) {  // the first of it
    incomplete_ -= range.incomplete;
    range = {};
  }
  if (!part.progress.position.complete) {
    ++incomplete_;
    ++range.incomplete;
    range.hopeless += hopeless ? 1 : 0;
  }
}

void PartRanges::completed(std::uint32_t part) {
  Range& range = ranges_[part / kPartsPerLook];
  if (range.incomplete > range.hopeless) {
    --range.incomplete;
    --incomplete_;
  }
}

}  // namespace everyitem::run
