// Appends batches of lines to a file, or writes them to standard output.
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "sink/sink.h"

namespace everyitem::sink {

/// How a run finds its file.
enum class FileStart {
  fresh,    ///< the file must not exist or be empty
  resume,   ///< goes on behind what is there; a last line that was cut short is removed
  restart,  ///< what is there is discarded
};

class FileSink final : public Sink {
 public:
  /// Opens `path`, or standard output for "-". `delivered_bytes`: for a resume, how many bytes the
  /// checkpoint says are in the file at least. Throws Error when the file cannot be opened, has
  /// content on a fresh start, or lacks what was delivered.
  FileSink(const std::string& path, FileStart start, std::uint64_t delivered_bytes);
  ~FileSink() override;

  /// Returns once the lines are written and, in a regular file, on disk. Throws Error, or
  /// DestinationClosed when nobody reads the pipe any more. The write happens on a thread of its
  /// own, so that a slow reader does not stop the event loop.
  Awaitable<void> deliver(const batch::RecordBatch& batch) override;

  std::size_t max_batches_in_flight() const override { return 1; }

 private:
  void write(std::string_view lines) const;

  std::string path_;
  int descriptor_ = -1;
  bool sync_ = false;  ///< a regular file
  boost::asio::thread_pool writer_{1};
};

}  // namespace everyitem::sink
