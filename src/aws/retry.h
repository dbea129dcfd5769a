// Retrying, as three separate questions: give up? wait how long? may it be repeated?
#pragma once

#include <chrono>
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

/// Give up? A transient failure ends the call once both bounds are reached: a service that fails
/// fast is given time, a slow one is given attempts. Throttling never counts as a failure: the call
/// is retried for as long as `throttled` says, which is forever unless the user sets a limit.
struct RetryLimits {
  int attempts = 10;
  std::chrono::nanoseconds elapsed = std::chrono::minutes(2);
  std::chrono::nanoseconds throttled = std::chrono::nanoseconds::max();

  /// `failures` counts the call's failures of this class, including this one.
  bool give_up(ErrorClass error_class, int failures, std::chrono::nanoseconds elapsed_so_far) const;
  /// Why the call is given up after such a failure, for the user: "failed requests are retried for
  /// at most 2 min 0 s". Empty if the failure itself says everything.
  std::string reason(ErrorClass error_class) const;
};

/// The limits of a run whose user has set how long to wait for a service that throttles or fails.
RetryLimits waiting_at_most(std::chrono::nanoseconds max_wait);

/// For the first calls of a run, so that a wrong endpoint is reported quickly.
inline constexpr RetryLimits kStartUpLimits{.attempts = 4, .elapsed = std::chrono::seconds(0)};

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
