// One run of a scan, from the user's settings to its end: what the command line and the Lambda
// function both do.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/arn.h"
#include "base/async.h"
#include "base/clock.h"
#include "base/environment.h"
#include "base/message.h"
#include "http/client.h"
#include "identity/identity.h"
#include "pace/read_rate.h"
#include "pipeline/pipeline.h"
#include "pipeline/run_report.h"
#include "source/scan_request.h"
#include "source/worker_part.h"

namespace everyitem::pipeline {

/// How requests to Kinesis are written: automatic is CBOR where the endpoint understands it.
enum class KinesisWire { automatic, cbor, json };

/// What the user asked for. Empty means not given.
struct ScanSettings {
  aws::ResourceName table;
  std::optional<aws::ResourceName> stream;  ///< either this
  std::string file;                         ///< or this; "-" is standard output
  source::ScanParameters scan;              ///< its table is filled in by the run
  std::optional<std::uint32_t> segments;
  source::WorkerPart part;               ///< of several workers, which one this is
  std::optional<std::uint32_t> threads;  ///< by default one a core
  std::optional<std::uint64_t> limit;
  KinesisWire kinesis_wire = KinesisWire::automatic;
  pace::ReadRate read_rate;
  bool random_partition_keys = false;
  bool aggregate = false;                                   ///< many items a record
  std::string checkpoint;                                   ///< as open_checkpoint_store takes it
  std::string checkpoint_kms_key;                           ///< as StoreContext has it
  std::optional<std::chrono::seconds> checkpoint_interval;  ///< likewise
  bool restart = false;
  std::string dead_letters;  ///< a file; by default one beside the checkpoint
  /// How long one request may be refused as too fast, or fail, before its segment or the run is
  /// given up. By default the first may take for ever, the second as RetryLimits has it.
  std::optional<std::chrono::nanoseconds> max_wait;
  identity::IdentityFlags identity;
  std::string stream_profile;   ///< whose credentials write to the stream, if not the others
  std::string stream_role_arn;  ///< assumed to write to the stream with, instead of the other role
};

/// What a run takes from outside, and tests put in its place. The clock outlives the run.
struct RunSurroundings {
  Environment environment;
  Clock& clock;
  std::uint64_t random_seed = 0;  ///< of jitter and random partition keys
  http::Timeouts timeouts = {};
  PipelineLimits limits = {};
  /// Asks the user, as identity::Surroundings has it; empty: nobody is there.
  std::function<std::optional<std::string>(std::string_view question)> ask = {};
  /// Says to other processes who owns the run; empty: the process and its host.
  std::string owner = {};
};

/// For the progress display. Numbers of this process, but for what says otherwise.
struct ScanProgress {
  RunCounters counters;
  std::uint32_t segments = 0;             ///< this worker's; 0 until the run has begun to read
  std::uint64_t items_before = 0;         ///< delivered by earlier processes of this run
  std::uint64_t bytes_before = 0;         ///< of all items that these were done with
  std::uint64_t dead_letters_before = 0;  ///< likewise
  /// By DynamoDB's own estimate, of this worker's segments; 0: unknown.
  std::uint64_t estimated_items = 0;
  std::uint64_t throttled_requests = 0;
  std::uint64_t records_sent_again = 0;
  std::uint64_t requests_retried = 0;
  bool begun = false;               ///< the run's record is durable: another process can resume it
  std::optional<double> read_rate;  ///< read units a second, of all workers together

  std::uint64_t dead_letters() const { return dead_letters_before + counters.dead_letters; }
};

struct ScanOutcome {
  RunStatus status = RunStatus::complete;
  bool nothing_to_do = false;  ///< the run was complete before
};

/// Used from one event loop; has threads of its own, which end with it.
class ScanRun {
 public:
  /// Told to the user, each once, as they happen. One line.
  using Notice = everyitem::Notice;

  ScanRun(asio::any_io_executor executor, ScanSettings settings, RunSurroundings surroundings,
          Notice notice);
  ~ScanRun();
  ScanRun(const ScanRun&) = delete;
  ScanRun& operator=(const ScanRun&) = delete;

  /// Throws Error when the run cannot begin or cannot go on, checkpoint::OwnedByAnother when it is
  /// another process's; what the destination acknowledged is in the checkpoint then. Call once.
  Awaitable<ScanOutcome> run();

  /// Asks for an orderly end (Pipeline::stop). May come at any time.
  void stop();

  ScanProgress progress() const;
  /// Where the run's checkpoint is, once it is known; empty for none.
  const std::string& checkpoint_location() const;
  /// Where items are that can never be delivered, once that is known; empty where all can.
  const std::string& dead_letters_location() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace everyitem::pipeline
