#include "base/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace everyitem {

namespace {

namespace fs = std::filesystem;

unsigned cores_of_affinity() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) {
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&cores)));
  }
  // The machine has more cores than the set has room for.
  return std::max(1U, std::thread::hardware_concurrency());
}

/// "200000 100000" or "max 100000": microseconds of processor time per period of microseconds.
std::optional<double> quota_of_version_2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0;
  double period = 0;
  return file >> quota >> period && period > 0 ? std::optional(quota / period) : std::nullopt;
}

/// The same in two files, -1 without a limit.
std::optional<double> quota_of_version_1(const fs::path& group) {
  double quota = 0;
  double period = 0;
  std::ifstream(group / "cpu.cfs_quota_us") >> quota;
  std::ifstream(group / "cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? std::optional(quota / period) : std::nullopt;
}

void keep_least(std::optional<double>& least, std::optional<double> quota) {
  if (quota && *quota > 0) {
    least = std::min(least.value_or(*quota), *quota);
  }
}

bool has_cpu(std::string_view controllers) {
  return ("," + std::string(controllers) + ",").find(",cpu,") != std::string::npos;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& root) {
  std::optional<double> least;
  const fs::path mounts = root / "sys/fs/cgroup";
  std::ifstream groups(root / "proc/self/cgroup");  // "4:cpu,cpuacct:/docker/1", "0::/user.slice"
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = std::min(line.find(':'), line.size());
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string_view controllers =
        std::string_view(line).substr(first + 1, second - first - 1);
    // A container may see its own group as the root, under a path that only its host has.
    fs::path group = fs::path(line.substr(second + 1)).lexically_normal();
    for (bool is_root = false; !is_root; group = group.parent_path()) {
      is_root = group == group.parent_path();
      if (controllers.empty()) {
        keep_least(least, quota_of_version_2(mounts / group.relative_path()));
      } else if (has_cpu(controllers)) {
        keep_least(least, quota_of_version_1(mounts / "cpu" / group.relative_path()));
      }
    }
  }
  return least;
}

unsigned usable_cores() {
  const unsigned cores = cores_of_affinity();
  const std::optional<double> quota = cpu_quota("/");
  return quota && *quota < cores ? static_cast<unsigned>(std::ceil(*quota)) : cores;
}

}  // namespace everyitem
