// Turns acknowledgements, which come in any order, into the frontier of each segment: how far all
// items have been accepted by their destination, or are in the dead-letter file. Pure: no network,
// no clock, no store.
#pragma once

#include <cstdint>
#include <vector>

#include "source/scan_position.h"

namespace everyitem::checkpoint {

/// How far a segment is done for good, and what that was.
struct SegmentProgress {
  std::uint32_t segment = 0;
  source::ScanPosition position;
  std::uint64_t items = 0;         ///< up to `position`, since the run began
  std::uint64_t bytes = 0;         ///< of these, in the format that the destination gets
  std::uint64_t dead_letters = 0;  ///< of the items, those that could not be delivered

  friend bool operator==(const SegmentProgress&, const SegmentProgress&) = default;
};

/// What a page brings to its segment's progress once it is acknowledged.
struct PageContent {
  source::ScanPosition position_after;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dead_letters = 0;  ///< of the items, those that are in no batch
};

/// One event loop. The life of a page: `open_page`, any number of `add_batch` and `acknowledge`,
/// once `close_page`. The frontier passes it when it is closed, has no batch open, and the frontier
/// has reached it; so never past a page with an item that was not acknowledged.
/// Calls in another order are faults of the caller and throw std::logic_error.
class AckTracker {
 public:
  /// `start`: where each segment stands, by its number.
  explicit AckTracker(const std::vector<SegmentProgress>& start);

  /// The segment is read from there on. No page of it is open.
  void begin(SegmentProgress progress);
  /// The segment's next page was read.
  source::PageId open_page(std::uint32_t segment);
  /// One more batch holds items of the page.
  void add_batch(source::PageId page);
  /// All items of the page are in batches.
  void close_page(source::PageId page, PageContent content);
  /// All items of the page in one of its batches were accepted, but for `dead_letters` of them,
  /// which are in the dead-letter file.
  void acknowledge(source::PageId page, std::uint64_t dead_letters = 0);

  /// The segment's frontier.
  const SegmentProgress& progress(std::uint32_t segment) const;
  /// Pages read that the frontier has not passed.
  std::size_t open_pages(std::uint32_t segment) const;
  /// The number of pages of the segment that the frontier has passed, since this process began.
  std::uint64_t pages_passed(std::uint32_t segment) const;

  /// The segments whose frontier moved since this was last called, each once.
  std::vector<std::uint32_t> drain_moved();

 private:
  struct Page {
    PageContent content;
    std::uint64_t dead_letters = 0;  ///< of its batches
    std::uint32_t open_batches = 0;
    bool closed = false;
  };
  struct Segment {
    SegmentProgress progress;
    std::vector<Page> pages;           ///< from the frontier on; the pipeline bounds them to a few
    std::uint64_t first_sequence = 0;  ///< of pages.front(): this many were passed
    bool moved = false;
  };

  Page& find(source::PageId page);
  void advance(std::uint32_t segment);

  std::vector<Segment> segments_;
  std::vector<std::uint32_t> moved_;
};

}  // namespace everyitem::checkpoint
