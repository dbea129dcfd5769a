// A file of lines that is only ever added to, and that ends in a whole line after any stop.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace everyitem::sink {

/// How a run finds its file.
enum class FileStart {
  fresh,    ///< the file must not exist or be empty
  resume,   ///< goes on behind what is there; a last line that was cut short is removed
  restart,  ///< what is there is discarded
};

/// Who may write to the file at once.
enum class FileWriters { one, several };

/// Used from one thread at a time: each call may wait for the disk.
class LineFile {
 public:
  /// Opens `path`, or standard output for "-"; a file that is not there is made for its owner's
  /// eyes alone. `expected_bytes`: for a resume, how many bytes must be in the file at least.
  /// Throws Error when the file cannot be opened, has content on a fresh start, lacks what is
  /// expected of it, or has another writer where there is to be one: on a resume, a line that this
  /// one is just writing would be cut short.
  LineFile(std::string path, FileStart start, std::uint64_t expected_bytes,
           FileWriters writers = FileWriters::several);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// Returns once the lines are written and, in a regular file, on disk. Throws Error, or
  /// DestinationClosed when nobody reads the pipe any more; from then on always, as what came next
  /// would be a part of the line that was cut short.
  void append(std::string_view lines);

 private:
  void write(std::string_view lines) const;

  std::string path_;
  int descriptor_ = -1;
  bool sync_ = false;  ///< a regular file
  std::exception_ptr failure_;
};

}  // namespace everyitem::sink
