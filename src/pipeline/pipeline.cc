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

Pipeline::Pipeline(asio::any_io_executor home, PipelineParts parts,
                   const std::vector<checkpoint::SegmentProgress>& start, PipelineLimits limits,
                   std::optional<std::uint64_t> item_limit)
    : home_(std::move(home)),
      segments_(start.size()),
      store_(parts.store),
      background_task_(std::move(parts.background_task)),
      checkpoint_(home_, store_),
      clock_(parts.clock),
      stop_limits_(parts.stop_limits),
      stop_timer_(clock_.make_timer(home_, [this] { on_stop_timer(); })) {
  const std::size_t lanes = parts.lanes.size();
  // Dealt round-robin, because DynamoDB spreads items evenly over the segments.
  std::vector<std::vector<std::uint32_t>> segments(lanes);
  std::size_t to_read = 0;
  for (const checkpoint::SegmentProgress& segment : start) {
    if (segment.position.complete) {
      ++complete_at_first_;
    } else {
      segments[to_read++ % lanes].push_back(segment.segment);
    }
  }
  const PipelineLimits of_each = share_of(limits, lanes);
  RunControl::Reactions reactions{.stop_lanes = [this] { stop_lanes(); },
                                  .notice = std::move(parts.notice)};
  control_ = std::make_unique<RunControl>(
      home_, std::min(to_read, lanes * of_each.segments_at_once), std::move(reactions));
  const LaneContext context{.dead_letters = parts.dead_letters,
                            .checkpoint = checkpoint_,
                            .read_gate = parts.read_gate,
                            .clock = clock_,
                            .control = *control_};
  for (std::size_t i = 0; i < lanes; ++i) {
    LaneShare share{.start = start,
                    .segments = std::move(segments[i]),
                    .limits = of_each,
                    .item_limit = item_limit};
    lanes_.push_back(std::make_unique<Lane>(parts.lanes[i], context, std::move(share)));
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
  keeping.spawn(store_.maintain(), stop_keeping.slot(), failed);
  if (background_task_) {
    keeping.spawn(background_task_(), stop_background.slot(), failed);
  }
  co_await running.wait();
  stop_keeping.emit(asio::cancellation_type::terminal);
  stop_background.emit(asio::cancellation_type::terminal);
  co_await keeping.wait();
  // Whatever has failed, acknowledged items need not be delivered again.
  if (!saving_given_up_) {
    keeping.spawn(store_.flush(), stop_flush_.slot(), failed);
    co_await keeping.wait();
  }
  ended_ = true;
  stop_timer_->cancel();
  if (const std::exception_ptr failure = control_->failure()) {
    std::rethrow_exception(failure);
  }
  const SegmentFailures failures = control_->segment_failures();
  const auto stopped = [](const auto& lane) { return lane->stopped(); };
  if (failures.count() > 0 && std::ranges::none_of(lanes_, stopped)) {
    throw failures.error(segments_);
  }
  if (counters().segments_complete == segments_) {
    co_return RunStatus::complete;
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

RunCounters Pipeline::counters() const {
  RunCounters sum;
  sum.segments_complete = complete_at_first_;
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
