#include "sink/shard_pace.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace everyitem::sink {

namespace {

/// How often those in line are served. Each sender that is served sends a request, so serving more
/// often means smaller requests; and what a shard gets per second varies by one serving.
constexpr std::chrono::milliseconds kServing{25};

}  // namespace

ShardPace::ShardPace(const asio::any_io_executor& executor, Clock& clock,
                     const batch::CurrentShards& shards, StreamMode mode)
    : executor_(executor),
      clock_(clock),
      shards_(shards),
      mode_(mode),
      map_(shards.newest()),
      rates_(map_->shards().size(), ShardRate(mode, clock.now())),
      next_serving_(clock.now()) {}

ShardPace::Waiter::Waiter(ShardPace& pace, PacedBatch& waiting_batch, RecordIndexes& of_records)
    : batch(waiting_batch), pending(of_records), woken(pace.executor_), pace_(pace) {
  // Most new ones belong at the end.
  auto behind = pace.line_.end();
  while (behind != pace.line_.begin() && *(*std::prev(behind))->batch.turn > *batch.turn) {
    --behind;
  }
  position_ = pace.line_.insert(behind, this);
}

ShardPace::Waiter::~Waiter() {
  pace_.line_.erase(position_);
  if (!pace_.line_.empty()) {
    pace_.line_.front()->woken.notify_all();
  }
}

Awaitable<RecordIndexes> ShardPace::take(PacedBatch& batch, RecordIndexes& pending) {
  if (!batch.turn) {
    batch.turn = next_turn_++;
  }
  RecordIndexes taken;
  if (line_.empty() && take_all(batch, pending, taken)) {
    co_return taken;
  }
  Waiter waiter(*this, batch, pending);
  while (waiter.taken.empty()) {
    if (line_.front() != &waiter) {
      co_await waiter.woken.wait();
    } else if (clock_.now() < next_serving_) {
      co_await clock_.sleep(next_serving_ - clock_.now());
    } else {
      serve();
    }
  }
  co_return std::move(waiter.taken);
}

void ShardPace::serve() {
  next_serving_ = clock_.now() + kServing;
  use_newest_map();
  refill();
  for (Waiter* waiter : line_) {
    if (waiter->taken.empty()) {
      waiter->taken = take_allowed(waiter->batch, waiter->pending);
      if (!waiter->taken.empty()) {
        waiter->woken.notify_all();
      }
    }
  }
}

/// If nobody waits and the allowance is large enough, the whole batch may be sent.
bool ShardPace::take_all(PacedBatch& batch, RecordIndexes& pending, RecordIndexes& taken) {
  use_newest_map();
  refill();
  taken = take_allowed(batch, pending);
  if (pending.empty()) {
    return true;
  }
  for (const std::uint32_t record : taken) {
    rates_[batch.shards[record]].give_back(batch.loads[record].bytes);
  }
  taken.insert(taken.end(), pending.begin(), pending.end());
  std::ranges::sort(taken);
  pending = std::move(taken);
  taken = {};
  return false;
}

RecordIndexes ShardPace::take_allowed(PacedBatch& batch, RecordIndexes& pending) {
  look_up(batch);
  RecordIndexes taken;
  const auto is_taken = [&](std::uint32_t record) {
    ShardRate& rate = rates_[batch.shards[record]];
    if (!rate.has_allowance()) {
      rate.hold_back();
      return false;
    }
    rate.take(batch.loads[record].bytes);
    taken.push_back(record);
    return true;
  };
  std::erase_if(pending, is_taken);
  batch.taken = clock_.now();
  return taken;
}

void ShardPace::settle(const PacedBatch& batch, std::span<const std::uint32_t> sent,
                       std::span<const std::uint32_t> refused) {
  use_newest_map();
  if (batch.map != map_) {
    return;  // the results are of shards that may be closed
  }
  auto next_refused = refused.begin();
  for (std::uint32_t index = 0; index < sent.size(); ++index) {
    const bool is_refused = next_refused != refused.end() && *next_refused == index;
    next_refused += is_refused ? 1 : 0;
    const std::uint32_t record = sent[index];
    rates_[batch.shards[record]].settle(batch.loads[record].bytes, is_refused, batch.taken);
  }
  const auto now = clock_.now();
  for (const std::uint32_t record : sent) {
    rates_[batch.shards[record]].judge(now);
  }
}

void ShardPace::use_newest_map() {
  batch::ShardMapAtOneTime newest = shards_.newest();
  if (newest == map_) {
    return;
  }
  const std::vector<batch::Shard>& before = map_->shards();
  std::vector<ShardRate> rates;
  rates.reserve(newest->shards().size());
  for (const batch::Shard& shard : newest->shards()) {
    const auto same = std::ranges::find(before, shard);
    rates.push_back(same == before.end() ? ShardRate(mode_, clock_.now())
                                         : rates_[static_cast<std::size_t>(same - before.begin())]);
  }
  rates_ = std::move(rates);
  map_ = std::move(newest);
}

void ShardPace::refill() {
  const auto now = clock_.now();
  for (ShardRate& rate : rates_) {
    rate.refill(now);
  }
}

void ShardPace::look_up(PacedBatch& batch) const {
  if (batch.map == map_) {
    return;
  }
  batch.shards.resize(batch.loads.size());
  for (std::size_t i = 0; i < batch.loads.size(); ++i) {
    batch.shards[i] = static_cast<std::uint32_t>(map_->shard_of(batch.loads[i].hash_key));
  }
  batch.map = map_;
}

double ShardPace::rate() const {
  double sum = 0;
  for (const ShardRate& rate : rates_) {
    sum += rate.rate();
  }
  return sum;
}

}  // namespace everyitem::sink
