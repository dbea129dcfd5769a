#include "lambda/scanner_function.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "aws/arn.h"
#include "aws/client.h"
#include "base/error.h"
#include "base/human_format.h"
#include "checkpoint/checkpoint_location.h"
#include "checkpoint/checkpoint_store.h"
#include "identity/identity.h"
#include "identity/service_connection.h"
#include "lambda/function_invoker.h"
#include "lambda/round_report.h"
#include "lambda/round_times.h"
#include "lambda/scanner_settings.h"
#include "run/run_progress.h"

namespace everyitem::lambda {

namespace {

using pipeline::RunStatus;
using run::SummaryStatus;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long a round that was handed over to waits for the one before it to let go of the run. A
/// round that is not answered yet, or was killed, still owns it for a while.
constexpr std::chrono::seconds kLettingGo{60};
constexpr std::chrono::seconds kBetweenTries{1};

/// How long an invocation from outside tries to start the first round. Clients wait for 60 s or
/// more, and then ask again.
constexpr std::chrono::seconds kMaxStarting{20};

constexpr std::chrono::minutes kBetweenProgressLines{2};

/// The smallest function has 128 MB, and pages and batches are most of what a run holds.
pipeline::PipelineLimits limits_for_memory(const Environment& environment) {
  pipeline::PipelineLimits limits;
  const std::string text = environment("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
  std::size_t megabytes = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), megabytes);
  if (parsed.ec == std::errc()) {
    const std::size_t share = std::max<std::size_t>(megabytes / 8, 1);
    limits.pages_at_once = std::min(limits.pages_at_once, share);
    limits.page_bytes = std::min(limits.page_bytes, share << 20);
    limits.batch_bytes = std::min(limits.batch_bytes, share << 20);
  }
  return limits;
}

/// Of a function's file system only /tmp can be written to.
Environment with_state_in_tmp(const Environment& environment) {
  return [environment](std::string_view name) {
    const std::string value = environment(name);
    return value.empty() && name == "XDG_STATE_HOME" ? std::string("/tmp") : value;
  };
}

bool is_about_the_owner(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const checkpoint::OwnedByAnother&) {
    return true;
  } catch (...) {
    return false;
  }
}

/// How a process of the run came to its end. Shared with the run's coroutine, which may outlive the
/// round.
struct RunningScan {
  RunningScan(const asio::any_io_executor& executor, run::ScanSettings settings,
              run::RunContext context, Notice notice)
      : run(executor, std::move(settings), std::move(context), std::move(notice)),
        ended(executor) {}

  bool over = false;
  std::exception_ptr failure;
  run::ScanOutcome outcome;
  run::ScanRun run;
  Event ended;
};

/// One invocation.
class Round {
 public:
  Round(asio::any_io_executor executor, const Environment& environment, Clock& clock, Log& log,
        const Invocation& invocation)
      : executor_(std::move(executor)),
        environment_(environment),
        clock_(clock),
        log_(log),
        invocation_(invocation),
        settings_(read_scanner_settings(environment, invocation.event)),
        times_(round_times(std::chrono::floor<milliseconds>(invocation.deadline - clock.wall_now()),
                           settings_.handover)) {
    if (!settings_.from_function) {
      settings_.chain.asked_at =
          std::chrono::floor<milliseconds>(clock_.wall_now()).time_since_epoch().count();
    }
    log_.begin_run(run_name());
  }

  /// Whether whoever sent the event gets an answer at once.
  bool is_asked_from_outside() const {
    return !settings_.from_function && !settings_.wait && !settings_.once;
  }
  /// Starts the first round, in an invocation of its own.
  Awaitable<Answer> start_chain();
  /// Is a round.
  Awaitable<Answer> work();

 private:
  void warn_of_lost_letters() const;
  void start();
  Awaitable<void> wait_for_end();
  Awaitable<void> wait_until(milliseconds time);
  void log_progress();
  bool may_try_again() const;
  Awaitable<void> hand_over();
  ChainState next_state() const;
  Awaitable<std::optional<std::string>> refusal_to_invoke(std::string event, milliseconds within);
  Awaitable<void> invoke_self(const std::string& event, milliseconds within);

  void judge_end();
  void fail(std::string type, const std::string& message);
  std::string next_of_complete() const;
  std::string how_to_resume() const;
  std::string run_name() const;
  std::string how_to_follow() const;
  run::RunSummary summary() const;
  Answer answer();

  milliseconds passed() const { return std::chrono::floor<milliseconds>(clock_.now() - started_); }

  asio::any_io_executor executor_;
  const Environment& environment_;
  Clock& clock_;
  Log& log_;
  const Invocation& invocation_;
  ScannerSettings settings_;
  RoundTimes times_;
  steady_clock::time_point started_ = clock_.now();
  std::shared_ptr<RunningScan> scan_;
  RoundReport report_;
  bool to_be_handed_over_ = false;
  steady_clock::time_point next_progress_line_ = started_ + kBetweenProgressLines;
  run::ProgressWindow progress_{started_};
};

Awaitable<Answer> Round::start_chain() {
  ChainState first = settings_.chain;
  std::string event = successor_event(invocation_.event, first, false);
  const std::optional<std::string> refusal = co_await refusal_to_invoke(
      std::move(event), std::min<milliseconds>(kMaxStarting, times_.answer));
  if (refusal) {
    throw Error(ErrorKind::failed,
                {.operation = "start the first round",
                 .object = {},
                 .code = "StartFailed",
                 .message = *refusal,
                 .hint = "{\"wait\": true} runs a round in the invocation that sends it."});
  }
  const boost::json::object body = start_json(
      {.table = settings_.scan.table.name,
       .destination = settings_.scan.stream->name,
       .run = run_name(),
       .checkpoint = checkpoint::to_text(*settings_.scan.checkpoint),
       .log_group = environment_("AWS_LAMBDA_LOG_GROUP_NAME"),
       .follow = how_to_follow(),
       .next = settings_.resume
                   ? "the first round has been started: it continues the run, if one has "
                     "begun and nobody is working on it"
                   : "the first round has been started: it starts the run or resumes it, "
                     "unless another invocation is working on it"});
  log_.line("INFO", run::status_word(run::SummaryStatus::started), {{"summary", body}});
  Answer answer;
  answer.body = boost::json::serialize(body);
  co_return answer;
}

void Round::start() {
  run::RunContext context{.environment = with_state_in_tmp(environment_),
                          .clock = clock_,
                          .random_seed = std::random_device{}(),
                          .limits = limits_for_memory(environment_),
                          .owner = "invocation " + invocation_.request_id,
                          .handed_over = settings_.chain.ownership,
                          .hands_over = !settings_.once,
                          .restart_asked_at = settings_.chain.asked_at,
                          .only_resumes = settings_.resume};
  scan_ = std::make_shared<RunningScan>(
      executor_, settings_.scan, std::move(context),
      [&log = log_](const Message& text) { log.info(text.worded(as_variable)); });
  asio::co_spawn(executor_, scan_->run.run(),
                 [scan = scan_](const std::exception_ptr& failure, run::ScanOutcome outcome) {
                   scan->over = true;
                   scan->failure = failure;
                   scan->outcome = std::move(outcome);
                   scan->ended.notify_all();
                 });
}

/// The first line, if what cannot be delivered would be lost.
void Round::warn_of_lost_letters() const {
  const run::ScanSettings& scan = settings_.scan;
  if (!scan.dead_letters && environment_("XDG_STATE_HOME").empty() &&
      std::holds_alternative<checkpoint::SsmLocation>(*scan.checkpoint)) {
    const Message text = "dead letters would be written to /tmp and lost with this sandbox; set " +
                         setting::kDeadLetters("dynamodb:TABLE") + " to keep them";
    log_.warning(text.worded(as_variable));
  }
}

Awaitable<Answer> Round::work() {
  warn_of_lost_letters();
  start();
  co_await wait_for_end();
  if (may_try_again()) {
    log_.info("the run is still owned by another process: waiting for it to release the run");
  }
  while (may_try_again()) {
    co_await clock_.sleep(kBetweenTries);
    start();
    co_await wait_for_end();
  }
  judge_end();
  if (to_be_handed_over_ && settings_.once) {
    report_.summary.status = SummaryStatus::interrupted;
    report_.next = "invoke again: the run is not complete";
  } else if (to_be_handed_over_) {
    co_await hand_over();
  }
  co_return answer();
}

/// The end of the run, or that of the time for it.
Awaitable<void> Round::wait_for_end() {
  co_await wait_until(times_.stop);
  if (!scan_->over) {
    log_.info("deadline near: stopped reading, delivering what was read");
    scan_->run.stop();
    co_await wait_until(times_.give_up);
  }
}

/// Or until the run is over. Says meanwhile, now and then, how far it is.
Awaitable<void> Round::wait_until(milliseconds time) {
  bool rang = false;
  const auto timer = clock_.make_timer(executor_, [this, &rang] {
    rang = true;
    scan_->ended.notify_all();
  });
  const steady_clock::time_point end = started_ + time;
  while (!scan_->over && clock_.now() < end) {
    rang = false;
    timer->set(std::min(end, next_progress_line_));
    while (!scan_->over && !rang) {
      co_await scan_->ended.wait();
    }
    if (!scan_->over && clock_.now() >= next_progress_line_) {
      log_progress();
    }
  }
}

void Round::log_progress() {
  next_progress_line_ = clock_.now() + kBetweenProgressLines;
  const run::RunSummary so_far = summary();
  const run::Rates rates = progress_.update(so_far.progress, clock_.now());
  log_.line("INFO", run::numbers_text(so_far),
            {{"progress", run::progress_json(so_far.progress, rates, so_far.elapsed)}});
}

/// Whether the round before this one may still be about to let go of the run.
bool Round::may_try_again() const {
  const milliseconds last_try = std::min<milliseconds>(kLettingGo, times_.stop);
  return settings_.chain.round > 1 && scan_->over && scan_->failure &&
         is_about_the_owner(scan_->failure) && passed() + kBetweenTries < last_try;
}

void Round::judge_end() {
  if (!scan_->over) {
    log_.warning("no time left: the next round delivers what is not yet delivered");
    to_be_handed_over_ = true;
  } else if (scan_->failure && is_about_the_owner(scan_->failure)) {
    report_.summary.status = SummaryStatus::owned_elsewhere;
    report_.next = settings_.scan.restart
                       ? "nothing was restarted: another invocation or process is working on this "
                         "run. Stop it first"
                       : "nothing to do: another invocation or process is working on this run";
  } else if (scan_->failure) {
    const Answer error = error_answer(scan_->failure);
    const boost::json::value body = boost::json::parse(error.body);
    fail(error.error_type, std::string(body.at("errorMessage").as_string()));
  } else if (scan_->outcome.not_begun) {
    report_.summary.status = SummaryStatus::not_begun;
    report_.next = "nothing to resume: no run has begun; invoke with {} to start one";
  } else if (scan_->outcome.status == RunStatus::limit_reached) {
    report_.summary.status = SummaryStatus::limit_reached;
    report_.next = "invoke again to continue after these items";
  } else if (scan_->outcome.status == RunStatus::complete) {
    report_.summary.status = run::status_of(scan_->outcome);
    report_.next = next_of_complete();
  } else {
    to_be_handed_over_ = true;
  }
}

Awaitable<void> Round::hand_over() {
  const ChainState next = next_state();
  if (next.rounds_without_progress >= kMaxRoundsWithoutProgress) {
    fail("NoProgress",
         fmt::format("nothing could be checkpointed in {} in a row. Is the function's time limit "
                     "long enough, and does the stream accept records?",
                     counted(next.rounds_without_progress, "round")));
    co_return;
  }
  if (next.round > settings_.max_rounds) {
    fail("MaxRounds", fmt::format("the run is not complete after {}, and MAX_ROUNDS allows no more",
                                  counted(settings_.chain.round, "round")));
    co_return;
  }
  std::string event = successor_event(invocation_.event, next, scan_->run.progress().begun);
  const std::optional<std::string> refusal = co_await refusal_to_invoke(
      std::move(event), std::max(times_.answer - passed(), milliseconds(100)));
  if (refusal) {
    fail("HandOverFailed", "the next invocation could not be started: " + *refusal);
    co_return;
  }
  report_.summary.status = SummaryStatus::handed_over;
  report_.next = fmt::format("round {} has been started and continues the run", next.round);
}

ChainState Round::next_state() const {
  const run::ScanProgress progress = scan_->run.progress();
  ChainState next = settings_.chain;
  ++next.round;
  next.rounds_without_progress = rounds_without_progress(
      settings_.chain.rounds_without_progress, progress, scan_->over && scan_->outcome.waited);
  // A round that could not claim the run passes on what it was given.
  next.ownership =
      scan_->outcome.ownership.empty() ? settings_.chain.ownership : scan_->outcome.ownership;
  if (settings_.scan.limit) {
    // One at least: the next round then finds that it has reached its limit.
    const std::uint64_t delivered = progress.counters.items_delivered;
    next.limit_left = std::max<std::uint64_t>(*settings_.scan.limit, delivered + 1) - delivered;
  }
  return next;
}

/// Why the function could not be invoked; nothing when it was.
Awaitable<std::optional<std::string>> Round::refusal_to_invoke(std::string event,
                                                               milliseconds within) {
  try {
    co_await invoke_self(event, within);
  } catch (const std::exception& error) {
    co_return message_from(error).worded(as_variable);
  }
  co_return std::nullopt;
}

Awaitable<void> Round::invoke_self(const std::string& event, milliseconds within) {
  const aws::Arn function = aws::parse_arn(invocation_.function_arn, "the function's ARN");
  Random random(std::random_device{}());
  const identity::IdentityFlags flags;
  const identity::Context context{.environment = environment_, .clock = clock_, .random = random};
  identity::Identity self(flags, context);
  const identity::IdentifiedService service =
      self.service(aws::kLambda, self.service_flags(function.region));
  identity::ServiceConnection lambda(
      executor_, aws::kLambda, service.settings, {}, service.tls,
      {.credentials = *service.credentials, .clock = clock_, .random = random});
  FunctionInvoker invoker(lambda.client, clock_, invocation_.function_arn);
  co_await invoker.invoke(event, within);
}

void Round::fail(std::string type, const std::string& message) {
  report_.summary.status = SummaryStatus::failed;
  report_.next = how_to_resume();
  report_.error_type = std::move(type);
  report_.error_message = message;
}

/// For one that is complete.
std::string Round::next_of_complete() const {
  std::string next = "nothing: every item was delivered";
  if (scan_->outcome.nothing_to_do) {
    next = "nothing to do: it was already complete; {\"restart\": true} starts over";
  }
  if (scan_->run.progress().dead_letters() > 0) {
    next = "see the dead letters: all other items were delivered";
  }
  return next;
}

/// A restart that has not begun must be asked for again.
std::string Round::how_to_resume() const {
  const bool restarts = settings_.scan.restart && !scan_->run.progress().begun;
  return fmt::format(
      "to {}: aws lambda invoke --invocation-type Event --function-name {} {}response.json",
      restarts ? "restart" : "resume", invocation_.function_arn,
      restarts ? R"(--cli-binary-format raw-in-base64-out --payload '{"restart": true}' )" : "");
}

std::string Round::run_name() const {
  return fmt::format("{} -> {}", settings_.scan.table.name, settings_.scan.stream->name);
}

std::string Round::how_to_follow() const {
  return fmt::format("aws logs tail {} --follow --since 5m --region {}",
                     environment_("AWS_LAMBDA_LOG_GROUP_NAME"),
                     aws::parse_arn(invocation_.function_arn, "the function's ARN").region);
}

run::RunSummary Round::summary() const {
  return {.status = report_.summary.status,
          .table = settings_.scan.table.name,
          .destination = settings_.scan.stream->name,
          .progress = scan_->run.progress(),
          .elapsed = clock_.now() - started_,
          .checkpoint = scan_->run.checkpoint_location(),
          .dead_letters_location = scan_->run.dead_letters_location(),
          .finished_at = scan_->outcome.finished_at};
}

Answer Round::answer() {
  report_.round = settings_.chain.round;
  report_.function = environment_("AWS_LAMBDA_FUNCTION_NAME");
  report_.summary = summary();

  const boost::json::object body = answer_json(report_);
  const bool failed = !report_.error_type.empty();
  boost::json::object logged = body;
  logged.erase("errorMessage");  // the line's message
  log_.line(failed ? "ERROR" : "INFO",
            failed ? report_.error_message : run::status_word(report_.summary.status),
            {{"summary", std::move(logged)}});
  log_.write(metrics_json(report_, clock_.wall_now()));
  Answer answer;
  answer.body = boost::json::serialize(body);
  answer.error_type = report_.error_type;
  answer.last = !scan_->over;
  return answer;
}

}  // namespace

ScannerFunction::ScannerFunction(asio::any_io_executor executor, Environment environment,
                                 Clock& clock, Log& log)
    : executor_(std::move(executor)),
      environment_(std::move(environment)),
      clock_(clock),
      log_(log) {}

Awaitable<Answer> ScannerFunction::handle(const Invocation& invocation) {
  log_.begin_request(invocation.request_id);
  Round round(executor_, environment_, clock_, log_, invocation);
  if (round.is_asked_from_outside()) {
    co_return co_await round.start_chain();
  }
  co_return co_await round.work();
}

}  // namespace everyitem::lambda
