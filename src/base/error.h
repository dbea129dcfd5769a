// What a failed operation says to the user: what was done, to what, what the service said, what to
// do next. Errors are thrown where they arise and printed once, at the door (cli/, lambda/), which
// words the settings that they name.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "base/message.h"

namespace everyitem {

/// Whose fault it is, which is what the exit code says.
enum class ErrorKind {
  usage,   ///< the command or its settings are wrong: exit code 2
  failed,  ///< the work could not be done: exit code 1
};

/// The parts of an error message. Empty parts are left out. None may hold a secret or an item.
struct ErrorDetails {
  std::string operation;  ///< what was tried: "Scan", "read the checkpoint"
  std::string object;     ///< on what: "table orders", a path
  std::string code;       ///< the service's own code: "ResourceNotFoundException"
  Message message;        ///< what went wrong, in the service's words where it gave some
  Message hint;           ///< what to do about it
};

/// what() is message().text(): settings are worded as flags.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, ErrorDetails details);

  ErrorKind kind() const noexcept { return kind_; }
  const ErrorDetails& details() const noexcept { return details_; }
  /// "OPERATION on OBJECT: CODE: MESSAGE. HINT"
  Message message() const;

 private:
  ErrorKind kind_;
  ErrorDetails details_;
};

/// An error of kind `usage`: `message` names the setting, `hint` the remedy.
Error usage_error(Message message, Message hint = {});

/// What an exception of any type says: message() of an Error, what() of the others.
Message message_from(const std::exception& error);
Message message_from(const std::exception_ptr& error);

}  // namespace everyitem
