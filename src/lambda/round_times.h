// When an invocation stops reading, when it no longer waits for deliveries, and when it must be
// over.
#pragma once

#include <chrono>

namespace everyitem::lambda {

/// From the beginning of the invocation. stop <= give_up <= answer.
struct RoundTimes {
  std::chrono::milliseconds stop;     ///< nothing more is read; what was read is delivered
  std::chrono::milliseconds give_up;  ///< what is not delivered by now, the next round repeats
  std::chrono::milliseconds answer;   ///< the next invocation must have been started
};

/// `left`: until Lambda kills the process; `handover`: before that, nothing more is read. A
/// function whose time limit is hardly longer than that, or shorter, reads for half of its time.
RoundTimes round_times(std::chrono::milliseconds left, std::chrono::milliseconds handover);

}  // namespace everyitem::lambda
