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
#include "checkpoint/checkpoint_store.h"
#include "identity/identity.h"
#include "identity/service_connection.h"
#include "lambda/function_invoker.h"
#include "lambda/round_report.h"
#include "lambda/round_times.h"
#include "lambda/scanner_settings.h"

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

/// The smallest function has 128 MB, and pages and batches are most of what a run holds.
pipeline::PipelineLimits limits_for_memory(const Environment& environment) {
  pipeline::PipelineLimits limits;
  const std::string text = environment("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
  std::size_t megabytes = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), megabytes);
  if (parsed.ec == std::errc()) {
    const std::size_t share = std::max<std::size_t>(megabytes / 8, 1);
    limits.pages_at_once = std::min(limits.pages_at_once, share);
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
    log_.begin_run(fmt::format("{} -> {}", settings_.scan.table.name, settings_.scan.stream->name));
  }

  Awaitable<Answer> work();

 private:
  void warn_of_lost_letters() const;
  void start();
  Awaitable<void> wait_for_end();
  Awaitable<void> wait_until(milliseconds time);
  bool may_try_again() const;
  Awaitable<void> hand_over();
  ChainState next_state(const pipeline::RunCounters& counters) const;
  Awaitable<void> invoke_self(const ChainState& next);

  void judge_end();
  void fail(std::string type, const std::string& message);
  std::string next_of_complete() const;
  std::string how_to_resume() const;
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
};

void Round::start() {
  run::RunContext context{.environment = with_state_in_tmp(environment_),
                          .clock = clock_,
                          .random_seed = std::random_device{}(),
                          .limits = limits_for_memory(environment_),
                          .owner = "invocation " + invocation_.request_id,
                          .handed_over = settings_.chain.ownership,
                          .hands_over = true};
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
  if (to_be_handed_over_) {
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

/// Or until the run is over.
Awaitable<void> Round::wait_until(milliseconds time) {
  asio::steady_timer timer(executor_, started_ + time);
  bool late = false;
  timer.async_wait([scan = scan_, &late](const boost::system::error_code& cancelled) {
    if (!cancelled) {
      late = true;
      scan->ended.notify_all();
    }
  });
  while (!scan_->over && !late) {
    co_await scan_->ended.wait();
  }
  if (!late && timer.cancel() == 0) {
    // Its handler is on its way, and knows this frame.
    while (!late) {
      co_await scan_->ended.wait();
    }
  }
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
    report_.next = "nothing to do: another invocation or process is working on this run";
  } else if (scan_->failure) {
    const Answer error = error_answer(scan_->failure);
    const boost::json::value body = boost::json::parse(error.body);
    fail(error.error_type, std::string(body.at("errorMessage").as_string()));
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
  const ChainState next = next_state(scan_->run.progress().counters);
  if (next.rounds_without_progress >= kMaxRoundsWithoutProgress) {
    fail("NoProgress",
         fmt::format("nothing could be checkpointed in {} in a row. Is the function's time limit "
                     "long enough, and does the stream accept records?",
                     counted(next.rounds_without_progress, "round")));
    co_return;
  }
  std::optional<std::string> refused;
  try {
    co_await invoke_self(next);
  } catch (const std::exception& error) {
    refused = message_from(error).worded(as_variable);
  }
  if (refused) {
    fail("HandOverFailed", "the next invocation could not be started: " + *refused);
    co_return;
  }
  report_.summary.status = SummaryStatus::handed_over;
  report_.next = fmt::format("round {} has been started and continues the run", next.round);
}

ChainState Round::next_state(const pipeline::RunCounters& counters) const {
  ChainState next = settings_.chain;
  ++next.round;
  next.rounds_without_progress =
      counters.pages_checkpointed > 0 ? 0 : next.rounds_without_progress + 1;
  // A round that could not claim the run passes on what it was given.
  next.ownership =
      scan_->outcome.ownership.empty() ? settings_.chain.ownership : scan_->outcome.ownership;
  if (settings_.scan.limit) {
    // One at least: the next round then finds that it has reached its limit.
    next.limit_left = std::max<std::uint64_t>(*settings_.scan.limit, counters.items_delivered + 1) -
                      counters.items_delivered;
  }
  return next;
}

Awaitable<void> Round::invoke_self(const ChainState& next) {
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
  const std::string event = successor_event(invocation_.event, next, scan_->run.progress().begun);
  co_await invoker.invoke(event, std::max(times_.answer - passed(), milliseconds(100)));
}

void Round::fail(std::string type, const std::string& message) {
  report_.summary.status = SummaryStatus::failed;
  report_.next = how_to_resume();
  report_.error_type = std::move(type);
  report_.error_message = message;
}

/// For one that is complete: what this worker, or the whole run, still wants.
std::string Round::next_of_complete() const {
  std::string next = "nothing: every item was delivered";
  if (scan_->outcome.nothing_to_do) {
    next = "nothing to do: it was already complete; {\"restart\": true} starts over";
  }
  if (scan_->run.progress().dead_letters() > 0) {
    next = "see the dead letters: all other items were delivered";
  }
  if (!settings_.scan.part.alone()) {
    next = fmt::format("for worker {}, {}; the run is complete when all {} workers are",
                       settings_.scan.part.worker, next, settings_.scan.part.workers);
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

Answer Round::answer() {
  report_.round = settings_.chain.round;
  report_.function = environment_("AWS_LAMBDA_FUNCTION_NAME");
  report_.summary.table = settings_.scan.table.name;
  report_.summary.destination = settings_.scan.stream->name;
  report_.summary.part = settings_.scan.part;
  report_.summary.progress = scan_->run.progress();
  report_.summary.elapsed = clock_.now() - started_;
  report_.summary.checkpoint = scan_->run.checkpoint_location();
  report_.summary.dead_letters_location = scan_->run.dead_letters_location();

  const boost::json::object body = answer_json(report_);
  const bool failed = !report_.error_type.empty();
  log_.line(failed ? "ERROR" : "INFO",
            failed ? report_.error_message : run::status_word(report_.summary.status),
            {{"summary", body}});
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
      log_(log) {
  check_environment(environment_);
}

Awaitable<Answer> ScannerFunction::handle(const Invocation& invocation) {
  log_.begin_request(invocation.request_id);
  Round round(executor_, environment_, clock_, log_, invocation);
  co_return co_await round.work();
}

}  // namespace everyitem::lambda
