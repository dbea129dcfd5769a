// Which segments could not be read to their end, and whether what failed there speaks for all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"

namespace everyitem::pipeline {

/// One thread at a time.
class SegmentFailures {
 public:
  /// A page was read, of any segment.
  void page_was_read();

  /// A segment cannot be read any further; `readers`: how many read at once. True when it is that
  /// segment's own failure, which is kept. False when the others would fail, too: because of what
  /// the service said of the caller, the table or the whole scan; or because every reader has met a
  /// failure, and no page came in between.
  bool keep(std::uint32_t segment, const Error& failure, std::size_t readers);

  std::size_t count() const { return segments_.size(); }
  /// What keeps a run of `segments` from being complete, though all else was delivered. There must
  /// be a failure.
  Error error(std::size_t segments) const;

 private:
  bool speaks_for_all(const Error& failure) const;

  std::vector<std::uint32_t> segments_;
  std::optional<ErrorDetails> first_;
  bool pages_were_read_ = false;
  std::size_t since_last_page_ = 0;
};

}  // namespace everyitem::pipeline
