#include "pipeline/page_request.h"

#include <algorithm>
#include <utility>

namespace everyitem::pipeline {

namespace {

/// The larger one, and slowly down again to `now` if the pages have become smaller.
std::size_t next_expected(std::size_t before, std::size_t now) {
  return std::max(now, before - (before - std::min(before, now)) / 8);
}

}  // namespace

PageRoom::Size PageRoom::hold() {
  ++pages_;
  held_.bytes += expected_.bytes;
  held_.memory += expected_.memory;
  return expected_;
}

void PageRoom::let_go(const Size& size) {
  --pages_;
  held_.bytes -= size.bytes;
  held_.memory -= size.memory;
}

void PageRoom::arrived(const Size& expected, const Size& size) {
  held_.bytes += size.bytes - expected.bytes;
  held_.memory += size.memory - expected.memory;
  if (std::exchange(any_arrived_, true)) {
    expected_ = {.bytes = next_expected(expected_.bytes, size.bytes),
                 .memory = next_expected(expected_.memory, size.memory)};
  } else {
    expected_ = size;
  }
}

PageRequest::PageRequest(PageRoom& room, WaitingLine& line, std::uint32_t rank,
                         pace::ReadGate* gate, pace::ReadGrant& grant)
    : room_(room), line_(line), rank_(rank), gate_(gate), grant_(grant), held_(room.hold()) {}

PageRequest::~PageRequest() { let_go(); }

Awaitable<void> PageRequest::begin(std::optional<std::uint64_t> max_items) {
  if (gate_ == nullptr) {
    grant_.limit = max_items;
    co_return;
  }
  co_await gate_->take(grant_, max_items);
}

void PageRequest::end(const source::ScanPage& page) {
  const PageRoom::Size size{.bytes = page.size_bytes(), .memory = page.memory_bytes()};
  room_.arrived(*held_, size);
  held_ = size;
  line_.wake();
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
  co_await line_.pass(rank_);
  held_ = room_.hold();
  if (gate_ != nullptr) {
    co_await gate_->take_again(grant_);
  }
}

void PageRequest::let_go() {
  if (held_) {
    room_.let_go(*std::exchange(held_, std::nullopt));
    line_.wake();
  }
}

}  // namespace everyitem::pipeline
