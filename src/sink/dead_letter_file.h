// Dead letters in a file, one JSON object per line.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "sink/dead_letters.h"
#include "sink/line_file.h"

namespace everyitem::sink {

/// A letter as a line, including its line break:
/// {"table":"orders","destination":"backfill","segment":3,"attempts":1,"reason":"...","key":{...},
/// "item":{...}}
std::string to_line(const DeadLetterOrigin& origin, const DeadLetter& letter);

class DeadLetterFile final : public DeadLetters {
 public:
  /// The file and its folder are created with the first letter; letters that are there stay. Throws
  /// Error if nothing can be written there.
  DeadLetterFile(std::string path, DeadLetterOrigin origin);
  ~DeadLetterFile() override;

  /// Empties the file: its letters are those of an earlier run, which the user gave up. Before the
  /// first `write`. Throws Error.
  void discard_earlier() override;

  /// Writes on a thread of its own, so that the event loop does not wait for the disk.
  Awaitable<void> write(std::vector<DeadLetter> letters) override;

 private:
  void write_now(const std::vector<DeadLetter>& letters);

  std::string path_;
  DeadLetterOrigin origin_;
  std::unique_ptr<LineFile> file_;
  boost::asio::thread_pool writer_{1};
};

}  // namespace everyitem::sink
