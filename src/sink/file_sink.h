// Appends batches of lines to a file or a stream.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "base/descriptor.h"
#include "sink/line_file.h"
#include "sink/sink.h"

namespace everyitem::sink {

/// The file at `target`, locked, so that another can take its place; nothing if there is none.
/// Throws Error when it is not this user's own, somebody writes to it, or none can take its place.
std::optional<Descriptor> open_replaceable(const std::string& target);

/// Called from any event loop.
class FileSink final : public Sink {
 public:
  explicit FileSink(LineFile file);
  ~FileSink() override;

  /// Refuses nothing; throws what LineFile::append throws. Writes on a thread of its own, so that a
  /// slow reader does not stop the event loop.
  Awaitable<std::vector<RefusedItem>> deliver(const batch::RecordBatch& batch) override;

  std::size_t max_batches_in_flight() const override { return 1; }

  /// The file takes the place of `target` once its first lines are on disk: until then what is
  /// there stays. `old_file`: by open_replaceable; the new file gets its permissions. Call before
  /// the first `deliver`. Throws Error.
  void replace_at_first_append(std::string target, std::optional<Descriptor> old_file);
  /// Now, if it has not happened; does nothing without a target. Not during a `deliver`. Throws
  /// Error.
  void replace_now();

 private:
  LineFile file_;
  std::optional<Descriptor> old_file_;  ///< at the target, locked
  std::string target_;                  ///< to be replaced by the file; empty: nothing is
  boost::asio::thread_pool writer_{1};
};

}  // namespace everyitem::sink
