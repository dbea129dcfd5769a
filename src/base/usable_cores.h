#pragma once

namespace everyitem {

/// How many processor cores the calling thread may run on, at least 1: of the machine's, those that
/// its affinity leaves (taskset, a container's cpuset).
unsigned usable_cores();

}  // namespace everyitem
