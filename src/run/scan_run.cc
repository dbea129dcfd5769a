#include "run/scan_run.h"

#include <chrono>
#include <exception>
#include <functional>
#include <utility>

#include "checkpoint/checkpoint_store.h"
#include "pace/read_gate.h"
#include "pipeline/pipeline.h"
#include "run/run_lanes.h"
#include "run/run_loops.h"
#include "run/run_opening.h"
#include "run/run_stop.h"

namespace everyitem::run {

struct ScanRun::Impl {
  Impl(asio::any_io_executor executor, ScanSettings run_settings, RunContext run_context,
       Notice run_notice, RunKinds run_kinds)
      : settings(std::move(run_settings)),
        context(std::move(run_context)),
        notice(std::move(run_notice)),
        kinds(std::move(run_kinds)),
        loops(std::move(executor), context.random_seed),
        opening(settings, context, kinds, loops, notice),
        stop(context.clock, notice) {}
  ~Impl() {
    loops.join();  // before what they use is destroyed
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Awaitable<ScanOutcome> run();
  Awaitable<ScanOutcome> scan();
  Awaitable<pipeline::RunStatus> move_items();
  Awaitable<void> release(const std::exception_ptr& failure, ScanOutcome& outcome);
  Reading reading();
  std::function<void()> without_rate();
  ScanProgress progress() const;

  const ScanSettings settings;
  const RunContext context;
  const Notice notice;
  const RunKinds kinds;

  // In the order they are created.
  RunLoops loops;
  RunOpening opening;
  std::optional<pace::ReadGate> gate;
  std::optional<RunLanes> lanes;
  std::optional<pipeline::Pipeline> pipeline;

  RunStop stop;
};

Awaitable<ScanOutcome> ScanRun::Impl::run() {
  ScanOutcome outcome;
  std::exception_ptr failure;
  try {
    outcome = co_await scan();
  } catch (...) {
    failure = std::current_exception();
  }
  if (opening.claim() != nullptr) {
    Awaitable<void> releasing = release(failure, outcome);
    co_await stop.release(std::move(releasing));
  }
  if (RunServices* services = opening.services()) {
    services->stop();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  co_return outcome;
}

Awaitable<void> ScanRun::Impl::release(const std::exception_ptr& failure, ScanOutcome& outcome) {
  const bool interrupted = !failure && outcome.status == pipeline::RunStatus::interrupted;
  if (interrupted && context.hands_over && !outcome.not_begun) {
    const bool is_idle = opening.claim()->is_idle();
    outcome.ownership = co_await opening.claim()->hand_over(notice);
    outcome.waited = is_idle || (!opening.claimed() && !outcome.ownership.empty());
  } else {
    co_await opening.claim()->release(notice);
  }
}

Awaitable<ScanOutcome> ScanRun::Impl::scan() {
  Awaitable<void> starting = opening.open();
  co_await stop.start_up(std::move(starting));
  const std::optional<checkpoint::RunState>& state = opening.state();
  if (state && state->complete()) {
    co_await opening.ends()->destination->complete_again(opening.resumed_start());
    co_return ScanOutcome{.nothing_to_do = true, .finished_at = state->finished_at};
  }
  if (stop.requested() || !state) {
    co_return ScanOutcome{.status = pipeline::RunStatus::interrupted,
                          .not_begun = !stop.requested()};
  }
  const pipeline::RunStatus status = co_await move_items();
  stop.tell(*pipeline);
  co_return ScanOutcome{.status = status};
}

Awaitable<pipeline::RunStatus> ScanRun::Impl::move_items() {
  RunEnds& ends = *opening.ends();
  const checkpoint::RunState& state = *opening.state();
  gate.emplace(loops.home().executor, context.clock, ends.rate, ends.source->max_page_units(),
               without_rate());
  lanes.emplace(settings, state, loops, *ends.source, *ends.destination);
  RunClaim& claim = *opening.claim();
  pipeline::PipelineParts parts{.lanes = lanes->parts(),
                                .dead_letters = opening.dead_letters(),
                                .parts = claim.parts(),
                                .clock = context.clock,
                                .read_gate = &*gate,
                                .notice = notice,
                                .background_task = [&claim] { return claim.keep(); }};
  pipeline.emplace(loops.home().executor, std::move(parts), pipeline::start_of(state.segments),
                   context.limits, settings.limit);
  Awaitable<void> entering = claim.enter(reading());
  co_await stop.start_up(std::move(entering));
  const pipeline::RunStatus status = co_await pipeline->run();
  if (status == pipeline::RunStatus::complete) {
    ends.destination->complete();
  }
  co_return status;
}

Reading ScanRun::Impl::reading() {
  return {.return_part = [this](std::uint32_t part) { pipeline->return_part(part); },
          .set_rate =
              [this](std::optional<double> units, std::chrono::steady_clock::time_point until) {
                gate->set_rate(units, until);
              },
          .units_read = [this] { return gate->units_read(); }};
}

/// Nobody asked for the default rate: a run does without where it cannot be kept.
std::function<void()> ScanRun::Impl::without_rate() {
  if (settings.read_rate.is_chosen()) {
    return {};
  }
  return [this] {
    opening.ends()->rate.reset();
    opening.claim()->drop_rate();
    notice("the read rate is not kept: this endpoint does not return ConsumedCapacity");
  };
}

ScanProgress ScanRun::Impl::progress() const {
  ScanProgress progress = opening.before();
  const RunEnds* ends = opening.ends();
  if (pipeline) {
    const double tried = progress.counters.read_units;
    progress.counters = pipeline->counters();
    progress.counters.read_units += tried;
    progress.read_rate = ends->rate;
    progress.saved = progress.counters.pages_checkpointed > 0 && opening.claim()->has_written();
  }
  progress.shared = settings.share;
  progress.others_known = !settings.share || (opening.state() && opening.state()->complete());
  progress.filtered = !settings.scan.filter_expression.empty();
  if (ends != nullptr) {
    progress.estimated_items = progress.others_known ? ends->source->estimated_items() : 0;
    progress.read_capacity = ends->source->read_capacity().units_per_second.value_or(0);
    progress.destination_limit = ends->destination->limit();
  }
  if (const RunClaim* claim = opening.claim()) {
    if (const std::optional<checkpoint::SegmentProgress> totals = claim->totals()) {
      count_others(progress, *totals);
    }
  }
  if (lanes) {
    progress.records_sent_again = lanes->records_sent_again();
  }
  if (const RunServices* services = opening.services()) {
    const aws::ClientCounters calls = services->counters();
    progress.throttled_requests = calls.throttles;
    progress.requests_retried = calls.retries;
  }
  return progress;
}

ScanRun::ScanRun(asio::any_io_executor executor, ScanSettings settings, RunContext context,
                 Notice notice, RunKinds kinds)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(settings), std::move(context),
                                   std::move(notice), std::move(kinds))) {}

ScanRun::~ScanRun() = default;

Awaitable<ScanOutcome> ScanRun::run() { return impl_->run(); }

void ScanRun::stop() { impl_->stop.request(impl_->pipeline ? &*impl_->pipeline : nullptr); }

ScanProgress ScanRun::progress() const { return impl_->progress(); }

const std::string& ScanRun::checkpoint_location() const {
  return impl_->opening.checkpoint_location();
}

const std::string& ScanRun::dead_letters_location() const {
  return impl_->opening.dead_letters_location();
}

}  // namespace everyitem::run
