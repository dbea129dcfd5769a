#include "sink/shard_pace.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace everyitem::sink {

namespace {

/// Those in line are served so often. Each serving is a request of each that it serves, so that
/// more often means small ones; and what a shard gets within a second varies by one serving.
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

ShardPace::Waiter::Waiter(ShardPace& pace, ShardShare& of_batch, RecordIndexes& of_records)
    : share(of_batch), pending(of_records), woken(pace.executor_), pace_(pace) {
  // Most are the newest.
  auto behind = pace.line_.end();
  while (behind != pace.line_.begin() && *(*std::prev(behind))->share.turn > *share.turn) {
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

Awaitable<RecordIndexes> ShardPace::take(ShardShare& share, RecordIndexes& pending) {
  if (!share.turn) {
    share.turn = next_turn_++;
  }
  RecordIndexes taken;
  if (line_.empty() && take_all(share, pending, taken)) {
    co_return taken;
  }
  Waiter waiter(*this, share, pending);
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
      waiter->taken = take_what_there_is(waiter->share, waiter->pending);
      if (!waiter->taken.empty()) {
        waiter->woken.notify_all();
      }
    }
  }
}

/// Where nobody waits and there is enough, nothing is held back.
bool ShardPace::take_all(ShardShare& share, RecordIndexes& pending, RecordIndexes& taken) {
  use_newest_map();
  refill();
  taken = take_what_there_is(share, pending);
  if (pending.empty()) {
    return true;
  }
  for (const std::uint32_t record : taken) {
    rates_[share.shards[record]].give_back(share.loads[record].bytes);
  }
  taken.insert(taken.end(), pending.begin(), pending.end());
  std::ranges::sort(taken);
  pending = std::move(taken);
  taken = {};
  return false;
}

RecordIndexes ShardPace::take_what_there_is(ShardShare& share, RecordIndexes& pending) {
  look_up(share);
  RecordIndexes taken;
  const auto is_taken = [&](std::uint32_t record) {
    ShardRate& rate = rates_[share.shards[record]];
    if (!rate.has_some()) {
      rate.hold_back();
      return false;
    }
    rate.take(share.loads[record].bytes);
    taken.push_back(record);
    return true;
  };
  std::erase_if(pending, is_taken);
  share.taken = clock_.now();
  return taken;
}

void ShardPace::settle(const ShardShare& share, std::span<const std::uint32_t> sent,
                       std::span<const std::uint32_t> refused) {
  use_newest_map();
  if (share.map != map_) {
    return;  // of shards that may be closed
  }
  auto next_refused = refused.begin();
  for (std::uint32_t index = 0; index < sent.size(); ++index) {
    const bool is_refused = next_refused != refused.end() && *next_refused == index;
    next_refused += is_refused ? 1 : 0;
    const std::uint32_t record = sent[index];
    rates_[share.shards[record]].settle(share.loads[record].bytes, is_refused, share.taken);
  }
  const auto now = clock_.now();
  for (const std::uint32_t record : sent) {
    rates_[share.shards[record]].judge(now);
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

void ShardPace::look_up(ShardShare& share) const {
  if (share.map == map_) {
    return;
  }
  share.shards.resize(share.loads.size());
  for (std::size_t i = 0; i < share.loads.size(); ++i) {
    share.shards[i] = static_cast<std::uint32_t>(map_->shard_of(share.loads[i].hash_key));
  }
  share.map = map_;
}

double ShardPace::rate() const {
  double sum = 0;
  for (const ShardRate& rate : rates_) {
    sum += rate.rate();
  }
  return sum;
}

}  // namespace everyitem::sink
