// The program's two doors: Lambda's, if Lambda started it, and the command line's. Errors are
// printed here once, as one line.
#include <malloc.h>
#include <sys/resource.h>

#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/command_line.h"
#include "cli/exit_code.h"
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

ExitCode run(const std::vector<std::string>& command) {
  const everyitem::cli::ParsedCommand parsed = everyitem::cli::parse_command(command);
  if (parsed.verb) {
    return parsed.verb->run(command);
  }
  fmt::print(parsed.asked_for ? stdout : stderr, "{}", parsed.text);
  return parsed.asked_for ? ExitCode::done : ExitCode::wrong_usage;
}

}  // namespace

int main(int argc, char** argv) {
  // A pipe that nobody reads is an error of its write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  keep_freed_memory();
  if (everyitem::lambda::is_started_by_lambda(argc, argv)) {
    return everyitem::lambda::run_bootstrap(argv);
  }
  ExitCode exit_code = ExitCode::failed;
  try {
    exit_code = run(std::vector<std::string>(argv, argv + argc));
  } catch (const std::exception& error) {
    fmt::print(stderr, "everyitem: {}\n", everyitem::message_from(error).text());
    exit_code = everyitem::cli::exit_code_of(std::current_exception());
  }
  return static_cast<int>(exit_code);
}
