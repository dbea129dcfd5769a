// A descriptor whose text can be read back.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

namespace everyitem {

class CapturedOutput {
 public:
  CapturedOutput() : file_(std::tmpfile()) {}
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;
  ~CapturedOutput() { std::fclose(file_); }

  int descriptor() const { return fileno(file_); }
  /// All that was written.
  std::string text() const {
    std::array<char, 65536> buffer{};
    const ssize_t size = pread(descriptor(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  std::FILE* file_;
};

}  // namespace everyitem
