// Files that a run makes for itself: its state, its dead letters, its output. There is one way to
// open them, and it trusts nothing that somebody else can have put there. Any thread.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include "base/descriptor.h"

namespace everyitem {

/// A file that is not used: what() says why.
class FileRefused : public std::runtime_error {
 public:
  explicit FileRefused(const std::string& reason, std::string remedy = {});

  /// What to do about it: "Give the path of the file itself." Empty if there is nothing special.
  const std::string& remedy() const noexcept { return remedy_; }

 private:
  std::string remedy_;
};

enum class FilePresence {
  any,      ///< created if it is missing
  present,  ///< must be there
  absent,   ///< must not be there
};

/// What others may do with a file. Nobody may write to it.
enum class FileUse {
  state,    ///< not read it, nor put other files next to it
  letters,  ///< not read it
  output,   ///< what its owner lets them do
};

/// Opens a file for reading and appending. A new one has mode 0600. One that is there must be a
/// regular file of this user with a single name, and no link. Never waits, and never changes what
/// is there. Throws FileRefused.
Descriptor open_own_file(const std::filesystem::path& path, FilePresence presence, FileUse use);

/// Keeps out other processes that lock the file, until the descriptor is closed or the process
/// ends, however it ends; on a file system without locks, nobody. Throws FileRefused when another
/// process has the lock, or has removed the file meanwhile.
void lock_own_file(const Descriptor& file);

/// Whether the file has been removed from its folder since it was opened, or another has taken its
/// place there.
bool is_removed(const Descriptor& file);

/// Tells a file from every other that was ever at the same path: its inode and when that was made.
/// Stays the same when the file is written to or renamed, and when the machine starts again.
std::string file_id(const Descriptor& file);
/// Of the file at `path`, not following a link; empty if there is none or it is not a regular file.
std::string file_id(const std::filesystem::path& path);

/// Whether something is mounted over the file itself, so that no other can take its name. False if
/// the system does not tell.
bool is_mount_point(const std::filesystem::path& path);

/// Gives `to` the group and the permissions of `from`. If this user may not give it the group, the
/// group gets none. Throws FileRefused.
void copy_permissions(const Descriptor& from, const Descriptor& to);

/// Lets the names in the folder of `path` survive a loss of power. Throws FileRefused.
void sync_folder_of(const std::filesystem::path& path);

/// Creates the missing folders of `path`, each accessible only to its owner (mode 0700) regardless
/// of the umask, so that they survive a loss of power. Existing folders are not changed. Throws
/// FileRefused.
void make_private_folders(const std::filesystem::path& path);

}  // namespace everyitem
