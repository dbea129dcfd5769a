#include "base/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <thread>

namespace everyitem {

unsigned usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) {
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&cores)));
  }
  // The machine has more cores than the set has room for.
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace everyitem
