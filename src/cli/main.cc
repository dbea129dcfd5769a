// The program's two doors: Lambda's, if Lambda started it, and the command line's. Errors are
// printed here once, as one line.
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/standard_streams.h"
#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "cli/standard_error.h"
#include "lambda/bootstrap.h"

namespace {

using everyitem::cli::ExitCode;

/// Each segment that is read at once has a connection; the usual soft limit is 1,024 descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/// Pages and batches of a megabyte come and go all the time. If each is mapped again, the kernel
/// clears it at the first touch of each 4 KB, which took a quarter of a run's time.
void keep_freed_memory() {
  constexpr int kLargestKept = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargestKept);
  mallopt(M_TRIM_THRESHOLD, kLargestKept);
}

ExitCode run(const std::vector<std::string>& command, everyitem::cli::StandardError& errors) {
  const everyitem::cli::ParsedCommand parsed = everyitem::cli::parse_command(command);
  if (parsed.verb) {
    return parsed.verb->run(command, errors);
  }
  if (!parsed.fault.empty()) {
    errors.message(everyitem::cli::LogLevel::error, parsed.fault);
    return ExitCode::wrong_usage;
  }
  everyitem::write_standard_output(parsed.text);
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  everyitem::prepare_standard_streams();
  raise_descriptor_limit();
  keep_freed_memory();
  if (everyitem::lambda::is_started_by_lambda(argc, argv)) {
    return everyitem::lambda::run_bootstrap(argv);
  }
  const std::vector<std::string> command(argv, argv + argc);
  const everyitem::SystemClock clock;
  everyitem::cli::StandardError errors(STDERR_FILENO, everyitem::cli::log_format(command), clock);
  ExitCode exit_code = ExitCode::failed;
  try {
    exit_code = run(command, errors);
  } catch (const std::exception& error) {
    errors.message(everyitem::cli::LogLevel::error, everyitem::message_from(error).text());
    exit_code = everyitem::cli::exit_code_of(std::current_exception());
  }
  return static_cast<int>(exit_code);
}
