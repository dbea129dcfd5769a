#include "base/diagnostics.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <climits>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/printable.h"

namespace everyitem {

namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

void Diagnostics::line(std::string_view text) {
  std::string bytes(rewritten_ ? kClearLine : "");
  bytes.append(printable(text)) += '\n';
  rewritten_ = false;
  write(bytes, patience_);
}

void Diagnostics::passing_line(std::string_view text) {
  write(printable(text) + '\n', std::chrono::milliseconds(0));
}

void Diagnostics::rewrite(std::string_view text) {
  rewritten_ = true;
  write(std::string(kClearLine) + printable(text), std::chrono::milliseconds(0));
}

/// In pieces that a pipe which is ready takes at once: neither a pager nor a stopped terminal may
/// hold up a run, whose lease would expire.
void Diagnostics::write(std::string_view bytes, std::chrono::milliseconds patience) {
  const std::string whole = (torn_ ? "\n" : "") + std::string(bytes);
  std::string_view left = whole;
  while (!failed_ && !left.empty()) {
    pollfd state{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    const int ready = poll(&state, 1, stalled_ ? 0 : static_cast<int>(patience.count()));
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    const ssize_t written =
        ready > 0 ? ::write(descriptor_, left.data(), std::min<std::size_t>(left.size(), PIPE_BUF))
                  : -1;
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
      stalled_ = false;
    } else if (ready == 0 || errno == EAGAIN) {
      stalled_ = stalled_ || patience == patience_;
      torn_ = left.size() < whole.size();
      return;
    } else if (errno != EINTR) {
      failed_ = true;
    }
  }
  torn_ = false;
}

bool Diagnostics::is_terminal() const {
  const char* const type = std::getenv("TERM");
  return isatty(descriptor_) == 1 && type != nullptr && *type != '\0' &&
         std::string_view(type) != "dumb";
}

std::size_t Diagnostics::columns() const {
  winsize size{};
  const bool known = ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", second, (now - second).count());
}

}  // namespace everyitem
