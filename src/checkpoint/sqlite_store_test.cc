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
#include "checkpoint/checkpoint_store_conformance.h"

namespace everyitem::checkpoint {
namespace {

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

class SqliteUnderTest final : public StoreUnderTest {
 public:
  std::unique_ptr<CheckpointStore> open() override {
    return std::make_unique<SqliteStore>(folder_.file(), "process " + std::to_string(++processes_));
  }
  void damage() override { execute("DELETE FROM segment WHERE number = 1"); }
  void set_format(int format) override {
    execute("PRAGMA user_version = " + std::to_string(format));
  }

 private:
  void execute(const std::string& sql) const {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(folder_.file().c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
  }

  Folder folder_;
  int processes_ = 0;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, CheckpointStoreConformance, SqliteUnderTest);

TEST(SqliteStore, MissingPartsAreDamage) {
  for (const std::string sql :
       {"DELETE FROM segment WHERE number = 2", "DELETE FROM segment WHERE number = 0",
        "DELETE FROM segment", "DELETE FROM identity", "DELETE FROM run",
        "ALTER TABLE segment DROP COLUMN items", "DROP TABLE segment", "DROP TABLE run"}) {
    SCOPED_TRACE(sql);
    const Folder folder;
    const RunState state{
        .identity = {{"table", "orders"}}, .segments = fresh_segments(3), .token = "t"};
    {
      SqliteStore store(folder.file(), "first");
      run_to_end(store.begin(state));
    }
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(folder.file().c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    SqliteStore store(folder.file(), "second");
    EXPECT_THROW(run_to_end(store.load()), DamagedCheckpoint);
    run_to_end(store.begin(state));
    EXPECT_EQ(run_to_end(store.load())->segments, state.segments);
  }
}

std::string open_failure(const std::string& path) {
  try {
    SqliteStore store(path);
    run_to_end(store.load());
  } catch (const Error& error) {
    return error.what();
  }
  return "opened";
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

TEST(SqliteStore, FileIsOwnersAlone) {
  const Folder folder;
  SqliteStore store(folder.file());
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

TEST(SqliteStore, AForeignDatabaseIsRefused) {
  const Folder folder;
  const std::string path = folder.path() + "/other.sqlite";
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  sqlite3_exec(other, "CREATE TABLE precious (x)", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_NE(open_failure(path).find("not a checkpoint of everyitem"), std::string::npos);
}

TEST(SqliteStore, ADamagedFileIsRefused) {
  const Folder folder;
  const std::string path = folder.path() + "/run.sqlite";
  {
    SqliteStore store(path);
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
  SqliteStore store(path);
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
  SqliteStore looker(path);
  EXPECT_FALSE(run_to_end(looker.look()).has_value());
  EXPECT_TRUE(names().empty());
  {
    SqliteStore store(path);
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

TEST(SqliteStore, UnknownSegmentsProgressIsRefused) {
  const Folder folder;
  SqliteStore store(folder.file());
  run_to_end(store.begin(
      {.identity = {{"table", "t"}}, .segments = {{.segment = 0}}, .token = new_run_token()}));
  EXPECT_THROW(run_to_end(store.save({{.segment = 0, .items = 5}, {.segment = 1, .items = 5}})),
               Error);
  EXPECT_EQ(run_to_end(store.load())->items(), 0U);
}

}  // namespace
}  // namespace everyitem::checkpoint
