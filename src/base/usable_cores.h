#pragma once

namespace everyitem {

/// The number of processor cores the calling thread may run on according to its affinity (taskset,
/// a container's cpuset), at least 1.
unsigned usable_cores();

}  // namespace everyitem
