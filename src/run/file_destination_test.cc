#include "run/file_destination.h"

#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "support/described_end.h"

namespace everyitem::run {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kFilesToken = "0123456789abcdef0000000000000000";
constexpr std::string_view kReplacedToken = "fedcba98765432100000000000000000";

/// A file, described and filled as a run does it.
class FileDestinationTest : public DescribedEndTest {
 public:
  FileDestinationTest() {
    std::string name = testing::TempDir() + "file_destination_XXXXXX";
    folder_ = mkdtemp(name.data());
    settings_.output = sink::OutputFile{.path = path()};
  }
  ~FileDestinationTest() override { fs::remove_all(folder_); }

 protected:
  std::string path() const { return folder_ + "/items.ndjson"; }
  std::string restarted(std::string_view token) const {
    return path() + ".restart-" + std::string(token.substr(0, 16));
  }

  std::unique_ptr<Destination> describe() {
    const auto serve = [](http::Peer&) -> Awaitable<void> { co_return; };
    return described<Destination>(serve, [this](RunServices& services) {
      return file_destination().describe({.settings = settings_, .services = services});
    });
  }
  void prepare(Destination& destination, RunStart start) {
    http::run(loop_, destination.prepare(std::move(start)));
  }
  void complete_again(Destination& destination, RunStart start) {
    http::run(loop_, destination.complete_again(std::move(start)));
  }
  void deliver(Destination& destination, std::string_view json) {
    const LaneDestination lane = destination.open(home(), 1);
    lane.builder->add({.json = json, .hash_key = {}, .range_key = {}}, {});
    const batch::RecordBatch batch = lane.builder->seal();
    const auto work = [&]() -> Awaitable<void> { co_await lane.sink->deliver(batch); };
    http::run(loop_, work());
  }
  /// A run of one item that is complete, which `start` resumes.
  RunStart whole_run() {
    const auto destination = describe();
    prepare(*destination, fresh());
    destination->begin();
    deliver(*destination, R"({"a":1})");
    destination->complete();
    return {.kind = RunStart::Kind::resume,
            .token = std::string(kFilesToken),
            .items = 1,
            .item_bytes = 7,
            .marks = destination->marks()};
  }

  static RunStart fresh() { return {.token = std::string(kFilesToken)}; }
  static RunStart restart() {
    return {.kind = RunStart::Kind::restart,
            .token = std::string(kFilesToken),
            .replaced_token = std::string(kReplacedToken)};
  }
  static void write(const std::string& file, std::string_view content) {
    std::ofstream(file) << content;
  }
  static std::string content(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  std::string folder_;
};

TEST_F(FileDestinationTest, DescribedFile) {
  const auto destination = describe();
  EXPECT_EQ(destination->name(), "items.ndjson");
  EXPECT_EQ(destination->location(), fs::absolute(path()).lexically_normal());
  EXPECT_EQ(destination->text().text(), "file " + destination->location());
  EXPECT_TRUE(destination->keeps_items());
  EXPECT_FALSE(destination->may_refuse_items());
  EXPECT_EQ(destination->identity(), (checkpoint::RunIdentity{{"file", destination->location()}}));
  EXPECT_FALSE(fs::exists(path())) << "nothing is begun yet";
}

TEST_F(FileDestinationTest, FreshRunFillsFile) {
  whole_run();
  EXPECT_EQ(content(path()), "{\"a\":1}\n");
}

TEST_F(FileDestinationTest, FreshRunKeepsContent) {
  write(path(), "mine\n");
  const auto destination = describe();
  EXPECT_THROW(prepare(*destination, fresh()), Error);
  EXPECT_EQ(content(path()), "mine\n");
}

TEST_F(FileDestinationTest, FirstItemReplaces) {
  write(path(), "old\n");
  const auto destination = describe();
  prepare(*destination, restart());
  destination->begin();
  EXPECT_EQ(content(path()), "old\n");
  EXPECT_EQ(content(restarted(kFilesToken)), "");
  deliver(*destination, R"({"a":1})");
  EXPECT_EQ(content(path()), "{\"a\":1}\n");
  EXPECT_FALSE(fs::exists(restarted(kFilesToken)));
  EXPECT_NO_THROW(destination->complete());
}

TEST_F(FileDestinationTest, EmptyRestartReplaces) {
  write(path(), "old\n");
  const auto destination = describe();
  prepare(*destination, restart());
  destination->begin();
  destination->complete();
  EXPECT_EQ(content(path()), "");
}

TEST_F(FileDestinationTest, OnlyUnusedFilesRemoved) {
  constexpr std::string_view kOther = "1111222233334444";
  constexpr std::string_view kEmpty = "5555666677778888";
  const std::string no_token = path() + ".restart-notes";
  const std::string upper_case = path() + ".restart-ABCDEF0123456789";
  write(restarted(kReplacedToken), "of the run that is replaced");
  write(restarted(kOther), "of another");
  for (const std::string& empty : {restarted(kEmpty), no_token, upper_case}) {
    write(empty, "");
    chmod(empty.c_str(), 0600);
  }
  chmod(restarted(kReplacedToken).c_str(), 0600);
  const auto destination = describe();
  prepare(*destination, restart());
  destination->begin();
  EXPECT_FALSE(fs::exists(restarted(kReplacedToken)));
  EXPECT_FALSE(fs::exists(restarted(kEmpty)));
  EXPECT_TRUE(fs::exists(restarted(kOther)));
  EXPECT_TRUE(fs::exists(no_token));
  EXPECT_TRUE(fs::exists(upper_case));
}

TEST_F(FileDestinationTest, ReplacedFileIsLost) {
  const auto destination = describe();
  prepare(*destination, fresh());
  deliver(*destination, R"({"a":1})");
  fs::remove(path());
  write(path(), "another\n");
  EXPECT_THAT(message_of([&] { destination->complete(); }),
              HasSubstr("was removed or replaced while the run wrote to it"));
}

TEST_F(FileDestinationTest, CompleteNeedsFile) {
  const RunStart whole = whole_run();
  EXPECT_NO_THROW(complete_again(*describe(), whole));
  const auto fault = [&] { return message_of([&] { complete_again(*describe(), whole); }); };
  fs::resize_file(path(), 7);
  EXPECT_THAT(fault(), HasSubstr("has 7 bytes of the 8 that were delivered to it"));
  fs::rename(path(), path() + ".moved");
  EXPECT_THAT(fault(), HasSubstr("the run into this file is complete, but the file is gone"));
  write(path(), "{\"a\":1}\n");
  EXPECT_THAT(fault(), HasSubstr("another file is in its place"));
}

// Its last process ended between the last acknowledgement and the replacement.
TEST_F(FileDestinationTest, CompleteRunReplaces) {
  write(path(), "old\n");
  RunStart start = restart();
  {
    const auto destination = describe();
    prepare(*destination, start);
    start.marks = destination->marks();
  }
  start.kind = RunStart::Kind::resume;
  complete_again(*describe(), start);
  EXPECT_EQ(content(path()), "");
  EXPECT_FALSE(fs::exists(restarted(kFilesToken)));
}

TEST_F(FileDestinationTest, PipesKeepNothing) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  settings_.output = sink::OutputFile{.path = pipe};
  const auto destination = describe();
  EXPECT_FALSE(destination->keeps_items());
  EXPECT_EQ(destination->name(), "pipe");
  EXPECT_THAT(texts_of(destination->notices()),
              ElementsAre("writing to the pipe " + pipe + " as soon as something reads it"));
  settings_.restart = true;
  EXPECT_THAT(message_of([&] { describe(); }), HasSubstr("has nothing to start over"));
  settings_.checkpoint = checkpoint::NoCheckpoint{};
  EXPECT_NO_THROW(describe());
}

TEST_F(FileDestinationTest, StandardOutputUnnoticed) {
  settings_.output = sink::StandardOutput{};
  const auto destination = describe();
  EXPECT_EQ(destination->location(), "standard output");
  EXPECT_THAT(destination->notices(), IsEmpty());
  EXPECT_FALSE(destination->may_refuse_items());
}

}  // namespace
}  // namespace everyitem::run
