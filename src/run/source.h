// What a run reads. A new source is one new file, one line in run_kinds.cc, and its flags.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/message.h"
#include "checkpoint/checkpoint_store.h"
#include "pace/read_rate.h"
#include "run/run_loops.h"
#include "run/run_services.h"
#include "run/scan_settings.h"
#include "source/page_reader.h"
#include "source/segment_count.h"

namespace everyitem::run {

/// A source that is there and has been described. Used on the run's own event loop, while the run
/// is set up.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// Short, for the names of files and for dead letters: "orders".
  virtual std::string name() const = 0;
  /// As services know it; empty if it has no such name, or none is reported.
  virtual std::string arn() const { return {}; }
  /// Tells it apart from every other source that may have the same name.
  virtual std::string location() const = 0;
  /// All that makes reading it the reading that it is: resuming with another would mix two.
  virtual checkpoint::RunIdentity identity() const = 0;

  /// For the user, before the run begins: what and where it is, and how large.
  virtual Message text() const = 0;
  /// How many items there may be; 0: not known.
  virtual std::uint64_t estimated_items() const = 0;
  /// The same in bytes, as the service counts them.
  virtual std::uint64_t estimated_bytes() const { return 0; }
  /// Of these, what a read unit buys; 0: not known.
  virtual double bytes_per_read_unit() const { return 0; }
  /// How fast it may be read.
  virtual const source::ReadCapacity& read_capacity() const = 0;
  /// What the largest page costs, in read units.
  virtual double max_page_units() const = 0;
  /// Into how many parts to divide it, for as many cores as will read it together.
  virtual source::SegmentChoice choose_parts(std::optional<unsigned> cores) const = 0;

  /// What the user should know before it is read.
  virtual std::vector<Message> notices() const { return {}; }

  /// Reads one item or none, with the run's own expressions. Throws Error when that is refused, so
  /// that a run that cannot read anything begins nothing and destroys nothing. Returns the read
  /// units that it cost; nothing if that is not reported.
  virtual Awaitable<std::optional<double>> try_read() = 0;

  /// What `loop` reads parts from, of `parts` in all. This outlives it.
  virtual std::unique_ptr<source::PartSource> open(RunLoop& loop, std::uint32_t parts) = 0;
};

/// What a source is made of. All of it outlives the source.
struct SourceContext {
  const ScanSettings& settings;
  RunServices& services;
};

/// An entry of the list of sources.
struct SourceKind {
  std::string_view name;
  std::function<bool(const ScanSettings&)> is_wanted;
  /// Asks what is there. Throws Error.
  std::function<Awaitable<std::unique_ptr<Source>>(SourceContext)> describe;
};

}  // namespace everyitem::run
