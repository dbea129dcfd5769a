#include "run/sharing.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/human_format.h"
#include "checkpoint/lease.h"
#include "checkpoint/side_by_side.h"
#include "run/run_terms.h"

namespace everyitem::run {

using checkpoint::Sharer;
using checkpoint::StoredSegment;
using pipeline::PartEnd;

namespace {

/// No longer than this is believed of what another says of its lease, and no shorter.
constexpr std::chrono::milliseconds kLongestLease = std::chrono::hours(1);
constexpr std::chrono::milliseconds kShortestLease = checkpoint::kLease;

/// At most a thousand parts a second are looked at by one that has none left: 40 read units.
constexpr std::chrono::milliseconds kLookTime{1};

/// What others say of themselves is as old as their last turn: this many looks must find that
/// nobody can read what is left.
constexpr int kHopelessLooks = 4;

/// Parts that are returned at once.
constexpr std::size_t kMaxReturnsAtOnce = 32;

/// One that comes late has its part of the read rate when it gets parts to read. One that has
/// waited for longer leaves it to others.
constexpr int kIdleTurns = 10;

constexpr double kRounding = 1 + 1e-9;

}  // namespace

/// A reader that has found no part.
class Sharing::Waiting {
 public:
  explicit Waiting(Sharing& sharing) : sharing_(sharing) { ++sharing_.waiting_; }
  ~Waiting() { --sharing_.waiting_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Sharing& sharing_;
};

/// One look at a time: what it finds is for all readers.
class Sharing::Looking {
 public:
  explicit Looking(Sharing& sharing) : sharing_(sharing) { sharing_.looking_ = true; }
  ~Looking() {
    sharing_.looking_ = false;
    sharing_.changed_.notify_all();
  }
  Looking(const Looking&) = delete;
  Looking& operator=(const Looking&) = delete;

 private:
  Sharing& sharing_;
};

Sharing::Sharing(checkpoint::SharedRun& run, std::string name, SharingTerms terms,
                 const asio::any_io_executor& home, Clock& clock, Random& random, Notice notice)
    : run_(run),
      terms_(std::move(terms)),
      clock_(clock),
      random_(random),
      notice_(std::move(notice)),
      self_{.name = std::move(name), .rate = terms_.rate},
      changed_(home) {}

void Sharing::require_terms(const checkpoint::RunRecord& record) const {
  const std::vector<std::string> different =
      changed_terms(checkpoint::run_state(record, {}, run_.location()).identity, record.segments,
                    {.identity = terms_.identity, .parts = terms_.parts});
  if (!different.empty()) {
    throw usage_error(fmt::format("the run at {} has other settings; {}", run_.location(),
                                  fmt::join(different, "; ")),
                      "Give all who share a run the same, or name another run: " +
                          setting::kCheckpoint("dynamodb:TABLE/RUN") + ".");
  }
}

Awaitable<std::optional<checkpoint::RunRecord>> Sharing::join() {
  std::optional<checkpoint::RunRecord> record = co_await run_.join();
  if (record) {
    require_terms(*record);
    finished_ = record->finished;
  }
  co_return record;
}

Awaitable<std::optional<checkpoint::RunRecord>> Sharing::begin(checkpoint::RunState state) {
  for (;;) {
    const bool begun = co_await run_.begin(state);
    if (begun) {
      co_return std::nullopt;
    }
    std::optional<checkpoint::RunRecord> record = co_await join();
    if (record) {
      co_return record;
    }
  }
}

void Sharing::drop_rate() {
  terms_.rate.reset();
  self_.rate.reset();
}

Awaitable<void> Sharing::enter(Reading reading) {
  reading_ = std::move(reading);
  return take_turn();
}

Awaitable<void> Sharing::take_turns() {
  for (;;) {
    // Never in step with the others.
    const double spread = 0.9 + 0.2 * random_.uniform();
    co_await clock_.sleep(
        std::chrono::duration_cast<std::chrono::nanoseconds>(sharing_turn(sharers()) * spread));
    co_await take_turn();
  }
}

Awaitable<void> Sharing::take_turn() {
  co_await look_at_sharers();
  self_.parts = static_cast<std::uint32_t>(held_.size());
  self_.wants_parts = waiting_ > 0 && free_.empty();
  const std::optional<double> rate = rate_of_run();
  if (rate) {
    co_await claim_rate(*rate);
  } else {
    claim_ = self_.read_units = 0;
    self_.wanted.reset();
    co_await tell();
    reading_.set_rate(std::nullopt, TimePoint::max());
  }
  return_surplus();
  changed_.notify_all();
}

Awaitable<void> Sharing::tell() {
  const TimePoint at = clock_.now();
  ++self_.turn;
  self_.lease = lease_time(sharers());
  co_await run_.tell(self_);
  reads_until_ = at + claim_life(self_.lease);
}

Awaitable<void> Sharing::look_at_sharers() {
  const std::vector<Sharer> told = co_await run_.sharers();
  const TimePoint now = clock_.now();
  std::map<std::string, Sighting> seen;
  std::vector<Sharer> others;
  std::vector<Sharer> gone;
  for (const Sharer& sharer : told) {
    if (sharer.name == self_.name) {
      continue;
    }
    // By this machine's clock alone: others' may be wrong.
    Sighting sighting{.turn = sharer.turn, .at = now};
    if (const auto before = seen_.find(sharer.name);
        before != seen_.end() && before->second.turn == sharer.turn) {
      sighting = before->second;
    }
    seen[sharer.name] = sighting;
    const bool silent = now - sighting.at > std::clamp(sharer.lease, kShortestLease, kLongestLease);
    (silent ? gone : others).push_back(sharer);
  }
  for (const Sharer& sharer : gone) {
    co_await run_.forget(sharer);
  }
  // Last: what is decided next is decided on what this very look has found.
  seen_ = std::move(seen);
  others_ = std::move(others);
}

/// The lowest rate that a user has set.
std::optional<double> Sharing::rate_of_run() {
  std::optional<double> lowest = terms_.rate;
  for (const Sharer& sharer : others_) {
    if (sharer.rate && (!lowest || *sharer.rate < *lowest)) {
      lowest = sharer.rate;
    }
  }
  const std::optional<double> told = std::exchange(told_rate_, lowest);
  if (notice_ && lowest != told && lowest != terms_.rate) {
    notice_(
        fmt::format("another process of this run was given a lower read rate, {} units per "
                    "second, which holds for all",
                    decimal(*lowest)));
  }
  return lowest;
}

double Sharing::claimed_by_others() const {
  double sum = 0;
  for (const Sharer& sharer : others_) {
    sum += sharer.read_units;
  }
  return sum;
}

/// So that the sum of all claims never exceeds the rate: it reads less before it says so,
/// and more only after it has said so and has seen that nobody else said the same. Of two that
/// speak at once, at least one sees the other.
Awaitable<void> Sharing::claim_rate(double rate) {
  std::vector<RateClaim> claims;
  for (const Sharer& sharer : others_) {
    claims.push_back({.units = sharer.read_units, .wanted = sharer.wanted});
  }
  idle_turns_ = waiting_ > 0 && held_.empty() ? idle_turns_ + 1 : 0;
  if (idle_turns_ > kIdleTurns) {
    self_.wanted = 0;
    use_ = RateUse();  // what it will have use for is not known
  } else {
    self_.wanted = use_.wanted(reading_.units_read(), claim_, clock_.now());
  }
  double next = next_claim(rate, self_.wanted, claims);
  if (clock_.now() >= reads_until_) {
    claim_ = 0;  // others may have given this process up
  }
  if (next < claim_) {
    reading_.set_rate(next, reads_until_);
    claim_ = next;
  }
  self_.read_units = next;
  co_await tell();
  if (next > claim_) {
    co_await look_at_sharers();
    const double left = rate * kRounding - claimed_by_others();
    if (next > left) {
      next = std::max(0.0, left);
      reading_.set_rate(next, reads_until_);
      self_.read_units = next;
      co_await tell();
    }
  }
  claim_ = next;
  reading_.set_rate(next, reads_until_);
}

/// What is seen of the sharers must be newer than what is seen of the parts: then one that has
/// claimed a part is among them, unless it is gone.
Awaitable<void> Sharing::look_around() {
  const std::vector<StoredSegment> parts = co_await run_.parts();
  if (parts.empty()) {
    finished_ = co_await run_.finish();
    co_return;
  }
  co_await look_at_sharers();
  free_.clear();
  read_by_others_ = 0;
  std::size_t incomplete = 0;
  for (const StoredSegment& part : parts) {
    const std::uint32_t number = part.progress.segment;
    if (part.progress.position.complete) {
      continue;
    }
    ++incomplete;
    if (std::ranges::find(held_, number) != held_.end()) {
      continue;
    }
    if (std::ranges::find(others_, part.sharer, &Sharer::name) != others_.end()) {
      ++read_by_others_;
    } else if (!failed_.contains(number)) {
      free_.push_back(part);
    }
  }
  if (incomplete == 0) {
    finished_ = co_await run_.finish();
  }
  hopeless_looks_ = looks_hopeless() ? hopeless_looks_ + 1 : 0;
  looks_again_ =
      clock_.now() + std::max(sharing_turn(sharers()), kLookTime * static_cast<int>(parts.size()));
}

/// Any of them, so that those who start together do not meet at each.
StoredSegment Sharing::take_free_part() {
  std::swap(free_[random_.bits() % free_.size()], free_.back());
  StoredSegment part = std::move(free_.back());
  free_.pop_back();
  return part;
}

/// This process cannot read what is left, and nobody else does, or seems to be about to.
bool Sharing::looks_hopeless() const {
  const auto finds_none = [](const Sharer& sharer) {
    return sharer.wants_parts && sharer.parts == 0;
  };
  return !failed_.empty() && free_.empty() && held_.empty() && read_by_others_ == 0 &&
         std::ranges::all_of(others_, finds_none);
}

Awaitable<std::optional<checkpoint::SegmentProgress>> Sharing::next() {
  while (!leaving_ && !finished_) {
    if (!free_.empty()) {
      StoredSegment seen = take_free_part();
      const std::uint32_t number = seen.progress.segment;
      held_.push_back(number);
      std::optional<StoredSegment> claimed;
      try {
        claimed = co_await run_.claim(std::move(seen));
      } catch (...) {
        let_go(number);
        throw;
      }
      if (claimed) {
        co_return std::move(claimed->progress);
      }
      let_go(number);
    } else if (!looking_ && clock_.now() >= looks_again_) {
      const Looking looking(*this);
      co_await look_around();
    } else if (hopeless_looks_ >= kHopelessLooks) {
      break;
    } else {
      const Waiting waiting(*this);
      co_await changed_.wait();
    }
  }
  co_return std::nullopt;
}

Awaitable<void> Sharing::ended(std::uint32_t part, PartEnd why) {
  if (why == PartEnd::failed) {
    failed_.insert(part);
  }
  if (why != PartEnd::lost) {
    co_await run_.give_back(part);
  }
  let_go(part);
  changed_.notify_all();
}

Awaitable<std::vector<std::uint32_t>> Sharing::save(
    std::vector<checkpoint::SegmentProgress> moved) {
  std::vector<std::uint32_t> complete;
  for (const checkpoint::SegmentProgress& progress : moved) {
    if (progress.position.complete) {
      complete.push_back(progress.segment);
    }
  }
  // Of others that are lost, pages may still be on their way: they stay until they have `ended`.
  std::vector<std::uint32_t> lost = co_await run_.save(std::move(moved));
  for (const std::uint32_t part : complete) {
    let_go(part);
  }
  changed_.notify_all();
  co_return lost;
}

void Sharing::let_go(std::uint32_t part) {
  std::erase(held_, part);
  returning_.erase(part);
}

/// Others have less than their share, and nothing is free.
void Sharing::return_surplus() {
  if (std::ranges::none_of(others_, &Sharer::wants_parts)) {
    return;
  }
  if (!free_.empty() && clock_.now() < looks_again_) {
    return;
  }
  free_.clear();  // seen long ago: others may have them
  std::size_t all = held_.size();
  for (const Sharer& sharer : others_) {
    all += sharer.parts;
  }
  const std::size_t fair = (all + sharers() - 1) / sharers();
  std::size_t kept = held_.size() - returning_.size();
  for (auto part = held_.rbegin(); part != held_.rend() && kept > fair; ++part) {
    if (returning_.insert(*part).second) {
      --kept;
      reading_.return_part(*part);
    }
  }
}

Awaitable<void> Sharing::leave() {
  leaving_ = true;
  changed_.notify_all();
  try {
    const std::vector<std::uint32_t> parts = held_;
    const auto give_back = [this](std::uint32_t part) { return run_.give_back(part); };
    co_await checkpoint::work_side_by_side(parts, kMaxReturnsAtOnce, give_back);
    co_await run_.forget(self_);
  } catch (const Error& error) {
    if (notice_) {
      notice_(fmt::format("could not give its parts back; others take them over in {}: ",
                          duration(self_.lease)) +
              error.message());
    }
  }
}

}  // namespace everyitem::run
