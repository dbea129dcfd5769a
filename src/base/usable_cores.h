#pragma once

#include <filesystem>
#include <optional>

namespace everyitem {

/// The number of processor cores that the calling thread may use, at least 1: those of its affinity
/// (taskset, a container's cpuset), and no more than its control groups' quota (docker --cpus, a
/// pod's CPU limit), rounded up.
unsigned usable_cores();

/// The least quota of the control groups (versions 1 and 2) that the process is in, in cores;
/// nothing without one. `root` is where /proc and /sys are.
std::optional<double> cpu_quota(const std::filesystem::path& root);

}  // namespace everyitem
