#include "checkpoint/sqlite_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/error.h"
#include "base/run_to_end.h"
#include "base/unix_time.h"
#include "checkpoint/checkpoint_store_conformance.h"
#include "support/fake_clock.h"

namespace everyitem::checkpoint {
namespace {

const SystemClock kClock;

/// A folder of the test's own, gone after it.
class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "sqlite_store_XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file() const { return path_ + "/deep/er/run.sqlite"; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void execute(const std::string& file, const std::string& sql) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
}

class SqliteUnderTest final : public StoreUnderTest {
 public:
  std::unique_ptr<CheckpointStore> open() override {
    return std::make_unique<SqliteStore>(folder_.file(), kClock,
                                         "process " + std::to_string(++processes_));
  }
  void damage() override { execute(folder_.file(), "DELETE FROM segment WHERE number = 1"); }
  void set_format(int format) override {
    execute(folder_.file(), "PRAGMA user_version = " + std::to_string(format));
  }

 private:
  Folder folder_;
  int processes_ = 0;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, CheckpointStoreConformance, SqliteUnderTest);

/// A run that was begun in the folder's file, in which then `sql` was executed.
RunState begun_and_changed(const Folder& folder, const std::string& sql) {
  RunState state{.identity = {{"table", "orders"}}, .segments = fresh_segments(3), .token = "t"};
  {
    SqliteStore store(folder.file(), kClock, "first");
    run_to_end(store.begin(state));
  }
  execute(folder.file(), sql);
  return state;
}

TEST(SqliteStore, MissingPartsAreDamage) {
  for (const std::string sql :
       {"DELETE FROM segment WHERE number = 2", "DELETE FROM segment WHERE number = 0",
        "DELETE FROM segment", "DELETE FROM identity", "DELETE FROM run",
        "ALTER TABLE segment DROP COLUMN items", "DROP TABLE segment", "DROP TABLE run"}) {
    SCOPED_TRACE(sql);
    const Folder folder;
    const RunState state = begun_and_changed(folder, sql);
    SqliteStore store(folder.file(), kClock, "second");
    EXPECT_THROW(run_to_end(store.load()), DamagedCheckpoint);
    run_to_end(store.begin(state));
    EXPECT_EQ(run_to_end(store.load())->segments, state.segments);
  }
}

/// What somebody could have put into a file that passes for a checkpoint.
TEST(SqliteStore, NothingInFileRuns) {
  for (const std::string sql :
       {"CREATE TRIGGER t AFTER UPDATE ON segment BEGIN UPDATE segment SET complete = 1; END",
        "CREATE VIEW v AS SELECT 1", "CREATE TABLE more (x)", "CREATE INDEX i ON segment (items)",
        "ALTER TABLE segment ADD COLUMN more INTEGER",
        "ALTER TABLE segment RENAME TO old;"
        "CREATE VIEW segment AS SELECT number, last_evaluated_key, 1 AS complete, items, bytes, "
        "dead_letters FROM old",
        "DROP TABLE identity; CREATE VIEW identity AS SELECT 1 AS place, 'table' AS name, "
        "hex(zeroblob(1000000000)) AS value",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'items >= 0', "
        "'items > -9') WHERE name = 'segment'"}) {
    SCOPED_TRACE(sql);
    const Folder folder;
    const RunState state = begun_and_changed(folder, sql);
    SqliteStore store(folder.file(), kClock, "second");
    EXPECT_THROW(run_to_end(store.look()), DamagedCheckpoint);
    EXPECT_THROW(run_to_end(store.load()), DamagedCheckpoint);
    EXPECT_THROW(run_to_end(store.save({{.segment = 0, .items = 5}})), std::logic_error);
    run_to_end(store.begin(state));
    run_to_end(store.save({{.segment = 0, .items = 5}}));
    EXPECT_EQ(run_to_end(store.load())->items(), 5U);
    run_to_end(store.release());
    SqliteStore next(folder.file(), kClock, "third");
    EXPECT_FALSE(run_to_end(next.load())->complete());
  }
}

TEST(SqliteStore, ImpossibleValuesAreDamage) {
  for (const std::string sql :
       {"UPDATE segment SET items = -1", "UPDATE segment SET complete = 2",
        "UPDATE segment SET dead_letters = -1 WHERE number = 1", "UPDATE run SET segments = 0"}) {
    SCOPED_TRACE(sql);
    const Folder folder;
    {
      SqliteStore store(folder.file(), kClock);
      run_to_end(store.begin(
          {.identity = {{"table", "orders"}}, .segments = fresh_segments(3), .token = "t"}));
    }
    execute(folder.file(), "PRAGMA ignore_check_constraints = ON; " + sql);
    SqliteStore store(folder.file(), kClock);
    EXPECT_THROW(run_to_end(store.load()), DamagedCheckpoint);
  }
}

TEST(SqliteStore, AbsurdTimeIsBounded) {
  const Folder folder;
  begun_and_changed(folder, "UPDATE run SET finished_at = 9223372036854775807");
  SqliteStore store(folder.file(), kClock);
  EXPECT_EQ(run_to_end(store.load())->finished_at, kLastUnixTime);
}

TEST(SqliteStore, RemembersCompletionTime) {
  const Folder folder;
  FakeClock clock{std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000))};
  SqliteStore store(folder.file(), clock);
  run_to_end(store.begin(
      {.identity = {{"table", "t"}}, .segments = fresh_segments(2), .token = new_run_token()}));
  const source::ScanPosition complete{.complete = true};
  run_to_end(store.save({{.segment = 0, .position = complete}}));
  EXPECT_FALSE(run_to_end(store.load())->finished_at);
  run_to_end(store.save({{.segment = 1, .position = complete}}));
  EXPECT_EQ(run_to_end(store.load())->finished_at, clock.wall_now());
}

std::string open_failure(const std::string& path) {
  try {
    SqliteStore store(path, kClock);
    run_to_end(store.load());
  } catch (const Error& error) {
    return error.what();
  }
  return "opened";
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  std::filesystem::permissions(path, std::filesystem::perms(0600));
}

TEST(SqliteStore, OwnFilesOnly) {
  const Folder folder;
  const std::string path = folder.path() + "/run.sqlite";
  std::filesystem::create_symlink(folder.path() + "/none", path);
  EXPECT_NE(open_failure(path).find("it is a symbolic link"), std::string::npos);
  EXPECT_THROW(run_to_end(SqliteStore(path, kClock).look()), Error);
  std::filesystem::remove(path);
  write_file(path, "");
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  EXPECT_NE(open_failure(path).find("other users may read or write"), std::string::npos);
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0777));
  EXPECT_NE(open_failure(path).find("other users can write to the folder"), std::string::npos);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0700));
  EXPECT_EQ(open_failure(path), "opened");
}

/// SQLite's own files next to it, put there beforehand.
TEST(SqliteStore, LinksBesideFileHarmless) {
  for (const std::string suffix : {"-wal", "-shm", "-journal"}) {
    const Folder folder;
    const std::string path = folder.path() + "/run.sqlite";
    const std::string target = folder.path() + "/precious";
    write_file(target, "precious");
    std::filesystem::create_symlink(target, path + suffix);
    open_failure(path);
    EXPECT_EQ(std::filesystem::file_size(target), 8U) << suffix;
  }
}

/// Names that mean something else to SQLite, and folders that are links.
TEST(SqliteStore, AllNamesAreFiles) {
  const Folder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  std::filesystem::create_directory("real");
  std::filesystem::create_directory_symlink("real", "linked");
  for (const std::string name :
       {":memory:", "file:x?mode=memory", "file:y", "plain", "linked/run.sqlite"}) {
    EXPECT_EQ(open_failure(name), "opened");
    EXPECT_TRUE(std::filesystem::is_regular_file(name)) << name;
  }
  std::filesystem::current_path(before);
}

TEST(SqliteStore, FileIsOwnersAlone) {
  const Folder folder;
  SqliteStore store(folder.file(), kClock);
  EXPECT_FALSE(std::filesystem::exists(folder.file())) << "nothing has been asked for yet";
  run_to_end(store.load());
  EXPECT_EQ(std::filesystem::status(folder.file()).permissions(), std::filesystem::perms(0600));
}

TEST(SqliteStore, NonDatabaseIsRefused) {
  const Folder folder;
  const std::string path = folder.path() + "/notes.txt";
  const std::string content(5000, 'n');
  write_file(path, content);
  EXPECT_NE(open_failure(path).find("not a checkpoint"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(path), content.size());
}

TEST(SqliteStore, ForeignDatabaseIsRefused) {
  const Folder folder;
  const std::string path = folder.path() + "/other.sqlite";
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  sqlite3_exec(other, "CREATE TABLE precious (x)", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  EXPECT_NE(open_failure(path).find("not a checkpoint of everyitem"), std::string::npos);
}

TEST(SqliteStore, DamagedFileIsRefused) {
  const Folder folder;
  const std::string path = folder.path() + "/run.sqlite";
  {
    SqliteStore store(path, kClock);
    RunState state{.identity = {{"table", "t"}}, .segments = {}, .token = new_run_token()};
    for (std::uint32_t i = 0; i < 2000; ++i) {
      state.segments.push_back({.segment = i});
    }
    run_to_end(store.begin(state));
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096L * 3);
  file << std::string(8192, '\xa5');
  file.close();
  EXPECT_NE(open_failure(path).find("damaged"), std::string::npos);
  SqliteStore store(path, kClock);
  EXPECT_THROW(run_to_end(store.load()), DamagedCheckpoint);
  const RunState next{
      .identity = {{"table", "t"}}, .segments = {{.segment = 0}}, .token = new_run_token()};
  run_to_end(store.begin(next));
  EXPECT_EQ(run_to_end(store.load())->token, next.token);
}

TEST(SqliteStore, LookLeavesFolderUnchanged) {
  const Folder folder;
  const std::string path = folder.path() + "/run.sqlite";
  const auto names = [&] {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      found.insert(entry.path().filename().string());
    }
    return found;
  };
  SqliteStore looker(path, kClock);
  EXPECT_FALSE(run_to_end(looker.look()).has_value());
  EXPECT_TRUE(names().empty());
  {
    SqliteStore store(path, kClock);
    run_to_end(store.begin(
        {.identity = {{"table", "t"}}, .segments = {{.segment = 0}}, .token = new_run_token()}));
  }
  EXPECT_EQ(names(), std::set<std::string>{"run.sqlite"});
  EXPECT_TRUE(run_to_end(looker.look()).has_value());
  EXPECT_EQ(names(), std::set<std::string>{"run.sqlite"});
}

TEST(SqliteStore, UnmakeableFolderIsNamed) {
  const Folder folder;
  write_file(folder.path() + "/file", "x");
  const std::string failure = open_failure(folder.path() + "/file/run.sqlite");
  EXPECT_NE(failure.find(folder.path() + "/file/run.sqlite"), std::string::npos);
}

TEST(SqliteStore, UnknownSegmentIsRefused) {
  const Folder folder;
  SqliteStore store(folder.file(), kClock);
  run_to_end(store.begin(
      {.identity = {{"table", "t"}}, .segments = {{.segment = 0}}, .token = new_run_token()}));
  EXPECT_THROW(run_to_end(store.save({{.segment = 0, .items = 5}, {.segment = 1, .items = 5}})),
               Error);
  EXPECT_EQ(run_to_end(store.load())->items(), 0U);
}

}  // namespace
}  // namespace everyitem::checkpoint
