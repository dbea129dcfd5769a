#include "sink/line_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "sink/sink.h"

namespace everyitem::sink {

namespace {

std::string display_name(const std::string& path) { return path == "-" ? "standard output" : path; }

Error file_error(const std::string& operation, const std::string& path, Message message,
                 Message hint = {}) {
  return Error(ErrorKind::failed, {.operation = operation,
                                   .object = display_name(path),
                                   .message = std::move(message),
                                   .hint = std::move(hint)});
}

std::string reason(int error) { return std::generic_category().message(error); }

/// Where the last complete line ends: a run that was killed may have left half a line after it.
off_t end_of_last_line(int descriptor, off_t size, const std::string& path) {
  std::array<char, 65536> block;
  off_t end = size;
  while (end > 0) {
    const auto length = static_cast<std::size_t>(std::min<off_t>(end, block.size()));
    const off_t start = end - static_cast<off_t>(length);
    if (pread(descriptor, block.data(), length, start) != static_cast<ssize_t>(length)) {
      throw file_error("read", path, reason(errno));
    }
    const auto newline = std::string_view(block.data(), length).rfind('\n');
    if (newline != std::string_view::npos) {
      return start + static_cast<off_t>(newline) + 1;
    }
    end = start;
  }
  return 0;
}

/// Locks the file until the descriptor is closed or the process ends, however it ends. Does nothing
/// on a file system without locks.
void keep_others_out(int descriptor, const std::string& path) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw file_error("open", path, "another process is writing to this file",
                     "Wait for it to finish, or give each run its own file.");
  }
}

/// Brings the file into the state that the run starts with.
void prepare(int descriptor, const std::string& path, FileStart start, std::uint64_t expected_bytes,
             off_t size) {
  off_t keep = 0;
  if (start == FileStart::fresh && size > 0) {
    throw usage_error(
        setting::kTo + fmt::format(" is \"{}\": the file exists and is not empty", path),
        "Choose another name, remove the file, or overwrite it with " + setting::kRestart + ".");
  }
  if (start == FileStart::resume) {
    keep = end_of_last_line(descriptor, size, path);
    if (static_cast<std::uint64_t>(keep) < expected_bytes) {
      throw file_error(
          "resume", path,
          fmt::format("the file has {} bytes, but {} were delivered to it", keep, expected_bytes),
          "Restore the file, or start over with " + setting::kRestart + ".");
    }
  }
  if (keep < size && ftruncate(descriptor, keep) != 0) {
    throw file_error("truncate", path, reason(errno));
  }
}

}  // namespace

LineFile::LineFile(std::string path, FileStart start, std::uint64_t expected_bytes,
                   FileWriters writers)
    : path_(std::move(path)) {
  if (path_ == "-") {
    descriptor_ = STDOUT_FILENO;
  } else {
    // Items may hold personal data: only the owner may read them.
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor_ < 0 && (errno == EACCES || errno == ENXIO || errno == EINVAL)) {
      const int first_error = errno;
      descriptor_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);  // a pipe or a device
      errno = errno == ENOENT ? first_error : errno;  // there is no file, and none can be created
    }
  }
  struct stat status {};
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) {
    throw file_error("open", path_, reason(errno));
  }
  sync_ = S_ISREG(status.st_mode);
  if (sync_ && path_ != "-") {
    try {
      if (writers == FileWriters::one) {
        keep_others_out(descriptor_, path_);
        fstat(descriptor_, &status);  // again, now that nobody else writes
      }
      prepare(descriptor_, path_, start, expected_bytes, status.st_size);
    } catch (...) {
      close(descriptor_);
      throw;
    }
  }
}

LineFile::~LineFile() {
  if (path_ != "-") {
    close(descriptor_);
  }
}

void LineFile::append(std::string_view lines) {
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  try {
    write(lines);
  } catch (...) {
    failure_ = std::current_exception();
    throw;
  }
}

void LineFile::write(std::string_view lines) const {
  while (!lines.empty()) {
    const ssize_t written = ::write(descriptor_, lines.data(), lines.size());
    if (written >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // A process that shares standard output may have made it non-blocking.
      pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
    } else if (errno == EPIPE) {
      throw DestinationClosed("the reader of " + display_name(path_) + " closed it");
    } else if (errno != EINTR) {
      throw file_error("write", path_, reason(errno),
                       errno == ENOSPC ? "Free some space, then run the command again." : "");
    }
  }
  if (sync_ && fdatasync(descriptor_) != 0) {
    throw file_error("write", path_, reason(errno));
  }
}

FileLock::FileLock(const std::string& path)
    : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw file_error("open", path, reason(errno));
  }
  try {
    keep_others_out(descriptor_, path);
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

FileLock::~FileLock() { close(descriptor_); }

std::string file_id(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)
             ? fmt::format("{}:{}", status.st_dev, status.st_ino)
             : std::string();
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::absolute(path).parent_path().string();
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) {
    close(descriptor);
  }
  // Some file systems cannot sync a folder, and some folders may only be written to.
  if (!synced && error != EINVAL && error != EACCES) {
    throw file_error("sync", folder, reason(error));
  }
}

void replace_file(const std::string& path, const std::string& target) {
  if (rename(path.c_str(), target.c_str()) != 0) {
    throw file_error("replace", target, reason(errno),
                     fmt::format("The new items are in {}. Remove the old file, then run the "
                                 "command again without restarting.",
                                 path));
  }
  sync_folder_of(target);
}

}  // namespace everyitem::sink
