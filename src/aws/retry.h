// Retrying, in its three separate questions: give up? wait how long? may it be repeated?
#pragma once

#include <chrono>

#include "aws/service_error.h"

namespace everyitem::aws {

/// May it be repeated? What an operation does when the server gets it twice.
enum class Repetition {
  safe,    ///< reading, or writing where at-least-once is what is promised
  unsafe,  ///< only when the service cannot have acted on it
};

bool may_repeat(Repetition repetition, bool may_be_done);

/// Give up? A transient failure ends the call once both bounds are reached: a service that fails
/// fast is given time, a slow one is given tries. A throttled call never counts as failed.
struct RetryLimits {
  int attempts = 10;
  std::chrono::nanoseconds elapsed = std::chrono::minutes(2);

  /// `failures` counts the call's failures of this class, this one included.
  bool give_up(ErrorClass error_class, int failures, std::chrono::nanoseconds elapsed_so_far) const;
};

/// For the calls that a run begins with, where a wrong endpoint should be told soon.
inline constexpr RetryLimits kStartUpLimits{.attempts = 4, .elapsed = std::chrono::seconds(0)};

/// Wait how long? Capped exponential backoff with full jitter (AWS Architecture Blog,
/// "Exponential Backoff And Jitter"): uniform in [0, min(cap, base * 2^(attempt - 1))).
struct Backoff {
  std::chrono::nanoseconds base = std::chrono::milliseconds(50);
  std::chrono::nanoseconds cap = std::chrono::seconds(20);

  /// `attempt` counts the attempts made, from 1; `uniform` is a random number in [0, 1).
  std::chrono::nanoseconds wait(int attempt, double uniform) const;
};

}  // namespace everyitem::aws
