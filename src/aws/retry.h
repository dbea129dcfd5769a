// Retrying, in its three separate questions: give up? wait how long? may it be repeated?
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "aws/service_error.h"

namespace everyitem::aws {

/// May it be repeated? What an operation does when the server gets it twice.
enum class Repetition {
  safe,    ///< reading, or writing where at-least-once is what is promised
  unsafe,  ///< only when the service cannot have acted on it
};

bool may_repeat(Repetition repetition, bool may_be_done);

/// How often one call follows the service's clock. Each time, the refusal's own date shows that the
/// clocks differ; but the next may be of another machine of the service, or a clock may jump again.
inline constexpr int kClockCorrections = 4;

/// Give up? A transient failure ends the call once both bounds are reached: a service that fails
/// fast is given time, a slow one is given tries. A throttled call never counts as failed: it goes
/// on for as long as `throttled` says, which is for ever unless the user says otherwise.
struct RetryLimits {
  int attempts = 10;
  std::chrono::nanoseconds elapsed = std::chrono::minutes(2);
  std::chrono::nanoseconds throttled = std::chrono::nanoseconds::max();

  /// `failures` counts the call's failures of this class, this one included.
  bool give_up(ErrorClass error_class, int failures, std::chrono::nanoseconds elapsed_so_far) const;
  /// Why a call that failed so is given up, for the user: "..., is repeated for 120 s at most".
  /// Empty where the failure says all.
  std::string reason(ErrorClass error_class) const;
};

/// The limits of a run whose user says how long to wait for a service that refuses or fails.
RetryLimits waiting_at_most(std::chrono::nanoseconds max_wait);

/// For the calls that a run begins with, where a wrong endpoint should be told soon.
inline constexpr RetryLimits kStartUpLimits{.attempts = 4, .elapsed = std::chrono::seconds(0)};

/// Wait how long? Capped exponential backoff with full jitter (AWS Architecture Blog,
/// "Exponential Backoff And Jitter"): uniform in [0, min(cap, base * 2^(attempt - 1))).
struct Backoff {
  std::chrono::nanoseconds base = std::chrono::milliseconds(50);
  /// A call learns of better times when it is repeated: with the 20 s of the AWS SDKs, many stood
  /// still long after a service had come back.
  std::chrono::nanoseconds cap = std::chrono::seconds(5);

  /// `attempt` counts the attempts made, from 1; `uniform` is a random number in [0, 1).
  std::chrono::nanoseconds wait(int attempt, double uniform) const;
  /// Once the budget is spent: uniform in [0, kLongest), however few the attempts.
  static std::chrono::nanoseconds longest(double uniform);
  static constexpr std::chrono::seconds kLongest{20};
};

/// What a service asks for in Retry-After: seconds, or nothing for another form of it. At most
/// kMaxRetryAfter, so that no answer can stop a run for good.
std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view header);
inline constexpr std::chrono::minutes kMaxRetryAfter{5};

/// Keeps a failing service from being stormed: repeats of failed calls are paid for by calls that
/// succeed. Once the budget is spent, each repeat waits for the longest time there is. Throttled
/// calls do not draw on it: their pace is the backoff's alone. The numbers are those of the AWS
/// SDKs' standard retry mode, which gives up where this waits. One event loop.
class RetryBudget {
 public:
  static constexpr int kCapacity = 500;
  static constexpr int kCostOfARepeat = 5;

  /// Pays for one repeat; false when there is not enough left.
  bool spend();
  /// A call succeeded.
  void earn();

 private:
  int tokens_ = kCapacity;
};

}  // namespace everyitem::aws
