#include "checkpoint/ack_tracker.h"

#include <stdexcept>
#include <utility>

namespace everyitem::checkpoint {

AckTracker::AckTracker(const std::vector<SegmentProgress>& start) : segments_(start.size()) {
  for (std::size_t i = 0; i < start.size(); ++i) {
    segments_[i].progress = start[i];
  }
}

void AckTracker::begin(SegmentProgress progress) {
  Segment& segment = segments_.at(progress.segment);
  if (!segment.pages.empty()) {
    throw std::logic_error("a segment that begins again with open pages");
  }
  segment.progress = std::move(progress);
}

source::PageId AckTracker::open_page(std::uint32_t number) {
  Segment& segment = segments_.at(number);
  segment.pages.emplace_back();
  return {.segment = number, .sequence = segment.first_sequence + segment.pages.size() - 1};
}

void AckTracker::add_batch(source::PageId id) {
  Page& page = find(id);
  if (page.closed) {
    throw std::logic_error("a batch with items of a page that was closed");
  }
  ++page.open_batches;
}

void AckTracker::close_page(source::PageId id, PageContent content) {
  Page& page = find(id);
  if (page.closed) {
    throw std::logic_error("a page closed twice");
  }
  page.closed = true;
  page.content = std::move(content);
  advance(id.segment);
}

void AckTracker::acknowledge(source::PageId id, std::uint64_t dead_letters) {
  Page& page = find(id);
  if (page.open_batches == 0) {
    throw std::logic_error("an acknowledgement for a page without an open batch");
  }
  --page.open_batches;
  page.dead_letters += dead_letters;
  advance(id.segment);
}

const SegmentProgress& AckTracker::progress(std::uint32_t segment) const {
  return segments_.at(segment).progress;
}

std::size_t AckTracker::open_pages(std::uint32_t segment) const {
  return segments_.at(segment).pages.size();
}

std::uint64_t AckTracker::pages_passed(std::uint32_t segment) const {
  return segments_.at(segment).first_sequence;
}

std::vector<std::uint32_t> AckTracker::drain_moved() {
  for (const std::uint32_t number : moved_) {
    segments_[number].moved = false;
  }
  return std::exchange(moved_, {});
}

AckTracker::Page& AckTracker::find(source::PageId id) {
  Segment& segment = segments_.at(id.segment);
  if (id.sequence < segment.first_sequence ||
      id.sequence - segment.first_sequence >= segment.pages.size()) {
    throw std::logic_error("a page that is not open");
  }
  return segment.pages[id.sequence - segment.first_sequence];
}

void AckTracker::advance(std::uint32_t number) {
  Segment& segment = segments_[number];
  auto page = segment.pages.begin();
  for (; page != segment.pages.end() && page->closed && page->open_batches == 0; ++page) {
    segment.progress.position = std::move(page->content.position_after);
    segment.progress.items += page->content.items;
    segment.progress.bytes += page->content.bytes;
    segment.progress.dead_letters += page->content.dead_letters + page->dead_letters;
    ++segment.first_sequence;
  }
  if (page == segment.pages.begin()) {
    return;
  }
  segment.pages.erase(segment.pages.begin(), page);
  if (!segment.moved) {
    segment.moved = true;
    moved_.push_back(number);
  }
}

}  // namespace everyitem::checkpoint
