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
#include "cli/file_argument.h"
#include "cli/flags.h"
#include "cli/progress_display.h"
#include "cli/shell_command.h"
#include "cli/terminal_question.h"
#include "options/scan_options.h"
#include "options/setting_text.h"
#include "run/run_summary.h"

namespace everyitem::cli {

namespace {

/// How long a run takes to stop, even if something holds it up that cannot be cancelled: a file
/// system, or the reader of a pipe. Less than the 10 s that Docker waits before it kills.
constexpr std::chrono::milliseconds kMaxStop{9500};

constexpr const char* kScanFooter = R"(
Examples:
  everyitem scan --table orders --stream orders-backfill
  everyitem scan --table orders --to orders.ndjson --read-percent 25
  everyitem scan --table orders --to - | jq -r .id.S
  everyitem scan --table orders --stream s --filter '#s = :open' \
      --names '{"#s": "status"}' --values '{":open": {"S": "open"}}'

N may be 5k or 1,000, TIME 90s or 1h30m; EXPR and JSON may be in a file:
file://PATH.

Each item arrives at least once, as the DynamoDB JSON that Scan returned, byte
for byte. After any stop, run the same command again to resume; a finished run
does nothing.

Exit codes:
  0    all items were delivered (or as many as --limit says, or the reader
       closed the pipe)
  1    something failed; what was delivered is in the checkpoint
  2    the command or its settings are wrong; nothing was started
  3    all was done, except for items that the stream can never take: they are
       in the dead letters
  130  stopped by a signal, within 10 s; the same command resumes the run

Permissions: dynamodb:DescribeTable, dynamodb:Scan,
kinesis:DescribeStreamSummary, kinesis:PutRecords, kinesis:ListShards. For a
checkpoint in a table, dynamodb:GetItem, PutItem, Query and BatchWriteItem on
it; in parameters, ssm:GetParameter, GetParametersByPath, PutParameter and
DeleteParameters on them. For dead letters in a table, dynamodb:PutItem on it.
)";

bool is_regular_file(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

constexpr SettingId kQuiet{"quiet"};
constexpr SettingId kProgressInterval{"progress-interval"};
constexpr std::chrono::hours kMaxProgressInterval{24};

/// What to show besides what the run itself has to say.
struct ShowOptions {
  bool quiet = false;
  std::optional<std::chrono::milliseconds> interval;  ///< between two lines of progress
};

DisplayMode display_mode(const ShowOptions& show, const StandardError& errors,
                         const run::ScanSettings& settings) {
  if (show.quiet) {
    return DisplayMode::quiet;
  }
  if (!errors.can_rewrite()) {
    return DisplayMode::lines;
  }
  // The program at the end of a pipe may print to the same terminal.
  const bool pipes = settings.output == sink::OutputLocation(sink::StandardOutput{}) &&
                     !is_regular_file(STDOUT_FILENO);
  return pipes ? DisplayMode::notices_only : DisplayMode::terminal;
}

/// What is compared with items may be as secret as they are, and standard error is often kept. True
/// if there was something to hide.
bool hide_values(std::vector<std::string>& command) {
  const std::string flag = "--" + std::string(setting::kValues.name);
  bool hidden = false;
  for (std::size_t i = 0; i < command.size() && command[i] != "--"; ++i) {
    const bool joined = command[i].starts_with(flag + "=");
    if (!joined && (command[i] != flag || i + 1 == command.size())) {
      continue;
    }
    const std::string value = joined ? command[i].substr(flag.size() + 1) : command[i + 1];
    if (!value.starts_with("file://")) {
      command[joined ? i : i + 1] = joined ? flag + "=..." : "...";
      hidden = true;
    }
  }
  return hidden;
}

/// A scan on its event loop.
class ScanCommand {
 public:
  ScanCommand(const run::ScanSettings& settings, const ShowOptions& show,
              const std::vector<std::string>& command, StandardError& errors)
      : display_(display_mode(show, errors, settings), errors, clock_, show.interval),
        settings_(settings),
        run_(loop_.get_executor(), settings,
             {.environment = process_environment(),
              .clock = clock_,
              .random_seed = std::random_device{}(),
              .ask = ask_on_terminal},
             [this](const Message& text) { display_.notice(text.text()); }),
        signals_(loop_),
        stop_deadline_(loop_),
        tick_(loop_),
        command_(command) {}

  ExitCode run();

 private:
  void listen_to_signals();
  void answer_signals();
  [[noreturn]] void end_at_once(const std::string& reason);
  void show_progress();
  ExitCode close(const std::exception_ptr& failure);
  ExitCode report_end();
  ExitCode report_failure(const std::exception_ptr& failure);
  /// And the exit code of a run that is done but for them.
  ExitCode tell_of_dead_letters();
  void tell_how_to_resume();
  run::RunSummary summary(run::SummaryStatus status) const;

  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  asio::io_context loop_{1};
  SystemClock clock_;
  ProgressDisplay display_;
  run::ScanSettings settings_;
  run::ScanRun run_;
  asio::signal_set signals_;
  asio::steady_timer stop_deadline_;
  asio::steady_timer tick_;
  bool over_ = false;  ///< nothing more is shown
  std::vector<std::string> command_;
  std::optional<run::ScanOutcome> outcome_;
  bool stopping_ = false;
};

ExitCode ScanCommand::run() {
  ExitCode exit_code = ExitCode::failed;
  asio::co_spawn(loop_, run_.run(),
                 [&](const std::exception_ptr& failure, const run::ScanOutcome& outcome) {
                   outcome_ = outcome;
                   signals_.cancel();
                   stop_deadline_.cancel();
                   // A tick that is already due is no longer cancelled.
                   over_ = true;
                   tick_.cancel();
                   exit_code = close(failure);
                 });
  listen_to_signals();
  answer_signals();
  show_progress();
  loop_.run();
  return exit_code;
}

/// Those that stop a run in order, unless whoever started the program has it ignore them: nohup
/// does.
void ScanCommand::listen_to_signals() {
  // Keeps the handlers until the process has ended: a signal after the summary changes nothing any
  // more, the exit code neither.
  static asio::io_context& never_run = *new asio::io_context;
  static asio::signal_set& to_the_end = *new asio::signal_set(never_run);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction inherited {};
    if (sigaction(number, nullptr, &inherited) == 0 && inherited.sa_handler != SIG_IGN) {
      signals_.add(number);
      to_the_end.add(number);
    }
  }
}

void ScanCommand::answer_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int /*signal*/) {
    if (error || over_) {
      return;
    }
    if (stopping_) {
      end_at_once("stopped at once");
    }
    stopping_ = true;
    display_.notice("stopping: delivering what was read; press Ctrl-C again to stop at once");
    run_.stop();
    stop_deadline_.expires_after(kMaxStop);
    stop_deadline_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled && !over_) {
        end_at_once("stopped after " + duration(kMaxStop) + ", although something held it up");
      }
    });
    answer_signals();
  });
}

void ScanCommand::end_at_once(const std::string& reason) {
  display_.message(LogLevel::warning,
                   reason + "; what is not in the checkpoint will be delivered again");
  tell_how_to_resume();
  // Nothing needs to be put in order: a checkpoint is whole at any instant.
  std::_Exit(static_cast<int>(ExitCode::interrupted));
}

void ScanCommand::show_progress() {
  tick_.expires_after(display_.interval());
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !over_) {
      display_.update(run_.progress());
      show_progress();
    }
  });
}

ExitCode ScanCommand::close(const std::exception_ptr& failure) {
  return failure ? report_failure(failure) : report_end();
}

run::RunSummary ScanCommand::summary(run::SummaryStatus status) const {
  return {
      .status = status,
      .table = settings_.table.name,
      .destination = settings_.stream ? settings_.stream->name : sink::to_text(*settings_.output),
      .progress = run_.progress(),
      .elapsed = std::chrono::steady_clock::now() - started_,
      .checkpoint = run_.checkpoint_location(),
      .dead_letters_location = run_.dead_letters_location(),
      .finished_at = outcome_ ? outcome_->finished_at : std::nullopt};
}

ExitCode ScanCommand::report_end() {
  const run::RunSummary ended = summary(run::status_of(*outcome_));
  switch (ended.status) {
    case run::SummaryStatus::already_complete:
      display_.summarise(
          ended, fmt::format("complete already{}: {} delivered; nothing to do. {}",
                             since_text(ended), counted(ended.progress.items_before, "item"),
                             settings_.share ? "Name another run to begin one"
                                             : "Use --restart to start over"));
      return tell_of_dead_letters();
    case run::SummaryStatus::complete:
      display_.summarise(ended, "complete: " + numbers_text(ended));
      return tell_of_dead_letters();
    case run::SummaryStatus::limit_reached:
      display_.summarise(ended, "limit reached: " + numbers_text(ended));
      tell_how_to_resume();
      return tell_of_dead_letters();
    case run::SummaryStatus::closed:
      display_.summarise(ended, {});
      return ExitCode::done;  // quietly: whoever reads the pipe has what it wanted
    default:
      break;
  }
  display_.summarise(ended, ended.progress.begun ? "interrupted: " + numbers_text(ended)
                                                 : "interrupted before anything was read");
  tell_of_dead_letters();
  tell_how_to_resume();
  return ExitCode::interrupted;
}

ExitCode ScanCommand::report_failure(const std::exception_ptr& failure) {
  const run::RunSummary ended = summary(run::SummaryStatus::failed);
  display_.message(LogLevel::error, message_from(failure).text());
  if (ended.progress.begun) {
    display_.summarise(ended,
                       fmt::format("{} delivered before that",
                                   counted(ended.progress.counters.items_delivered, "item")));
    tell_of_dead_letters();
    tell_how_to_resume();
  }
  return exit_code_of(failure);
}

ExitCode ScanCommand::tell_of_dead_letters() {
  const std::uint64_t dead_letters = run_.progress().dead_letters();
  if (dead_letters == 0) {
    return ExitCode::done;
  }
  display_.message(LogLevel::warning,
                   fmt::format("{} could not be delivered; see {} for the reason{}",
                               counted(dead_letters, "item"), run_.dead_letters_location(),
                               dead_letters == 1 ? "" : "s"));
  return ExitCode::dead_letters;
}

/// A restart that has not begun is asked for again: the run before it is still there.
void ScanCommand::tell_how_to_resume() {
  const bool begun = run_.progress().begun;
  if (begun && run_.checkpoint_location().empty()) {
    display_.message(LogLevel::info, "there is no checkpoint: the next run starts over");
    return;
  }
  std::vector<std::string> command = command_;
  if (begun) {
    std::erase_if(command, [](const std::string& argument) {
      return argument == "--restart" || argument.starts_with("--restart=");
    });
  }
  const bool hidden = hide_values(command);
  display_.message(LogLevel::info,
                   fmt::format("to resume{}: {}", hidden ? ", with the same --values" : "",
                               shell_command(command)));
}

class ScanVerb final : public Verb {
 public:
  CLI::App& add_to(CLI::App& program) override {
    CLI::App* scan =
        program.add_subcommand("scan", "Read every item of a table into a stream or a file");
    add_flags(*scan, options::scan_entries(), given_);
    add_flag(*scan, kQuiet.name, "q", "", "What to show",
             "Show no progress and no notices, only a line at the end", given_);
    add_log_flag(*scan, given_);
    add_flag(*scan, kProgressInterval.name, "", "TIME", "What to show",
             "Show the progress this often, from 1s to 24h. Default: 5s; on a terminal, one line "
             "that is always up to date",
             given_);
    scan->footer(kScanFooter);
    return *scan;
  }

  ExitCode run(const std::vector<std::string>& command, StandardError& errors) override {
    const ArgumentFiles files =
        read_file_arguments(options::scan_entries(), given_, process_environment());
    try {
      return ScanCommand(options::scan_settings(given_), show_options(), command, errors).run();
    } catch (const Error& error) {
      throw with_files_named(error, files);
    }
  }

 private:
  ShowOptions show_options() const {
    check_log(given_);
    ShowOptions show;
    if (const auto text = given_.find(kQuiet.name); text != given_.end()) {
      show.quiet = options::parse_switch(kQuiet, text->second);
    }
    if (const auto text = given_.find(kProgressInterval.name); text != given_.end()) {
      show.interval =
          options::parse_duration(kProgressInterval, text->second, kMaxProgressInterval);
    }
    return show;
  }

  options::GivenSettings given_;
};

}  // namespace

std::unique_ptr<Verb> make_scan_verb() { return std::make_unique<ScanVerb>(); }

}  // namespace everyitem::cli
