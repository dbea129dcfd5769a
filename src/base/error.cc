#include "base/error.h"

#include <utility>

namespace everyitem {

namespace {

void append(Message& line, const char* separator, const Message& part) {
  if (part.empty()) {
    return;
  }
  if (!line.empty()) {
    line += separator;
  }
  line += part;
}

Message to_line(const ErrorDetails& details) {
  Message line;
  append(line, "", details.operation);
  append(line, " on ", details.object);
  append(line, ": ", details.code);
  append(line, ": ", details.message);
  if (!line.empty() && !details.hint.empty()) {
    const char last = line.text().back();
    line += last == '.' || last == '?' || last == '!' ? " " : ". ";
  }
  line += details.hint;
  return line;
}

}  // namespace

Error::Error(ErrorKind kind, ErrorDetails details)
    : std::runtime_error(to_line(details).text()), kind_(kind), details_(std::move(details)) {}

Message Error::message() const { return to_line(details_); }

Error usage_error(Message message, Message hint) {
  return Error(ErrorKind::usage, ErrorDetails{.operation = {},
                                              .object = {},
                                              .code = {},
                                              .message = std::move(message),
                                              .hint = std::move(hint)});
}

Message message_from(const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  return ours != nullptr ? ours->message() : Message(error.what());
}

Message message_from(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return message_from(thrown);
  }
}

}  // namespace everyitem
