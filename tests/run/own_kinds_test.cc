// A source and a destination of these tests' own, each a line in its list, go through whole runs:
// what Kinesis, files and tables can do, whatever is added can do too.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/run_to_end.h"
#include "checkpoint/checkpoint_store.h"
#include "emulator/emulated_items.h"
#include "run/scan_run.h"
#include "sink/file_sink.h"
#include "support/fake_clock.h"
#include "support/test_server.h"
#include "tests/run/counting_destination.h"
#include "tests/run/ended_run.h"
#include "tests/run/vector_source.h"

namespace everyitem::run {
namespace {

using pipeline::RunStatus;
using testing::HasSubstr;
using testing::SizeIs;

class OwnKindsTest : public testing::Test {
 public:
  OwnKindsTest() {
    std::string name = testing::TempDir() + "own_kinds_XXXXXX";
    folder_ = mkdtemp(name.data());
    counting_.file = open(taken_path().c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  }
  ~OwnKindsTest() override {
    close(counting_.file);
    std::filesystem::remove_all(folder_);
  }

 protected:
  struct Ended : EndedRun {
    ScanProgress progress;
    std::vector<std::string> notices;
  };

  ScanSettings settings() const {
    ScanSettings settings;
    settings.output = sink::OutputFile{.path = "counting:"};
    settings.checkpoint = checkpoint::SqliteLocation{.path = folder_ + "/checkpoint"};
    settings.dead_letters = DeadLettersInFile{.path = folder_ + "/letters"};
    settings.threads = 2;
    return settings;
  }

  Ended run(const ScanSettings& settings) {
    asio::io_context loop(1);
    Ended ended;
    const auto scan = make_run(
        loop, settings, [](std::string_view) { return ""; }, ended);
    EXPECT_EQ(scan->progress().estimated_items, 0U) << "nothing is described yet";
    static_cast<EndedRun&>(ended) = run_on(loop, *scan);
    ended.progress = scan->progress();
    return ended;
  }

  std::unique_ptr<ScanRun> make_run(asio::io_context& loop, const ScanSettings& settings,
                                    const Environment& environment, Ended& ended) {
    RunKinds kinds = run_kinds();
    kinds.sources.insert(kinds.sources.begin(), vector_source(parts_, refusal_, capacity_));
    kinds.destinations.insert(kinds.destinations.begin(), counting_destination(counting_));
    RunContext context{.environment = environment,
                       .clock = clock_,
                       .restart_asked_at = restart_asked_at_,
                       .only_resumes = only_resumes_};
    return std::make_unique<ScanRun>(
        loop.get_executor(), settings, context,
        [&](const auto& text) { ended.notices.push_back(text_of(text)); }, std::move(kinds));
  }

  /// In a process of its own, which is killed after `batches` batches.
  void run_and_kill(const ScanSettings& settings, std::size_t batches) {
    const pid_t child = fork();
    if (child == 0) {
      counting_.killed_after = batches;
      run(settings);
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended before it was killed";
  }

  std::vector<std::string> lines(const std::string& path) const {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      lines.push_back(line);
    }
    return lines;
  }
  std::string taken_path() const { return folder_ + "/taken"; }
  std::vector<std::string> taken() const { return lines(taken_path()); }
  std::set<std::string> distinct_taken() const {
    const std::vector<std::string> ids = taken();
    return {ids.begin(), ids.end()};
  }
  std::set<std::string> all() const {
    std::set<std::string> ids;
    for (const auto& pages : parts_) {
      for (const Ids& page : pages) {
        ids.insert(page.begin(), page.end());
      }
    }
    return ids;
  }

  static std::string text_of(const Message& text) { return text.text(); }

  std::string folder_;
  SystemClock clock_;
  Parts parts_ = parts_of(5, 8, 12);
  std::string refusal_;
  source::ReadCapacity capacity_;
  std::optional<std::int64_t> restart_asked_at_;
  bool only_resumes_ = false;
  Counting counting_;
};

TEST_F(OwnKindsTest, WholeRun) {
  const Ended ended = run(settings());
  ASSERT_TRUE(ended.outcome) << ended.error;
  EXPECT_EQ(ended.outcome->status, RunStatus::complete);
  EXPECT_EQ(distinct_taken(), all());
  EXPECT_THAT(taken(), SizeIs(all().size())) << "no item comes twice without a reason";
  EXPECT_EQ(ended.progress.counters.items_delivered, all().size());
  EXPECT_EQ(ended.progress.estimated_items, all().size());
  EXPECT_EQ(ended.progress.counters.read_units, 0.5) << "what was tried is not counted";
  EXPECT_EQ(counting_.begun, 1U);
  EXPECT_EQ(counting_.completed, 1U);
  ASSERT_THAT(counting_.starts, SizeIs(1));
  EXPECT_EQ(counting_.starts[0].kind, RunStart::Kind::fresh);
  EXPECT_THAT(counting_.starts[0].token, SizeIs(32));
}

// The pages of this source do not say what they cost.
TEST_F(OwnKindsTest, DefaultRateDropped) {
  capacity_ = {.mode = source::ReadCapacity::Mode::provisioned, .units_per_second = 1e6};
  const Ended ended = run(settings());
  ASSERT_TRUE(ended.outcome) << ended.error;
  EXPECT_EQ(distinct_taken(), all());
  EXPECT_EQ(std::ranges::count_if(ended.notices,
                                  [](const std::string& notice) {
                                    return notice.starts_with("the read rate is not kept");
                                  }),
            1);
  EXPECT_FALSE(ended.progress.read_rate);
}

TEST_F(OwnKindsTest, ChosenRateKept) {
  ScanSettings chosen = settings();
  chosen.read_rate.units = 1e6;
  const Ended ended = run(chosen);
  EXPECT_FALSE(ended.outcome);
  EXPECT_THAT(ended.error, testing::HasSubstr("does not return ConsumedCapacity"));
}

TEST_F(OwnKindsTest, CompleteRunDoesNothing) {
  run(settings());
  const Ended again = run(settings());
  ASSERT_TRUE(again.outcome) << again.error;
  EXPECT_TRUE(again.outcome->nothing_to_do);
  EXPECT_THAT(taken(), SizeIs(all().size()));
  EXPECT_THAT(counting_.starts, SizeIs(1)) << "the destination was prepared for nothing";
}

TEST_F(OwnKindsTest, ResumesAfterKills) {
  // The last has delivered more than the two pages of each part that may be ahead of the
  // checkpoint.
  for (const std::size_t batches : {1, 9, 40}) {
    run_and_kill(settings(), batches);
  }
  const Ended ended = run(settings());
  ASSERT_TRUE(ended.outcome) << ended.error;
  EXPECT_EQ(ended.outcome->status, RunStatus::complete);
  EXPECT_EQ(distinct_taken(), all());
  ASSERT_THAT(counting_.starts, SizeIs(1)) << "the killed runs were other processes";
  EXPECT_EQ(counting_.starts[0].kind, RunStart::Kind::resume);
  EXPECT_GT(ended.progress.items_before, 0U);
  // Repeated: at most the two pages of each of the parts that were in flight, for each kill.
  EXPECT_LE(taken().size() - all().size(), std::size_t{3} * 2 * 12 * parts_.size());
  EXPECT_EQ(ended.progress.items_before + ended.progress.counters.items_delivered, all().size());
}

TEST_F(OwnKindsTest, RefusedBecomeDeadLetters) {
  counting_.refuses = [](const std::string& id) { return id.ends_with(".3"); };
  run_and_kill(settings(), 10);
  const Ended ended = run(settings());
  ASSERT_TRUE(ended.outcome) << ended.error;
  std::set<std::string> letters;
  for (const std::string& line : lines(folder_ + "/letters")) {
    const boost::json::value letter = boost::json::parse(line);
    const std::string id = id_of(boost::json::serialize(letter.at("item")));
    letters.insert(id);
    EXPECT_EQ(letter.at("key"), boost::json::parse(R"({"id":{"S":")" + id + R"("}})"));
    EXPECT_EQ(letter.at("code"), "NotWanted");
    EXPECT_EQ(letter.at("destination"), "counting");
    EXPECT_EQ(letter.at("table"), "vector");
    EXPECT_EQ(letter.at("segment"), std::stoll(id)) << id;
  }
  EXPECT_THAT(letters, SizeIs(5 * 8));
  std::set<std::string> accounted = distinct_taken();
  for (const std::string& id : letters) {
    EXPECT_TRUE(id.ends_with(".3")) << id;
    EXPECT_TRUE(accounted.insert(id).second) << id << " was taken and is a dead letter";
  }
  EXPECT_EQ(accounted, all());
  EXPECT_EQ(ended.progress.dead_letters(), letters.size());
}

TEST_F(OwnKindsTest, RestartTellsTheDestination) {
  run(settings());
  ScanSettings again = settings();
  again.restart = true;
  const Ended ended = run(again);
  ASSERT_TRUE(ended.outcome) << ended.error;
  EXPECT_FALSE(ended.outcome->nothing_to_do);
  EXPECT_THAT(taken(), SizeIs(2 * all().size()));
  ASSERT_THAT(counting_.starts, SizeIs(2));
  EXPECT_EQ(counting_.starts[1].kind, RunStart::Kind::restart);
  EXPECT_NE(counting_.starts[1].token, counting_.starts[0].token);
}

TEST_F(OwnKindsTest, UnreadableSourceBeginsNothing) {
  run(settings());
  refusal_ = "the filter is wrong";
  ScanSettings again = settings();
  again.restart = true;
  const Ended refused = run(again);
  EXPECT_THAT(refused.error, HasSubstr("the filter is wrong"));
  EXPECT_FALSE(refused.progress.begun);
  EXPECT_THAT(counting_.starts, SizeIs(1)) << "the destination was prepared for a run that failed";
  refusal_.clear();
  EXPECT_TRUE(run(settings()).outcome->nothing_to_do) << "the run before is gone";
}

TEST_F(OwnKindsTest, LimitThenTheRest) {
  ScanSettings some = settings();
  some.limit = 100;
  const Ended first = run(some);
  ASSERT_TRUE(first.outcome) << first.error;
  EXPECT_EQ(first.outcome->status, RunStatus::limit_reached);
  EXPECT_THAT(taken(), SizeIs(100));
  EXPECT_EQ(counting_.completed, 0U);
  const Ended rest = run(settings());
  ASSERT_TRUE(rest.outcome) << rest.error;
  EXPECT_EQ(distinct_taken(), all());
}

TEST_F(OwnKindsTest, OnlyResumesBegunRun) {
  only_resumes_ = true;
  Ended ended = run(settings());
  ASSERT_TRUE(ended.outcome) << ended.error;
  EXPECT_TRUE(ended.outcome->not_begun);
  EXPECT_FALSE(ended.progress.begun);
  EXPECT_THAT(taken(), SizeIs(0));
  only_resumes_ = false;
  ScanSettings limited = settings();
  limited.limit = 200;
  ASSERT_EQ(run(limited).outcome->status, RunStatus::limit_reached);
  only_resumes_ = true;
  ended = run(settings());
  ASSERT_TRUE(ended.outcome) << ended.error;
  EXPECT_EQ(ended.outcome->status, RunStatus::complete);
  EXPECT_GT(ended.progress.items_before, 0U);
  EXPECT_EQ(distinct_taken(), all());
  EXPECT_TRUE(run(settings()).outcome->nothing_to_do);
}

TEST_F(OwnKindsTest, RepeatedRestartIsOne) {
  run(settings());
  ScanSettings restart = settings();
  restart.restart = true;
  restart_asked_at_ = 1'795'500'000'000;
  ScanSettings limited = restart;
  limited.limit = 200;
  EXPECT_EQ(run(limited).progress.items_before, 0U);
  *restart_asked_at_ += 60'000;  // its client asks again
  const Ended resumed = run(restart);
  EXPECT_EQ(resumed.outcome->status, RunStatus::complete);
  EXPECT_GT(resumed.progress.items_before, 0U);
  *restart_asked_at_ += 60'000;  // somebody wants it once more
  const Ended again = run(restart);
  EXPECT_FALSE(again.outcome->nothing_to_do);
  EXPECT_EQ(again.progress.counters.items_delivered, all().size());
  EXPECT_TRUE(run(restart).outcome->nothing_to_do);  // the same event again
}

TEST_F(OwnKindsTest, FileTakesSamePages) {
  ScanSettings to_file = settings();
  const std::string path = folder_ + "/items.ndjson";
  to_file.output = sink::OutputFile{.path = path};
  ASSERT_TRUE(run(to_file).outcome);
  std::set<std::string> found;
  for (const std::string& line : lines(path)) {
    found.insert(id_of(line));
  }
  EXPECT_EQ(found, all());
}

/// Processes that share a run through its table.
class SharedRunTest : public OwnKindsTest {
 protected:
  Ended run_sharer() {
    asio::io_context loop(1);
    http::TestServer server(loop, [this](http::Peer& peer) { return serve(peer); });
    const Environment environment = [url = server.endpoint().url()](std::string_view name) {
      const bool is_secret = name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY";
      return name == "AWS_ENDPOINT_URL" ? url
             : name == "AWS_REGION"     ? std::string("eu-west-1")
                                        : std::string(is_secret ? "test" : "");
    };
    ScanSettings shared = settings();
    shared.checkpoint = checkpoint::DynamoDbLocation{.table = "checkpoints"};
    shared.dead_letters = {};
    shared.share = true;
    Ended ended;
    const auto scan = make_run(loop, shared, environment, ended);
    const auto work = [&]() -> Awaitable<void> { ended.outcome = co_await scan->run(); };
    http::run(loop, work());
    ended.progress = scan->progress();
    return ended;
  }

 private:
  Awaitable<void> serve(http::Peer& peer) {
    constexpr std::string_view kTarget = "DynamoDB_20120810.";
    while (const std::optional<std::string> request = co_await peer.read_request()) {
      const std::size_t begin = request->find(kTarget) + kTarget.size();
      const std::string operation = request->substr(begin, request->find('\r', begin) - begin);
      const emulator::ServiceReply reply = items_.answer(operation, http::body_of(*request));
      const std::string bytes =
          http::answer(reply.body, reply.status == 200 ? "200 OK" : "400 Bad Request");
      co_await peer.write(bytes);
    }
  }

  emulator::EmulatedItems items_;
};

TEST_F(SharedRunTest, CompleteForAll) {
  const Ended first = run_sharer();
  ASSERT_TRUE(first.outcome) << first.error;
  EXPECT_EQ(first.outcome->status, RunStatus::complete);
  EXPECT_EQ(first.progress.counters.segments_complete, first.progress.segments);
  EXPECT_EQ(first.progress.counters.items_delivered, all().size());
  EXPECT_EQ(first.progress.items_before, 0U);
  const Ended second = run_sharer();
  ASSERT_TRUE(second.outcome) << second.error;
  EXPECT_TRUE(second.outcome->nothing_to_do);
  EXPECT_EQ(second.progress.items_before, all().size());
  EXPECT_THAT(taken(), SizeIs(all().size()));
  EXPECT_EQ(distinct_taken(), all());
}

TEST_F(SharedRunTest, RefusedBecomeDeadLetters) {
  counting_.refuses = [](const std::string& id) { return id.ends_with(".3"); };
  const Ended ended = run_sharer();
  ASSERT_TRUE(ended.outcome) << ended.error;
  EXPECT_GT(ended.progress.dead_letters(), 0U);
  EXPECT_EQ(ended.progress.dead_letters() + ended.progress.counters.items_delivered, all().size());
}

/// Runs into a file that has content.
class FileRunTest : public OwnKindsTest {
 protected:
  FileRunTest() { to_file_.output = sink::OutputFile{.path = path_}; }

  void write(const std::string& content) const { std::ofstream(path_) << content; }
  Ended restart() {
    ScanSettings again = to_file_;
    again.restart = true;
    return run(again);
  }
  std::set<std::string> found() const {
    std::set<std::string> ids;
    for (const std::string& line : lines(path_)) {
      ids.insert(id_of(line));
    }
    return ids;
  }
  std::string token() const {
    FakeClock clock{std::chrono::system_clock::time_point{}};
    const checkpoint::StoreContext context{.clock = clock};
    const auto store = checkpoint::open_checkpoint_store(*to_file_.checkpoint, context);
    return run_to_end(store->look())->state.token;
  }

  std::string path_ = folder_ + "/items.ndjson";
  ScanSettings to_file_ = settings();
};

TEST_F(FileRunTest, RestartReplacesContent) {
  write("precious\n");
  EXPECT_THAT(run(to_file_).error, HasSubstr("the file exists and is not empty"));
  EXPECT_THAT(lines(path_), testing::ElementsAre("precious"));
  ASSERT_TRUE(restart().outcome);
  EXPECT_EQ(found(), all());
}

TEST_F(FileRunTest, RestartSparesOthersFile) {
  sink::LineFile other = sink::LineFile::begin(path_);
  other.append("{}\n");
  EXPECT_THAT(restart().error, HasSubstr("another process"));
  EXPECT_THAT(lines(path_), testing::ElementsAre("{}"));
}

TEST_F(FileRunTest, ReplacedFileNotResumed) {
  to_file_.limit = 100;
  ASSERT_TRUE(run(to_file_).outcome);
  std::filesystem::copy(path_, path_ + ".copy");
  std::filesystem::rename(path_ + ".copy", path_);
  to_file_.limit.reset();
  EXPECT_THAT(run(to_file_).error, HasSubstr("is not the one that the run began"));
  EXPECT_THAT(lines(path_), SizeIs(100));
}

TEST_F(FileRunTest, LostFileNotResumed) {
  write("{\"id\":{\"S\":\"precious\"}}\n");
  refusal_ = "";
  ScanSettings again = to_file_;
  again.restart = true;
  again.limit = 100;
  ASSERT_TRUE(run(again).outcome);
  // As if the new file had been lost before it took the old one's place.
  std::filesystem::remove(path_);
  write("{\"id\":{\"S\":\"precious\"}}\n");
  EXPECT_FALSE(run(to_file_).outcome);
  EXPECT_THAT(found(), testing::ElementsAre("precious"));
}

TEST_F(FileRunTest, CompleteRunReplacesLater) {
  write("precious\n");
  ASSERT_TRUE(restart().outcome);
  // As if the last process had been killed before its file took the place of the old one.
  std::filesystem::rename(path_, path_ + ".restart-" + token().substr(0, 16));
  write("precious\n");
  const Ended again = run(to_file_);
  ASSERT_TRUE(again.outcome) << again.error;
  EXPECT_TRUE(again.outcome->nothing_to_do);
  EXPECT_EQ(found(), all());
}

TEST_F(FileRunTest, CompleteRunMissesFile) {
  ASSERT_TRUE(run(to_file_).outcome);
  EXPECT_TRUE(run(to_file_).outcome->nothing_to_do);
  const auto expect_refusal = [this](const std::string& fault) {
    const Ended again = run(to_file_);
    EXPECT_FALSE(again.outcome);
    EXPECT_THAT(again.error, HasSubstr("was complete at 20"));
    EXPECT_THAT(again.error, HasSubstr(fault));
    EXPECT_THAT(again.error, HasSubstr("--restart"));
  };
  const std::string moved = path_ + ".moved";
  std::filesystem::rename(path_, moved);
  expect_refusal("the file is gone");
  std::filesystem::copy(moved, path_);
  expect_refusal("another file is in its place");
  std::filesystem::rename(moved, path_);
  EXPECT_TRUE(run(to_file_).outcome->nothing_to_do) << "it was put back";
  std::filesystem::resize_file(path_, 9);
  expect_refusal("the file has 9 bytes");
  ASSERT_TRUE(restart().outcome);
  EXPECT_EQ(found(), all());
}

TEST_F(FileRunTest, RemovedDuringTheRun) {
  to_file_.limit = 100;
  ASSERT_TRUE(run(to_file_).outcome);
  std::filesystem::remove(path_);
  to_file_.limit.reset();
  EXPECT_THAT(run(to_file_).error, HasSubstr("No such file"));
  EXPECT_THAT(run(to_file_).error, HasSubstr("--restart"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(FileRunTest, KilledRestartsFilesGo) {
  write("precious\n");
  ScanSettings again = to_file_;
  again.restart = true;
  again.limit = 10;
  ASSERT_TRUE(run(again).outcome);
  // As if that restart had been killed before its file took the old one's place, and one before it
  // had been killed before it began.
  const std::string replaced = path_ + ".restart-" + token().substr(0, 16);
  std::filesystem::rename(path_, replaced);
  write("precious\n");
  std::ofstream(path_ + ".restart-0123456789abcdef") << "";
  std::ofstream(path_ + ".restart-fedcba9876543210") << "of another run";
  std::ofstream(path_ + ".restart-notes") << "";
  ASSERT_TRUE(restart().outcome);
  EXPECT_EQ(found(), all());
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("items.ndjson.")) {
      left.insert(name);
    }
  }
  EXPECT_THAT(left, testing::ElementsAre("items.ndjson.restart-fedcba9876543210",
                                         "items.ndjson.restart-notes"));
}

TEST_F(FileRunTest, RestartKeepsThePermissions) {
  write("precious\n");
  std::filesystem::permissions(path_, std::filesystem::perms(0640));
  ASSERT_TRUE(restart().outcome);
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0640));
}

TEST_F(FileRunTest, RestartOverALink) {
  std::ofstream(folder_ + "/real") << "precious\n";
  std::filesystem::create_symlink(folder_ + "/real", path_);
  EXPECT_THAT(restart().error, HasSubstr("symbolic link"));
  EXPECT_THAT(run(to_file_).error, HasSubstr("symbolic link"));
  EXPECT_THAT(lines(folder_ + "/real"), testing::ElementsAre("precious"));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
}

TEST_F(OwnKindsTest, EachRunsDeadLetters) {
  counting_.refuses = [](const std::string& id) { return id.starts_with("0."); };
  std::vector<std::string> letters;
  for (const std::string checkpoint : {"v1.1", "v1.2", "v1.2"}) {
    ScanSettings one = settings();
    one.dead_letters.reset();
    one.checkpoint = checkpoint::SqliteLocation{.path = folder_ + "/" + checkpoint};
    one.restart = true;
    ASSERT_TRUE(run(one).outcome);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().string().ends_with(".dead-letters.ndjson")) {
      letters.push_back(entry.path().filename().string().substr(0, 5));
      EXPECT_THAT(lines(entry.path()), SizeIs(8 * 12));
    }
  }
  EXPECT_THAT(letters, testing::UnorderedElementsAre("v1.1.", "v1.2."));
}

TEST_F(OwnKindsTest, ForeignDeadLetterFile) {
  const std::string letters = folder_ + "/letters";
  std::ofstream(letters) << "notes\n";
  std::filesystem::permissions(letters, std::filesystem::perms(0600));
  ScanSettings again = settings();
  again.restart = true;
  for (const ScanSettings& one : {settings(), again}) {
    EXPECT_THAT(run(one).error, HasSubstr("something else than dead letters"));
    EXPECT_THAT(lines(letters), testing::ElementsAre("notes"));
  }
  EXPECT_THAT(taken(), testing::IsEmpty());
}

}  // namespace
}  // namespace everyitem::run
