#include "aws/retry.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::aws {

bool may_repeat(Repetition repetition, bool may_have_been_applied) {
  return repetition == Repetition::safe || !may_have_been_applied;
}

bool RetryLimits::give_up(ErrorClass error_class, int failures,
                          std::chrono::nanoseconds elapsed_so_far) const {
  switch (error_class) {
    case ErrorClass::throttle:
      return elapsed_so_far >= throttled;
    case ErrorClass::transient:
      return failures >= attempts && elapsed_so_far >= elapsed;
    case ErrorClass::expired_credentials:
      // One attempt with the remedy, which the caller applies.
      return failures >= 2;
    case ErrorClass::clock_skew:
      return failures > kClockCorrections;
    case ErrorClass::invalid:
    case ErrorClass::fatal:
      return true;
  }
  return true;
}

std::string RetryLimits::reason(ErrorClass error_class) const {
  switch (error_class) {
    case ErrorClass::throttle:
      return fmt::format("throttled requests are retried for at most {}", duration(throttled));
    case ErrorClass::transient:
      return elapsed > std::chrono::seconds(0)
                 ? fmt::format("failed requests are retried for at most {}", duration(elapsed))
                 : "";
    case ErrorClass::expired_credentials:
      return "refreshed credentials were rejected too";
    case ErrorClass::clock_skew:
      return fmt::format("the clock is corrected at most {} times per call", kClockCorrections);
    case ErrorClass::invalid:
    case ErrorClass::fatal:
      return "";
  }
  return "";
}

RetryLimits waiting_at_most(std::chrono::nanoseconds max_wait) {
  return {.elapsed = max_wait, .throttled = max_wait};
}

std::chrono::nanoseconds Backoff::wait(int attempt, double uniform) const {
  const double exponential =
      static_cast<double>(base.count()) * std::exp2(std::clamp(attempt - 1, 0, 62));
  const double bound = std::min(static_cast<double>(cap.count()), exponential);
  return std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(bound * uniform));
}

std::chrono::nanoseconds Backoff::longest(double uniform) {
  return Backoff{.cap = kLongest}.wait(std::numeric_limits<int>::max(), uniform);
}

std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view header) {
  std::uint32_t seconds = 0;
  const char* const end = header.data() + header.size();
  const auto read = std::from_chars(header.data(), end, seconds);
  if (read.ec != std::errc() || read.ptr != end) {
    return std::nullopt;
  }
  return std::min<std::chrono::nanoseconds>(std::chrono::seconds(seconds), kMaxRetryAfter);
}

bool RetryBudget::spend() {
  if (tokens_ < kCostOfARepeat) {
    return false;
  }
  tokens_ -= kCostOfARepeat;
  return true;
}

void RetryBudget::earn() { tokens_ = std::min(kCapacity, tokens_ + 1); }

}  // namespace everyitem::aws
