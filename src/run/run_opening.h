// How a run comes to be: described, claimed, and begun or resumed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/async.h"
#include "base/message.h"
#include "checkpoint/checkpoint_store.h"
#include "run/dead_letters_location.h"
#include "run/run_claim.h"
#include "run/run_ends.h"
#include "run/run_kinds.h"
#include "run/run_loops.h"
#include "run/run_progress.h"
#include "run/run_services.h"
#include "run/run_stores.h"
#include "run/scan_settings.h"
#include "sink/dead_letters.h"

namespace everyitem::run {

/// Used on the run's own event loop.
class RunOpening {
 public:
  /// All of it outlives this.
  RunOpening(const ScanSettings& settings, const RunContext& context, const RunKinds& kinds,
             RunLoops& loops, const Notice& notice)
      : settings_(settings), context_(context), kinds_(kinds), loops_(loops), notice_(notice) {}
  RunOpening(const RunOpening&) = delete;
  RunOpening& operator=(const RunOpening&) = delete;

  /// On return there is a `state`, of a run that is complete, or that has begun and can be read; or
  /// none, because only a run that has begun is resumed and there is none. Call once. Throws Error,
  /// checkpoint::OwnedByAnother; may be cancelled. What was opened until then is there.
  Awaitable<void> open();

  /// Null until they are there.
  RunServices* services() { return services_ ? &*services_ : nullptr; }
  const RunServices* services() const { return services_ ? &*services_ : nullptr; }
  RunEnds* ends() { return ends_ ? &*ends_ : nullptr; }
  const RunEnds* ends() const { return ends_ ? &*ends_ : nullptr; }
  /// To be released, whatever fails.
  RunClaim* claim() const { return claim_.get(); }

  /// Whether this process may work on the run.
  bool claimed() const { return claimed_; }
  const std::optional<checkpoint::RunState>& state() const { return state_; }
  /// For the destination. There is a state.
  RunStart resumed_start() const;
  /// What earlier processes of the run did, and what trying to read cost.
  const ScanProgress& before() const { return before_; }
  /// Null if the destination takes every item, and until the run is begun or resumed.
  sink::DeadLetters* dead_letters() const { return dead_letters_.get(); }
  /// Empty until it is known, and for none.
  const std::string& checkpoint_location() const { return checkpoint_location_; }
  /// The same.
  const std::string& dead_letters_location() const { return letters_text_; }

 private:
  Awaitable<void> find_out();
  Awaitable<void> begin();
  Awaitable<void> resume();
  Awaitable<void> join_other();
  void find_letters();
  Awaitable<void> open_letters();
  std::uint32_t choose_parts();
  StoresContext stores_context();

  const ScanSettings& settings_;
  const RunContext& context_;
  const RunKinds& kinds_;
  RunLoops& loops_;
  const Notice& notice_;

  // In the order they are created.
  std::optional<RunServices> services_;
  std::optional<RunEnds> ends_;
  std::unique_ptr<RunClaim> claim_;
  std::string checkpoint_location_;
  Message parts_notice_;  ///< empty if nothing was chosen
  bool claimed_ = false;
  std::optional<checkpoint::RunState> state_;
  std::string token_;                                    ///< of the run, also before it has begun
  std::optional<DeadLettersLocation> letters_location_;  ///< nothing if every item is taken
  std::string letters_text_;
  std::unique_ptr<sink::DeadLetters> dead_letters_;
  ScanProgress before_;
};

}  // namespace everyitem::run
