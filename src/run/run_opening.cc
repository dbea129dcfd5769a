#include "run/run_opening.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"
#include "pace/read_gate.h"

namespace everyitem::run {

Awaitable<void> RunOpening::open() {
  co_await find_out();
  if (state_) {
    if (!state_->complete()) {
      co_await resume();
    }
  } else if (!context_.only_resumes) {
    co_await begin();
  }
}

/// Describes the source and the destination, which also shows that both exist, and then finds out
/// who owns the run and where it stands. Changes nothing except the owner of the run.
Awaitable<void> RunOpening::find_out() {
  services_.emplace(loops_, settings_, context_, notice_);
  ends_ = co_await describe_ends(kinds_, settings_, *services_);
  claim_ = open_run(stores_context(), terms_of(*ends_, settings_, context_), ends_->rate);
  checkpoint_location_ = claim_->location();
  state_ = co_await claim_->claim();
  claimed_ = true;
  token_ = state_ ? state_->token : checkpoint::new_run_token();
  find_letters();
  if (state_) {
    before_ = progress_before(*state_);
  }
}

Awaitable<void> RunOpening::resume() {
  for (const Message& text : opening_notices(*ends_, settings_, before_.items_before)) {
    notice_(text);
  }
  const std::string segments = counted(before_.segments, "segment");
  const std::string how_far = state_->knows_progress
                                  ? fmt::format("resuming after {}, using {}",
                                                counted(before_.items_before, "item"), segments)
                                  : fmt::format("joining a run of {}", segments);
  notice_(fmt::format("{}; checkpoint {}", how_far, checkpoint_location_));
  co_await open_letters();
  co_await ends_->destination->prepare(resumed_start());
  ends_->destination->begin();
}

/// What an earlier run left goes only once the new run's record is durable and reading has been
/// tried with the run's own expressions.
Awaitable<void> RunOpening::begin() {
  for (const Message& text : opening_notices(*ends_, settings_, 0)) {
    notice_(text);
  }
  before_.segments = settings_.segments ? *settings_.segments : choose_parts();
  if (!parts_notice_.empty()) {
    notice_(parts_notice_);
  }
  notice_(checkpoint_location_.empty() ? "no checkpoint: a run that is stopped starts over"
                                       : "checkpoint: " + checkpoint_location_);
  const std::optional<double> units = co_await ends_->source->try_read();
  if (!units && settings_.read_rate.is_chosen()) {
    throw pace::rate_cannot_be_kept();
  }
  before_.counters.read_units = units.value_or(0);
  const RunTerms terms = terms_of(*ends_, settings_, context_);
  checkpoint::RunState new_state{.identity = terms.identity,
                                 .segments = checkpoint::fresh_segments(before_.segments),
                                 .token = token_};
  co_await open_letters();
  RunStart start{.kind = settings_.restart ? RunStart::Kind::restart : RunStart::Kind::fresh,
                 .token = token_,
                 .replaced_token = claim_->replaced_token()};
  co_await ends_->destination->prepare(std::move(start));
  std::ranges::copy(ends_->destination->marks(), std::back_inserter(new_state.identity));
  std::ranges::copy(restart_mark(terms), std::back_inserter(new_state.identity));
  state_ = co_await claim_->begin(std::move(new_state));
  before_.begun = true;
  if (state_->token != token_) {
    co_await join_other();
  }
  ends_->destination->begin();
  if (dead_letters_ && settings_.restart) {
    dead_letters_->discard_earlier();
  }
}

/// Another process has begun the run meanwhile, and shares it.
Awaitable<void> RunOpening::join_other() {
  token_ = state_->token;
  const double tried = before_.counters.read_units;
  before_ = progress_before(*state_);
  before_.counters.read_units = tried;
  find_letters();
  co_await open_letters();
}

void RunOpening::find_letters() {
  if (ends_->destination->may_refuse_items()) {
    letters_location_ = run::dead_letters_location(stores_context(), *claim_, token_);
    letters_text_ = to_text(*letters_location_);
  }
}

Awaitable<void> RunOpening::open_letters() {
  if (letters_location_) {
    dead_letters_.reset();  // those of a run that another process began first
    dead_letters_ = open_dead_letters(*letters_location_, stores_context(), *claim_, token_,
                                      claim_->replaced_token());
    co_await dead_letters_->check();
  }
}

RunStart RunOpening::resumed_start() const {
  return {.kind = RunStart::Kind::resume,
          .token = state_->token,
          .items = before_.items_before,
          .item_bytes = state_->bytes(),
          .marks = state_->identity,
          .finished_at = state_->finished_at};
}

std::uint32_t RunOpening::choose_parts() {
  PartsChoice choice = run::choose_parts(*ends_, settings_);
  parts_notice_ = std::move(choice.notice);
  return choice.parts;
}

StoresContext RunOpening::stores_context() {
  return {.settings = settings_,
          .context = context_,
          .services = *services_,
          .source = *ends_->source,
          .destination = *ends_->destination,
          .notice = notice_};
}

}  // namespace everyitem::run
