#include "sink/file_sink.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

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

TEST_F(FileSinkTest, FreshRunCreatesPrivateFile) {
  FileSink sink(path_, FileStart::fresh, 0);
  deliver(sink, "{}\n");
  deliver(sink, "{\"a\":1}\n");
  EXPECT_EQ(content(), "{}\n{\"a\":1}\n");
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
}

TEST_F(FileSinkTest, FreshRunKeepsExistingContent) {
  write("precious\n");
  EXPECT_THROW(FileSink(path_, FileStart::fresh, 0), Error);
  EXPECT_EQ(content(), "precious\n");
}

TEST_F(FileSinkTest, ResumeAfterLastWholeLine) {
  write("{}\n{\"half");
  FileSink sink(path_, FileStart::resume, 3);
  deliver(sink, "{\"b\":2}\n");
  EXPECT_EQ(content(), "{}\n{\"b\":2}\n");
}

TEST_F(FileSinkTest, LongHalfLineIsRemoved) {
  write("{}\n" + std::string(200'000, 'x'));
  FileSink sink(path_, FileStart::resume, 3);
  EXPECT_EQ(content(), "{}\n");
}

TEST_F(FileSinkTest, ResumeNoticesMissingItems) {
  write("{}\n");
  EXPECT_THROW(FileSink(path_, FileStart::resume, 4), Error);
  EXPECT_EQ(content(), "{}\n");
  std::filesystem::remove(path_);
  EXPECT_THROW(FileSink(path_, FileStart::resume, 1), Error);
}

TEST_F(FileSinkTest, RestartEmptiesFile) {
  write("{}\n{}\n");
  FileSink sink(path_, FileStart::restart, 0);
  deliver(sink, "{\"c\":3}\n");
  EXPECT_EQ(content(), "{\"c\":3}\n");
}

TEST_F(FileSinkTest, ReplacesWithTheFirstLines) {
  write("precious\n");
  const std::string replacement = path_ + ".restart";
  FileSink sink(replacement, FileStart::fresh, 0);
  sink.replace_at_first_append(path_);
  EXPECT_EQ(content(), "precious\n");
  deliver(sink, "{\"a\":1}\n");
  EXPECT_EQ(content(), "{\"a\":1}\n");
  EXPECT_FALSE(std::filesystem::exists(replacement));
  deliver(sink, "{\"b\":2}\n");
  sink.replace_now();
  EXPECT_EQ(content(), "{\"a\":1}\n{\"b\":2}\n");
}

TEST_F(FileSinkTest, ReplacesWithNothingOnRequest) {
  write("precious\n");
  FileSink sink(path_ + ".restart", FileStart::fresh, 0);
  sink.replace_at_first_append(path_);
  sink.replace_now();
  EXPECT_EQ(content(), "");
}

TEST_F(FileSinkTest, FailureToReplaceIsAnError) {
  FileSink sink(path_, FileStart::fresh, 0);
  sink.replace_at_first_append(folder_ + "/none/items.ndjson");
  EXPECT_THROW(deliver(sink, "{}\n"), Error);
  EXPECT_EQ(content(), "{}\n");
}

TEST_F(FileSinkTest, OneWriterAtATime) {
  for (const FileStart start : {FileStart::fresh, FileStart::resume, FileStart::restart}) {
    auto first = std::make_unique<FileSink>(path_, FileStart::restart, 0);
    try {
      const FileSink second(path_, start, 0);
      ADD_FAILURE() << "opened";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("another process is writing to this file"),
                std::string::npos)
          << error.what();
    }
    deliver(*first, "whole\n");
    EXPECT_EQ(content(), "whole\n");
    first.reset();
    const FileSink next(path_, FileStart::resume, 6);
  }
  const FileSink one("/dev/null", FileStart::fresh, 0);
  const FileSink other("/dev/null", FileStart::fresh, 0);  // any number of runs may share a device
}

TEST_F(FileSinkTest, FullDiskNamesFile) {
  FileSink sink("/dev/full", FileStart::fresh, 0);
  try {
    deliver(sink, "{}\n");
    FAIL() << "the write must fail";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/dev/full"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos);
  }
}

TEST_F(FileSinkTest, NothingAfterAnIncompleteLine) {
  FileSink sink(path_, FileStart::fresh, 0);
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
    FileSink sink(folder_ + "/none/items.ndjson", FileStart::fresh, 0);
    FAIL() << "the file cannot be opened";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/none/items.ndjson: No such file"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace everyitem::sink
