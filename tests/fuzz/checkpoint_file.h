// A checkpoint file for fuzz targets, read by the store itself.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "base/run_to_end.h"
#include "checkpoint/sqlite_store.h"
#include "fuzz_target.h"

namespace everyitem::checkpoint {

inline const SystemClock kClock;

/// The file's path, in a private folder that is removed at the end.
class CheckpointFile {
 public:
  CheckpointFile() {
    std::string folder = (std::filesystem::temp_directory_path() / "everyitem_XXXXXX").string();
    fuzz::require(mkdtemp(folder.data()) != nullptr, "there is a folder for the file");
    path_ = folder + "/run.sqlite";
  }
  ~CheckpointFile() {
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path(), ignored);
  }
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  const std::string& path() const { return path_; }
  /// Including SQLite's additional files.
  void remove() const {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::filesystem::remove(path_ + suffix);
    }
  }

 private:
  std::string path_;
};

/// The run in the store, which must be complete.
inline std::optional<RunState> load(SqliteStore& store) {
  std::optional<RunState> state = run_to_end(store.load());
  if (state) {
    fuzz::require(!state->identity.empty(), "a run has an identity");
    fuzz::require(!state->segments.empty(), "a run has segments");
    for (std::size_t i = 0; i < state->segments.size(); ++i) {
      fuzz::require(state->segments[i].segment == i, "segments are in order, none is missing");
    }
  }
  return state;
}

}  // namespace everyitem::checkpoint
