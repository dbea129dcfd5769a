#include "base/usable_cores.h"

#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace everyitem {
namespace {

TEST(UsableCores, FollowTheAffinity) {
  std::thread([] {
    cpu_set_t all;
    ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    EXPECT_LE(usable_cores(), static_cast<unsigned>(CPU_COUNT(&all)));
    if (!cpu_quota("/")) {
      EXPECT_EQ(usable_cores(), static_cast<unsigned>(CPU_COUNT(&all)));
    }
    int first = 0;
    while (!CPU_ISSET(first, &all)) {
      ++first;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    EXPECT_EQ(usable_cores(), 1U);
  }).join();
}

/// A folder that stands for /, with the files that a test writes.
class CpuQuotaTest : public testing::Test {
 public:
  CpuQuotaTest() {
    std::string name = testing::TempDir() + "cpu_quota_XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~CpuQuotaTest() override { std::filesystem::remove_all(root_); }

 protected:
  void write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  std::filesystem::path root_;
};

TEST_F(CpuQuotaTest, NoneWithoutGroups) {
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
  write("proc/self/cgroup", "0::/\nnonsense\n::\n");
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
}

TEST_F(CpuQuotaTest, MinimumOfAllLevels) {
  write("proc/self/cgroup", "0::/a/b/c\n");
  write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/a/cpu.max", "400000 100000\n");
  EXPECT_EQ(cpu_quota(root_), 1.5);
  write("sys/fs/cgroup/a/b/c/cpu.max", "25000 50000\n");
  EXPECT_EQ(cpu_quota(root_), 0.5);
}

TEST_F(CpuQuotaTest, ContainerSeesOwnRoot) {
  write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  for (const char* line : {"0::/\n", "0::/docker/0123\n", "0::/../../pod\n"}) {
    write("proc/self/cgroup", line);
    EXPECT_EQ(cpu_quota(root_), 2) << line;
  }
}

TEST_F(CpuQuotaTest, VersionOne) {
  write("proc/self/cgroup",
        "12:cpuset:/docker/1\n4:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n0::/\n");
  write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
  write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(cpu_quota(root_), 3);
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_), 0.5);
}

}  // namespace
}  // namespace everyitem
