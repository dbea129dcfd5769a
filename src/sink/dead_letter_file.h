// Dead letters in a file, one JSON object per line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "sink/dead_letters.h"
#include "sink/line_file.h"

namespace everyitem::sink {

/// A letter as a line, including its line break:
/// {"run":"5e0c...","table":"orders","destination":"backfill","segment":3,"attempts":1,
/// "reason":"...","key":{...},"item":{...}}
std::string to_line(const DeadLetterOrigin& origin, const DeadLetter& letter);

/// The letters of the run whose place another takes.
struct ReplacedLetters {
  std::string path;
  std::string run;  ///< its token; empty if there was none
};

/// A run's own file: no other process has it open, and it never holds another run's letters.
class DeadLetterFile final : public DeadLetters {
 public:
  /// The file and its folder are created with the first letter. Throws Error if nothing can be
  /// written there, or if there is a file of anything but letters of this run, or of the one that
  /// it replaces.
  DeadLetterFile(std::string path, DeadLetterOrigin origin, ReplacedLetters replaced = {});
  ~DeadLetterFile() override;

  /// Removes the letters of the run that this one replaces: its user gave it up.
  void discard_earlier() override;

  /// Writes on a thread of its own, so that the event loop does not wait for the disk.
  Awaitable<void> write(std::vector<DeadLetter> letters) override;

 private:
  LineFile open_file() const;
  void write_now(const std::vector<DeadLetter>& letters);

  std::string path_;
  DeadLetterOrigin origin_;
  ReplacedLetters replaced_;
  std::optional<LineFile> file_;
  boost::asio::thread_pool writer_{1};
};

}  // namespace everyitem::sink
