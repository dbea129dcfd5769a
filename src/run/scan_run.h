// One run of a scan, from the user's settings to its end: what the command line and the Lambda
// function both do.
//
//   settings -> services -> source, destination (described) -> claim -> pipeline
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/async.h"
#include "pipeline/run_report.h"
#include "run/run_kinds.h"
#include "run/run_progress.h"
#include "run/scan_settings.h"

namespace everyitem::run {

struct ScanOutcome {
  pipeline::RunStatus status = pipeline::RunStatus::complete;
  bool nothing_to_do = false;  ///< the run was complete before
  bool not_begun = false;      ///< there is no run to resume, and none was to begin
  /// When it was, if that is known.
  std::optional<std::chrono::system_clock::time_point> finished_at = {};
  /// For RunContext::handed_over of the process that continues the run, so that it need not wait;
  /// empty if nothing was handed over.
  std::string ownership = {};
  bool waited = false;  ///< only for others: one whose lease had not expired, or those who read all
};

/// Used from one event loop; has threads of its own, which end with it.
class ScanRun {
 public:
  /// `kinds`: what may be read and filled.
  ScanRun(asio::any_io_executor executor, ScanSettings settings, RunContext context, Notice notice,
          RunKinds kinds = run_kinds());
  ~ScanRun();
  ScanRun(const ScanRun&) = delete;
  ScanRun& operator=(const ScanRun&) = delete;

  /// Throws Error when the run cannot begin or cannot continue, checkpoint::OwnedByAnother when it
  /// is another process's; what the destination acknowledged is in the checkpoint then. Call once.
  Awaitable<ScanOutcome> run();

  /// Asks for an orderly end (Pipeline::stop). May be called at any time.
  void stop();

  ScanProgress progress() const;
  /// Where the run's checkpoint is, once it is known; empty for none.
  const std::string& checkpoint_location() const;
  /// Where items go that can never be delivered, once that is known; empty if there are none.
  const std::string& dead_letters_location() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace everyitem::run
