#include "pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>

#include "base/on_loop.h"
#include "pipeline/task_group.h"

namespace everyitem::pipeline {

namespace {

/// One lane's share of the run's limits.
PipelineLimits share_of(PipelineLimits limits, std::size_t lanes) {
  for (std::size_t* limit :
       {&limits.segments_at_once, &limits.pages_at_once, &limits.page_bytes, &limits.batch_bytes}) {
    *limit = std::max<std::size_t>(1, *limit / lanes);
  }
  return limits;
}

}  // namespace

PipelineStart start_of(const std::vector<checkpoint::SegmentProgress>& segments) {
  return {.segments = static_cast<std::uint32_t>(segments.size()),
          .complete = static_cast<std::uint32_t>(std::ranges::count_if(
              segments, [](const auto& segment) { return segment.position.complete; }))};
}

Pipeline::Pipeline(asio::any_io_executor home, PipelineParts parts, PipelineStart start,
                   PipelineLimits limits, std::optional<std::uint64_t> item_limit)
    : home_(std::move(home)),
      start_(start),
      run_parts_(parts.parts),
      background_task_(std::move(parts.background_task)),
      checkpoint_(home_, run_parts_),
      clock_(parts.clock),
      stop_limits_(parts.stop_limits),
      stop_timer_(clock_.make_timer(home_, [this] { on_stop_timer(); })) {
  const std::size_t lanes = parts.lanes.size();
  const std::size_t to_read = start.segments - start.complete;
  const PipelineLimits of_each = share_of(limits, lanes);
  // The same for all: DynamoDB spreads items evenly over the segments.
  const std::size_t readers = std::min((to_read + lanes - 1) / lanes, of_each.segments_at_once);
  RunControl::Reactions reactions{.stop_lanes = [this] { stop_lanes(); },
                                  .notice = std::move(parts.notice)};
  control_ =
      std::make_unique<RunControl>(home_, std::min(to_read, lanes * readers), std::move(reactions));
  const LaneContext context{.dead_letters = parts.dead_letters,
                            .parts = run_parts_,
                            .home = home_,
                            .checkpoint = checkpoint_,
                            .read_gate = parts.read_gate,
                            .clock = clock_,
                            .control = *control_};
  for (std::size_t i = 0; i < lanes; ++i) {
    LaneShare share{.segments = start.segments,
                    .readers = readers,
                    .limits = of_each,
                    .item_limit = item_limit};
    lanes_.push_back(std::make_unique<Lane>(parts.lanes[i], context, share));
  }
}

Awaitable<RunStatus> Pipeline::run() {
  const auto failed = [this](const std::exception_ptr& failure) { control_->fail(failure); };
  TaskGroup running(home_);
  for (const auto& lane : lanes_) {
    running.spawn(on_loop(lane->executor(), lane->run()), {}, failed);
  }
  TaskGroup keeping(home_);
  asio::cancellation_signal stop_keeping;
  asio::cancellation_signal stop_background;
  keeping.spawn(run_parts_.maintain(), stop_keeping.slot(), failed);
  if (background_task_) {
    keeping.spawn(background_task_(), stop_background.slot(), failed);
  }
  co_await running.wait();
  stop_keeping.emit(asio::cancellation_type::terminal);
  stop_background.emit(asio::cancellation_type::terminal);
  co_await keeping.wait();
  // Whatever has failed, acknowledged items need not be delivered again.
  if (!saving_given_up_) {
    keeping.spawn(run_parts_.flush(), stop_flush_.slot(), failed);
    co_await keeping.wait();
  }
  ended_ = true;
  stop_timer_->cancel();
  if (const std::exception_ptr failure = control_->failure()) {
    std::rethrow_exception(failure);
  }
  if (run_parts_.complete()) {
    co_return RunStatus::complete;
  }
  const SegmentFailures failures = control_->segment_failures();
  const auto stopped = [](const auto& lane) { return lane->stopped(); };
  if (failures.count() > 0 && std::ranges::none_of(lanes_, stopped)) {
    throw failures.error(start_.segments);
  }
  if (control_->closed()) {
    co_return RunStatus::closed;
  }
  const auto limit_reached = [](const auto& lane) { return lane->limit_reached(); };
  co_return std::ranges::any_of(lanes_, limit_reached) ? RunStatus::limit_reached
                                                       : RunStatus::interrupted;
}

void Pipeline::stop() {
  stop_lanes();
  if (!ended_ && !std::exchange(stop_requested_, true)) {
    stop_timer_->set(clock_.now() + stop_limits_.delivering);
  }
}

void Pipeline::on_stop_timer() {
  saving_given_up_ = std::exchange(deliveries_given_up_, true);
  for (const auto& lane : lanes_) {
    asio::dispatch(lane->executor(), [&lane = *lane, saving_too = saving_given_up_] {
      saving_too ? lane.give_up_saving() : lane.give_up_deliveries();
    });
  }
  if (saving_given_up_) {
    stop_flush_.emit(asio::cancellation_type::terminal);
  } else {
    stop_timer_->set(clock_.now() + stop_limits_.saving);
  }
}

void Pipeline::stop_lanes() {
  for (const auto& lane : lanes_) {
    asio::dispatch(lane->executor(), [&lane = *lane] { lane.stop(); });
  }
}

void Pipeline::return_part(std::uint32_t segment) {
  for (const auto& lane : lanes_) {
    asio::dispatch(lane->executor(), [&lane = *lane, segment] { lane.return_part(segment); });
  }
}

RunCounters Pipeline::counters() const {
  RunCounters sum;
  sum.segments_complete = start_.complete;
  for (const auto& lane : lanes_) {
    sum += lane->counters();
  }
  return sum;
}

Backlog Pipeline::backlog() const {
  Backlog sum;
  for (const auto& lane : lanes_) {
    sum += lane->backlog();
  }
  return sum;
}

}  // namespace everyitem::pipeline
