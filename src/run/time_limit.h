// Work with a time limit.
#pragma once

#include <chrono>

#include "base/async.h"
#include "base/clock.h"

namespace everyitem::run {

/// Awaits `work`, and cancels it once `limit` has passed. Returns whether it came to its end by
/// itself; rethrows what it threw. Takes as long as `work` takes to notice the cancellation.
Awaitable<bool> ended_within(Clock& clock, std::chrono::nanoseconds limit, Awaitable<void> work);

}  // namespace everyitem::run
