#include "base/own_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace everyitem {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kGroup = S_IRWXG;
constexpr mode_t kOthers = S_IRWXO;

/// O_NONBLOCK: opening a pipe must not wait for its other end.
constexpr int kFlags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

FileRefused system_failure(int error) {
  return FileRefused(std::generic_category().message(error));
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void require_regular(const struct stat& file) {
  if (S_ISLNK(file.st_mode)) {
    throw FileRefused("it is a symbolic link", "Give the path of the file itself.");
  }
  if (!S_ISREG(file.st_mode)) {
    throw FileRefused("it is not a regular file");
  }
}

struct stat status_of(const Descriptor& file) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) {
    throw system_failure(errno);
  }
  return status;
}

/// Who may write to a folder may put a file of theirs in the place of any in it, also next to a
/// database as its log; in a sticky folder, only under a new name. The members of its group are
/// trusted: they were given the folder.
void require_folder(const struct stat& folder, const fs::path& path, FileUse use) {
  const bool is_private = (folder.st_mode & S_IWOTH) == 0;
  const bool is_sticky = (folder.st_mode & S_ISVTX) != 0;
  if (use == FileUse::state && folder.st_uid != geteuid() && folder.st_uid != 0) {
    throw FileRefused(fmt::format("the folder {} belongs to another user", path.string()),
                      "Name a file in a folder of your own; it is created if it is missing.");
  }
  if (use != FileUse::output && !is_private && (use == FileUse::state || !is_sticky)) {
    throw FileRefused(fmt::format("other users can write to the folder {}", path.string()),
                      "Name a file in a folder of your own; it is created if it is missing.");
  }
}

void require_own(const struct stat& file, const struct stat& folder, const fs::path& path,
                 FileUse use) {
  require_regular(file);
  if (file.st_uid != geteuid()) {
    throw FileRefused("the file belongs to another user");
  }
  if (file.st_nlink > 1) {
    throw FileRefused("the file has more than one name (hard links)");
  }
  // Those who may change the folder may do with the file what they like anyway.
  const mode_t others = (folder.st_mode & S_IWGRP) != 0 ? kOthers : kGroup | kOthers;
  const bool is_output = use == FileUse::output;
  if ((file.st_mode & (is_output ? mode_t{S_IWOTH} : others)) != 0) {
    throw FileRefused(
        is_output ? "other users may write to the file" : "other users may read or write the file",
        fmt::format("Check what it holds, then run chmod {} {}.", is_output ? "o-w" : "600",
                    path.string()));
  }
}

int open_in(const Descriptor& folder, const fs::path& path, FilePresence presence) {
  const std::string name = path.filename().string();
  // Not O_CREAT alone: in some folders the kernel would refuse a file of another user with
  // "Permission denied", which says less than the checks here.
  for (int attempt = 0;; ++attempt) {
    if (presence != FilePresence::present) {
      const int created = openat(folder.get(), name.c_str(), kFlags | O_CREAT | O_EXCL, 0600);
      if (created >= 0 || presence == FilePresence::absent || errno != EEXIST) {
        return created;
      }
    }
    struct stat found {};
    if (fstatat(folder.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
      require_regular(found);  // opening a pipe or a device may do something to it
    }
    const int opened = openat(folder.get(), name.c_str(), kFlags);
    if (opened >= 0 || errno != ENOENT || presence == FilePresence::present || attempt == 2) {
      return opened;
    }
  }
}

}  // namespace

FileRefused::FileRefused(const std::string& reason, std::string remedy)
    : std::runtime_error(reason), remedy_(std::move(remedy)) {}

Descriptor open_own_file(const fs::path& path, FilePresence presence, FileUse use) {
  const fs::path folder_path = folder_of(path);
  const Descriptor folder(open(folder_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) {
    throw system_failure(errno);
  }
  const struct stat folder_status = status_of(folder);
  require_folder(folder_status, folder_path, use);
  Descriptor file(open_in(folder, path, presence));
  if (file.get() < 0) {
    throw system_failure(errno);
  }
  require_own(status_of(file), folder_status, path, use);
  return file;
}

void lock_own_file(const Descriptor& file) {
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw FileRefused("another process is writing to this file",
                      "Wait for it to finish, or give each run its own file.");
  }
  if (is_removed(file)) {
    throw FileRefused("another process has just removed the file", "Run the command again.");
  }
}

bool is_removed(const Descriptor& file) { return status_of(file).st_nlink == 0; }

namespace {

std::string id_of(int folder, const char* path, int flags) {
  struct statx status {};
  if (statx(folder, path, flags, STATX_TYPE | STATX_INO | STATX_BTIME, &status) != 0 ||
      !S_ISREG(status.stx_mode)) {
    return {};
  }
  const bool knows_birth = (status.stx_mask & STATX_BTIME) != 0;
  return fmt::format("{}:{}.{:09}", status.stx_ino, knows_birth ? status.stx_btime.tv_sec : 0,
                     knows_birth ? status.stx_btime.tv_nsec : 0);
}

}  // namespace

std::string file_id(const Descriptor& file) { return id_of(file.get(), "", AT_EMPTY_PATH); }

std::string file_id(const fs::path& path) {
  return id_of(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW);
}

bool is_mount_point(const fs::path& path) {
  struct statx status {};
  return statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

void copy_permissions(const Descriptor& from, const Descriptor& to) {
  const struct stat model = status_of(from);
  mode_t mode = model.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
  if (fchown(to.get(), static_cast<uid_t>(-1), model.st_gid) != 0) {
    mode &= ~kGroup;
  }
  if (fchmod(to.get(), mode) != 0) {
    throw system_failure(errno);
  }
}

void sync_folder_of(const fs::path& path) {
  const Descriptor folder(open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder, and some folders may only be written to.
  if ((folder.get() < 0 || fsync(folder.get()) != 0) && errno != EINVAL && errno != EACCES) {
    throw system_failure(errno);
  }
}

void make_private_folders(const fs::path& path) {
  fs::path made;
  for (const fs::path& part : path) {
    made /= part;
    if (mkdir(made.c_str(), S_IRWXU) == 0) {
      sync_folder_of(made);
      continue;
    }
    const int failure = errno;
    std::error_code ignored;
    if (!fs::is_directory(made, ignored)) {
      throw system_failure(failure);
    }
  }
}

}  // namespace everyitem
