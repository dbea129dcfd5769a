// A folder whose every change is recorded, so that it can be put back as it would stand if the
// power had failed at any of them: what was not synced is gone then.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace everyitem {

/// What a loss of power leaves of what was not synced.
enum class Loss {
  all,     ///< nothing of it: POSIX promises no more
  data,    ///< names, without what was written
  blocks,  ///< names and sizes, with zeros where bytes were appended
  none,    ///< all of it, as after a kill
};

/// One folder of this process, which the test program's own open, write, rename and so on report
/// to, those of SQLite included. One at a time.
class RecordedDisk {
 public:
  explicit RecordedDisk(const std::string& folder);
  ~RecordedDisk();
  RecordedDisk(const RecordedDisk&) = delete;
  RecordedDisk& operator=(const RecordedDisk&) = delete;

  /// From here on; what is there is on disk.
  void record();
  void stop();
  std::size_t steps() const { return log_.size(); }

  /// As if syncs of the files and folders whose paths these are were never called.
  std::function<bool(const std::string& path)> forgets;
  /// Files that are always on disk, such as what somebody else keeps.
  std::function<bool(const std::string& path)> is_elsewhere;

  /// The content of the folder if the power had failed after `step` steps: by path, nothing for
  /// folders.
  using Tree = std::map<std::string, std::optional<std::string>>;
  Tree after(std::size_t step, Loss loss) const;
  /// Puts it in the place of what is there. Files keep what tells them apart (file_id).
  void put(std::size_t step, Loss loss);

  // What the program has done, successfully.
  void opened(int descriptor);
  void written(int descriptor, const char* bytes, std::size_t size, std::optional<off_t> offset);
  void cut(int descriptor, off_t size);
  void synced(int descriptor);
  void renamed(const std::string& from, const std::string& to);
  void removed(const std::string& path);
  void made_folder(const std::string& path);
  /// What tells a file from all others there have been, which its inode does not.
  std::uint64_t identity(std::uint64_t inode) const;

  static RecordedDisk* current();

 private:
  struct Step {
    enum class Kind { name, write, cut, sync_file, sync_folder, rename, remove } kind;
    std::string path;        ///< of the name or folder
    std::string bytes;       ///< written, or the new name
    std::uint64_t file = 0;  ///< its identity; 0 for a folder
    std::size_t offset = 0;  ///< or size
  };
  struct File {
    std::string live;
    std::string on_disk;
  };
  struct State {
    std::map<std::string, std::uint64_t> live;     ///< names
    std::map<std::string, std::uint64_t> on_disk;  ///< names
    std::map<std::uint64_t, File> files;
  };

  bool has(const std::string& path) const;
  void add(Step step);
  State state_after(std::size_t step) const;
  Tree tree_of(const State& state, Loss loss) const;
  static void apply(State& state, const Step& step);

  const std::string folder_;
  mutable std::recursive_mutex mutex_;  ///< its own files are opened by the calls that report
  bool records_ = false;
  State start_;
  State now_;  ///< names and sizes, while it records
  std::vector<Step> log_;
  std::uint64_t next_ = std::uint64_t{1} << 40;        ///< identity
  std::map<std::uint64_t, std::uint64_t> identities_;  ///< by inode
};

}  // namespace everyitem
