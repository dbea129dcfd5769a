#include "base/padded_buffer.h"

#include <gtest/gtest.h>

namespace everyitem {
namespace {

TEST(PaddedBuffer, KeepsRoomForTheParserBehindItsBytes) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 63U, 64U, 1000U, 1U << 20}) {
    PaddedBuffer buffer;
    buffer.append(std::string(size, 'x'));
    buffer.finish();
    EXPECT_EQ(buffer.size(), size);
    EXPECT_GE(buffer.capacity(), size + PaddedBuffer::kPadding);
  }
}

TEST(PaddedBuffer, ViewsSurviveAMove) {
  for (const std::size_t size : {1U, 15U, 16U, 4096U}) {
    PaddedBuffer buffer{std::string(size, 'x')};
    const std::string_view view = buffer.view();
    const PaddedBuffer moved = std::move(buffer);
    EXPECT_EQ(moved.view().data(), view.data());
  }
}

}  // namespace
}  // namespace everyitem
