#include "base/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include "base/error.h"

namespace everyitem {

void prepare_standard_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest number that is free. A path is neither read nor written through it.
    if (fcntl(number, F_GETFD) < 0 && open("/", O_PATH) != number) {
      std::_Exit(EXIT_FAILURE);
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void write_standard_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd state{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      poll(&state, 1, -1);
    } else if (errno != EINTR) {
      const int reason = errno;
      throw Error(ErrorKind::failed, {.operation = "write",
                                      .object = "standard output",
                                      .code = {},
                                      .message = std::generic_category().message(reason),
                                      .hint = {}});
    }
  }
}

}  // namespace everyitem
