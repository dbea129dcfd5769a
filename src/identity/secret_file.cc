#include "identity/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <system_error>

#include "base/descriptor.h"

namespace everyitem::identity {

namespace {

constexpr std::uint64_t kMaxBytes = 1U << 20;

PaddedBuffer nothing(int why, std::error_code& error) {
  error.assign(why, std::generic_category());
  return {};
}

}  // namespace

PaddedBuffer read_secret_file(const std::string& path, bool* readable_by_others) {
  std::error_code error;
  PaddedBuffer text = read_secret_file(path, error, readable_by_others);
  if (error) {
    throw std::system_error(error);
  }
  return text;
}

PaddedBuffer read_secret_file(const std::string& path, std::error_code& error,
                              bool* readable_by_others) {
  error.clear();
  // Non-blocking, because the path may be a pipe, which is rejected below.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) {
    return nothing(errno, error);
  }
  if (!S_ISREG(status.st_mode)) {
    return nothing(S_ISDIR(status.st_mode) ? EISDIR : EINVAL, error);
  }
  if (static_cast<std::uint64_t>(status.st_size) > kMaxBytes) {
    return nothing(EFBIG, error);
  }
  if (readable_by_others != nullptr) {
    *readable_by_others = (status.st_mode & S_IROTH) != 0;
  }
  PaddedBuffer text;
  const std::span<char> room = text.prepare(static_cast<std::size_t>(status.st_size));
  std::size_t size = 0;
  while (size < room.size()) {
    const ssize_t got = read(file.get(), room.data() + size, room.size() - size);
    if (got < 0 && errno != EINTR) {
      return nothing(errno, error);
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
  text.commit(size);
  text.finish();
  return text;
}

std::string replace_secret_file(const std::string& path, std::string_view text) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  bool failed = file.get() < 0;
  if (failed) {
    return std::generic_category().message(errno);
  }
  while (!failed && !text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    failed = written < 0 && errno != EINTR;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  if (!failed && fsync(file.get()) == 0 && std::rename(temporary.c_str(), path.c_str()) == 0) {
    return {};
  }
  std::string reason = std::generic_category().message(errno);
  unlink(temporary.c_str());
  return reason;
}

}  // namespace everyitem::identity
