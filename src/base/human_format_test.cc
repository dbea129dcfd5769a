#include "base/human_format.h"

#include <gtest/gtest.h>

namespace everyitem {
namespace {

using Seconds = std::chrono::duration<double>;

TEST(HumanFormat, Numbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(counted(1, "item"), "1 item");
  EXPECT_EQ(counted(20000, "item"), "20,000 items");
}

TEST(HumanFormat, RoundedNumbers) {
  EXPECT_EQ(decimal(0), "0");
  EXPECT_EQ(decimal(0.0042), "0.0042");
  EXPECT_EQ(decimal(1.967295802), "1.967");
  EXPECT_EQ(decimal(50), "50");
  EXPECT_EQ(decimal(1000), "1,000");
  EXPECT_EQ(decimal(12345.6), "12,346");
}

TEST(HumanFormat, Bytes) {
  EXPECT_EQ(bytes(0), "0 B");
  EXPECT_EQ(bytes(999), "999 B");
  EXPECT_EQ(bytes(1000), "1.0 kB");
  EXPECT_EQ(bytes(999'949), "999.9 kB");
  EXPECT_EQ(bytes(999'999), "1.0 MB");
  EXPECT_EQ(bytes(80e12), "80.0 TB");
}

TEST(HumanFormat, Durations) {
  EXPECT_EQ(duration(Seconds(0.444)), "0.44 s");
  EXPECT_EQ(duration(Seconds(0.999)), "1.0 s");
  EXPECT_EQ(duration(Seconds(4.44)), "4.4 s");
  EXPECT_EQ(duration(Seconds(9.96)), "10 s");
  EXPECT_EQ(duration(Seconds(59.6)), "1 min 0 s");
  EXPECT_EQ(duration(Seconds(125)), "2 min 5 s");
  EXPECT_EQ(duration(Seconds(3 * 3600 + 4 * 60)), "3 h 4 min");
  EXPECT_EQ(duration(Seconds(2 * 86400 + 5 * 3600)), "2 d 5 h");
}

}  // namespace
}  // namespace everyitem
