#include "cli/scan_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <random>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/human_format.h"
#include "cli/progress_display.h"
#include "cli/shell_command.h"
#include "cli/terminal_question.h"

namespace everyitem::cli {

namespace {

using pipeline::RunStatus;

bool is_regular_file(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

DisplayMode display_mode(const options::ScanOptions& options) {
  if (options.quiet) {
    return DisplayMode::quiet;
  }
  if (isatty(STDERR_FILENO) == 0) {
    return DisplayMode::lines;
  }
  // Behind a pipe may be a program that prints to the same terminal.
  return options.settings.file == "-" && !is_regular_file(STDOUT_FILENO) ? DisplayMode::notices_only
                                                                         : DisplayMode::terminal;
}

/// A scan on its event loop.
class ScanCommand {
 public:
  ScanCommand(const options::ScanOptions& options, const std::vector<std::string>& command)
      : display_(display_mode(options), stderr, started_),
        run_(loop_.get_executor(), options::scan_settings(options),
             {.environment = process_environment(),
              .clock = clock_,
              .random_seed = std::random_device{}(),
              .ask = ask_on_terminal},
             [this](const Message& text) { display_.notice(text.text()); }),
        signals_(loop_),
        tick_(loop_),
        command_(command) {}

  ExitCode run();

 private:
  void listen_to_signals();
  void answer_signals();
  void show_progress();
  ExitCode close(const std::exception_ptr& failure);
  ExitCode report_end();
  ExitCode report_failure(const std::exception_ptr& failure);
  /// And the exit code of a run that is done but for them.
  ExitCode tell_of_dead_letters();
  void tell_how_to_go_on();

  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  asio::io_context loop_{1};
  SystemClock clock_;
  ProgressDisplay display_;
  pipeline::ScanRun run_;
  asio::signal_set signals_;
  asio::steady_timer tick_;
  std::vector<std::string> command_;
  std::optional<pipeline::ScanOutcome> outcome_;
  bool stopping_ = false;
};

ExitCode ScanCommand::run() {
  ExitCode exit_code = ExitCode::failed;
  asio::co_spawn(loop_, run_.run(),
                 [&](const std::exception_ptr& failure, pipeline::ScanOutcome outcome) {
                   outcome_ = outcome;
                   signals_.cancel();
                   tick_.cancel();
                   exit_code = close(failure);
                 });
  listen_to_signals();
  answer_signals();
  show_progress();
  loop_.run();
  return exit_code;
}

/// Those that end a run in order. Whoever started the program may have it ignore some: nohup does.
void ScanCommand::listen_to_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction inherited {};
    if (sigaction(number, nullptr, &inherited) == 0 && inherited.sa_handler != SIG_IGN) {
      signals_.add(number);
    }
  }
}

void ScanCommand::answer_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int /*signal*/) {
    if (error) {
      return;
    }
    if (stopping_) {
      display_.message("stopped at once; what was not yet checkpointed will be delivered again");
      tell_how_to_go_on();
      // Nothing needs to be put in order: a checkpoint is whole at any instant.
      std::_Exit(static_cast<int>(ExitCode::interrupted));
    }
    stopping_ = true;
    display_.notice("stopping: delivering what was read; Ctrl-C again stops at once");
    run_.stop();
    answer_signals();
  });
}

void ScanCommand::show_progress() {
  tick_.expires_after(display_.interval());
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      display_.update(run_.progress(), std::chrono::steady_clock::now());
      show_progress();
    }
  });
}

ExitCode ScanCommand::close(const std::exception_ptr& failure) {
  return failure ? report_failure(failure) : report_end();
}

ExitCode ScanCommand::report_end() {
  Summary summary{.status = "complete",
                  .progress = run_.progress(),
                  .elapsed = std::chrono::steady_clock::now() - started_,
                  .checkpoint = run_.checkpoint_location(),
                  .dead_letters = run_.dead_letters_location()};
  if (outcome_->nothing_to_do) {
    summary.status = "already-complete";
    display_.summarise(summary);
    display_.message(
        fmt::format("this run is complete: {} delivered; nothing to do. --restart begins anew",
                    counted(summary.progress.items_before, "item")));
    return tell_of_dead_letters();
  }
  switch (outcome_->status) {
    case RunStatus::complete:
      display_.summarise(summary);
      display_.message("complete: " + summary_text(summary));
      return tell_of_dead_letters();
    case RunStatus::limit_reached:
      summary.status = "limit";
      display_.summarise(summary);
      display_.message("limit reached: " + summary_text(summary));
      tell_how_to_go_on();
      return tell_of_dead_letters();
    case RunStatus::closed:
      // Quietly: whoever reads the pipe has what it wanted.
      summary.status = "closed";
      display_.summarise(summary);
      return ExitCode::done;
    case RunStatus::interrupted:
      break;
  }
  summary.status = "interrupted";
  display_.summarise(summary);
  display_.message(summary.progress.segments > 0 ? "interrupted: " + summary_text(summary)
                                                 : "interrupted before anything was read");
  tell_of_dead_letters();
  tell_how_to_go_on();
  return ExitCode::interrupted;
}

ExitCode ScanCommand::report_failure(const std::exception_ptr& failure) {
  const pipeline::ScanProgress progress = run_.progress();
  if (progress.segments > 0) {
    display_.summarise({.status = "failed",
                        .progress = progress,
                        .elapsed = std::chrono::steady_clock::now() - started_,
                        .checkpoint = run_.checkpoint_location(),
                        .dead_letters = run_.dead_letters_location()});
  }
  ExitCode exit_code = ExitCode::failed;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    display_.message(error.what());
    exit_code = error.kind() == ErrorKind::usage ? ExitCode::wrong_usage : ExitCode::failed;
  } catch (const std::exception& error) {
    display_.message(error.what());
  }
  if (progress.segments > 0) {
    display_.message(fmt::format("{} delivered before that",
                                 counted(progress.counters.items_delivered, "item")));
    tell_of_dead_letters();
    tell_how_to_go_on();
  }
  return exit_code;
}

ExitCode ScanCommand::tell_of_dead_letters() {
  const std::uint64_t dead_letters = run_.progress().dead_letters();
  if (dead_letters == 0) {
    return ExitCode::done;
  }
  display_.message(fmt::format(
      "{} could not be delivered; {} with the reason in {}", counted(dead_letters, "item"),
      dead_letters == 1 ? "it is" : "they are", run_.dead_letters_location()));
  return ExitCode::dead_letters;
}

void ScanCommand::tell_how_to_go_on() {
  // Before it is known where the checkpoint is, nothing was begun that could be lost.
  if (run_.checkpoint_location().empty() && run_.progress().segments > 0) {
    display_.message("there is no checkpoint: the next run begins anew");
    return;
  }
  std::vector<std::string> command = command_;
  std::erase(command, "--restart");
  display_.message("to go on: " + shell_command(command));
}

}  // namespace

ExitCode run_scan_command(const options::ScanOptions& options,
                          const std::vector<std::string>& command) {
  return ScanCommand(options, command).run();
}

}  // namespace everyitem::cli
