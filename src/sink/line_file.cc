#include "sink/line_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "sink/sink.h"

namespace everyitem::sink {

namespace {

constexpr std::string_view kStandardOutput = "-";

/// More than one `append` writes: only what was written last can be damaged by a loss of power.
constexpr off_t kMaxAppend = 64L << 20;

std::string display_name(const std::string& path) {
  return path == kStandardOutput ? "standard output" : path;
}

std::string reason(int error) { return std::generic_category().message(error); }

/// Calls `found(block, start)` for the blocks of [from, to), backwards, until it returns true.
template <typename Found>
void read_backwards(const Descriptor& file, const std::string& path, off_t from, off_t to,
                    const Found& found) {
  std::array<char, 65536> block;
  while (to > from) {
    const auto length = static_cast<std::size_t>(std::min<off_t>(to - from, block.size()));
    to -= static_cast<off_t>(length);
    if (pread(file.get(), block.data(), length, to) != static_cast<ssize_t>(length)) {
      throw file_error("read", path, reason(errno));
    }
    if (found(std::string_view(block.data(), length), to)) {
      return;
    }
  }
}

/// Where the last complete line before `to` ends: a run that was killed may have left half a line.
off_t end_of_last_line(const Descriptor& file, const std::string& path, off_t to) {
  off_t end = 0;
  read_backwards(file, path, 0, to, [&](std::string_view block, off_t start) {
    const auto line_break = block.rfind('\n');
    if (line_break == std::string_view::npos) {
      return false;
    }
    end = start + static_cast<off_t>(line_break) + 1;
    return true;
  });
  return end;
}

/// Where the first zero byte is of those that can be there, or `size`: after a loss of power, what
/// was not synced may have kept its place in the file but not its bytes. No line of JSON has any.
off_t first_zero(const Descriptor& file, const std::string& path, off_t size) {
  off_t first = size;
  const off_t from = std::max<off_t>(0, size - kMaxAppend);
  read_backwards(file, path, from, size, [&](std::string_view block, off_t start) {
    if (const auto zero = block.find('\0'); zero != std::string_view::npos) {
      first = start + static_cast<off_t>(zero);
    }
    return false;
  });
  return first;
}

/// The descriptor of this process that a path names: 63 for /dev/fd/63.
std::optional<int> inherited_descriptor(std::string_view path) {
  if (path == kStandardOutput || path == "/dev/stdout") {
    return STDOUT_FILENO;
  }
  if (path == "/dev/stderr") {
    return STDERR_FILENO;
  }
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (path.starts_with(folder)) {
      const std::string_view number = path.substr(folder.size());
      int descriptor = -1;
      const auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), descriptor);
      if (error == std::errc() && end == number.data() + number.size() && descriptor >= 0) {
        return descriptor;
      }
    }
  }
  return std::nullopt;
}

/// Whoever started this process opened it for writing: what the process has opened itself is closed
/// when it starts another.
bool is_inherited_for_writing(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0 &&
         (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY;
}

}  // namespace

Error file_error(const std::string& operation, const std::string& path, Message message,
                 Message hint) {
  return Error(ErrorKind::failed, {.operation = operation,
                                   .object = display_name(path),
                                   .message = std::move(message),
                                   .hint = std::move(hint)});
}

Error file_error(const std::string& operation, const std::string& path,
                 const FileRefused& refused) {
  return file_error(operation, path, refused.what(), refused.remedy());
}

LineFile::LineFile(std::string path, Descriptor descriptor, bool is_file)
    : path_(std::move(path)), descriptor_(std::move(descriptor)), is_file_(is_file) {
  struct stat status {};
  syncs_ = fstat(descriptor_.get(), &status) == 0 && S_ISREG(status.st_mode);
}

LineFile LineFile::of_file(std::string path, Descriptor file) {
  return {std::move(path), std::move(file), true};
}

LineFile LineFile::of_stream(std::string path, Descriptor stream) {
  return {std::move(path), std::move(stream), false};
}

void require_no_database(const Descriptor& file) {
  // "Database File Format" (sqlite.org), 1.3.1 and 4.1: the last bit is the order of the log's
  // bytes.
  constexpr std::string_view kDatabase("SQLite format 3\0", 16);
  constexpr std::array<std::string_view, 2> kLogs{"\x37\x7f\x06\x82", "\x37\x7f\x06\x83"};
  std::array<char, kDatabase.size()> start{};
  const ssize_t bytes = pread(file.get(), start.data(), start.size(), 0);
  const std::string_view found(start.data(), static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
  if (found == kDatabase ||
      std::ranges::any_of(kLogs, [&](std::string_view log) { return found.starts_with(log); })) {
    throw FileRefused("the file is a SQLite database, such as a checkpoint",
                      "Choose another name: a run's output and its checkpoint are two files.");
  }
}

LineFile LineFile::begin(const std::string& path) {
  return in_words("open", path, [&] {
    Descriptor file = open_own_file(path, FilePresence::any, FileUse::output);
    lock_own_file(file);
    require_no_database(file);
    struct stat status {};
    if (fstat(file.get(), &status) != 0 || status.st_size > 0) {
      throw usage_error(
          setting::kTo + fmt::format(" is \"{}\": the file exists and is not empty", path),
          "Choose another name, remove the file, or overwrite it with " + setting::kRestart + ".");
    }
    return of_file(path, std::move(file));
  });
}

LineFile LineFile::resume(const std::string& path, const LinesLeft& left) {
  try {
    Descriptor file = open_own_file(path, FilePresence::present, FileUse::output);
    lock_own_file(file);
    if (!left.id.empty() && file_id(file) != left.id) {
      throw FileRefused("the file is not the one that the run began");
    }
    LineFile resumed = of_file(path, std::move(file));
    resumed.cut_to_whole_lines(left.bytes);
    return resumed;
  } catch (const FileRefused& refused) {
    throw file_error(
        "resume", path, refused.what(),
        refused.remedy().empty()
            ? "Put the file of the run back, or start over with " + setting::kRestart + "."
            : Message(refused.remedy()));
  }
}

void LineFile::cut_to_whole_lines(std::uint64_t bytes) {
  struct stat status {};
  if (fstat(descriptor_.get(), &status) != 0) {
    throw file_error("open", path_, reason(errno));
  }
  const off_t sound = first_zero(descriptor_, path_, status.st_size);
  const off_t end = end_of_last_line(descriptor_, path_, sound);
  if (static_cast<std::uint64_t>(end) < bytes) {
    throw file_error("resume", path_,
                     fmt::format("the file has {} bytes, but {} were delivered to it", end, bytes),
                     "Restore the file, or start over with " + setting::kRestart + ".");
  }
  if (end < status.st_size && ftruncate(descriptor_.get(), end) != 0) {
    throw file_error("truncate", path_, reason(errno));
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
    const ssize_t written = ::write(descriptor_.get(), lines.data(), lines.size());
    if (written >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // A pipe that is full, or a process that shares standard output has made it non-blocking.
      pollfd ready{.fd = descriptor_.get(), .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
    } else if (errno == EPIPE) {
      throw DestinationClosed("the reader of " + display_name(path_) + " closed it");
    } else if (errno != EINTR) {
      throw file_error("write", path_, reason(errno),
                       errno == ENOSPC ? "Free some space, then run the command again." : "");
    }
  }
  if (syncs_ && fdatasync(descriptor_.get()) != 0) {
    throw file_error("write", path_, reason(errno));
  }
  if (is_file_ && is_removed(descriptor_)) {
    throw file_error("write", path_, "the file was removed or replaced while the run wrote to it",
                     "Put the file back, or start over with " + setting::kRestart + ".");
  }
}

bool is_stream(const std::string& path) {
  struct stat status {};
  return inherited_descriptor(path) ||
         (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode));
}

std::optional<Descriptor> open_stream(const std::string& path) {
  if (const std::optional<int> inherited = inherited_descriptor(path)) {
    Descriptor copy(is_inherited_for_writing(*inherited) ? fcntl(*inherited, F_DUPFD_CLOEXEC, 0)
                                                         : -1);
    if (copy.get() < 0) {
      throw file_error("open", path, "it is not open for writing");
    }
    return copy;
  }
  Descriptor opened(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (opened.get() < 0) {
    const int error = errno;
    if (error == ENXIO && stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) {
      return std::nullopt;
    }
    throw file_error("open", path, reason(error));
  }
  if (fstat(opened.get(), &status) != 0 || S_ISREG(status.st_mode)) {
    throw file_error("open", path, "it was replaced by a regular file just now",
                     "Run the command again.");
  }
  return opened;
}

}  // namespace everyitem::sink
