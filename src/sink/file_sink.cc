#include "sink/file_sink.h"

#include <string_view>
#include <utility>

#include "base/on_loop.h"

namespace everyitem::sink {

FileSink::FileSink(const std::string& path, FileStart start, std::uint64_t delivered_bytes)
    : path_(path), file_(path, start, delivered_bytes, FileWriters::one) {}

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

void FileSink::replace_at_first_append(std::string target) {
  if (!file_id(target).empty()) {
    target_lock_ = std::make_unique<FileLock>(target);
  }
  target_ = std::move(target);
}

void FileSink::replace_now() {
  if (target_.empty()) {
    return;
  }
  replace_file(path_, target_);
  path_ = std::exchange(target_, {});
  target_lock_.reset();
}

}  // namespace everyitem::sink
