#include "run/run_claim.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "aws/service_error.h"
#include "base/error.h"

namespace everyitem::run {

namespace {

constexpr std::string_view kRestartAskedAt = "restart asked at";

}  // namespace

std::vector<std::string> changed_terms(const checkpoint::RunState& state, const RunTerms& terms) {
  std::vector<std::string> changed = checkpoint::differences(state.identity, terms.identity);
  if (terms.parts && *terms.parts != state.segments.size()) {
    changed.push_back(
        fmt::format("segments: was {}, is now {}", state.segments.size(), *terms.parts));
  }
  return changed;
}

std::optional<checkpoint::RunState> resumable(std::optional<checkpoint::RunState> stored,
                                              const RunTerms& terms, const std::string& location) {
  if (!stored || terms.restart) {
    return std::nullopt;
  }
  const std::vector<std::string> changed = changed_terms(*stored, terms);
  if (changed.empty()) {
    return stored;
  }
  const bool nothing_read =
      std::ranges::all_of(stored->segments, [&](const checkpoint::SegmentProgress& segment) {
        return segment.position == source::ScanPosition{} || !terms.worker.has(segment.segment);
      });
  if (nothing_read) {
    return std::nullopt;
  }
  throw usage_error(fmt::format("the checkpoint {} belongs to another run; {}", location,
                                fmt::join(changed, "; ")),
                    "Repeat the settings of that run, start over with " + setting::kRestart +
                        ", or name another " + setting::kCheckpoint + ".");
}

checkpoint::RunIdentity restart_mark(const RunTerms& terms) {
  if (!terms.restart || !terms.restart_asked_at) {
    return {};
  }
  return {{std::string(kRestartAskedAt), std::to_string(*terms.restart_asked_at)}};
}

bool is_same_restart(const checkpoint::RunState& state, const RunTerms& terms) {
  const auto mark =
      std::ranges::find(state.identity, kRestartAskedAt, &checkpoint::IdentityPart::name);
  if (!terms.restart || !terms.restart_asked_at || mark == state.identity.end() ||
      !changed_terms(state, terms).empty()) {
    return false;
  }
  std::int64_t begun_by = 0;
  std::from_chars(mark->value.data(), mark->value.data() + mark->value.size(), begun_by);
  const std::chrono::milliseconds later(*terms.restart_asked_at - begun_by);
  return later.count() == 0 ||
         (!state.complete() && std::chrono::abs(later) <= std::chrono::milliseconds(kSameRestart));
}

RunClaim::RunClaim(RunStores stores, RunTerms terms, Clock& clock, Random& random)
    : stores_(std::move(stores)), terms_(std::move(terms)), clock_(clock) {
  if (stores_.fleet) {
    fleet_.emplace(*stores_.fleet, terms_.worker, clock, random);
  }
}

Awaitable<std::optional<checkpoint::RunState>> RunClaim::claim(
    std::function<std::uint32_t()> choose) {
  std::optional<checkpoint::RunState> stored;
  try {
    stored = co_await store().load();
  } catch (const checkpoint::DamagedCheckpoint&) {
    if (!terms_.restart) {
      throw;
    }
  } catch (const Error& error) {
    aws::require_known(error, setting::kCheckpoint);
    throw;
  }
  if (terms_.only_resumes && (!stored || stored->complete())) {
    co_return stored;
  }
  RunTerms terms = terms_;
  terms.restart = terms.restart && !(stored && is_same_restart(*stored, terms));
  // Not before the part of this worker is its own: two processes that take themselves for the same
  // worker would disturb the others.
  if (fleet_) {
    FleetTerms shared{.identity = terms_.shared_identity,
                      .segments = terms_.parts,
                      .choose = std::move(choose),
                      .restart = terms.restart};
    agreed_parts_ = co_await fleet_->join(std::move(shared));
  }
  terms.parts = agreed_parts();
  std::string stored_token = stored ? stored->token : std::string();
  std::optional<checkpoint::RunState> state = resumable(std::move(stored), terms, location());
  if (!state) {
    replaced_token_ = std::move(stored_token);
  }
  begun_ = state.has_value();
  co_return state;
}

Awaitable<void> RunClaim::begin(checkpoint::RunState state) {
  co_await store().begin(std::move(state));
  begun_ = true;
}

std::function<Awaitable<void>()> RunClaim::share_rate(double rate, pace::ReadGate& gate) {
  if (!fleet_) {
    return {};
  }
  gate.set_rate(0, clock_.now());  // until it is known what the others have
  return [this, rate, &gate] { return fleet_->share_rate(rate, gate); };
}

Awaitable<void> RunClaim::release(bool complete, const Notice& notice) {
  if (agreed_parts_ && !taken_over_) {
    co_await leave_workers(complete, notice);
  }
  co_await release_store(notice);
}

Awaitable<std::string> RunClaim::hand_over(const Notice& notice) {
  std::string ownership;
  try {
    ownership = co_await store().hand_over();
  } catch (const Error&) {
    // Released below, or its lease expires: the next process waits for it.
  }
  co_await release(false, notice);
  co_return ownership;
}

Awaitable<void> RunClaim::leave_workers(bool complete, const Notice& notice) {
  using State = checkpoint::FleetMember::State;
  try {
    co_await fleet_->leave(complete ? State::complete : State::left);
  } catch (const Error& error) {
    notice("could not tell the other workers that this one has ended: " + error.message());
    co_return;
  }
  notice(fleet_->text());
}

/// Everything that must be kept has been written before.
Awaitable<void> RunClaim::release_store(const Notice& notice) {
  try {
    co_await store().release();
  } catch (const checkpoint::OwnedByAnother&) {
    co_return;  // it is free, or its successor's
  } catch (const Error& error) {
    notice("could not release the run; its lease expires by itself: " + error.message());
  }
}

}  // namespace everyitem::run
