#include "sink/file_sink.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run_to_end.h"

namespace everyitem::sink {
namespace {

class FileSinkTest : public testing::Test {
 public:
  FileSinkTest() {
    std::string name = testing::TempDir() + "file_sink_XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/items.ndjson";
  }
  ~FileSinkTest() override { std::filesystem::remove_all(folder_); }

 protected:
  static void deliver(FileSink& sink, std::string_view lines) {
    batch::RecordBatch batch;
    batch.body.append(lines);
    run_to_end(sink.deliver(batch));
  }

  void write(std::string_view content) const { std::ofstream(path_) << content; }

  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  std::string folder_;
  std::string path_;
};

TEST_F(FileSinkTest, FreshFileIsPrivate) {
  FileSink sink(LineFile::begin(path_));
  deliver(sink, "{}\n");
  deliver(sink, "{\"a\":1}\n");
  EXPECT_EQ(content(), "{}\n{\"a\":1}\n");
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
}

TEST_F(FileSinkTest, FreshRunKeepsContent) {
  write("precious\n");
  EXPECT_THROW(LineFile::begin(path_), Error);
  EXPECT_EQ(content(), "precious\n");
}

TEST_F(FileSinkTest, ResumesAfterWholeLine) {
  write("{}\n{\"half");
  FileSink sink(LineFile::resume(path_, {.bytes = 3}));
  deliver(sink, "{\"b\":2}\n");
  EXPECT_EQ(content(), "{}\n{\"b\":2}\n");
}

TEST_F(FileSinkTest, LongHalfLineRemoved) {
  write("{}\n" + std::string(200'000, 'x'));
  FileSink sink(LineFile::resume(path_, {.bytes = 3}));
  EXPECT_EQ(content(), "{}\n");
}

// What cannot be read must not look like a file without a whole line, and be cut off.
TEST_F(FileSinkTest, UnreadableFileIsKept) {
  write("{}\n");
  Descriptor write_only(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  LineFile file = LineFile::of_file(path_, std::move(write_only));
  EXPECT_THROW(file.cut_to_whole_lines(0), Error);
  EXPECT_EQ(content(), "{}\n");
}

TEST_F(FileSinkTest, ResumeNoticesMissingItems) {
  write("{}\n");
  EXPECT_THROW(LineFile::resume(path_, {.bytes = 4}), Error);
  EXPECT_EQ(content(), "{}\n");
  std::filesystem::remove(path_);
  EXPECT_THROW(LineFile::resume(path_, {.bytes = 1}), Error);
}

TEST_F(FileSinkTest, ResumeKnowsItsFile) {
  write("{}\n");
  const std::string id = file_id(std::filesystem::path(path_));
  { const LineFile same = LineFile::resume(path_, {.bytes = 3, .id = id}); }
  std::filesystem::copy(path_, path_ + ".copy");
  std::filesystem::rename(path_ + ".copy", path_);
  EXPECT_THROW(LineFile::resume(path_, {.bytes = 3, .id = id}), Error);
  std::filesystem::remove(path_);
  EXPECT_THROW(LineFile::resume(path_, {}), Error);
  EXPECT_FALSE(std::filesystem::exists(path_)) << "a lost file is not made again";
}

TEST_F(FileSinkTest, ResumeCutsLostBlocks) {
  write("{}\n{\"a\":1}\n" + std::string(5000, '\0') + "\"}\n{\"c\":3}\n");
  const LineFile resumed = LineFile::resume(path_, {.bytes = 3});
  EXPECT_EQ(content(), "{}\n{\"a\":1}\n");
}

TEST_F(FileSinkTest, RemovedFileIsNoticed) {
  FileSink sink(LineFile::begin(path_));
  deliver(sink, "{}\n");
  std::filesystem::remove(path_);
  EXPECT_THROW(deliver(sink, "{\"a\":1}\n"), Error);
}

/// The file that a restart writes first.
class ReplacingSinkTest : public FileSinkTest {
 protected:
  std::unique_ptr<FileSink> open() const {
    std::optional<Descriptor> old_file = open_replaceable(path_);
    auto sink = std::make_unique<FileSink>(LineFile::begin(new_path_));
    sink->replace_at_first_append(path_, std::move(old_file));
    return sink;
  }

  std::string new_path_ = path_ + ".restart";
};

TEST_F(ReplacingSinkTest, ReplacesWithFirstLines) {
  write("precious\n");
  const auto sink = open();
  EXPECT_EQ(content(), "precious\n");
  deliver(*sink, "{\"a\":1}\n");
  EXPECT_EQ(content(), "{\"a\":1}\n");
  EXPECT_FALSE(std::filesystem::exists(new_path_));
  deliver(*sink, "{\"b\":2}\n");
  sink->replace_now();
  EXPECT_EQ(content(), "{\"a\":1}\n{\"b\":2}\n");
}

TEST_F(ReplacingSinkTest, ReplacesWithNothing) {
  write("precious\n");
  open()->replace_now();
  EXPECT_EQ(content(), "");
}

TEST_F(ReplacingSinkTest, KeepsThePermissions) {
  write("precious\n");
  for (const auto mode : {0600, 0640, 0644, 0400}) {
    std::filesystem::permissions(path_, std::filesystem::perms(mode));
    open()->replace_now();
    EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(mode));
  }
}

TEST_F(ReplacingSinkTest, ReplacesOwnFileOnly) {
  write("precious\n");
  std::filesystem::rename(path_, path_ + ".real");
  std::filesystem::create_symlink(path_ + ".real", path_);
  EXPECT_THROW(open(), Error);
  std::filesystem::remove(path_);
  std::filesystem::create_hard_link(path_ + ".real", path_);
  EXPECT_THROW(open(), Error);
  std::filesystem::remove(path_ + ".real");
  const LineFile other = LineFile::resume(path_, {});
  EXPECT_THROW(open(), Error) << "somebody writes to it";
  EXPECT_EQ(content(), "precious\n");
}

TEST_F(ReplacingSinkTest, FailureToReplace) {
  const auto sink = open();
  std::filesystem::create_directory(path_);
  EXPECT_THROW(deliver(*sink, "{}\n"), Error);
  EXPECT_TRUE(std::filesystem::exists(new_path_));
}

TEST_F(FileSinkTest, OneWriterAtOnce) {
  std::optional<LineFile> first = LineFile::begin(path_);
  const auto refusal = [this](bool resumes) -> std::string {
    try {
      const LineFile second = resumes ? LineFile::resume(path_, {}) : LineFile::begin(path_);
    } catch (const Error& error) {
      return error.what();
    }
    return "opened";
  };
  for (const bool resumes : {false, true}) {
    EXPECT_THAT(refusal(resumes), testing::HasSubstr("another process is writing to this file"));
  }
  first->append("whole\n");
  EXPECT_EQ(content(), "whole\n");
  first.reset();
  EXPECT_EQ(refusal(true), "opened");
}

class StreamTest : public FileSinkTest {
 protected:
  StreamTest() { mkfifo(pipe_.c_str(), 0600); }

  static FileSink sink_to(const std::string& path) {
    return FileSink(LineFile::of_stream(path, open_stream(path).value()));
  }

  std::string pipe_ = folder_ + "/pipe";
};

TEST_F(StreamTest, NoRegularFile) {
  write("");
  for (const std::string& path :
       {pipe_, std::string("-"), std::string("/dev/stdout"), std::string("/dev/stderr"),
        std::string("/dev/fd/63"), std::string("/proc/self/fd/1"), std::string("/dev/null")}) {
    EXPECT_TRUE(is_stream(path)) << path;
  }
  for (const std::string& path : {path_, folder_ + "/none", std::string("/dev/fd/x"), folder_}) {
    EXPECT_FALSE(is_stream(path)) << path;
  }
  std::filesystem::create_symlink(path_, folder_ + "/link");
  EXPECT_FALSE(is_stream(folder_ + "/link"));
}

TEST_F(StreamTest, PipeNeverReadsItself) {
  EXPECT_FALSE(open_stream(pipe_)) << "nobody reads it";
  const Descriptor reader(::open(pipe_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  FileSink sink = sink_to(pipe_);
  deliver(sink, "{}\n");
  std::array<char, 16> read_bytes{};
  EXPECT_EQ(read(reader.get(), read_bytes.data(), read_bytes.size()), 3);
}

TEST_F(StreamTest, ClosedPipeNoFailure) {
  const auto signal_before = std::signal(SIGPIPE, SIG_IGN);
  auto reader =
      std::make_unique<Descriptor>(::open(pipe_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  FileSink sink = sink_to(pipe_);
  reader.reset();
  EXPECT_THROW(deliver(sink, "{}\n"), DestinationClosed);
  std::signal(SIGPIPE, signal_before);
}

TEST_F(StreamTest, InheritedDescriptorsOnly) {
  const Descriptor own(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string name = fmt::format("/dev/fd/{}", own.get());
  EXPECT_THROW(open_stream(name), Error) << "this process has opened it for itself";
  fcntl(own.get(), F_SETFD, 0);
  FileSink sink = sink_to(name);
  deliver(sink, "{}\n");
  EXPECT_EQ(content(), "{}\n");
  const Descriptor to_read(::open(path_.c_str(), O_RDONLY));
  EXPECT_THROW(open_stream(fmt::format("/dev/fd/{}", to_read.get())), Error);
  EXPECT_THROW(open_stream("/dev/fd/1000"), Error);
}

TEST_F(StreamTest, FullDiskNamesFile) {
  FileSink sink = sink_to("/dev/full");
  try {
    deliver(sink, "{}\n");
    FAIL() << "the write must fail";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/dev/full"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos);
  }
}

TEST_F(FileSinkTest, NothingAfterIncompleteLine) {
  FileSink sink(LineFile::begin(path_));
  deliver(sink, "{}\n");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit few_bytes{.rlim_cur = 8, .rlim_max = before.rlim_max};
  const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &few_bytes);
  EXPECT_THROW(deliver(sink, "{\"a\":1}\n"), Error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, signal_before);
  EXPECT_THROW(deliver(sink, "{\"b\":1}\n"), Error);
  EXPECT_EQ(content(), "{}\n{\"a\":");
}

TEST_F(FileSinkTest, MissingFolderNamesFile) {
  try {
    LineFile::begin(folder_ + "/none/items.ndjson");
    FAIL() << "the file cannot be opened";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/none/items.ndjson: No such file"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace everyitem::sink
