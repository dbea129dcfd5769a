#include "pipeline/page_request.h"

namespace everyitem::pipeline {

PageRequest::PageRequest(PageRoom& room, ReadPace* pace, SegmentShare& share)
    : room_(room), pace_(pace), share_(share) {
  hold();
}

PageRequest::~PageRequest() { let_go(); }

Awaitable<void> PageRequest::begin(std::optional<std::uint64_t> most_items) {
  if (pace_ == nullptr) {
    share_.limit = most_items;
    co_return;
  }
  co_await pace_->take(share_, most_items);
}

void PageRequest::end(const source::ScanPage& page) {
  if (pace_ != nullptr) {
    pace_->settle(share_, page.scanned_count(), page.consumed_read_units());
  }
}

void PageRequest::failed(aws::ErrorClass error_class, bool may_be_done) {
  let_go();
  if (pace_ == nullptr) {
    return;
  }
  if (!may_be_done) {
    pace_->give_back(share_);
  }
  if (error_class == aws::ErrorClass::throttle) {
    pace_->throttled(share_);
  }
}

Awaitable<void> PageRequest::before_repeat() {
  while (room_.full()) {
    co_await room_.wait();
  }
  hold();
  if (pace_ != nullptr) {
    co_await pace_->take_again(share_);
  }
}

void PageRequest::hold() {
  room_.hold();
  holds_room_ = true;
}

void PageRequest::let_go() {
  if (holds_room_) {
    room_.let_go();
    holds_room_ = false;
  }
}

}  // namespace everyitem::pipeline
