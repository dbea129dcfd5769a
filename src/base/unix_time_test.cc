#include "base/unix_time.h"

#include <limits>

#include <gtest/gtest.h>

namespace everyitem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

TEST(UnixTime, CountsFrom1970) {
  EXPECT_EQ(unix_time<seconds>(1'800'000'000), system_clock::time_point(seconds(1'800'000'000)));
  EXPECT_EQ(unix_time<milliseconds>(1'800'000'000'123),
            system_clock::time_point(milliseconds(1'800'000'000'123)));
}

TEST(UnixTime, StaysWithinRange) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(unix_time<seconds>(kMost), kLastUnixTime);
  EXPECT_EQ(unix_time<milliseconds>(kMost), kLastUnixTime);
  EXPECT_EQ(unix_time<seconds>(kLeast), system_clock::time_point());
  EXPECT_EQ(unix_time<milliseconds>(-1), system_clock::time_point());
}

}  // namespace
}  // namespace everyitem
