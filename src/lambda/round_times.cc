#include "lambda/round_times.h"

#include <algorithm>

namespace everyitem::lambda {

namespace {

/// For starting the next invocation and sending the answer, if draining takes all the time there
/// is.
constexpr std::chrono::milliseconds kReserve{2'000};

}  // namespace

RoundTimes round_times(std::chrono::milliseconds left, std::chrono::milliseconds handover) {
  left = std::max(left, std::chrono::milliseconds(0));
  const std::chrono::milliseconds margin = std::min(handover, left / 2);
  const std::chrono::milliseconds reserve = std::min(kReserve, margin / 2);
  return {.stop = left - margin, .give_up = left - reserve, .answer = left - reserve / 4};
}

}  // namespace everyitem::lambda
