#include "base/usable_cores.h"

#include <sched.h>

#include <thread>

#include <gtest/gtest.h>

namespace everyitem {
namespace {

TEST(UsableCores, FollowTheAffinity) {
  std::thread([] {
    cpu_set_t all;
    ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    EXPECT_EQ(usable_cores(), static_cast<unsigned>(CPU_COUNT(&all)));
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

}  // namespace
}  // namespace everyitem
