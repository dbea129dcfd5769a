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

Patience waiting_at_most(std::chrono::nanoseconds max_wait) {
  return {.failing = max_wait, .throttled = max_wait};
}

std::optional<std::chrono::nanoseconds> Retries::failed(ErrorClass error_class, TimePoint now) {
  int& failures = failures_.at(static_cast<std::size_t>(error_class));
  ++failures;
  if (error_class == ErrorClass::throttle) {
    // The service works and knows the caller, so earlier failures no longer count. Otherwise a
    // call that is throttled for hours would be ended by the few failures that are usual in hours.
    const int throttles = failures;
    failures_ = {};
    failures = throttles;
    failing_since_ = now;
  }
  std::chrono::nanoseconds bound = patience_.failing;
  switch (error_class) {
    case ErrorClass::throttle:
      bound = patience_.throttled;
      break;
    case ErrorClass::transient:
      break;
    case ErrorClass::expired_credentials:
      // One attempt with the remedy, which the caller applies.
      if (failures >= 2) {
        return std::nullopt;
      }
      break;
    case ErrorClass::clock_skew:
      if (failures > kClockCorrections) {
        return std::nullopt;
      }
      break;
    case ErrorClass::invalid:
    case ErrorClass::fatal:
      return std::nullopt;
  }
  const auto left = bound - (now - since(error_class));
  const bool has_remedy =
      error_class != ErrorClass::throttle && error_class != ErrorClass::transient;
  if (left <= left.zero() && !has_remedy) {
    return std::nullopt;
  }
  return std::max(left, left.zero());
}

Patience Retries::left(TimePoint now) const {
  const auto rest = [](std::chrono::nanoseconds patience, std::chrono::nanoseconds waited) {
    constexpr std::chrono::nanoseconds kZero{0};
    constexpr auto kForEver = std::chrono::nanoseconds::max();
    return patience == kForEver ? kForEver : std::max(patience - waited, kZero);
  };
  return {.failing = rest(patience_.failing, now - failing_since_),
          .throttled = rest(patience_.throttled, now - started_)};
}

std::chrono::nanoseconds Retries::max_silence(TimePoint now) const {
  const Patience rest = left(now);
  return std::max<std::chrono::nanoseconds>(std::min(rest.failing, rest.throttled), kMinSilence);
}

std::string Retries::reason(ErrorClass error_class) const {
  switch (error_class) {
    case ErrorClass::throttle:
      return fmt::format("throttled requests are retried for at most {}",
                         duration(patience_.throttled));
    case ErrorClass::transient:
      return fmt::format("failed requests are retried for at most {}", duration(patience_.failing));
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
