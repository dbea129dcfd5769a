// A file of lines that is only appended to. However a run stopped, the next one starts at the end
// of a complete line.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace everyitem::sink {

/// What a run does with an existing file.
enum class FileStart {
  fresh,    ///< refuses it unless it is empty
  resume,   ///< appends to it, after removing an incomplete last line
  restart,  ///< empties it
};

/// How many processes may have the file open at once.
enum class FileWriters { one, several };

/// Used from one thread at a time: each call may wait for the disk.
class LineFile {
 public:
  /// Opens `path`, or standard output for "-". A new file is readable by its owner only.
  /// `expected_bytes`: how many bytes a resumed run's file must have at least. Throws Error if the
  /// file cannot be opened, has content on a fresh start, has fewer bytes than expected, or has
  /// another writer although only one is allowed: resuming would cut off the line that the other
  /// one is writing.
  LineFile(std::string path, FileStart start, std::uint64_t expected_bytes,
           FileWriters writers = FileWriters::several);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// Returns once the lines are written and, for a regular file, on disk. Throws Error, or
  /// DestinationClosed if the reader closed the pipe. Once it has thrown, every call throws: more
  /// lines would continue the incomplete one.
  void append(std::string_view lines);

 private:
  void write(std::string_view lines) const;

  std::string path_;
  int descriptor_ = -1;
  bool sync_ = false;  ///< a regular file
  std::exception_ptr failure_;
};

/// Keeps other writers out of a file that is there, until it is destroyed.
class FileLock {
 public:
  /// Throws Error when the file cannot be opened, or has a writer.
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Tells a regular file from every other on this machine, whatever it is called, as long as it is
/// there; empty if there is none at `path`.
std::string file_id(const std::string& path);

/// Lets the names in the folder of `path` survive a loss of power. Throws Error.
void sync_folder_of(const std::string& path);

/// Renames `path` to `target`, in the place of what is there. On return that survives a loss of
/// power. Throws Error.
void replace_file(const std::string& path, const std::string& target);

}  // namespace everyitem::sink
