#include "emulator/cbor_writer.h"

#include <gtest/gtest.h>

namespace everyitem::emulator {
namespace {

std::string bytes(std::initializer_list<int> values) { return {values.begin(), values.end()}; }

TEST(CborWriter, WritesShortestNumbers) {
  const auto number = [](std::uint64_t value) { return CborWriter().number(value).take(); };
  // RFC 8949, appendix A.
  EXPECT_EQ(number(0), bytes({0x00}));
  EXPECT_EQ(number(23), bytes({0x17}));
  EXPECT_EQ(number(24), bytes({0x18, 0x18}));
  EXPECT_EQ(number(100), bytes({0x18, 0x64}));
  EXPECT_EQ(number(1000), bytes({0x19, 0x03, 0xe8}));
  EXPECT_EQ(number(1000000), bytes({0x1a, 0x00, 0x0f, 0x42, 0x40}));
  EXPECT_EQ(number(1000000000000), bytes({0x1b, 0x00, 0x00, 0x00, 0xe8, 0xd4, 0xa5, 0x10, 0x00}));
}

TEST(CborWriter, LengthsOrBreaks) {
  // RFC 8949, appendix A: {"a": 1, "b": [2, 3]}
  EXPECT_EQ(CborWriter().map(2).text("a").number(1).text("b").array(2).number(2).number(3).take(),
            bytes({0xa2, 0x61, 0x61, 0x01, 0x61, 0x62, 0x82, 0x02, 0x03}));
  EXPECT_EQ(CborWriter()
                .open_map()
                .text("a")
                .number(1)
                .text("b")
                .open_array()
                .number(2)
                .number(3)
                .close()
                .close()
                .take(),
            bytes({0xbf, 0x61, 0x61, 0x01, 0x61, 0x62, 0x9f, 0x02, 0x03, 0xff, 0xff}));
}

TEST(CborWriter, WritesStringsAndNull) {
  EXPECT_EQ(CborWriter().text("IETF").take(), bytes({0x64, 0x49, 0x45, 0x54, 0x46}));
  EXPECT_EQ(CborWriter().bytes("\x01\x02\x03\x04").take(), bytes({0x44, 0x01, 0x02, 0x03, 0x04}));
  EXPECT_EQ(CborWriter().null().take(), bytes({0xf6}));
}

}  // namespace
}  // namespace everyitem::emulator
