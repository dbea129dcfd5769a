#include "run/owned_run.h"

#include <utility>

#include "aws/service_error.h"
#include "base/error.h"

namespace everyitem::run {

OwnedRun::OwnedRun(std::unique_ptr<checkpoint::CheckpointStore> store, RunTerms terms)
    : store_(std::move(store)), terms_(std::move(terms)) {}

Awaitable<std::optional<checkpoint::RunState>> OwnedRun::claim() {
  std::optional<checkpoint::RunState> stored;
  try {
    stored = co_await store_->load();
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
  std::string stored_token = stored ? stored->token : std::string();
  std::optional<checkpoint::RunState> state = resumable(std::move(stored), terms, location());
  if (state) {
    start_ = state->segments;
  } else {
    replaced_token_ = std::move(stored_token);
  }
  co_return state;
}

Awaitable<checkpoint::RunState> OwnedRun::begin(checkpoint::RunState state) {
  co_await store_->begin(state);
  start_ = state.segments;
  co_return state;
}

pipeline::RunParts& OwnedRun::parts() {
  if (!parts_) {
    parts_.emplace(*store_, std::move(start_));
  }
  return *parts_;
}

/// Everything that must be kept has been written before.
Awaitable<void> OwnedRun::release(const Notice& notice) {
  try {
    co_await store_->release();
  } catch (const checkpoint::OwnedByAnother&) {
    co_return;  // it is free, or its successor's
  } catch (const Error& error) {
    notice("could not release the run; its lease expires by itself: " + error.message());
  }
}

Awaitable<std::string> OwnedRun::hand_over(const Notice& notice) {
  std::string ownership;
  try {
    ownership = co_await store_->hand_over();
  } catch (const Error&) {
    // Released below, or its lease expires: the next process waits for it.
  }
  co_await release(notice);
  co_return ownership;
}

}  // namespace everyitem::run
