#include "base/diagnostics.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/descriptor.h"

namespace everyitem {
namespace {

using std::chrono::milliseconds;

/// A pipe of two pages, whose reader reads when it is asked to.
class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    reader_.emplace(ends[0]);
    writer_.emplace(ends[1]);
    EXPECT_EQ(fcntl(writer(), F_SETPIPE_SZ, 8192), 8192);
    EXPECT_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
  }

  int writer() const { return writer_->get(); }
  void close_reader() { reader_.reset(); }
  std::string read_all() {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = read(reader_->get(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  std::optional<Descriptor> reader_;
  std::optional<Descriptor> writer_;
};

TEST(Diagnostics, LinesArePrintable) {
  Pipe pipe;
  Diagnostics out(pipe.writer());
  out.line("table \x1b[31mred\x1b[0m\r\nnext \xff");
  out.passing_line(
      "\xc2\x9b"
      "2J");
  EXPECT_EQ(pipe.read_all(), "table \\u001b[31mred\\u001b[0m  next \xef\xbf\xbd\n\\u009b2J\n");
}

TEST(Diagnostics, RewrittenLineGivesWay) {
  Pipe pipe;
  Diagnostics out(pipe.writer());
  out.rewrite("1 item");
  out.rewrite("2 items");
  out.line("done");
  out.line("bye");
  EXPECT_EQ(pipe.read_all(), "\r\x1b[K1 item\r\x1b[K2 items\r\x1b[Kdone\nbye\n");
}

TEST(Diagnostics, FailuresAreSilent) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_reader();
  const Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  const Descriptor read_only(open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const int descriptor : {pipe.writer(), full.get(), read_only.get(), 1 << 20}) {
    Diagnostics out(descriptor);
    for (int i = 0; i < 3; ++i) {
      out.line("a line");
      out.passing_line("another");
      out.rewrite("progress");
    }
  }
}

TEST(Diagnostics, SilentAfterFirstFailure) {
  Pipe pipe;
  const Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  const Descriptor target(dup(full.get()));
  Diagnostics out(target.get());
  out.line("lost");
  dup2(pipe.writer(), target.get());
  out.line("not written");
  EXPECT_EQ(pipe.read_all(), "");
}

TEST(Diagnostics, StalledReaderBlocksNobody) {
  Pipe pipe;
  Diagnostics out(pipe.writer(), milliseconds(1));
  const std::string long_line(3000, 'a');
  for (int i = 0; i < 100; ++i) {
    out.line(long_line);
    out.passing_line(long_line);
    out.rewrite(long_line);
  }
  EXPECT_TRUE(pipe.read_all().starts_with(long_line + "\n"));
  out.line("reads again");
  EXPECT_TRUE(pipe.read_all().ends_with("reads again\n"));
}

TEST(Diagnostics, WholeLineAfterTorn) {
  Pipe pipe;
  Diagnostics out(pipe.writer(), milliseconds(1));
  out.line(std::string(10'000, 'a'));  // more than the pipe takes
  EXPECT_EQ(pipe.read_all(), std::string(8192, 'a'));
  out.line("whole");
  EXPECT_EQ(pipe.read_all(), "\nwhole\n");
}

// An errno of before says nothing about a wait that ended because nobody read.
TEST(Diagnostics, StalledReaderAfterInterruption) {
  Pipe pipe;
  Diagnostics out(pipe.writer(), milliseconds(1));
  out.line(std::string(8191, 'a'));  // all that the pipe takes
  errno = EINTR;
  out.passing_line("late");
  EXPECT_EQ(pipe.read_all(), std::string(8191, 'a') + "\n");
}

TEST(Diagnostics, NonBlockingDescriptor) {
  Pipe pipe;
  ASSERT_EQ(fcntl(pipe.writer(), F_SETFL, O_NONBLOCK), 0);
  Diagnostics out(pipe.writer(), milliseconds(1));
  out.line(std::string(10'000, 'a'));
  EXPECT_EQ(pipe.read_all().size(), 8192U);
}

TEST(Timestamp, HasMilliseconds) {
  using namespace std::chrono;
  EXPECT_EQ(timestamp(sys_days(2026y / 11 / 27) + 15h + 4min + 5s + 67ms),
            "2026-11-27T15:04:05.067Z");
}

}  // namespace
}  // namespace everyitem
