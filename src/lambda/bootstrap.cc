#include "lambda/bootstrap.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/environment.h"
#include "base/error.h"
#include "lambda/log.h"
#include "lambda/runtime_client.h"
#include "lambda/scanner_function.h"
#include "lambda/scanner_settings.h"

namespace everyitem::lambda {

namespace {

constexpr const char* kRuntimeApi = "AWS_LAMBDA_RUNTIME_API";

/// Makes this process a new one with the same id, which is what Lambda watches: threads,
/// connections, locks and memory of the unfinished round are gone. Returns only on failure.
/// Uses the name that the program was started by: if the function's package has a loader of its
/// own, the process's own file is that loader.
void restart_process(char** argv) {
  close_range(STDERR_FILENO + 1, ~0U, 0);
  execv(argv[0], argv);
}

/// Runs the loop until `work` is done, and no longer: an unfinished round may never end.
void run(asio::io_context& loop, Awaitable<void> work) {
  std::exception_ptr failure;
  bool ended = false;
  asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& thrown) {
    failure = thrown;
    ended = true;
  });
  while (!ended && loop.run_one() > 0) {
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

/// Returns when a round was left unfinished.
void serve(asio::io_context& loop, Clock& clock, Log& log) {
  const Environment environment = process_environment();
  RuntimeClient runtime(loop.get_executor(), clock, environment(kRuntimeApi),
                        [&log](const std::string& request_id, std::string_view text) {
                          log.begin_request(request_id);
                          log.error(text);
                        });
  ScannerFunction function(loop.get_executor(), environment, clock, log);
  try {
    check_environment(environment, variable_names());
  } catch (...) {
    run(loop, runtime.report_init_error(std::current_exception()));
    throw;
  }
  run(loop, runtime.serve(
                [&function](const Invocation& invocation) { return function.handle(invocation); }));
}

}  // namespace

bool is_started_by_lambda(int argc, char** argv) {
  if (argc < 1) {
    return false;
  }
  const std::string_view path = argv[0];
  return path.substr(path.rfind('/') + 1) == "bootstrap" ||
         (argc == 1 && std::getenv(kRuntimeApi) != nullptr);
}

int run_bootstrap(char** argv) {
  SystemClock clock;
  Diagnostics standard_error(STDERR_FILENO);
  Log log(standard_error, clock);
  asio::io_context loop(1);
  try {
    serve(loop, clock, log);
    log.info("restarting the process: the previous round was left unfinished");
    restart_process(argv);
    log.error("cannot restart the process: " + std::generic_category().message(errno));
  } catch (const std::exception& error) {
    log.error(message_from(error).worded(as_variable));
  }
  // At once: what is unfinished cannot be tidied up, and need not be.
  std::_Exit(EXIT_FAILURE);
}

}  // namespace everyitem::lambda
