#include "base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/descriptor.h"
#include "base/message_of.h"

namespace everyitem {
namespace {

/// Standard output is one end of a pipe as long as this exists.
class PipedOutput {
 public:
  PipedOutput() : saved_(dup(STDOUT_FILENO)) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_end_ = Descriptor(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
  }
  PipedOutput(const PipedOutput&) = delete;
  PipedOutput& operator=(const PipedOutput&) = delete;
  ~PipedOutput() { restore(); }

  void restore() {
    if (saved_ >= 0) {
      dup2(saved_, STDOUT_FILENO);
      close(saved_);
      saved_ = -1;
    }
  }
  /// Until the other end is closed, in pieces.
  std::string read_all() {
    std::string text;
    std::array<char, 1000> piece{};
    for (;;) {
      const ssize_t bytes = read(read_end_.get(), piece.data(), piece.size());
      if (bytes == 0) {
        return text;
      }
      if (bytes > 0) {
        text.append(piece.data(), static_cast<std::size_t>(bytes));
      } else {
        std::this_thread::yield();
      }
    }
  }
  void close_reader() { Descriptor(std::move(read_end_)); }

 private:
  int saved_;
  Descriptor read_end_;
};

// More than a pipe holds, so that it is full again and again.
TEST(StandardOutput, FullPipeLosesNothing) {
  std::string text;
  while (text.size() < 300'000) {
    text += std::to_string(text.size()) + "\n";
  }
  PipedOutput output;
  std::string got;
  std::thread reader([&] { got = output.read_all(); });
  write_standard_output(text);
  output.restore();
  reader.join();
  EXPECT_EQ(got, text);
}

TEST(StandardOutput, FailureIsSaid) {
  prepare_standard_streams();  // or the signal would end the test
  PipedOutput output;
  output.close_reader();
  const std::string message = message_of([] { write_standard_output("text"); });
  output.restore();
  EXPECT_THAT(message, testing::HasSubstr("write on standard output: Broken pipe"));
}

}  // namespace
}  // namespace everyitem
