// A file of lines, or a stream of them, that is only appended to. However a run stopped, the next
// one starts at the end of a complete line.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/own_file.h"

namespace everyitem::sink {

/// What a resumed run has left in its file.
struct LinesLeft {
  std::uint64_t bytes = 0;  ///< at least
  std::string id = {};      ///< file_id; empty if it is not known
};

/// Used from one thread at a time: each call may wait for the disk, or for whoever reads.
class LineFile {
 public:
  /// Opens and locks a file for a run that begins: a new one, or one that is empty. Throws Error.
  static LineFile begin(const std::string& path);
  /// Opens and locks the file that the run has written before, and cuts off what it has not written
  /// to its end. Throws Error if that file is gone, or has lost what was written.
  static LineFile resume(const std::string& path, const LinesLeft& left);

  /// `file`: opened by open_own_file, and locked.
  static LineFile of_file(std::string path, Descriptor file);
  /// `stream`: opened by open_stream.
  static LineFile of_stream(std::string path, Descriptor stream);

  const std::string& path() const { return path_; }
  void set_path(std::string path) { path_ = std::move(path); }
  const Descriptor& descriptor() const { return descriptor_; }

  /// Removes an incomplete last line, and what a loss of power may have made of the last write.
  /// Throws Error if fewer than `bytes` would stay.
  void cut_to_whole_lines(std::uint64_t bytes);

  /// Returns once the lines are written and, if it is a regular file, on disk. Throws Error, or
  /// DestinationClosed if the reader closed the pipe. Once it has thrown, every call throws: more
  /// lines would continue the incomplete one.
  void append(std::string_view lines);

 private:
  LineFile(std::string path, Descriptor descriptor, bool is_file);

  void write(std::string_view lines) const;

  std::string path_;
  Descriptor descriptor_;
  bool is_file_;  ///< of this run
  bool syncs_;    ///< a regular file, standard output included
  std::exception_ptr failure_;
};

/// Whether `path` is written as a stream: standard output ("-"), a descriptor that this process has
/// inherited (/dev/stdout, /dev/fd/63), a pipe or a device. Nobody knows what became of what went
/// there, so that it is never read and never continued.
bool is_stream(const std::string& path);

/// Opens a stream for writing. Nothing while it is a pipe that nobody reads. Throws Error.
std::optional<Descriptor> open_stream(const std::string& path);

/// "write FILE: REASON. HINT"
Error file_error(const std::string& operation, const std::string& path, Message message,
                 Message hint = {});
Error file_error(const std::string& operation, const std::string& path, const FileRefused& refused);

/// Throws FileRefused if the file is a SQLite database or the log of one: a checkpoint of ours,
/// most likely, whose lock is another than that of an output.
void require_no_database(const Descriptor& file);

/// What `work` returns. When it throws FileRefused, that is an Error about the file at `path`.
template <typename Work>
auto in_words(const std::string& operation, const std::string& path, const Work& work) {
  try {
    return work();
  } catch (const FileRefused& refused) {
    throw file_error(operation, path, refused);
  }
}

}  // namespace everyitem::sink
