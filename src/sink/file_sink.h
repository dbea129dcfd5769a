// Appends batches of lines to a file, or writes them to standard output.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "sink/line_file.h"
#include "sink/sink.h"

namespace everyitem::sink {

/// Called from any event loop.
class FileSink final : public Sink {
 public:
  /// Opens `path`, or standard output for "-", as LineFile does. `delivered_bytes`: for a resumed
  /// run, how many bytes the file must have according to the checkpoint, at least.
  FileSink(const std::string& path, FileStart start, std::uint64_t delivered_bytes);
  ~FileSink() override;

  /// Refuses nothing; throws what LineFile::append throws. Writes on a thread of its own, so that a
  /// slow reader does not stop the event loop.
  Awaitable<std::vector<RefusedItem>> deliver(const batch::RecordBatch& batch) override;

  std::size_t max_batches_in_flight() const override { return 1; }

  /// The file takes the place of `target` once its first lines are on disk: until then what is
  /// there stays, and other writers are kept out of it. Call before the first `deliver`. Throws
  /// Error when somebody writes to the target.
  void replace_at_first_append(std::string target);
  /// Now, if it has not happened; does nothing without a target. Not during a `deliver`. Throws
  /// Error.
  void replace_now();

 private:
  std::string path_;
  LineFile file_;
  std::unique_ptr<FileLock> target_lock_;
  std::string target_;  ///< to be replaced by the file; empty: nothing is
  boost::asio::thread_pool writer_{1};
};

}  // namespace everyitem::sink
