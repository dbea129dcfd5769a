// Where a run puts items. A new destination is one new file, one line in run_kinds.cc, and its
// flags.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/message.h"
#include "batch/batch_builder.h"
#include "checkpoint/checkpoint_store.h"
#include "run/run_loops.h"
#include "run/run_services.h"
#include "run/scan_settings.h"
#include "sink/sink.h"

namespace everyitem::run {

/// How a run finds its destination.
struct RunStart {
  enum class Kind {
    fresh,    ///< nothing of this run is there
    resume,   ///< what an earlier process of the run delivered is there
    restart,  ///< the user gave up what an earlier run left there
  };
  Kind kind = Kind::fresh;
  std::string token;                   ///< the run's, random: tells it apart from every other run
  std::string replaced_token = {};     ///< of the run that this one takes the place of; empty: none
  std::uint64_t items = 0;             ///< delivered by earlier processes of the run
  std::uint64_t item_bytes = 0;        ///< of the JSON of these
  checkpoint::RunIdentity marks = {};  ///< of the destination when the run began, among others
  /// When it was complete, if it was and that is known.
  std::optional<std::chrono::system_clock::time_point> finished_at = {};
};

/// How fast a destination takes items, as far as that is known; 0: not known.
struct DestinationLimit {
  double records_per_second = 0;
  double bytes_per_second = 0;
};

/// What one event loop has of a destination.
struct LaneDestination {
  std::unique_ptr<batch::BatchBuilder> builder;
  std::shared_ptr<sink::Sink> sink;  ///< may be shared with other lanes, if it says so
};

/// A destination that is there and has been described. Used on the run's own event loop, while the
/// run is set up: prepare, then begin, then `open` once per lane; `end` when all lanes have ended.
class Destination {
 public:
  Destination() = default;
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  virtual ~Destination() = default;

  /// Short, for the names of files and for dead letters: "orders-backfill".
  virtual std::string name() const = 0;
  /// Tells it apart from every other destination that may have the same name.
  virtual std::string location() const = 0;
  /// All that makes it the destination that it is: resuming into another would mix two runs.
  virtual checkpoint::RunIdentity identity() const = 0;

  /// Whether it can be known later what it took. If not, a run has no checkpoint by default.
  virtual bool keeps_items() const { return true; }
  /// Whether it may refuse items for good, so that there must be a place for dead letters.
  virtual bool may_refuse_items() const = 0;
  virtual DestinationLimit limit() const { return {}; }
  /// How long it keeps what it took; nothing: until somebody removes it.
  virtual std::optional<std::chrono::hours> keeps_for() const { return std::nullopt; }
  /// For the user, before the run begins: what and where it is.
  virtual Message text() const { return location(); }
  /// For the user, before the run begins; one line each.
  virtual std::vector<Message> notices() const { return {}; }

  /// Before the run's record is durable: checks what can be checked and destroys nothing. Throws
  /// Error when the run cannot put its items here. May be cancelled.
  virtual Awaitable<void> prepare(RunStart start) = 0;
  /// Once prepared: what tells the output that a run begins with from others at the same location.
  /// Kept with the run, and given back when it is resumed.
  virtual checkpoint::RunIdentity marks() const { return {}; }
  /// The run's record is durable: what an earlier run left may go.
  virtual void begin() {}
  /// For one of `lanes` lanes. This outlives what it returns.
  virtual LaneDestination open(RunLoop& loop, std::size_t lanes) = 0;
  /// All items of the run have been delivered. Throws Error.
  virtual void complete() {}
  /// The run was complete before, but its last process may have ended in `complete`. Throws Error,
  /// also when what it delivered is not there any more.
  virtual Awaitable<void> complete_again(RunStart /*start*/) { co_return; }
};

/// What a destination is made of. All of it outlives the destination.
struct DestinationContext {
  const ScanSettings& settings;
  RunServices& services;
};

/// An entry of the list of destinations.
struct DestinationKind {
  std::string_view name;
  std::function<bool(const ScanSettings&)> is_wanted;
  /// Asks what is there. Throws Error.
  std::function<Awaitable<std::unique_ptr<Destination>>(DestinationContext)> describe;
};

}  // namespace everyitem::run
