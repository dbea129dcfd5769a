// The exit codes of every verb, as documented in --help and docs/output.md.
#pragma once

#include <array>
#include <exception>

#include "base/error.h"

namespace everyitem::cli {

enum class ExitCode {
  done = 0,           ///< all was done, or as much as was asked for
  failed = 1,         ///< something could not be done; what was done is kept
  wrong_usage = 2,    ///< the command or its settings are wrong; nothing was started
  dead_letters = 3,   ///< all was done, except for items that the destination can never take
  interrupted = 130,  ///< stopped by a signal; the same command resumes the run
};

inline constexpr std::array kExitCodes = {ExitCode::done, ExitCode::failed, ExitCode::wrong_usage,
                                          ExitCode::dead_letters, ExitCode::interrupted};

/// Of what ended the program.
inline ExitCode exit_code_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::usage ? ExitCode::wrong_usage : ExitCode::failed;
  } catch (...) {
    return ExitCode::failed;
  }
}

}  // namespace everyitem::cli
