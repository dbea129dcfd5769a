#include "base/error.h"

#include <string_view>
#include <utility>

namespace everyitem {

namespace {

void append(std::string& line, std::string_view separator, std::string_view part) {
  if (part.empty()) {
    return;
  }
  if (!line.empty()) {
    line += separator;
  }
  for (const char c : part) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    line += control ? ' ' : c;
  }
}

}  // namespace

std::string to_line(const ErrorDetails& details) {
  std::string line;
  append(line, "", details.operation);
  append(line, " on ", details.object);
  append(line, ": ", details.code);
  append(line, ": ", details.message);
  if (!details.hint.empty()) {
    if (!line.empty() && line.back() != '.' && line.back() != '?' && line.back() != '!') {
      line += '.';
    }
    append(line, " ", details.hint);
  }
  return line;
}

Error::Error(ErrorKind kind, ErrorDetails details)
    : std::runtime_error(to_line(details)), kind_(kind), details_(std::move(details)) {}

Error usage_error(std::string message, std::string hint) {
  return Error(
      ErrorKind::usage,
      ErrorDetails{.operation = {}, .message = std::move(message), .hint = std::move(hint)});
}

}  // namespace everyitem
