// The exit codes of every verb, as documented in --help.
#pragma once

namespace everyitem::cli {

enum class ExitCode {
  done = 0,           ///< all was done, or as much as was asked for
  failed = 1,         ///< something could not be done; what was done is kept
  wrong_usage = 2,    ///< the command or its settings are wrong; nothing was started
  dead_letters = 3,   ///< all was done, but for items that the destination can never take
  interrupted = 130,  ///< stopped by a signal; the same command goes on
};

}  // namespace everyitem::cli
