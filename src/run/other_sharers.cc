#include "run/other_sharers.h"

#include <algorithm>
#include <utility>

#include "checkpoint/lease.h"

namespace everyitem::run {

using checkpoint::Sharer;

namespace {

/// No longer than this is believed of what another says of its lease, and no shorter.
constexpr std::chrono::milliseconds kLongestLease = std::chrono::hours(1);
constexpr std::chrono::milliseconds kShortestLease = checkpoint::kLease;

}  // namespace

Awaitable<void> OtherSharers::hear() {
  const std::vector<Sharer> told = co_await run_.sharers();
  const TimePoint now = clock_.now();
  std::map<std::string, Sighting> seen;
  std::vector<Sharer> there;
  std::vector<Sharer> gone;
  for (const Sharer& sharer : told) {
    if (sharer.name == own_name_) {
      continue;
    }
    Sighting sighting{.turn = sharer.turn, .at = now};
    if (const auto before = seen_.find(sharer.name);
        before != seen_.end() && before->second.turn == sharer.turn) {
      sighting = before->second;
    }
    seen[sharer.name] = sighting;
    const bool silent = now - sighting.at > std::clamp(sharer.lease, kShortestLease, kLongestLease);
    (silent ? gone : there).push_back(sharer);
  }
  for (const Sharer& sharer : gone) {
    co_await run_.forget(sharer);
  }
  // Last: what is decided next is decided on what this very call has found.
  seen_ = std::move(seen);
  there_ = std::move(there);
  heard_at_ = now;
}

bool OtherSharers::has(const std::string& name) const {
  const auto found = std::ranges::lower_bound(there_, name, {}, &Sharer::name);
  return found != there_.end() && found->name == name;
}

std::size_t OtherSharers::reading() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(there_, [](const Sharer& sharer) { return sharer.parts > 0; }));
}

bool OtherSharers::want_parts() const { return std::ranges::any_of(there_, &Sharer::wants_parts); }

std::size_t OtherSharers::parts() const {
  std::size_t sum = 0;
  for (const Sharer& sharer : there_) {
    sum += sharer.parts;
  }
  return sum;
}

double OtherSharers::read_units() const {
  double sum = 0;
  for (const Sharer& sharer : there_) {
    sum += sharer.read_units;
  }
  return sum;
}

std::optional<double> OtherSharers::lowest_rate() const {
  std::optional<double> lowest;
  for (const Sharer& sharer : there_) {
    if (sharer.rate && (!lowest || *sharer.rate < *lowest)) {
      lowest = sharer.rate;
    }
  }
  return lowest;
}

}  // namespace everyitem::run
