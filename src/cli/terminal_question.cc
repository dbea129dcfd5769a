#include "cli/terminal_question.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/printable.h"

namespace everyitem::cli {

std::optional<std::string> ask_on_terminal(std::string_view question) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> terminal(std::fopen("/dev/tty", "r+"),
                                                                 &std::fclose);
  if (!terminal) {
    return std::nullopt;
  }
  std::fputs(printable(question).c_str(), terminal.get());
  std::fflush(terminal.get());
  std::array<char, 256> line{};
  if (std::fgets(line.data(), static_cast<int>(line.size()), terminal.get()) == nullptr) {
    return std::nullopt;
  }
  return std::string(line.data(), std::strcspn(line.data(), "\r\n"));
}

}  // namespace everyitem::cli
