// Checkpoints in a SQLite file of their own (docs/checkpoint_format.md).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "base/clock.h"
#include "base/descriptor.h"
#include "checkpoint/checkpoint_store.h"

struct sqlite3;

namespace everyitem::checkpoint {

class SqliteStatement;  // of sqlite_store.cc alone

/// The file is opened by the first call, and by `load` or `begin` made with its folders when it is
/// missing, for its owner's eyes alone. It must be on a local file system. Calls throw Error when
/// that fails, when others may write to the file or its folder, and when the file is not a
/// checkpoint: nothing of what is in it runs.
class SqliteStore final : public CheckpointStore {
 public:
  /// `owner`: the name that others see. The clock outlives the store.
  SqliteStore(std::string path, const Clock& clock, std::string owner = {});
  ~SqliteStore() override;

  Awaitable<std::optional<RunView>> look() override;
  Awaitable<std::optional<RunState>> load() override;
  Awaitable<void> begin(RunState state) override;
  Awaitable<void> save(std::vector<SegmentProgress> moved) override;
  Awaitable<void> release() override;
  std::string location() const override { return SqliteLocation{.path = path_}.text(); }
  std::string file() const override { return path_; }

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const;
  };
  using Database = std::unique_ptr<sqlite3, CloseDatabase>;

  /// Holds the lock that makes this process the run's owner. Closed after the database: closing any
  /// descriptor of a file drops SQLite's own locks on it.
  class Lock {
   public:
    explicit Lock(const std::string& path);

    /// Whether some process has it.
    static bool is_held(const std::string& path);

   private:
    Descriptor file_;
  };

  template <typename Result>
  Awaitable<Result> on_thread(Result (SqliteStore::*work)());
  std::optional<RunView> look_now();
  void own();
  void open_owned();
  std::optional<RunState> load_now();
  std::optional<RunView> read_run(sqlite3* database) const;
  void begin_now(const RunState& state);
  void save_now(const std::vector<SegmentProgress>& moved);

  std::string path_;
  const Clock& clock_;
  std::string owner_;
  std::unique_ptr<Lock> lock_;
  Database database_;
  /// Of `save`, once it was called: preparing it takes longer than running it.
  std::unique_ptr<SqliteStatement> update_;
  /// Why the file cannot be read, when it is a checkpoint that cannot.
  std::optional<DamagedCheckpoint> damage_;
  /// SQLite waits for the disk; the event loop does not.
  boost::asio::thread_pool thread_{1};
};

inline std::unique_ptr<CheckpointStore> open_store(const SqliteLocation& location,
                                                   const StoreContext& context) {
  return std::make_unique<SqliteStore>(location.path, context.clock, context.owner);
}

}  // namespace everyitem::checkpoint
