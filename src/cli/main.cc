// The program's two doors: Lambda's, where Lambda started it, and the command line's, one verb a
// file, errors printed here once, as one line.
#include <malloc.h>
#include <sys/resource.h>

#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "cli/exit_code.h"
#include "cli/scan_command.h"
#include "cli/whoami_command.h"
#include "lambda/bootstrap.h"
#include "options/scan_options.h"

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

/// Pages and batches, of a megabyte each, come and go all the time. Where each is mapped anew, the
/// kernel clears it at the first touch of each 4 KB, which took a quarter of a run's time.
void keep_freed_memory() {
  constexpr int kLargestKept = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargestKept);
  mallopt(M_TRIM_THRESHOLD, kLargestKept);
}

ExitCode wrong_usage(const std::string& message) {
  fmt::print(stderr, "everyitem: {}\n", message);
  return ExitCode::wrong_usage;
}

ExitCode run(const std::vector<std::string>& command) {
  CLI::App program(
      "everyitem runs your code against every item of a DynamoDB table: it scans the table in\n"
      "parallel, resumably, and puts each item into a Kinesis data stream or a file.",
      "everyitem");
  program.set_version_flag("--version", std::string("everyitem ") + EVERYITEM_VERSION);
  program.footer("\n'everyitem scan --help' shows all options, examples and exit codes.");
  everyitem::options::ScanOptions options;
  CLI::App* scan = everyitem::options::add_scan_command(program, options);
  everyitem::cli::WhoamiOptions whoami_options;
  CLI::App* whoami = everyitem::cli::add_whoami_command(program, whoami_options);
  if (command.size() < 2) {
    fmt::print(stderr, "{}", program.help());
    return ExitCode::wrong_usage;
  }
  std::vector<std::string> reversed(command.rbegin(), command.rend() - 1);
  try {
    program.parse(reversed);
  } catch (const CLI::Success& asked) {  // --help, --version
    program.exit(asked);
    return ExitCode::done;
  } catch (const CLI::ParseError& error) {
    std::string verb;
    for (const CLI::App* each : {scan, whoami}) {
      verb += each->parsed() ? " " + each->get_name() : "";
    }
    return wrong_usage(fmt::format("{}. See: everyitem{} --help", error.what(), verb));
  }
  if (whoami->parsed()) {
    return everyitem::cli::run_whoami_command(whoami_options);
  }
  if (!scan->parsed()) {
    return wrong_usage("there is no verb. See: everyitem --help");
  }
  return everyitem::cli::run_scan_command(options, command);
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
  } catch (const everyitem::Error& error) {
    fmt::print(stderr, "everyitem: {}\n", error.what());
    exit_code =
        error.kind() == everyitem::ErrorKind::usage ? ExitCode::wrong_usage : ExitCode::failed;
  } catch (const std::exception& error) {
    fmt::print(stderr, "everyitem: {}\n", error.what());
  }
  return static_cast<int>(exit_code);
}
