// How long a run in a remote store belongs to the process that has last said that it is there.
#pragma once

#include <chrono>

namespace everyitem::checkpoint {

/// A process that was killed is waited for so long. Shorter than the minute after which Lambda
/// repeats an asynchronous invocation that has failed (Lambda Developer Guide, "Asynchronous
/// invocation"), so that the repeat finds the run free.
inline constexpr std::chrono::seconds kLease{30};

/// How often it is renewed: twice may fail.
inline constexpr std::chrono::seconds kLeaseRenewal{10};

}  // namespace everyitem::checkpoint
