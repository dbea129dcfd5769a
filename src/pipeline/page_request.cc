#include "pipeline/page_request.h"

namespace everyitem::pipeline {

PageRequest::PageRequest(PageRoom& room, pace::ReadGate* gate, pace::ReadGrant& grant)
    : room_(room), gate_(gate), grant_(grant) {
  hold();
}

PageRequest::~PageRequest() { let_go(); }

Awaitable<void> PageRequest::begin(std::optional<std::uint64_t> max_items) {
  if (gate_ == nullptr) {
    grant_.limit = max_items;
    co_return;
  }
  co_await gate_->take(grant_, max_items);
}

void PageRequest::end(const source::ScanPage& page) {
  if (gate_ != nullptr) {
    gate_->settle(grant_, page.scanned_count(), page.consumed_read_units());
  }
}

void PageRequest::failed(aws::ErrorClass error_class, bool may_have_been_applied) {
  let_go();
  if (gate_ == nullptr) {
    return;
  }
  if (!may_have_been_applied) {
    gate_->give_back(grant_);
  }
  if (error_class == aws::ErrorClass::throttle) {
    gate_->throttled(grant_);
  }
}

Awaitable<void> PageRequest::before_repeat() {
  while (room_.full()) {
    co_await room_.wait();
  }
  hold();
  if (gate_ != nullptr) {
    co_await gate_->take_again(grant_);
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
