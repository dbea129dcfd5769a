#include "run/sharing.h"

#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/human_format.h"
#include "checkpoint/side_by_side.h"
#include "run/run_terms.h"
#include "run/sharing_times.h"

namespace everyitem::run {

using checkpoint::Sharer;
using checkpoint::StoredSegment;
using pipeline::PartEnd;

namespace {

/// What others say of themselves is as old as their last turn: this many looks must find that
/// nobody can read what is left.
constexpr int kHopelessLooks = 4;

/// Parts that are returned at once.
constexpr std::size_t kMaxReturnsAtOnce = 32;

/// One that comes late has its part of the read rate when it gets parts to read. One that has
/// waited for longer leaves it to others.
constexpr std::chrono::seconds kIdleTime{4};

/// Of an equal share: one that has next to nothing cannot show that it could use more.
constexpr double kMinWanted = 0.05;

/// To read more is worth hearing of all others once more if it is this much more than before, and
/// this much of the run's rate. Less waits for the next time that it hears of them.
constexpr double kWorthHearing = 1.03;
constexpr double kWorthHearingOfRun = 0.002;

/// This much of a part is read per second, in units, even if a page of 1 MB takes 640 ms from its
/// request until it is saved.
constexpr double kUnitsOfPart = 200;

/// Parts that were seen free longer ago may well be read by now.
constexpr std::chrono::seconds kListLife{10};

constexpr double kRounding = 1 + 1e-9;

/// It has nothing to read, and what nobody wants is not for it either.
bool leaves_rate(const Sharer& sharer) { return sharer.parts == 0 && sharer.wanted == 0.0; }

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

/// One at a time does this: what comes of it is for all readers.
class Sharing::Only {
 public:
  Only(Sharing& sharing, bool& doing) : sharing_(sharing), doing_(doing) { doing_ = true; }
  ~Only() {
    doing_ = false;
    sharing_.changed_.notify_all();
  }
  Only(const Only&) = delete;
  Only& operator=(const Only&) = delete;

 private:
  Sharing& sharing_;
  bool& doing_;
};

Sharing::Sharing(checkpoint::SharedRun& run, std::string name, SharingTerms terms,
                 const asio::any_io_executor& home, Clock& clock, Random& random, Notice notice)
    : run_(run),
      terms_(std::move(terms)),
      clock_(clock),
      random_(random),
      notice_(std::move(notice)),
      self_{.name = name, .rate = terms_.rate},
      others_(run, std::move(name), clock),
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
    set_parts(record->segments);
  }
  co_return record;
}

Awaitable<std::optional<checkpoint::RunRecord>> Sharing::begin(checkpoint::RunState state) {
  for (;;) {
    const bool begun = co_await run_.begin(state);
    if (begun) {
      set_parts(static_cast<std::uint32_t>(state.segments.size()));
      co_return std::nullopt;
    }
    std::optional<checkpoint::RunRecord> record = co_await join();
    if (record) {
      co_return record;
    }
  }
}

void Sharing::set_parts(std::uint32_t parts) {
  parts_ = parts;
  ranges_ = PartRanges(parts);
  // Each begins elsewhere, so that together they soon have looked at all of them.
  looks_from_ = parts <= kPartsPerLook ? 0 : static_cast<std::uint32_t>(random_.bits() % parts);
}

void Sharing::drop_rate() {
  terms_.rate.reset();
  self_.rate.reset();
}

Awaitable<void> Sharing::enter(Reading reading) {
  reading_ = std::move(reading);
  return take_turn();
}

/// Never in step with the others.
Sharing::TimePoint Sharing::within(std::chrono::milliseconds time) {
  const double spread = 0.9 + 0.2 * random_.uniform();
  return clock_.now() + std::chrono::duration_cast<std::chrono::nanoseconds>(time * spread);
}

/// Also when news may have come up.
Sharing::TimePoint Sharing::next_action() const {
  const auto news = std::max(std::chrono::milliseconds(1000), sharing_turn(sharers()) / 20);
  return std::min({hears_at_, tells_at_, clock_.now() + news});
}

Awaitable<void> Sharing::take_turns() {
  for (;;) {
    co_await clock_.sleep(next_action() - clock_.now());
    const auto now = clock_.now();
    const bool is_idle = waiting_ > 0 && held_.empty();
    idle_since_ = is_idle ? std::optional(idle_since_.value_or(now)) : std::nullopt;
    const bool needs_rate = left_rate_ && !held_.empty();
    if (now >= hears_at_ || now >= reads_until_ || needs_rate) {
      co_await take_turn();
    } else if (now >= tells_at_ || has_news()) {
      co_await say_news();
    }
    changed_.notify_all();
  }
}

Awaitable<void> Sharing::take_turn() {
  co_await others_.hear();
  self_.parts = static_cast<std::uint32_t>(held_.size());
  self_.wants_parts = wants_parts();
  const std::optional<double> rate = rate_of_run();
  has_rate_ = rate.has_value();
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
  const std::size_t listeners = held_.empty() ? sharers() : 1 + others_.reading();
  hears_at_ = within(hearing_time(listeners, sharers()));
}

bool Sharing::is_idle_for_long() const {
  return idle_since_ && clock_.now() - *idle_since_ > kIdleTime;
}

/// What others act on.
bool Sharing::has_news() const {
  return held_.empty() != (self_.parts == 0) || wants_parts() != self_.wants_parts ||
         (claim_ > 0 && is_idle_for_long());
}

/// That it is there, what it reads, and that it reads less. To read more takes a turn.
Awaitable<void> Sharing::say_news() {
  self_.parts = static_cast<std::uint32_t>(held_.size());
  self_.wants_parts = wants_parts();
  const bool has_rate = self_.read_units > 0 || claim_ > 0;
  if (has_rate && is_idle_for_long()) {
    leave_rate();
    self_.read_units = claim_ = 0;
    reading_.set_rate(0, reads_until_);
  }
  co_await tell();
  if (has_rate_) {
    reading_.set_rate(claim_, reads_until_);
  }
}

void Sharing::leave_rate() {
  left_rate_ = true;
  self_.wanted = 0;
  use_ = RateUse();  // what it will have use for is not known
}

Awaitable<void> Sharing::tell() {
  const TimePoint at = clock_.now();
  ++self_.turn;
  self_.lease = lease_time(sharers());
  co_await run_.tell(self_);
  reads_until_ = at + claim_life(self_.lease);
  tells_at_ = within(sharing_turn(sharers()));
}

/// The lowest rate that a user has set.
std::optional<double> Sharing::rate_of_run() {
  std::optional<double> lowest = others_.lowest_rate();
  if (terms_.rate && (!lowest || *terms_.rate < *lowest)) {
    lowest = terms_.rate;
  }
  if (notice_ && lowest && lowest != terms_.rate && lowest != told_rate_) {
    told_rate_ = lowest;
    notice_(
        fmt::format("another process of this run was given a lower read rate, {} units per "
                    "second, which holds for all",
                    decimal(*lowest)));
  }
  return lowest;
}

/// So that the sum of all claims never exceeds the rate: it reads less before it says so,
/// and more only after it has said so and has heard since that nobody else said the same. Of two
/// that speak at once, at least one hears the other.
Awaitable<void> Sharing::claim_rate(double rate) {
  std::vector<RateClaim> claims;
  for (const Sharer& sharer : others_.all()) {
    if (sharer.read_units > 0 || !leaves_rate(sharer)) {
      claims.push_back({.units = sharer.read_units, .wanted = sharer.wanted});
    }
  }
  if (is_idle_for_long()) {
    leave_rate();
  } else {
    left_rate_ = false;
    if (idle_since_) {
      use_ = RateUse();  // that it reads nothing does not mean that it could not
    }
    self_.wanted = use_.wanted(reading_.units_read(), claim_, clock_.now());
    if (self_.wanted) {
      self_.wanted = std::max(*self_.wanted, kMinWanted * rate / static_cast<double>(sharers()));
    }
  }
  if (clock_.now() >= reads_until_) {
    claim_ = 0;  // others may have given this process up
  } else if (self_.read_units > claim_ &&
             self_.read_units <= rate * kRounding - others_.read_units()) {
    claim_ = self_.read_units;  // said in an earlier turn
  }
  double next = left_rate_ ? 0 : next_claim(rate, self_.wanted, claims);
  if (next < claim_) {
    reading_.set_rate(next, reads_until_);
    claim_ = next;
  }
  self_.read_units = next;
  co_await tell();
  if (next > claim_ * kWorthHearing && next > claim_ + rate * kWorthHearingOfRun) {
    co_await others_.hear();
    const double left = rate * kRounding - others_.read_units();
    if (next > left) {
      next = std::max(0.0, left);
      reading_.set_rate(next, reads_until_);
      self_.read_units = next;
      co_await tell();
    }
    claim_ = next;
  }
  reading_.set_rate(claim_, reads_until_);
}

/// Of many, as many as it can use its part of the read rate for: then they are complete one after
/// the other, and the rest is free for those that come or become faster. If it does not use its
/// part, more of them may help. Of few, any: so that what a lost sharer had is soon read on.
std::size_t Sharing::useful_parts() const {
  if (parts_ <= kPartsPerLook || !has_rate_ || (self_.wanted && !left_rate_)) {
    return std::numeric_limits<std::size_t>::max();
  }
  return 2 + static_cast<std::size_t>(std::ceil(claim_ / kUnitsOfPart));
}

/// It has less than an equal share, and has use for it.
bool Sharing::needs_parts() const {
  return held_.size() <
         std::clamp<std::size_t>(ranges_.incomplete() / sharers(), 1, useful_parts());
}

/// An equal share, rounded up: what it would have to return, it does not claim.
bool Sharing::may_claim() const {
  const std::size_t share = (ranges_.incomplete() + sharers() - 1) / sharers();
  return held_.size() < std::clamp<std::size_t>(share, 1, useful_parts());
}

/// When nobody else reads, the run may be complete. Whoever reads last looks first; the others
/// wait, in case it was killed.
bool Sharing::looks_at_all() {
  if (parts_ <= kPartsPerLook) {
    return true;
  }
  if (others_.reading() > 0) {
    looks_at_all_at_.reset();
    return false;
  }
  const std::chrono::nanoseconds all = look_time(sharers(), ranges_.all().count);
  if (!looks_at_all_at_ || *looks_at_all_at_ > clock_.now() + all) {
    looks_at_all_at_ = clock_.now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          random_.uniform() * all);
  }
  return clock_.now() >= *looks_at_all_at_;
}

/// Says so if it is, and else looks at all parts again.
Awaitable<void> Sharing::finish() {
  finished_ = co_await run_.finish();
  if (!finished_) {
    ranges_ = PartRanges(parts_);
  }
}

/// Looks at some of many parts that were not complete yet, and at all if the run may be complete.
///
/// A part whose reader is not among the sharers is free only if they were heard of after the part
/// was seen: then one that has claimed a part is among them, unless it is gone.
Awaitable<void> Sharing::look_around() {
  if (ranges_.incomplete() == 0) {
    co_return co_await finish();
  }
  const bool at_all = looks_at_all();
  const checkpoint::PartRange range = at_all ? ranges_.all() : ranges_.next(looks_from_);
  const std::vector<StoredSegment> parts = co_await run_.parts(range);
  if (parts.empty()) {
    co_return co_await finish();
  }
  looks_from_ = range.first + range.count;
  const auto is_left = [this](const StoredSegment& part) {
    return !part.progress.position.complete &&
           std::ranges::find(held_, part.progress.segment) == held_.end();
  };
  const auto reader_is_unknown = [&](const StoredSegment& part) {
    return is_left(part) && !part.sharer.empty() && !others_.has(part.sharer);
  };
  const auto nobody_reads = [&](const StoredSegment& part) {
    return is_left(part) && part.sharer.empty() && !failed_.contains(part.progress.segment);
  };
  // Rather not by each of many that begin at the same time, and meet what the others have claimed.
  const bool may_hear =
      clock_.now() >= others_.heard_at() + hearing_time(sharers(), sharers()) / 10;
  bool knows_sharers = false;
  if (may_hear && std::ranges::none_of(parts, nobody_reads) &&
      std::ranges::any_of(parts, reader_is_unknown)) {
    co_await others_.hear();
    knows_sharers = true;
  }
  free_.clear();
  seen_at_ = clock_.now();
  for (const StoredSegment& part : parts) {
    const bool is_unread =
        is_left(part) && (part.sharer.empty() || (knows_sharers && !others_.has(part.sharer)));
    const bool is_failed = failed_.contains(part.progress.segment);
    ranges_.saw(part, is_unread && is_failed);
    if (is_unread && !is_failed) {
      free_.push_back(part);
    }
  }
  hopeless_looks_ = looks_hopeless() ? hopeless_looks_ + 1 : 0;
  looks_again_ = within(look_time(sharers(), std::min(parts_, kPartsPerLook)));
  if (at_all) {
    looks_at_all_at_ = within(look_time(sharers(), range.count));
  }
  if (ranges_.incomplete() == 0) {
    co_await finish();
  }
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
  return !failed_.empty() && free_.empty() && held_.empty() && ranges_.hopeless() &&
         std::ranges::all_of(others_.all(), finds_none);
}

/// One of those that were seen free. Nothing if another has it.
Awaitable<std::optional<checkpoint::SegmentProgress>> Sharing::claim_part() {
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
  if (clock_.now() - seen_at_ > kListLife) {
    free_.clear();
  }
  co_return std::nullopt;
}

Awaitable<std::optional<checkpoint::SegmentProgress>> Sharing::next() {
  while (!leaving_ && !finished_) {
    const bool may_claim_one = !free_.empty() && may_claim();
    if (may_claim_one && clock_.now() >= claims_again_) {
      claims_again_ = clock_.now() + claim_pause(sharers());
      std::optional<checkpoint::SegmentProgress> part = co_await claim_part();
      if (part) {
        co_return part;
      }
    } else if (may_claim_one && !claiming_) {
      const Only claiming(*this, claiming_);
      co_await clock_.sleep(claims_again_ - clock_.now());
    } else if (!may_claim_one && needs_parts() && !looking_ && clock_.now() >= looks_again_) {
      const Only looking(*this, looking_);
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
    ranges_.completed(part);
  }
  if (!complete.empty() && held_.empty() && others_.reading() == 0) {
    looks_again_ = clock_.now();  // that may have been all
    looks_at_all_at_ = looks_again_;
  }
  changed_.notify_all();
  co_return lost;
}

void Sharing::let_go(std::uint32_t part) {
  std::erase(held_, part);
  returning_.erase(part);
}

/// What is more than its share, when others have less and nothing is free.
void Sharing::return_surplus() {
  std::size_t keeps = held_.size();
  if (others_.want_parts() && (free_.empty() || clock_.now() >= looks_again_)) {
    free_.clear();  // seen long ago: others may have them
    const std::size_t all = held_.size() + others_.parts();
    keeps = std::min(keeps, (all + sharers() - 1) / sharers());
  }
  std::size_t kept = held_.size() - returning_.size();
  for (auto part = held_.rbegin(); part != held_.rend() && kept > keeps; ++part) {
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
