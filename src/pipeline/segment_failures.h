// Which segments have failed, and whether their failures concern the whole run.
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

  /// A segment has failed; `readers` is the number of segments read at the same time. True if only
  /// that segment is affected; its failure is kept. False if the others would fail too: the
  /// service's error concerns the caller, the table or the whole scan, or every reader has failed
  /// without a page in between.
  bool keep(std::uint32_t segment, const Error& failure, std::size_t readers);

  std::size_t count() const { return segments_.size(); }
  /// The error for a run of `segments` segments that is incomplete although everything else was
  /// delivered. There must be a failure.
  Error error(std::size_t segments) const;

 private:
  bool fails_whole_run(const Error& failure) const;

  std::vector<std::uint32_t> segments_;
  std::optional<ErrorDetails> first_;
  bool pages_were_read_ = false;
  std::size_t since_last_page_ = 0;
};

}  // namespace everyitem::pipeline
