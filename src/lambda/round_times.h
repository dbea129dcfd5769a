// When an invocation stops reading, when it no longer waits for deliveries, and when it must be
// over.
#pragma once

#include <chrono>

namespace everyitem::lambda {

/// Counted from the start of the invocation. stop <= give_up <= answer.
struct RoundTimes {
  std::chrono::milliseconds stop;     ///< stop reading, and deliver what was read
  std::chrono::milliseconds give_up;  ///< leave undelivered items to the next round
  std::chrono::milliseconds answer;   ///< the next invocation must have been started
};

/// `left` is the time until Lambda kills the process; reading stops `handover` before that. A
/// function whose time limit is shorter than twice `handover` reads for half of its time.
RoundTimes round_times(std::chrono::milliseconds left, std::chrono::milliseconds handover);

}  // namespace everyitem::lambda
