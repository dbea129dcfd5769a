#include "run/fleet.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::run {

using checkpoint::FleetMember;
using checkpoint::FleetRecord;

namespace {

/// Before the record is read again that another has written meanwhile; by chance up to this.
constexpr std::chrono::milliseconds kLongestPause{200};

Error begun_anew(const std::string& location) {
  return {ErrorKind::failed,
          {.operation = "share",
           .object = fmt::format("checkpoint {}", location),
           .message = "another worker has started this run over with other settings, or what the "
                      "workers share was removed",
           .hint = "This one ends; what it has delivered is in its checkpoint."}};
}

}  // namespace

FleetMember& Fleet::own(FleetRecord& record) const {
  const auto place =
      std::ranges::lower_bound(record.members, part_.worker, {}, &FleetMember::worker);
  if (place != record.members.end() && place->worker == part_.worker) {
    return *place;
  }
  return *record.members.insert(place, {.worker = part_.worker});
}

/// For a random time, so that workers that met once do not meet again.
Awaitable<void> Fleet::wait_for_others_to_write() {
  return clock_.sleep(std::chrono::nanoseconds(static_cast<std::int64_t>(
      random_.uniform() * std::chrono::nanoseconds(kLongestPause).count())));
}

Awaitable<std::uint32_t> Fleet::join(FleetTerms terms) {
  terms.identity.push_back({"workers", fmt::to_string(part_.workers)});
  for (;;) {
    const bool joined = co_await try_to_join(terms);
    if (joined) {
      break;
    }
    co_await wait_for_others_to_write();
  }
  identity_ = terms.identity;
  co_return last_.segments;
}

/// False where another has written meanwhile.
Awaitable<bool> Fleet::try_to_join(FleetTerms terms) {
  std::optional<FleetRecord> record = co_await store_.read();
  std::vector<std::string> different;
  if (record) {
    different = checkpoint::differences(record->identity, terms.identity);
    if (terms.segments && *terms.segments != record->segments) {
      different.push_back(
          fmt::format("segments: was {}, is now {}", record->segments, *terms.segments));
    }
    if (!different.empty() && !terms.restart) {
      throw usage_error(fmt::format("the other workers of {} have other settings; {}",
                                    store_.location(), fmt::join(different, "; ")),
                        "Give all workers the same, start over with " + setting::kRestart +
                            ", or name another run: dynamodb:TABLE/RUN.");
    }
  }
  if (!record || !different.empty()) {
    record.emplace();
    record->identity = terms.identity;
    record->segments = terms.segments ? *terms.segments : terms.choose();
  }
  if (record->segments < part_.workers) {
    throw usage_error(
        fmt::format("{} segments cannot be shared by {} workers", record->segments, part_.workers),
        "Give " + setting::kSegments("N") + ", at least as many as workers, or fewer " +
            setting::kWorkers + ".");
  }
  FleetMember& me = own(*record);
  me = {.worker = part_.worker, .turn = me.turn + 1};
  last_ = *record;
  co_return co_await store_.write(std::move(*record));
}

/// Until it is written, and nobody else has written meanwhile.
Awaitable<void> Fleet::update(Change change) {
  for (;;) {
    std::optional<FleetRecord> record = co_await store_.read();
    if (!record || !checkpoint::differences(record->identity, identity_).empty()) {
      throw begun_anew(store_.location());
    }
    change(*record);
    ++own(*record).turn;
    last_ = *record;
    const bool written = co_await store_.write(std::move(*record));
    if (written) {
      co_return;
    }
    co_await wait_for_others_to_write();
  }
}

std::vector<RateClaim> Fleet::claims_of_others(const FleetRecord& record, TimePoint now) {
  std::vector<RateClaim> claims;
  for (const FleetMember& member : record.members) {
    if (member.worker == part_.worker || member.state != FleetMember::State::reading) {
      continue;
    }
    // By this machine's clock alone: others' may be wrong.
    const auto [sighting, first] =
        seen_.try_emplace(member.worker, Sighting{.turn = member.turn, .at = now});
    if (sighting->second.turn != member.turn) {
      sighting->second = {.turn = member.turn, .at = now};
    }
    if (now - sighting->second.at < kClaimsForgotten) {
      claims.push_back({.units = member.read_units, .wanted = member.wanted});
    }
  }
  return claims;
}

Awaitable<void> Fleet::take_turn(double rate, pace::ReadGate& gate, RateUse& use) {
  const std::optional<double> wanted = use.wanted(gate.units_read(), claim_, clock_.now());
  double next = 0;
  TimePoint told_at;
  Change change = [&](FleetRecord& record) {
    told_at = clock_.now();
    next = next_claim(rate, wanted, claims_of_others(record, told_at));
    if (next < claim_) {
      gate.set_rate(next, told_at + kClaimLife);  // before others may have the rest
    }
    FleetMember& me = own(record);
    me.state = FleetMember::State::reading;
    me.read_units = next;
    me.wanted = wanted;
  };
  co_await update(std::move(change));
  claim_ = next;
  gate.set_rate(next, told_at + kClaimLife);
}

Awaitable<void> Fleet::share_rate(double rate, pace::ReadGate& gate) {
  RateUse use;
  for (;;) {
    co_await take_turn(rate, gate, use);
    const auto reading =
        std::ranges::count(last_.members, FleetMember::State::reading, &FleetMember::state);
    co_await clock_.sleep(turn_time(static_cast<std::size_t>(reading)));
  }
}

Awaitable<void> Fleet::leave(FleetMember::State state) {
  Change change = [this, state](FleetRecord& record) {
    FleetMember& me = own(record);
    me.state = state;
    me.read_units = 0;
    me.wanted.reset();
  };
  co_await update(std::move(change));
}

std::vector<std::uint32_t> Fleet::not_complete() const {
  std::vector<std::uint32_t> workers;
  for (std::uint32_t worker = 0; worker < part_.workers; ++worker) {
    const auto member = std::ranges::find(last_.members, worker, &FleetMember::worker);
    if (member == last_.members.end() || member->state != FleetMember::State::complete) {
      workers.push_back(worker);
    }
  }
  return workers;
}

std::string Fleet::text() const {
  const std::vector<std::uint32_t> missing = not_complete();
  return missing.empty() ? fmt::format("all {} workers are complete", part_.workers)
                         : fmt::format("of {} workers, not complete yet: {}", part_.workers,
                                       fmt::join(missing, ", "));
}

}  // namespace everyitem::run
