// What the user asked for, and what a run needs from its environment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aws/arn.h"
#include "aws/retry.h"
#include "base/clock.h"
#include "base/environment.h"
#include "base/message.h"
#include "batch/plain_json.h"
#include "checkpoint/checkpoint_location.h"
#include "http/timeouts.h"
#include "identity/identity.h"
#include "pace/read_rate.h"
#include "pipeline/pipeline_limits.h"
#include "run/dead_letters_location.h"
#include "sink/output_location.h"
#include "source/scan_request.h"

namespace everyitem::run {

/// How requests to Kinesis are written: automatic is CBOR if the endpoint understands it.
enum class KinesisWire { automatic, cbor, json };

/// What the user asked for. Empty means not given.
struct ScanSettings {
  // What to read
  aws::ResourceName table;
  source::ScanParameters scan;            ///< whose table is filled in by the table source
  std::optional<std::uint64_t> limit;     ///< stop after this many items; costs all but one thread
  std::optional<std::uint32_t> segments;  ///< default: by the table's size and this machine
  pace::ReadRate read_rate;               ///< see its default there

  // Where to put it: one of these
  std::optional<aws::ResourceName> stream;
  std::optional<sink::OutputLocation> output;

  // How records are made
  std::string format = "item";  ///< one of batch::item_formats()
  batch::PlainJsonOptions plain;
  KinesisWire kinesis_wire = KinesisWire::automatic;
  bool random_partition_keys = false;
  bool aggregate = false;  ///< many items per record

  // Where progress is kept
  std::optional<checkpoint::CheckpointLocation> checkpoint;  ///< default: a file per run
  std::string checkpoint_kms_key;                            ///< see StoreContext
  std::optional<std::chrono::seconds> checkpoint_interval;   ///< see StoreContext
  bool restart = false;
  bool share = false;  ///< with any number of processes that do the same
  std::optional<DeadLettersLocation> dead_letters;  ///< default: see dead_letters_location

  // How
  std::optional<std::uint32_t> threads;  ///< default: one per core
  /// How long any request may be throttled, or fail, before its segment or the run is given up.
  /// Default: as aws::Patience says.
  std::optional<std::chrono::nanoseconds> max_wait;

  // Who
  identity::IdentityFlags identity;
  std::string stream_profile;      ///< whose credentials write to the stream, if not the reader's
  std::string stream_role_arn;     ///< assumed to write to the stream, instead of the reader's role
  std::string stream_external_id;  ///< required by that role

  aws::Patience patience() const {
    return max_wait ? aws::waiting_at_most(*max_wait) : aws::Patience{};
  }
};

/// What a run takes from outside, and tests replace. The clock outlives the run.
struct RunContext {
  Environment environment;
  Clock& clock;
  std::uint64_t random_seed = 0;  ///< of jitter and random partition keys
  http::Timeouts timeouts = {};
  pipeline::PipelineLimits limits = {};
  /// Asks the user, as identity::Context has it; empty: there is nobody to ask.
  std::function<std::optional<std::string>(std::string_view question)> ask = {};
  /// Tells other processes who owns the run; empty: the process and its host.
  std::string owner = {};
  /// The ScanOutcome::ownership of the process that handed the run over to this one; empty: none.
  std::string handed_over = {};
  /// Hands the run over when it is stopped, instead of releasing it.
  bool hands_over = false;
  /// When ScanSettings::restart was asked for, in milliseconds since 1970, by somebody who may ask
  /// again because no answer came (RunTerms::restart_asked_at); nothing: always starts over.
  std::optional<std::int64_t> restart_asked_at = {};
  /// Continues a run that has begun, and begins none.
  bool only_resumes = false;
};

}  // namespace everyitem::run
