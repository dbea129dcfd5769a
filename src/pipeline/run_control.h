// What ends a run early, and what the user learns about it. Shared by all lanes.
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

/// From any event loop. Must outlive the lanes and everything they have posted to the event loop
/// `home`.
class RunControl {
 public:
  struct Reactions {
    std::function<void()> stop_lanes;  ///< makes the lanes stop reading
    Notice notice = {};                ///< for the user, one line; may be empty
  };

  /// `readers` is the number of segments read at the same time. The reactions are called on the
  /// loop `home`.
  RunControl(asio::any_io_executor home, std::size_t readers, Reactions reactions)
      : home_(std::move(home)), readers_(readers), reactions_(std::move(reactions)) {}

  void page_was_read();
  /// A segment has failed. Returns true if the others continue and the failure is reported at the
  /// end; otherwise the run has failed.
  bool segment_failed(std::uint32_t segment, const Error& failure);
  /// Items cannot be delivered and are in the dead letters. The first time, the user gets the
  /// reason.
  void dead_letters_written(const Message& first);

  /// The run cannot continue. It ends with the first failure.
  void fail(const std::exception_ptr& failure);
  /// The reader of the output has closed it.
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
