// What a failed operation tells its user: what was done, to what, what the service said, what to
// do next. Errors are thrown where they arise and printed once, at the door (cli/, lambda/).
#pragma once

#include <stdexcept>
#include <string>

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
  std::string message;    ///< what went wrong, in the service's words where it gave some
  std::string hint;       ///< what to do about it
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, ErrorDetails details);

  ErrorKind kind() const noexcept { return kind_; }
  const ErrorDetails& details() const noexcept { return details_; }

 private:
  ErrorKind kind_;
  ErrorDetails details_;
};

/// An error of kind `usage`: `message` names the setting, `hint` the remedy.
Error usage_error(std::string message, std::string hint = {});

/// One line: "OPERATION on OBJECT: CODE: MESSAGE. HINT". Line breaks become spaces.
std::string to_line(const ErrorDetails& details);

}  // namespace everyitem
