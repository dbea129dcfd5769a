#include "cli/terminal_question.h"

#include <fcntl.h>

#include <array>
#include <csignal>
#include <string>

#include <openssl/crypto.h>
#include <openssl/ui.h>

#include "base/descriptor.h"
#include "base/printable.h"

namespace everyitem::cli {

std::optional<std::string> ask_on_terminal(std::string_view question) {
  // OpenSSL would ask on standard input instead.
  if (Descriptor(open("/dev/tty", O_RDWR | O_CLOEXEC)).get() < 0) {
    return std::nullopt;
  }
  // It shows what is typed again when a signal comes, and swallows an interrupt.
  constexpr int kInterrupted = -2;
  std::array<char, 256> line{};
  const int result = UI_UTIL_read_pw_string(line.data(), static_cast<int>(line.size()),
                                            printable(question).c_str(), /*verify=*/0);
  if (result == kInterrupted) {
    std::raise(SIGINT);
  }
  std::optional<std::string> answer;
  if (result == 0) {
    answer = line.data();
  }
  OPENSSL_cleanse(line.data(), line.size());
  return answer;
}

}  // namespace everyitem::cli
