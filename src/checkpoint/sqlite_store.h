// Checkpoints in a SQLite file of their own (docs/checkpoint_format.md).
#pragma once

#include <memory>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "checkpoint/checkpoint_store.h"

struct sqlite3;

namespace everyitem::checkpoint {

class SqliteStore final : public CheckpointStore {
 public:
  /// Opens the file, made with its folders where it is missing, for its owner's eyes alone. Throws
  /// Error when that fails, when the file is not a checkpoint or is damaged, and when another
  /// process has it open: a run has one owner. The file must be on a local file system.
  explicit SqliteStore(std::string path);
  ~SqliteStore() override;

  Awaitable<std::optional<RunView>> look() override;
  Awaitable<std::optional<RunState>> load() override;
  Awaitable<void> begin(RunState state) override;
  /// Survives the end of the process at once, and a loss of power up to the last few writes, which
  /// then are read and delivered again.
  Awaitable<void> save(std::vector<SegmentProgress> moved) override;
  std::string location() const override { return path_; }
  std::string file() const override { return path_; }

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const;
  };
  /// Holds the lock that makes this process the run's owner. Closed after the database: closing any
  /// descriptor of a file drops SQLite's own locks on it.
  class Lock {
   public:
    explicit Lock(const std::string& path);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    int descriptor_ = -1;
  };

  void open_database();
  std::optional<RunState> load_now();
  void begin_now(const RunState& state);
  void save_now(const std::vector<SegmentProgress>& moved);

  std::string path_;
  std::unique_ptr<Lock> lock_;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  /// SQLite waits for the disk; the event loop does not.
  boost::asio::thread_pool thread_{1};
};

inline std::unique_ptr<CheckpointStore> open_store(const SqliteLocation& location,
                                                   const StoreContext& /*context*/) {
  return std::make_unique<SqliteStore>(location.path);
}

}  // namespace everyitem::checkpoint
