// What is said about a run, on standard error or in a log. It cannot end the run, whatever is
// behind the descriptor: a full disk, a pipe without a reader, a terminal that has hung up.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace everyitem {

/// Writes lines, each as `printable` returns it. Nothing is thrown: after the first failure,
/// nothing is written any more. One thread.
class Diagnostics {
 public:
  /// How long a line that matters waits for a slow reader, such as a pager.
  static constexpr std::chrono::milliseconds kPatience{2000};

  /// The descriptor outlives this.
  explicit Diagnostics(int descriptor, std::chrono::milliseconds patience = kPatience)
      : descriptor_(descriptor), patience_(patience) {}
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics& operator=(const Diagnostics&) = delete;

  /// Left out if nobody reads within `patience`, and from then on at once until somebody reads.
  void line(std::string_view text);
  /// A line that others like it follow: left out if nobody reads now.
  void passing_line(std::string_view text);
  /// Rewrites the terminal's last line, until another line is written. Left out the same way.
  void rewrite(std::string_view text);

  /// Whether it is a terminal that can rewrite a line.
  bool is_terminal() const;
  /// Of the terminal; 80 if it is none.
  std::size_t columns() const;

 private:
  void write(std::string_view bytes, std::chrono::milliseconds patience);

  int descriptor_;
  std::chrono::milliseconds patience_;
  bool failed_ = false;
  bool stalled_ = false;    ///< nobody has read for that long
  bool torn_ = false;       ///< the last line is incomplete
  bool rewritten_ = false;  ///< the terminal's last line is one that may be rewritten
};

/// "2026-11-27T15:04:05.678Z"
std::string timestamp(std::chrono::system_clock::time_point time);

}  // namespace everyitem
