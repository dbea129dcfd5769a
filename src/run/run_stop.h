// A request to stop a run: what it ends, how long that takes, and what the user learns about it.
#pragma once

#include <chrono>

#include <boost/asio/cancellation_signal.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "base/message.h"
#include "pipeline/pipeline.h"
#include "pipeline/run_report.h"

namespace everyitem::run {

/// Used on the run's own event loop.
class RunStop {
 public:
  /// How long a run that was stopped takes to give up what it owns. With pipeline::StopLimits it is
  /// within the 10 s that Docker, and much less than the 30 s that Kubernetes, waits before it
  /// kills.
  static constexpr std::chrono::seconds kMaxRelease{2};

  /// The clock and the notice outlive it.
  RunStop(Clock& clock, const Notice& notice) : clock_(clock), notice_(notice) {}
  RunStop(const RunStop&) = delete;
  RunStop& operator=(const RunStop&) = delete;

  /// Only the first request counts. `pipeline`: null if the run has none yet.
  void request(pipeline::Pipeline* pipeline);
  bool requested() const { return requested_; }

  /// Awaits what comes before the pipeline; a request cancels it. Rethrows what it threw otherwise.
  Awaitable<void> start_up(Awaitable<void> work);
  /// Awaits the release of the run, once a stop is requested for kMaxRelease at most: nobody waits
  /// for a service that is silent, and the lease expires by itself.
  Awaitable<void> release(Awaitable<void> work);
  /// After the pipeline has ended: says how the stop went, if there was one.
  void tell(const pipeline::Pipeline& pipeline) const;

 private:
  Clock& clock_;
  const Notice& notice_;
  bool requested_ = false;
  std::chrono::steady_clock::time_point requested_at_;
  pipeline::Backlog left_;  ///< when it was requested
  asio::cancellation_signal stop_start_up_;
};

}  // namespace everyitem::run
