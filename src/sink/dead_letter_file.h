// Dead letters in a file, one JSON object a line.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "sink/dead_letters.h"
#include "sink/line_file.h"

namespace everyitem::sink {

/// Where the letters of a run come from and where they could not go.
struct DeadLetterOrigin {
  std::string table;
  std::string destination;
};

/// One letter as a line, with its line break:
/// {"table":"orders","destination":"backfill","segment":3,"reason":"...","key":{...},"item":{...}}
std::string to_line(const DeadLetterOrigin& origin, const DeadLetter& letter);

class DeadLetterFile final : public DeadLetters {
 public:
  /// The file, and its folder, are made with the first letter; letters of the run that is resumed
  /// stay. A restart discards those of the run before. Throws Error when it is clear that nothing
  /// can be written.
  DeadLetterFile(std::string path, DeadLetterOrigin origin, bool restart);
  ~DeadLetterFile() override;

  /// On a thread of its own: the event loop does not wait for the disk.
  Awaitable<void> write(std::vector<DeadLetter> letters) override;

 private:
  void write_now(const std::vector<DeadLetter>& letters);

  std::string path_;
  DeadLetterOrigin origin_;
  std::unique_ptr<LineFile> file_;
  boost::asio::thread_pool writer_{1};
};

}  // namespace everyitem::sink
