// What ends a run before its time, and what the user is told of it: shared by all its lanes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/error.h"
#include "base/guarded.h"
#include "pipeline/segment_failures.h"

namespace everyitem::pipeline {

/// From any event loop. Outlives the lanes, and the event loop of `home` what they ask of it.
class RunControl {
 public:
  struct Reactions {
    std::function<void()> stop_lanes;  ///< nothing more is to be read
    Notice notice = {};                ///< for the user, one line; may be empty
  };

  /// `readers`: how many segments are read at once. The reactions are called on the loop of `home`.
  RunControl(asio::any_io_executor home, std::size_t readers, Reactions reactions)
      : home_(std::move(home)), readers_(readers), reactions_(std::move(reactions)) {}

  void page_was_read();
  /// A segment cannot be read any further. True where that is kept for the end and the others go
  /// on; else the run has failed.
  bool segment_failed(std::uint32_t segment, const Error& failure);
  /// Items cannot be delivered and are safe elsewhere: the first time, the user is told why.
  void dead_letters_written(const Message& first);

  /// The run cannot go on. The first failure is what it ends with.
  void fail(const std::exception_ptr& failure);
  /// Who reads what is written has gone.
  void destination_closed();

  // At the end of a run.
  std::exception_ptr failure() const { return state_.get().failure; }
  bool closed() const { return state_.get().closed; }
  SegmentFailures segment_failures() const { return state_.get().segments; }

 private:
  struct State {
    SegmentFailures segments;
    std::exception_ptr failure;
    bool closed = false;
    bool dead_letters_told = false;
  };

  void stop_lanes();
  void notice(Message text);

  asio::any_io_executor home_;
  std::size_t readers_;
  Reactions reactions_;
  Guarded<State> state_;
};

}  // namespace everyitem::pipeline
