#include "run/kinesis_destination.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "aws/arn.h"
#include "aws/client.h"
#include "base/error.h"
#include "base/human_format.h"
#include "batch/aggregating_builder.h"
#include "batch/put_records_batch.h"
#include "batch/put_records_format.h"
#include "batch/shard_map.h"
#include "run/record_format.h"
#include "sink/kinesis_sink.h"
#include "sink/paced_shards.h"
#include "sink/shard_list.h"
#include "sink/stream_description.h"

namespace everyitem::run {

namespace {

/// What was found out about a stream before anything is sent to it.
struct DescribedStream {
  batch::StreamId id;
  sink::StreamDescription description;
  Wire wire = Wire::cbor;  ///< which the endpoint understands
  std::optional<batch::ShardMap> shards;
  std::string account;    ///< empty if it has none: a local server's
  Message pacing_notice;  ///< empty if there is nothing to say

  /// A stream that does not say how its capacity is managed is a local server's: it is not paced.
  bool may_be_paced() const { return description.mode != sink::StreamMode::unknown; }
};

/// Describes the stream in CBOR. False if the endpoint may not understand that, and then `may_pass`
/// says whether it may as well have failed in passing.
Awaitable<bool> describe_in_cbor(aws::Client& kinesis, DescribedStream& stream, bool& may_pass) {
  try {
    stream.description = co_await sink::describe_stream(kinesis, Wire::cbor, stream.id, true);
  } catch (const aws::WireRefused& refused) {
    may_pass = refused.may_pass();
    co_return false;
  }
  co_return true;
}

/// Finds out on the way which wire the endpoint understands: what it does not answer in CBOR, but
/// in JSON, and again not in CBOR, it does not understand.
Awaitable<void> describe_stream(aws::Client& kinesis, KinesisWire wanted, DescribedStream& stream) {
  if (wanted != KinesisWire::automatic) {
    stream.wire = wanted == KinesisWire::json ? Wire::json : Wire::cbor;
    stream.description = co_await sink::describe_stream(kinesis, stream.wire, stream.id, false);
    co_return;
  }
  bool may_pass = false;
  bool understood = co_await describe_in_cbor(kinesis, stream, may_pass);
  if (!understood) {
    stream.wire = Wire::json;  // also if it may not be described
    stream.description = co_await sink::describe_stream(kinesis, Wire::json, stream.id, false);
  }
  if (!understood && may_pass) {
    understood = co_await describe_in_cbor(kinesis, stream, may_pass);
  }
  stream.wire = understood && !stream.description.nonstandard_cbor ? Wire::cbor : Wire::json;
}

/// Whoever may only write to a stream continues with what every stream takes, and gets false.
Awaitable<bool> describe_if_allowed(aws::Client& kinesis, KinesisWire wanted,
                                    DescribedStream& stream) {
  try {
    co_await describe_stream(kinesis, wanted, stream);
  } catch (const Error& error) {
    if (error.details().code != "AccessDeniedException") {
      throw;
    }
    stream.description.arn = stream.id.arn;
    stream.pacing_notice =
        "per-shard pacing is off, and records are at most 1 MiB: " + error.message();
    co_return false;
  }
  co_return true;
}

/// For a new list in the middle of a run, which can do without.
constexpr aws::Patience kListAgain{.failing = std::chrono::seconds(5),
                                   .throttled = std::chrono::seconds(5)};

/// A run continues without the list: then nothing is paced per shard.
Awaitable<void> list_shards(aws::Client& kinesis, DescribedStream& stream) {
  aws::Patience patience = kinesis.patience();
  patience.throttled = std::min(patience.throttled, patience.failing);
  try {
    stream.shards = co_await sink::list_shards(kinesis, stream.wire, stream.id, patience);
  } catch (const Error& error) {
    stream.pacing_notice = "per-shard pacing is off: " + error.message();
    co_return;
  }
  if (stream.may_be_paced()) {
    stream.pacing_notice =
        sink::pacing_text(stream.shards->shards().size(), stream.description.mode);
  }
}

class KinesisDestination final : public Destination {
 public:
  KinesisDestination(DestinationContext context, ServiceClients& kinesis, ServiceClients& control,
                     DescribedStream stream)
      : settings_(context.settings),
        loops_(context.services.loops()),
        clock_(context.services.clock()),
        kinesis_(kinesis),
        control_(control),
        stream_(std::move(stream)),
        limits_(stream_.description.limits),
        format_(batch::put_records_format(stream_.wire)),
        item_format_(record_format(settings_)) {
    if (stream_.shards) {
      shards_.emplace(*stream_.shards);
    } else if (settings_.aggregate) {
      // Which items share a record is right with any map: docs/aggregation_format.md.
      shards_.emplace(batch::ShardMap::evenly(std::max(1U, stream_.description.open_shards)));
    }
    filled_.name = name();
    filled_.open_shards = stream_.description.open_shards;
  }

  std::string name() const override { return settings_.stream->name; }
  std::string location() const override {
    return fmt::format("{}/{}/{}", kinesis_.region(), stream_.account, name());
  }
  checkpoint::RunIdentity identity() const override {
    return {{"stream", name()},
            {"stream's region", kinesis_.region()},
            {"stream's account", stream_.account, true},
            {"stream created", stream_.description.created, true}};
  }
  bool may_refuse_items() const override { return true; }
  std::optional<std::chrono::hours> keeps_for() const override {
    return stream_.description.retention;
  }
  Message text() const override {
    const std::uint32_t shards = stream_.description.open_shards;
    Message text = fmt::format("stream {} in {}: {}", name(),
                               aws::place_of(stream_.description.arn, kinesis_.region()),
                               shards == 0 ? "shards unknown" : counted(shards, "shard"));
    if (const auto kept = keeps_for()) {
      text += fmt::format(", keeps records for {} h", kept->count());
    }
    return text;
  }
  /// One that scales on demand takes more later.
  DestinationLimit limit() const override {
    if (stream_.description.mode != sink::StreamMode::provisioned) {
      return {};
    }
    const double shards = stream_.description.open_shards;
    return {.records_per_second = shards * batch::kShardRecordsPerSecond,
            .bytes_per_second = shards * batch::kShardBytesPerSecond};
  }
  std::vector<Message> notices() const override {
    return stream_.pacing_notice.empty() ? std::vector<Message>()
                                         : std::vector{stream_.pacing_notice};
  }

  Awaitable<void> prepare(RunStart start) override {
    filled_.accepted_any = start.items > 0;
    if (stream_.shards && stream_.may_be_paced()) {
      const auto list = [this] {
        return sink::list_shards(control_.on(loops_.home()), stream_.wire, stream_.id, kListAgain);
      };
      paced_shards_ = std::make_unique<sink::PacedShards>(loops_.home().executor, clock_, *shards_,
                                                          stream_.description.mode, list);
      filled_.shards = paced_shards_.get();
      // Batches are sent in parts anyway, and take room until their slowest shard has all: more and
      // smaller ones keep more shards busy.
      limits_.request_bytes = limits_.record_bytes;
    }
    co_return;
  }

  LaneDestination open(RunLoop& loop, std::size_t lanes) override {
    filled_.sinks = lanes;
    return {.builder = builder(loop),
            .sink = std::make_shared<sink::KinesisSink>(kinesis_.on(loop), format_, filled_, clock_,
                                                        loop.random)};
  }

 private:
  std::unique_ptr<batch::BatchBuilder> builder(RunLoop& loop) {
    const batch::PartitionKeys keys = settings_.random_partition_keys
                                          ? batch::PartitionKeys(loop.random)
                                          : batch::PartitionKeys();
    if (settings_.aggregate) {
      return std::make_unique<batch::AggregatingBuilder>(format_, stream_.id, limits_, keys,
                                                         *shards_, item_format_.get());
    }
    return std::make_unique<batch::PutRecordsBuilder>(format_, stream_.id, limits_, keys,
                                                      item_format_.get());
  }

  const ScanSettings& settings_;
  RunLoops& loops_;
  Clock& clock_;
  ServiceClients& kinesis_;  ///< for the records
  ServiceClients& control_;  ///< for calls about the stream; may be the same
  DescribedStream stream_;
  batch::PutRecordsLimits limits_;
  const batch::PutRecordsFormat& format_;
  const std::unique_ptr<batch::ItemFormat> item_format_;
  std::optional<batch::CurrentShards> shards_;  ///< if somebody needs them
  std::unique_ptr<sink::PacedShards> paced_shards_;
  sink::FilledStream filled_;
};

Awaitable<std::unique_ptr<Destination>> describe_kinesis(DestinationContext context) {
  const ScanSettings& settings = context.settings;
  ServiceClients* records =
      co_await context.services.find(aws::kKinesis, Caller::writer, *settings.stream);
  ServiceClients* control =
      co_await context.services.find(aws::kKinesisControl, Caller::writer, *settings.stream);
  if (control->endpoint() == records->endpoint()) {
    control = records;
  }
  aws::Client& kinesis = control->on(context.services.loops().home());
  DescribedStream stream;
  stream.id = {.name = settings.stream->name, .arn = settings.stream->arn};
  if (co_await describe_if_allowed(kinesis, settings.kinesis_wire, stream)) {
    stream.account = aws::account_of(stream.description.arn);
  } else {
    stream.account = co_await context.services.account_of(Caller::writer, *settings.stream);
  }
  if (stream.may_be_paced() || settings.aggregate) {
    co_await list_shards(kinesis, stream);
  }
  co_return std::make_unique<KinesisDestination>(context, *records, *control, std::move(stream));
}

}  // namespace

DestinationKind kinesis_destination() {
  return {.name = "kinesis",
          .is_wanted = [](const ScanSettings& settings) { return settings.stream.has_value(); },
          .describe = describe_kinesis};
}

}  // namespace everyitem::run
