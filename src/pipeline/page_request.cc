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
  add(expected_);
  return expected_;
}

void PageRoom::let_go(const Size& size) {
  --pages_;
  subtract(size);
}

Awaitable<void> PageRoom::let_in(Size& size, std::size_t body_bytes, std::uint32_t rank) {
  co_await bodies_.pass(rank);
  subtract(size);
  size = {.bytes = body_bytes,
          .memory = std::max(body_bytes, body_bytes * expected_.memory /
                                             std::max<std::size_t>(1, expected_.bytes)),
          .let_in = true};
  add(size);
}

void PageRoom::add(const Size& size) {
  held_.bytes += size.bytes;
  held_.memory += size.memory;
  memory_let_in_ += size.let_in ? size.memory : 0;
}

void PageRoom::subtract(const Size& size) {
  held_.bytes -= size.bytes;
  held_.memory -= size.memory;
  memory_let_in_ -= size.let_in ? size.memory : 0;
  bodies_.wake();
}

void PageRoom::arrived(Size& held, std::size_t bytes, std::size_t memory) {
  subtract(held);
  held = {.bytes = bytes, .memory = memory, .let_in = true};
  add(held);
  const Size& size = held;
  if (std::exchange(any_arrived_, true)) {
    expected_ = {.bytes = next_expected(expected_.bytes, size.bytes),
                 .memory = next_expected(expected_.memory, size.memory)};
  } else {
    expected_ = {.bytes = size.bytes, .memory = size.memory};
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
  room_.arrived(*held_, page.size_bytes(), page.memory_bytes());
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
