#include "sink/file_sink.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/on_loop.h"

namespace everyitem::sink {

std::optional<Descriptor> open_replaceable(const std::string& target) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(target, ignored))) {
    return std::nullopt;
  }
  return in_words("replace", target, [&]() -> std::optional<Descriptor> {
    if (is_mount_point(target)) {
      throw FileRefused("the file is a mount point: none can take its place",
                        "Mount its folder instead, or empty the file yourself.");
    }
    Descriptor file = open_own_file(target, FilePresence::present, FileUse::output);
    lock_own_file(file);
    require_no_database(file);
    return file;
  });
}

FileSink::FileSink(LineFile file) : file_(std::move(file)) {}

FileSink::~FileSink() { writer_.join(); }

Awaitable<std::vector<RefusedItem>> FileSink::deliver(const batch::RecordBatch& batch) {
  const std::string_view lines = batch.body.view();
  const auto append = [this, lines]() -> Awaitable<void> {
    file_.append(lines);
    replace_now();
    co_return;
  };
  asio::any_io_executor writer = writer_.get_executor();
  Awaitable<void> work = append();
  co_await on_loop(std::move(writer), std::move(work));
  co_return std::vector<RefusedItem>{};
}

void FileSink::replace_at_first_append(std::string target, std::optional<Descriptor> old_file) {
  if (old_file) {
    in_words("replace", target, [&] { copy_permissions(*old_file, file_.descriptor()); });
  }
  old_file_ = std::move(old_file);
  target_ = std::move(target);
}

void FileSink::replace_now() {
  if (target_.empty()) {
    return;
  }
  if (std::rename(file_.path().c_str(), target_.c_str()) != 0) {
    throw file_error("replace", target_, std::generic_category().message(errno),
                     fmt::format("The new items are in {}. Remove the old file, then run the "
                                 "command again without restarting.",
                                 file_.path()));
  }
  file_.set_path(std::exchange(target_, {}));
  old_file_.reset();
  in_words("replace", file_.path(), [this] { sync_folder_of(file_.path()); });
}

}  // namespace everyitem::sink
