// How long a run in a remote store belongs to the process that has last said that it is there, and
// how long what is left of it stays.
#pragma once

#include <chrono>

namespace everyitem::checkpoint {

/// A process that was killed is waited for so long. Shorter than the minute after which Lambda
/// repeats an asynchronous invocation that has failed (Lambda Developer Guide, "Asynchronous
/// invocation"), so that the repeat finds the run free.
inline constexpr std::chrono::seconds kLease{30};

/// How often it is renewed: twice may fail.
inline constexpr std::chrono::seconds kLeaseRenewal{10};

/// Of what is left of a run in a table: for those that look, and for the next invocation that is
/// told that all is done.
inline constexpr std::chrono::hours kLifeOfAFinishedRun{24 * 30};

}  // namespace everyitem::checkpoint
