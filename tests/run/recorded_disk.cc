#include "tests/run/recorded_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace everyitem {

namespace {

namespace fs = std::filesystem;

RecordedDisk* the_disk = nullptr;

std::string path_of(int descriptor) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(link.c_str(), path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// SQLite's shared memory is not kept: whoever opens the database first makes it again.
bool is_shared_memory(const std::string& path) { return path.ends_with("-shm"); }

}  // namespace

RecordedDisk* RecordedDisk::current() { return the_disk; }

RecordedDisk::RecordedDisk(const std::string& folder) : folder_(fs::canonical(folder).string()) {
  the_disk = this;
}

RecordedDisk::~RecordedDisk() { the_disk = nullptr; }

bool RecordedDisk::has(const std::string& path) const {
  return path.starts_with(folder_ + "/") && !is_shared_memory(path);
}

void RecordedDisk::record() {
  const std::lock_guard lock(mutex_);
  log_.clear();
  State state;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    const std::string path = entry.path().string();
    if (is_shared_memory(path)) {
      continue;
    }
    struct stat status {};
    stat(path.c_str(), &status);
    const std::uint64_t file = entry.is_directory() ? 0 : identity(status.st_ino);
    state.live[path] = file;
    if (file != 0) {
      std::ostringstream content;
      content << std::ifstream(path, std::ios::binary).rdbuf();
      state.files[file] = {.live = content.str(), .on_disk = content.str()};
    }
  }
  state.on_disk = state.live;
  start_ = state;
  now_ = std::move(state);
  records_ = true;
}

void RecordedDisk::stop() {
  const std::lock_guard lock(mutex_);
  records_ = false;
}

void RecordedDisk::add(Step step) {
  apply(now_, step);
  log_.push_back(std::move(step));
}

void RecordedDisk::apply(State& state, const Step& step) {
  switch (step.kind) {
    case Step::Kind::name:
      state.live[step.path] = step.file;
      break;
    case Step::Kind::write: {
      std::string& live = state.files[step.file].live;
      live.resize(std::max(live.size(), step.offset + step.bytes.size()));
      live.replace(step.offset, step.bytes.size(), step.bytes);
      break;
    }
    case Step::Kind::cut:
      state.files[step.file].live.resize(step.offset);
      break;
    case Step::Kind::sync_file:
      state.files[step.file].on_disk = state.files[step.file].live;
      break;
    case Step::Kind::sync_folder: {
      const auto is_in = [&](const auto& entry) { return folder_of(entry.first) == step.path; };
      std::erase_if(state.on_disk, is_in);
      for (const auto& entry : state.live) {
        if (is_in(entry)) {
          state.on_disk.insert(entry);
        }
      }
      break;
    }
    case Step::Kind::rename:
      state.live[step.bytes] = state.live[step.path];
      state.live.erase(step.path);
      break;
    case Step::Kind::remove:
      state.live.erase(step.path);
      break;
  }
}

void RecordedDisk::opened(int descriptor) {
  const std::string path = path_of(descriptor);
  const std::lock_guard lock(mutex_);
  struct stat status {};
  if (!records_ || !has(path) || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return;
  }
  if (!now_.live.contains(path)) {
    identities_[status.st_ino] = ++next_;
    add({.kind = Step::Kind::name, .path = path, .file = next_});
  }
}

void RecordedDisk::written(int descriptor, const char* bytes, std::size_t size,
                           std::optional<off_t> offset) {
  const std::string path = path_of(descriptor);
  const std::lock_guard lock(mutex_);
  struct stat status {};
  if (!records_ || !has(path) || fstat(descriptor, &status) != 0) {
    return;
  }
  const std::uint64_t file = identity(status.st_ino);
  const std::size_t at = offset ? static_cast<std::size_t>(*offset) : now_.files[file].live.size();
  add({.kind = Step::Kind::write, .bytes = std::string(bytes, size), .file = file, .offset = at});
  if (is_elsewhere && is_elsewhere(path)) {
    add({.kind = Step::Kind::sync_file, .file = file});
  }
}

void RecordedDisk::cut(int descriptor, off_t size) {
  const std::string path = path_of(descriptor);
  const std::lock_guard lock(mutex_);
  struct stat status {};
  if (records_ && has(path) && fstat(descriptor, &status) == 0) {
    add({.kind = Step::Kind::cut,
         .file = identity(status.st_ino),
         .offset = static_cast<std::size_t>(size)});
  }
}

void RecordedDisk::synced(int descriptor) {
  const std::string path = path_of(descriptor);
  const std::lock_guard lock(mutex_);
  struct stat status {};
  if (!records_ || (path != folder_ && !has(path)) || (forgets && forgets(path)) ||
      fstat(descriptor, &status) != 0) {
    return;
  }
  if (S_ISDIR(status.st_mode)) {
    add({.kind = Step::Kind::sync_folder, .path = path});
  } else {
    add({.kind = Step::Kind::sync_file, .file = identity(status.st_ino)});
  }
}

void RecordedDisk::renamed(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (records_ && has(from) && has(to)) {
    add({.kind = Step::Kind::rename, .path = from, .bytes = to});
  }
}

void RecordedDisk::removed(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (records_ && has(path)) {
    add({.kind = Step::Kind::remove, .path = path});
  }
}

void RecordedDisk::made_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (records_ && has(path)) {
    add({.kind = Step::Kind::name, .path = path});
  }
}

RecordedDisk::State RecordedDisk::state_after(std::size_t step) const {
  State state = start_;
  for (std::size_t i = 0; i < step; ++i) {
    apply(state, log_[i]);
  }
  return state;
}

RecordedDisk::Tree RecordedDisk::tree_of(const State& state, Loss loss) const {
  const auto& names = loss == Loss::all ? state.on_disk : state.live;
  Tree tree;
  for (const auto& [path, file] : names) {
    const std::string folder = folder_of(path);
    if (folder != folder_ && !tree.contains(folder)) {
      continue;  // its folder is gone
    }
    if (file == 0) {
      tree[path] = std::nullopt;
      continue;
    }
    const auto found = state.files.find(file);
    const File none;
    const File& content = found == state.files.end() ? none : found->second;
    std::string bytes = loss == Loss::none ? content.live : content.on_disk;
    if (loss == Loss::blocks && content.live.size() > bytes.size()) {
      // The last bytes have come through, those before them have not.
      const std::size_t kept = std::min<std::size_t>(8, content.live.size() - bytes.size());
      bytes.resize(content.live.size() - kept);
      bytes += content.live.substr(content.live.size() - kept);
    }
    tree[path] = std::move(bytes);
  }
  return tree;
}

RecordedDisk::Tree RecordedDisk::after(std::size_t step, Loss loss) const {
  return tree_of(state_after(step), loss);
}

void RecordedDisk::put(std::size_t step, Loss loss) {
  const State state = state_after(step);
  const auto& names = loss == Loss::all ? state.on_disk : state.live;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    fs::remove_all(entry.path());
  }
  const std::lock_guard lock(mutex_);
  identities_.clear();
  for (const auto& [path, content] : tree_of(state, loss)) {  // folders come before what is in them
    if (!content) {
      fs::create_directory(path);
      fs::permissions(path, fs::perms(0700));
      continue;
    }
    std::ofstream(path, std::ios::binary) << *content;
    fs::permissions(path, fs::perms(0600));
    struct stat status {};
    stat(path.c_str(), &status);
    identities_[status.st_ino] = names.at(path);
  }
}

std::uint64_t RecordedDisk::identity(std::uint64_t inode) const {
  const std::lock_guard lock(mutex_);
  const auto found = identities_.find(inode);
  return found == identities_.end() ? inode : found->second;
}

}  // namespace everyitem

// In the place of the C library's, also for SQLite.

using everyitem::RecordedDisk;

namespace {

int report_opened(long result) {
  if (result >= 0 && RecordedDisk::current() != nullptr) {
    RecordedDisk::current()->opened(static_cast<int>(result));
  }
  return static_cast<int>(result);
}

ssize_t report_written(int descriptor, const void* bytes, long result,
                       std::optional<off_t> offset) {
  if (result > 0 && RecordedDisk::current() != nullptr) {
    const int error = errno;
    RecordedDisk::current()->written(descriptor, static_cast<const char*>(bytes),
                                     static_cast<std::size_t>(result), offset);
    errno = error;
  }
  return result;
}

template <typename Report>
int report(long result, const Report& call) {
  if (result == 0 && RecordedDisk::current() != nullptr) {
    call(*RecordedDisk::current());
  }
  return static_cast<int>(result);
}

}  // namespace

extern "C" {

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return report_opened(syscall(SYS_openat, folder, path, flags, mode));
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return report_opened(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return report_opened(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return report_written(descriptor, bytes, syscall(SYS_write, descriptor, bytes, size), {});
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return report_written(descriptor, bytes, syscall(SYS_pwrite64, descriptor, bytes, size, offset),
                        offset);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t offset) {
  return report_written(descriptor, bytes, syscall(SYS_pwrite64, descriptor, bytes, size, offset),
                        offset);
}

int ftruncate(int descriptor, off_t size) noexcept {
  return report(syscall(SYS_ftruncate, descriptor, size),
                [&](RecordedDisk& disk) { disk.cut(descriptor, size); });
}

int ftruncate64(int descriptor, off64_t size) noexcept {
  return report(syscall(SYS_ftruncate, descriptor, size),
                [&](RecordedDisk& disk) { disk.cut(descriptor, size); });
}

int fsync(int descriptor) {
  return report(0, [&](RecordedDisk& disk) { disk.synced(descriptor); });
}

int fdatasync(int descriptor) {
  return report(0, [&](RecordedDisk& disk) { disk.synced(descriptor); });
}

int rename(const char* from, const char* to) noexcept {
  return report(syscall(SYS_rename, from, to), [&](RecordedDisk& disk) { disk.renamed(from, to); });
}

int unlink(const char* path) noexcept {
  return report(syscall(SYS_unlink, path), [&](RecordedDisk& disk) { disk.removed(path); });
}

int remove(const char* path) noexcept {
  const long result = syscall(SYS_unlink, path);
  if (result != 0 && errno == EISDIR) {
    return static_cast<int>(syscall(SYS_rmdir, path));
  }
  return report(result, [&](RecordedDisk& disk) { disk.removed(path); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return report(syscall(SYS_mkdir, path, mode),
                [&](RecordedDisk& disk) { disk.made_folder(path); });
}

int statx(int folder, const char* path, int flags, unsigned mask, struct statx* status) noexcept {
  const long result = syscall(SYS_statx, folder, path, flags, mask, status);
  if (result == 0 && RecordedDisk::current() != nullptr) {
    // A file that was put is the one that was recorded.
    status->stx_ino = RecordedDisk::current()->identity(status->stx_ino);
    status->stx_btime = {};
  }
  return static_cast<int>(result);
}

}  // extern "C"
