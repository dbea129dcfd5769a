#include "base/padded_buffer.h"

#include <algorithm>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace everyitem {
namespace {

TEST(PaddedBuffer, KeepsPaddingAfterBytes) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 63U, 64U, 1000U, 1U << 20}) {
    PaddedBuffer buffer;
    buffer.append(std::string(size, 'x'));
    buffer.finish();
    EXPECT_EQ(buffer.size(), size);
    EXPECT_GE(buffer.capacity(), size + PaddedBuffer::kPadding);
    EXPECT_TRUE(std::all_of(buffer.data() + size, buffer.data() + size + PaddedBuffer::kPadding,
                            [](char byte) { return byte == '\0'; }));
  }
}

TEST(PaddedBuffer, ViewsSurviveAMove) {
  for (const std::size_t size : {1U, 15U, 16U, 4096U}) {
    PaddedBuffer buffer{std::string(size, 'x')};
    const std::string_view view = buffer.view();
    const PaddedBuffer moved = std::move(buffer);
    EXPECT_EQ(moved.view().data(), view.data());
    EXPECT_EQ(moved.view(), std::string(size, 'x'));
  }
}

// NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move): tested here
TEST(PaddedBuffer, ReusableAfterMove) {
  PaddedBuffer buffer{"first"};
  PaddedBuffer moved = std::move(buffer);
  EXPECT_EQ(buffer.view(), "");
  buffer.append("second");
  moved = std::move(buffer);
  EXPECT_EQ(moved.view(), "second");
  EXPECT_TRUE(buffer.empty());
}
// NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)

TEST(PaddedBuffer, AppendsInPlace) {
  PaddedBuffer buffer;
  buffer.reserve(6);
  const std::size_t reserved = buffer.capacity();
  buffer.append("abc");
  const std::span<char> room = buffer.prepare(3);
  std::copy_n("de?", 3, room.begin());
  buffer.commit(2);
  buffer.append("f");
  EXPECT_EQ(buffer.view(), "abcdef");
  EXPECT_EQ(buffer.capacity(), reserved);
}

TEST(PaddedBuffer, GrowsGeometrically) {
  PaddedBuffer buffer;
  std::size_t moves = 0;
  const char* data = nullptr;
  for (int i = 0; i < 100'000; ++i) {
    buffer.append("0123456789");
    moves += std::exchange(data, buffer.data()) != buffer.data() ? 1 : 0;
  }
  EXPECT_EQ(buffer.size(), 1'000'000U);
  EXPECT_LT(moves, 20U);
}

}  // namespace
}  // namespace everyitem
