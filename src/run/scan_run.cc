#include "run/scan_run.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/human_format.h"
#include "checkpoint/checkpoint_store.h"
#include "pace/read_gate.h"
#include "pipeline/pipeline.h"
#include "run/run_claim.h"
#include "run/run_ends.h"
#include "run/run_lanes.h"
#include "run/run_loops.h"
#include "run/run_progress.h"
#include "run/run_services.h"
#include "run/run_stop.h"
#include "run/run_stores.h"
#include "sink/dead_letters.h"

namespace everyitem::run {

struct ScanRun::Impl {
  Impl(asio::any_io_executor executor, ScanSettings run_settings, RunContext run_context,
       Notice run_notice, RunKinds run_kinds)
      : settings(std::move(run_settings)),
        context(std::move(run_context)),
        notice(std::move(run_notice)),
        kinds(std::move(run_kinds)),
        loops(std::move(executor), context.random_seed),
        stop(context.clock, notice) {}
  ~Impl() {
    loops.join();  // before what they use is destroyed
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Awaitable<ScanOutcome> run();
  Awaitable<ScanOutcome> scan();
  Awaitable<void> release(const std::exception_ptr& failure, ScanOutcome& outcome);
  Awaitable<void> claim();
  Awaitable<void> begin();
  Awaitable<void> open_letters();
  std::uint32_t choose_parts();
  std::function<void()> without_rate();
  RunStart resumed_start() const;
  StoresContext stores_context() {
    return {.settings = settings,
            .context = context,
            .services = *services,
            .source = *ends->source,
            .destination = *ends->destination,
            .notice = notice};
  }
  ScanProgress progress() const;

  const ScanSettings settings;
  const RunContext context;
  const Notice notice;
  const RunKinds kinds;

  // In the order they are created.
  RunLoops loops;
  std::optional<RunServices> services;
  std::optional<RunEnds> ends;
  std::optional<RunClaim> run_claim;
  std::string checkpoint_location;
  std::optional<DeadLettersLocation> letters_location;  ///< nothing if every item is taken
  std::string letters_location_text;
  std::unique_ptr<sink::DeadLetters> dead_letters;  ///< null if the destination takes every item
  Message parts_notice;                             ///< empty if nothing was chosen
  bool claimed = false;
  std::string token;  ///< of the run, also before it has begun
  std::optional<checkpoint::RunState> state;
  double tried_units = 0;  ///< read units of what was read before the run began
  ScanProgress before;     ///< what earlier processes of the run did
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
  } catch (const checkpoint::OwnedByAnother&) {
    failure = std::current_exception();
    if (run_claim) {
      run_claim->give_up();
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (run_claim) {
    Awaitable<void> releasing = release(failure, outcome);
    co_await stop.release(std::move(releasing));
  }
  if (services) {
    services->stop();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  co_return outcome;
}

Awaitable<void> ScanRun::Impl::release(const std::exception_ptr& failure, ScanOutcome& outcome) {
  const bool interrupted = !failure && outcome.status == pipeline::RunStatus::interrupted;
  const bool complete = !failure && outcome.status == pipeline::RunStatus::complete;
  if (interrupted && context.hands_over && !outcome.not_begun) {
    outcome.ownership = co_await run_claim->hand_over(notice);
    outcome.waited = !claimed && !outcome.ownership.empty();
  } else {
    co_await run_claim->release(complete, notice);
  }
}

Awaitable<ScanOutcome> ScanRun::Impl::scan() {
  const auto start_up = [this]() -> Awaitable<void> {
    co_await claim();
    if (state ? !state->complete() : !context.only_resumes) {
      co_await begin();
    }
  };
  Awaitable<void> starting = start_up();
  co_await stop.start_up(std::move(starting));
  if (state && state->complete()) {
    before.counters.segments_complete = before.segments;
    co_await ends->destination->complete_again(resumed_start());
    co_return ScanOutcome{.nothing_to_do = true, .finished_at = state->finished_at};
  }
  if (stop.requested() || !state) {
    co_return ScanOutcome{.status = pipeline::RunStatus::interrupted,
                          .not_begun = !stop.requested()};
  }

  gate.emplace(loops.home().executor, context.clock, ends->rate, ends->source->max_page_units(),
               without_rate());
  lanes.emplace(settings, *state, loops, *ends->source, *ends->destination);
  pipeline::PipelineParts parts{.lanes = lanes->parts(),
                                .dead_letters = dead_letters.get(),
                                .store = run_claim->store(),
                                .clock = context.clock,
                                .read_gate = &*gate,
                                .notice = notice};
  if (ends->rate) {
    parts.background_task = run_claim->share_rate(*ends->rate, *gate);
  }
  pipeline.emplace(loops.home().executor, std::move(parts), state->segments, context.limits,
                   settings.limit);
  const pipeline::RunStatus status = co_await pipeline->run();
  if (status == pipeline::RunStatus::complete) {
    ends->destination->complete();
  }
  stop.tell(*pipeline);
  co_return ScanOutcome{.status = status};
}

/// Nobody asked for the default rate: a run does without where it cannot be kept.
std::function<void()> ScanRun::Impl::without_rate() {
  if (settings.read_rate.is_chosen()) {
    return {};
  }
  return [this] {
    ends->rate.reset();
    notice("the read rate is not kept: this endpoint does not return ConsumedCapacity");
  };
}

/// Describes the source and the destination, which also shows that both exist, and then finds out
/// who owns the run and where it stands. Changes nothing except the owner of the run.
Awaitable<void> ScanRun::Impl::claim() {
  services.emplace(loops, settings, context, notice);
  ends = co_await describe_ends(kinds, settings, *services);
  run_claim.emplace(open_run_stores(stores_context()), terms_of(*ends, settings, context),
                    context.clock, loops.home().random);
  checkpoint_location = run_claim->location();
  // Named: GCC 12 destroys temporaries of a co_await twice.
  const std::function<std::uint32_t()> choose = [this] { return choose_parts(); };
  state = co_await run_claim->claim(choose);
  claimed = true;
  token = state ? state->token : checkpoint::new_run_token();
  if (ends->destination->may_refuse_items()) {
    letters_location = run::dead_letters_location(stores_context(), run_claim->store(), token);
    letters_location_text = to_text(*letters_location);
  }
  if (state) {
    before = progress_before(*state);
  }
}

/// Or resumes. What an earlier run left goes only once the new run's record is durable and reading
/// has been tried with the run's own expressions.
Awaitable<void> ScanRun::Impl::begin() {
  for (const Message& text : opening_notices(*ends, settings, before.items_before)) {
    notice(text);
  }
  if (state) {
    notice(fmt::format("resuming after {}, using {}; checkpoint {}",
                       counted(before.items_before, "item"), counted(before.segments, "segment"),
                       checkpoint_location));
    co_await open_letters();
    co_await ends->destination->prepare(resumed_start());
    ends->destination->begin();
    co_return;
  }
  const std::optional<std::uint32_t> agreed = run_claim->agreed_parts();
  before.segments = agreed ? *agreed : choose_parts();
  if (!parts_notice.empty()) {
    notice(parts_notice);
  }
  notice(checkpoint_location.empty() ? "no checkpoint: a run that is stopped starts over"
                                     : "checkpoint: " + checkpoint_location);
  tried_units = co_await ends->source->try_read();
  const RunTerms terms = terms_of(*ends, settings, context);
  checkpoint::RunState new_state{
      .identity = terms.identity,
      .segments = checkpoint::fresh_segments(before.segments, settings.part),
      .token = token};
  co_await open_letters();
  RunStart start{.kind = settings.restart ? RunStart::Kind::restart : RunStart::Kind::fresh,
                 .token = token,
                 .replaced_token = run_claim->replaced_token()};
  co_await ends->destination->prepare(std::move(start));
  std::ranges::copy(ends->destination->marks(), std::back_inserter(new_state.identity));
  std::ranges::copy(restart_mark(terms), std::back_inserter(new_state.identity));
  co_await run_claim->begin(new_state);
  state = std::move(new_state);
  before.begun = true;
  ends->destination->begin();
  if (dead_letters && settings.restart) {
    dead_letters->discard_earlier();
  }
}

Awaitable<void> ScanRun::Impl::open_letters() {
  if (letters_location) {
    dead_letters = open_dead_letters(*letters_location, stores_context(), run_claim->store(), token,
                                     run_claim->replaced_token());
    co_await dead_letters->check();
  }
}

RunStart ScanRun::Impl::resumed_start() const {
  return {.kind = RunStart::Kind::resume,
          .token = state->token,
          .items = before.items_before,
          .item_bytes = state->bytes(),
          .marks = state->identity,
          .finished_at = state->finished_at};
}

std::uint32_t ScanRun::Impl::choose_parts() {
  PartsChoice choice = run::choose_parts(*ends, settings);
  parts_notice = std::move(choice.notice);
  return choice.parts;
}

ScanProgress ScanRun::Impl::progress() const {
  ScanProgress progress = before;
  if (pipeline) {
    progress.counters = pipeline->counters();
    progress.read_rate = ends->rate;
    progress.saved = progress.counters.pages_checkpointed > 0 && run_claim->store().has_written();
  }
  progress.counters.read_units += tried_units;
  progress.alone = settings.part.alone();
  progress.filtered = !settings.scan.filter_expression.empty();
  if (ends) {
    progress.estimated_items = ends->source->estimated_items();
    progress.read_capacity = ends->source->read_capacity().units_per_second.value_or(0);
    progress.destination_limit = ends->destination->limit();
  }
  keep_own_segments(progress, settings.part);
  if (lanes) {
    progress.records_sent_again = lanes->records_sent_again();
  }
  if (services) {
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

const std::string& ScanRun::checkpoint_location() const { return impl_->checkpoint_location; }

const std::string& ScanRun::dead_letters_location() const { return impl_->letters_location_text; }

}  // namespace everyitem::run
