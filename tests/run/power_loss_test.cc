// Runs on a disk that loses power. After each step of a run - each write, sync, rename and removal,
// SQLite's included - the folder is put back as it would stand then, and the same command is given
// again: it has to miss nothing.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "run/scan_run.h"
#include "tests/run/counting_destination.h"
#include "tests/run/ended_run.h"
#include "tests/run/recorded_disk.h"
#include "tests/run/vector_source.h"

namespace everyitem::run {
namespace {

namespace fs = std::filesystem;

using ItemIds = std::set<std::string>;

class PowerLossTest : public testing::Test {
 public:
  PowerLossTest() {
    std::string name = testing::TempDir() + "power_loss_XXXXXX";
    folder_ = fs::canonical(mkdtemp(name.data())).string();
    disk_.emplace(folder_);
    disk_->is_elsewhere = [this](const std::string& path) { return path == taken_path(); };
    settings_.checkpoint = checkpoint::SqliteLocation{.path = folder_ + "/state/of/run"};
    settings_.threads = 1;
    std::ofstream(taken_path()) << "";
  }
  ~PowerLossTest() override {
    disk_.reset();
    fs::remove_all(folder_);
  }

 protected:
  EndedRun run(const ScanSettings& settings) {
    asio::io_context loop(1);
    SystemClock clock;
    Counting counting{.file = open(taken_path().c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600),
                      .refuses = is_refused};
    RunKinds kinds = run_kinds();
    kinds.sources.insert(kinds.sources.begin(), vector_source(parts_, ""));
    kinds.destinations.insert(kinds.destinations.begin(), counting_destination(counting));
    RunContext context{.environment = [](std::string_view) { return std::string(); },
                       .clock = clock};
    ScanRun scan(
        loop.get_executor(), settings, context, [](const Message&) {}, std::move(kinds));
    EndedRun ended = run_on(loop, scan);
    close(counting.file);
    return ended;
  }

  void record(const ScanSettings& settings) {
    disk_->record();
    const EndedRun ended = run(settings);
    disk_->stop();
    ASSERT_TRUE(ended.outcome) << ended.error;
  }

  /// Calls `check` for each state that a loss of power can leave. Returns what it has found wrong,
  /// up to the first few.
  std::vector<std::string> check_all(const std::function<std::string()>& check) {
    std::vector<std::string> found;
    std::set<RecordedDisk::Tree> checked;
    for (std::size_t step = 0; step <= disk_->steps(); ++step) {
      for (const Loss loss : losses_) {
        if (!checked.insert(disk_->after(step, loss)).second) {
          continue;
        }
        disk_->put(step, loss);
        if (const std::string fault = fault_of(check); !fault.empty()) {
          found.push_back(fmt::format("step {} of {}, loss {}: {}", step, disk_->steps(),
                                      static_cast<int>(loss), fault));
        }
        if (found.size() == 3) {
          return found;
        }
      }
    }
    states_ = checked.size();
    return found;
  }

  /// A line that cannot be parsed is one as well.
  static std::string fault_of(const std::function<std::string()>& check) {
    try {
      return check();
    } catch (const std::exception& damage) {
      return damage.what();
    }
  }

  static std::string missing(const ItemIds& wanted, const ItemIds& found) {
    std::vector<std::string> missing;
    std::ranges::set_difference(wanted, found, std::back_inserter(missing));
    return missing.empty() ? ""
                           : fmt::format("{} of {} items are missing, {} among them",
                                         missing.size(), wanted.size(), missing.front());
  }

  static ItemIds all(const Parts& parts) {
    ItemIds ids;
    for (const auto& pages : parts) {
      for (const Ids& page : pages) {
        ids.insert(page.begin(), page.end());
      }
    }
    return ids;
  }

  /// Those of a file of items. Throws if a line is not one.
  static ItemIds ids_in(const std::string& path) {
    ItemIds ids;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      ids.insert(id_of(line));
    }
    return ids;
  }

  static bool is_refused(const std::string& id) { return id.ends_with(".1"); }
  ItemIds refused() const {
    ItemIds ids = all(parts_);
    std::erase_if(ids, [](const std::string& id) { return !is_refused(id); });
    return ids;
  }
  ItemIds taken_or_dead() const {
    ItemIds ids;
    std::ifstream taken(taken_path());
    for (std::string line; std::getline(taken, line);) {
      ids.insert(line);
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (entry.path().string().ends_with(".dead-letters.ndjson")) {
        std::ifstream letters(entry.path());
        for (std::string line; std::getline(letters, line);) {
          ids.insert(id_of(boost::json::serialize(boost::json::parse(line).at("item"))));
        }
      }
    }
    return ids;
  }

  /// Into the counting destination, which refuses some items.
  ScanSettings to_counting() const {
    ScanSettings settings = settings_;
    settings.output = sink::OutputFile{.path = "counting:"};
    return settings;
  }
  ScanSettings to_file() const {
    ScanSettings settings = settings_;
    settings.output = sink::OutputFile{.path = items_path()};
    return settings;
  }
  static ScanSettings restarted(ScanSettings settings) {
    settings.restart = true;
    return settings;
  }

  /// In a folder that is on disk.
  void name_dead_letters() {
    fs::create_directory(folder_ + "/letters");
    settings_.dead_letters =
        DeadLettersInFile{.path = folder_ + "/letters/all.dead-letters.ndjson"};
    std::erase(losses_, Loss::blocks);
  }

  std::vector<std::string> check_dead_letters() {
    return check_all([this]() -> std::string {
      const EndedRun ended = run(to_counting());
      return ended.outcome ? missing(all(parts_), taken_or_dead()) : ended.error;
    });
  }
  /// Of a run that takes the place of a complete one. Before it has begun, the old one is complete,
  /// and so are its letters.
  std::vector<std::string> check_restarted_letters() {
    return check_all([this]() -> std::string {
      const EndedRun ended = run(to_counting());
      if (!ended.outcome) {
        return ended.error;
      }
      const bool is_old = ended.outcome->nothing_to_do && fs::file_size(taken_path()) == 0;
      return missing(is_old ? refused() : all(parts_), taken_or_dead());
    });
  }
  std::vector<std::string> check_file() {
    return check_all([this]() -> std::string {
      const EndedRun ended = run(to_file());
      return ended.outcome ? missing(all(parts_), ids_in(items_path())) : ended.error;
    });
  }

  std::string taken_path() const { return folder_ + "/taken"; }
  std::string items_path() const { return folder_ + "/items.ndjson"; }

  std::string folder_;
  std::optional<RecordedDisk> disk_;
  Parts parts_ = parts_of(2, 3, 4);
  ScanSettings settings_;
  std::vector<Loss> losses_ = {Loss::all, Loss::data, Loss::blocks, Loss::none};
  std::size_t states_ = 0;  ///< that have been checked
};

TEST_F(PowerLossTest, DeadLetters) {
  record(to_counting());
  EXPECT_THAT(check_dead_letters(), testing::IsEmpty());
  EXPECT_GT(states_, 50U);
}

/// If its first letter has lost its first bytes, the file is refused: it could be anybody's.
TEST_F(PowerLossTest, NamedDeadLetters) {
  name_dead_letters();
  record(to_counting());
  EXPECT_THAT(check_dead_letters(), testing::IsEmpty());
}

TEST_F(PowerLossTest, File) {
  record(to_file());
  EXPECT_THAT(check_file(), testing::IsEmpty());
  EXPECT_GT(states_, 50U);
}

/// The file begins with whole lines that were checkpointed and ends with half a line.
TEST_F(PowerLossTest, ResumedFile) {
  ScanSettings first = to_file();
  first.limit = 10;
  ASSERT_TRUE(run(first).outcome);
  std::ofstream(items_path(), std::ios::app) << R"({"id":{"S":"ha)";
  record(to_file());
  EXPECT_THAT(check_file(), testing::IsEmpty());
}

/// A run that takes the place of a complete one of other items: either the old one is whole, and is
/// known to be the old one, or the new one becomes complete.
TEST_F(PowerLossTest, RestartedFile) {
  const Parts new_parts = parts_;
  parts_ = parts_of(2, 1, 9);
  const Parts old_parts = parts_;
  ASSERT_TRUE(run(to_file()).outcome);
  parts_ = new_parts;
  record(restarted(to_file()));
  const auto with_old_or_new = check_all([&]() -> std::string {
    const EndedRun ended = run(to_file());
    if (!ended.outcome) {
      return ended.error;
    }
    const ItemIds found = ids_in(items_path());
    return ended.outcome->nothing_to_do && missing(all(old_parts), found).empty()
               ? ""
               : missing(all(new_parts), found);
  });
  EXPECT_THAT(with_old_or_new, testing::IsEmpty());
  const auto with_new = check_all([&]() -> std::string {
    const EndedRun ended = run(restarted(to_file()));
    return ended.outcome ? missing(all(new_parts), ids_in(items_path())) : ended.error;
  });
  EXPECT_THAT(with_new, testing::IsEmpty());
}

TEST_F(PowerLossTest, RestartedDeadLetters) {
  ASSERT_TRUE(run(to_counting()).outcome);
  fs::resize_file(taken_path(), 0);
  record(restarted(to_counting()));
  EXPECT_THAT(check_restarted_letters(), testing::IsEmpty());
}

/// That the checks above can fail: a sync that a promise rests on is left out.
class MissingSyncTest : public PowerLossTest {
 protected:
  using Paths = std::function<bool(const std::string& path)>;

  void record_without(const Paths& forgotten, const ScanSettings& settings) {
    disk_->forgets = forgotten;
    record(settings);
    disk_->forgets = {};
  }
  static Paths ending_with(const char* end) {
    return [end](const std::string& path) { return path.ends_with(end); };
  }
};

TEST_F(MissingSyncTest, File) {
  record_without(ending_with("items.ndjson"), to_file());
  EXPECT_FALSE(check_file().empty());
}

TEST_F(MissingSyncTest, FolderOfTheFile) {
  fs::create_directories(folder_ + "/state/of");
  record_without([this](const std::string& path) { return path == folder_; }, to_file());
  EXPECT_FALSE(check_file().empty());
}

TEST_F(MissingSyncTest, DeadLetters) {
  record_without(ending_with(".dead-letters.ndjson"), to_counting());
  EXPECT_FALSE(check_dead_letters().empty());
}

TEST_F(MissingSyncTest, FolderOfDeadLetters) {
  name_dead_letters();
  record_without(ending_with("/letters"), to_counting());
  EXPECT_FALSE(check_dead_letters().empty());
}

TEST_F(MissingSyncTest, Checkpoint) {
  ASSERT_TRUE(run(to_counting()).outcome);
  fs::resize_file(taken_path(), 0);
  record_without(ending_with("-wal"), restarted(to_counting()));
  EXPECT_FALSE(check_restarted_letters().empty());
}

}  // namespace
}  // namespace everyitem::run
