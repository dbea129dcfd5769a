// Retrying, as three separate questions: give up? wait how long? may it be repeated?
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "aws/service_error.h"

namespace everyitem::aws {

/// May it be repeated? What happens if the server receives the operation twice.
enum class Repetition {
  safe,    ///< reading, or writing with an at-least-once promise
  unsafe,  ///< only if the service cannot have acted on it
};

bool may_repeat(Repetition repetition, bool may_have_been_applied);

/// How often a call adopts the service's clock. Each time, the date of the rejection shows that the
/// clocks differ; but the next response may come from a different machine, or a clock may jump
/// again.
inline constexpr int kClockCorrections = 4;

/// Give up? How long one call, or one batch of records, is retried. Every call of a run has the
/// same patience, its first one too: the user's, or these defaults. Waits that the service asks for
/// count.
struct Patience {
  std::chrono::nanoseconds failing = std::chrono::minutes(2);
  /// Throttling never counts as a failure: by default, the call is retried forever.
  std::chrono::nanoseconds throttled = std::chrono::nanoseconds::max();
};

/// For a user who has set how long to wait for a service that throttles or fails.
Patience waiting_at_most(std::chrono::nanoseconds max_wait);

/// An attempt may be silent for this long even when the patience is nearly over, which is how much
/// longer than the patience a call can take.
inline constexpr std::chrono::seconds kMinSilence{5};

/// Wait how long? Capped exponential backoff with full jitter (AWS Architecture Blog,
/// "Exponential Backoff And Jitter"): uniform in [0, min(cap, base * 2^(attempt - 1))).
struct Backoff {
  std::chrono::nanoseconds base = std::chrono::milliseconds(50);
  /// A call only notices that a service has recovered when it retries: with the 20 s of the AWS
  /// SDKs, many calls stalled long after the service was back.
  std::chrono::nanoseconds cap = std::chrono::seconds(5);

  /// `attempt` counts the attempts made, from 1; `uniform` is a random number in [0, 1).
  std::chrono::nanoseconds wait(int attempt, double uniform) const;
  /// Once the retry budget is spent: uniform in [0, kLongest), regardless of the attempts.
  static std::chrono::nanoseconds longest(double uniform);
  static constexpr std::chrono::seconds kLongest{20};
};

/// The wait requested by a Retry-After header in seconds, or nothing for its other form. At most
/// kMaxRetryAfter, so that no response can stop a run for good.
std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view header);
inline constexpr std::chrono::minutes kMaxRetryAfter{5};

/// Where one call stands with its patience. One event loop.
class Retries {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Retries(const Patience& patience, TimePoint now)
      : patience_(patience), started_(now), failing_since_(now) {}

  /// An attempt has failed. Returns how much longer failures of this class may be waited for;
  /// nothing if the call has to be given up.
  std::optional<std::chrono::nanoseconds> failed(ErrorClass error_class, TimePoint now);
  /// What counts as one failure of this class after the other, the last one included.
  int failures(ErrorClass error_class) const {
    return failures_.at(static_cast<std::size_t>(error_class));
  }
  /// Since when failures like the last one have lasted.
  TimePoint since(ErrorClass error_class) const {
    return error_class == ErrorClass::throttle ? started_ : failing_since_;
  }
  /// This much time passed for a reason of the caller's own, and does not count.
  void exclude(std::chrono::nanoseconds waited) {
    started_ += waited;
    failing_since_ += waited;
  }
  /// What is left of the patience, which may be nothing.
  Patience left(TimePoint now) const;
  /// How long the next attempt may be silent.
  std::chrono::nanoseconds max_silence(TimePoint now) const;
  /// For the user: "failed requests are retried for at most 2 min 0 s". Empty if the failure itself
  /// says everything.
  std::string reason(ErrorClass error_class) const;

 private:
  Patience patience_;
  TimePoint started_;
  TimePoint failing_since_;
  std::array<int, kErrorClasses> failures_{};
};

/// Keeps retries from flooding a failing service: successful calls pay for retries of failed ones.
/// Once the budget is spent, each retry waits for the longest time. Throttled calls do not draw on
/// it: only the backoff paces them. The numbers are those of the standard retry mode of the AWS
/// SDKs, which gives up where this waits. One event loop.
class RetryBudget {
 public:
  static constexpr int kCapacity = 500;
  static constexpr int kCostOfARepeat = 5;

  /// Pays for one retry; false if there is not enough left.
  bool spend();
  /// A call succeeded.
  void earn();

 private:
  int tokens_ = kCapacity;
};

}  // namespace everyitem::aws
