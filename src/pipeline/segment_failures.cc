#include "pipeline/segment_failures.h"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "aws/service_error.h"

namespace everyitem::pipeline {

void SegmentFailures::page_was_read() {
  pages_were_read_ = true;
  since_last_page_ = 0;
}

bool SegmentFailures::keep(std::uint32_t segment, const Error& failure, std::size_t readers) {
  if (++since_last_page_ >= readers || fails_whole_run(failure)) {
    return false;
  }
  segments_.push_back(segment);
  if (!first_) {
    first_ = failure.details();
  }
  return true;
}

bool SegmentFailures::fails_whole_run(const Error& failure) const {
  if (failure.kind() == ErrorKind::usage || failure.details().code.empty()) {
    return failure.kind() == ErrorKind::usage;
  }
  switch (aws::classify(400, failure.details().code)) {
    case aws::ErrorClass::throttle:
    case aws::ErrorClass::transient:
      return false;
    case aws::ErrorClass::invalid:
      // A request may be rejected because of its start key, which concerns only its segment; but if
      // no page has been read yet, the reason is the filter.
      return !pages_were_read_;
    case aws::ErrorClass::expired_credentials:
    case aws::ErrorClass::clock_skew:
    case aws::ErrorClass::fatal:
      return true;
  }
  return true;
}

Error SegmentFailures::error(std::size_t segments) const {
  constexpr std::size_t kNamed = 10;
  const auto named = std::span(segments_).first(std::min(kNamed, segments_.size()));
  ErrorDetails details = *first_;
  details.message +=
      fmt::format("; {} of {} segments could not be read to their end ({}{})", segments_.size(),
                  segments, fmt::join(named, ", "), segments_.size() > kNamed ? ", ..." : "");
  return Error(ErrorKind::failed, std::move(details));
}

}  // namespace everyitem::pipeline
