#include "lambda/bootstrap.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <system_error>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "aws/environment.h"
#include "base/clock.h"
#include "lambda/log.h"
#include "lambda/runtime_client.h"
#include "lambda/scanner_function.h"

namespace everyitem::lambda {

namespace {

constexpr const char* kRuntimeApi = "AWS_LAMBDA_RUNTIME_API";

/// Makes this process a new one under its old number, which is what Lambda watches: threads,
/// connections, locks and memory of the unfinished round are gone. Returns only when it cannot.
void begin_anew(char** argv) {
  close_range(STDERR_FILENO + 1, ~0U, 0);
  execv("/proc/self/exe", argv);
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
  Log log(stderr, clock);
  asio::io_context loop(1);
  const aws::Environment environment = aws::process_environment();
  ScannerFunction function(loop.get_executor(), environment, clock, log);
  std::exception_ptr failure;
  bool ended = false;
  try {
    RuntimeClient runtime(loop.get_executor(), environment(kRuntimeApi),
                          [&log](std::string_view text) { log.warning(text); });
    asio::co_spawn(loop, runtime.serve([&function](const Invocation& invocation) {
      return function.handle(invocation);
    }),
                   [&](const std::exception_ptr& thrown) {
                     failure = thrown;
                     ended = true;
                   });
    // An unfinished round would keep the loop from running out of work.
    while (!ended && loop.run_one() > 0) {
    }
    if (!failure) {
      log.info("beginning anew: the round before was left unfinished");
      begin_anew(argv);
      log.error("cannot begin anew: " + std::generic_category().message(errno));
    } else {
      std::rethrow_exception(failure);
    }
  } catch (const std::exception& error) {
    log.error(error.what());
  }
  // At once: what is unfinished cannot be put in order, and need not be.
  std::_Exit(EXIT_FAILURE);
}

}  // namespace everyitem::lambda
