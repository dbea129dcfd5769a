// How long a run in a remote store belongs to a process that has gone silent, and how long what is
// left of a finished run stays.
#pragma once

#include <chrono>

namespace everyitem::checkpoint {

/// A process that was killed is waited for this long. Shorter than the minute after which Lambda
/// retries an asynchronous invocation that has failed (Lambda Developer Guide, "Asynchronous
/// invocation"), so that the retry finds the run free.
inline constexpr std::chrono::seconds kLease{30};

/// How often the owner renews it: two renewals may fail.
inline constexpr std::chrono::seconds kLeaseRenewal{10};

/// How often somebody who waits for a lease looks whether it was renewed, and how long a read that
/// may be stale is given.
inline constexpr std::chrono::seconds kLookInterval{1};

/// How long the record of a finished run stays in a table: for those who look, and for the next
/// start, which reports that all is done.
inline constexpr std::chrono::hours kFinishedRunLifetime{24 * 30};

}  // namespace everyitem::checkpoint
