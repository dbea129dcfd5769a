// Who waits for something that one after another may have, and who is next.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/async.h"

namespace everyitem::pipeline {

/// The one with the lowest rank is next; of equal ranks, the one that came first. One event loop;
/// outlives those who wait.
class WaitingLine {
 public:
  /// `open`: whether the next one may pass now.
  WaitingLine(asio::any_io_executor executor, std::function<bool()> open)
      : executor_(std::move(executor)), open_(std::move(open)) {}

  /// Returns when it is the caller's turn. Throws boost::system::system_error(operation_aborted) if
  /// cancelled while it waits.
  Awaitable<void> pass(std::uint32_t rank) { return pass(rank, kStays); }
  /// The same, and when `leaves` is true, which stays in place meanwhile.
  Awaitable<void> pass(std::uint32_t rank, const bool& leaves);
  /// Call it when the line may have opened.
  void wake();
  /// Call it when somebody leaves it.
  void wake_all();

 private:
  static constexpr bool kStays = false;
  using Waiting = std::multimap<std::uint32_t, Event*>;

  /// A place in line, as long as it exists.
  class Place {
   public:
    Place(WaitingLine& line, std::uint32_t rank)
        : line_(line), woken_(line.executor_), position_(line.waiting_.emplace(rank, &woken_)) {}
    ~Place() {
      line_.waiting_.erase(position_);
      line_.wake();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    bool is_first() const { return position_ == line_.waiting_.begin(); }
    Awaitable<void> woken() { return woken_.wait(); }

   private:
    WaitingLine& line_;
    Event woken_;
    Waiting::iterator position_;
  };

  asio::any_io_executor executor_;
  std::function<bool()> open_;
  Waiting waiting_;
};

}  // namespace everyitem::pipeline
