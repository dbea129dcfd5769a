#include "pipeline/scan_run.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "aws/client.h"
#include "aws/service_error.h"
#include "base/error.h"
#include "base/human_format.h"
#include "base/usable_cores.h"
#include "batch/aggregating_builder.h"
#include "batch/ndjson_batch.h"
#include "batch/put_records_batch.h"
#include "batch/put_records_format.h"
#include "checkpoint/checkpoint_store.h"
#include "checkpoint/fleet_store.h"
#include "identity/identity.h"
#include "pipeline/event_loops.h"
#include "pipeline/fleet.h"
#include "pipeline/scan_lane.h"
#include "sink/dead_letter_file.h"
#include "sink/file_sink.h"
#include "sink/kinesis_sink.h"
#include "sink/paced_shards.h"
#include "sink/shard_list.h"
#include "sink/stream_description.h"
#include "source/dynamodb_limits.h"
#include "source/segment_count.h"
#include "source/table_description.h"

namespace everyitem::pipeline {

namespace {

/// Threads that a run takes by itself: with more it waits for the services, or for memory.
constexpr unsigned kMostThreadsUnasked = 8;

/// For others that want the run that this process owns. Process and host may be the same in two
/// containers, and so may be what the caller calls itself: the number is not.
std::string owner_name(const std::string& given, Random& random) {
  constexpr std::size_t kMostOfGiven = 150;
  boost::system::error_code unknown;
  const std::string name =
      given.empty() ? fmt::format("process {} on {}", getpid(), asio::ip::host_name(unknown))
                    : given.substr(0, kMostOfGiven);
  return fmt::format("{} ({:016x})", name, random.bits());
}

}  // namespace

struct ScanRun::Impl {
  Impl(asio::any_io_executor run_executor, ScanSettings run_settings,
       RunSurroundings run_surroundings, Notice run_notice)
      : executor(std::move(run_executor)),
        settings(std::move(run_settings)),
        surroundings(std::move(run_surroundings)),
        notice(std::move(run_notice)) {}
  ~Impl() {
    if (loops) {
      loops->join();  // before what they use is taken apart
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Awaitable<void> connect();
  void identify();
  checkpoint::StoreContext store_context();
  void add_lane();
  void open_lanes(std::size_t segments_to_read);
  std::size_t lanes_for(std::size_t segments_to_read) const;
  aws::Client& dynamodb() const { return lanes.front()->dynamodb.client(); }
  aws::Client& kinesis() const { return lanes.front()->kinesis->client(); }
  Awaitable<void> describe();
  Awaitable<void> describe_stream(const batch::StreamId& id);
  bool paces_shards() const;
  Awaitable<void> list_shards();
  void use_shards(batch::ShardMap map);
  batch::StreamId stream_id() const;
  std::string destination() const;
  checkpoint::RunIdentity identity() const;
  std::string default_checkpoint() const;
  std::string place_in_state_home(std::string_view what, const Message& option) const;
  void open_stores();
  Awaitable<void> join_workers();
  Awaitable<void> leave_workers(bool complete);
  std::uint32_t chosen_segments();
  std::optional<checkpoint::RunState> resumable(std::optional<checkpoint::RunState> state) const;
  checkpoint::RunState begin_run();
  void open_destination(const checkpoint::RunState& state);
  std::unique_ptr<batch::BatchBuilder> make_builder(Random& random) const;
  void open_dead_letters(bool restart);
  aws::RetryLimits retry_limits() const;
  void open_pace();
  Awaitable<ScanOutcome> run();
  Awaitable<ScanOutcome> scan();
  Awaitable<void> release_store();
  Awaitable<bool> describe_unless_stopped();

  asio::any_io_executor executor;
  ScanSettings settings;
  RunSurroundings surroundings;
  Notice notice;

  std::optional<Random> identity_random;  ///< of who looks for credentials
  std::unique_ptr<identity::Identity> reader;
  std::unique_ptr<identity::Identity> writer;  ///< null where that is the reader
  RunServices services;
  std::optional<EventLoops> loops;
  std::vector<std::unique_ptr<ScanLane>> lanes;  ///< the first is on the run's own event loop
  std::optional<LaneService> of_checkpoint;      ///< nothing where that is a file
  source::TableDescription table;
  const batch::PutRecordsFormat* format = nullptr;
  sink::StreamDescription stream;
  std::optional<batch::CurrentShards> shards;  ///< where somebody wants them and they are told
  bool shards_are_listed = false;              ///< and not assumed
  Message pacing_notice;                       ///< what became of that, for the user
  std::unique_ptr<sink::PacedShards> paced_shards;
  std::unique_ptr<checkpoint::CheckpointStore> store;
  std::unique_ptr<checkpoint::FleetStore> fleet_store;  ///< where workers share the run
  std::optional<Fleet> fleet;
  Message segments_notice;  ///< how many were chosen and why, for the user; empty where none
  std::optional<std::uint32_t> agreed_segments;  ///< with the other workers, once it has joined
  std::string checkpoint_location;
  sink::FileStart file_start = sink::FileStart::fresh;
  batch::PutRecordsLimits stream_limits;
  sink::FilledStream filled_stream;
  std::unique_ptr<sink::Sink> file_sink;
  std::unique_ptr<sink::DeadLetters> dead_letters;
  std::string dead_letters_location;
  std::unique_ptr<source::ScanRequests> requests;
  std::optional<double> budget;  ///< of the run, of all workers
  std::unique_ptr<pace::ReadGate> gate;
  std::unique_ptr<Pipeline> pipeline;
  std::uint32_t segments = 0;
  std::uint32_t segments_complete_before = 0;  ///< of a run that has nothing to do
  std::uint64_t items_before = 0;
  std::uint64_t bytes_before = 0;
  std::uint64_t dead_letters_before = 0;
  bool begun = false;  ///< the run's record is durable
  bool stop_requested = false;
  asio::cancellation_signal start_up;  ///< ends the calls that a run begins with
};

/// Who reads and who writes. Roles are each assumed with what the profile gives: one role is not
/// assumed with the other.
void ScanRun::Impl::identify() {
  identity_random.emplace(surroundings.random_seed);
  identity::Surroundings of_identity{.environment = surroundings.environment,
                                     .clock = surroundings.clock,
                                     .random = *identity_random,
                                     .timeouts = surroundings.timeouts,
                                     .notice = notice};
  if (surroundings.ask) {
    of_identity.ask = surroundings.ask;
  }
  reader = std::make_unique<identity::Identity>(settings.identity, of_identity);
  if (!settings.stream_profile.empty() || !settings.stream_role_arn.empty()) {
    identity::IdentityFlags flags = settings.identity;
    if (!settings.stream_profile.empty()) {
      flags.profile = settings.stream_profile;
    }
    flags.role_arn = settings.stream_role_arn;
    writer = std::make_unique<identity::Identity>(flags, of_identity);
  }
}

namespace {

Awaitable<identity::IdentifiedService> find_service(identity::Identity& identity,
                                                    const aws::ServiceModel& model,
                                                    const std::string& arn_region) {
  const identity::ServiceFlags flags = identity.service_flags(arn_region);
  co_await identity.find_region(flags);
  co_return identity.service(model, flags);
}

}  // namespace

/// Finds identity, region and endpoints. Connects to nothing yet, but perhaps for the region.
Awaitable<void> ScanRun::Impl::connect() {
  identify();
  services.timeouts = surroundings.timeouts;
  services.dynamodb = co_await find_service(*reader, aws::kDynamoDb, settings.table.region);
  if (settings.stream) {
    services.kinesis =
        co_await find_service(writer ? *writer : *reader, aws::kKinesis, settings.stream->region);
  }
  loops.emplace(executor);
  add_lane();
}

checkpoint::StoreContext ScanRun::Impl::store_context() {
  const auto client = [this](const aws::ServiceModel& model,
                             const std::string& region) -> aws::Client& {
    ScanLane& lane = *lanes.front();
    identity::ServiceFlags flags = reader->service_flags({});
    flags.region = region.empty() ? dynamodb().region() : region;
    if (!of_checkpoint) {  // the run's and the workers' are in one place
      of_checkpoint.emplace(executor, executor, model, reader->service(model, flags),
                            services.timeouts, surroundings.clock, lane.random);
    }
    return of_checkpoint->client();
  };
  return {.clock = surroundings.clock,
          .owner = owner_name(surroundings.owner, lanes.front()->random),
          .limits = retry_limits(),
          .kms_key = settings.checkpoint_kms_key,
          .interval = settings.checkpoint_interval,
          .part = settings.part,
          .client = client,
          .notice = notice};
}

void ScanRun::Impl::add_lane() {
  const std::size_t place = lanes.size();
  lanes.push_back(std::make_unique<ScanLane>(loops->executor(place), executor, services,
                                             surroundings.clock, surroundings.random_seed + place));
}

/// A page that is read counts towards --limit, which only one lane can do.
std::size_t ScanRun::Impl::lanes_for(std::size_t segments_to_read) const {
  const std::size_t wanted =
      settings.threads.value_or(std::min(usable_cores(), kMostThreadsUnasked));
  return settings.limit
             ? 1
             : std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(1, segments_to_read));
}

/// Once it is known what is to be read.
void ScanRun::Impl::open_lanes(std::size_t segments_to_read) {
  loops->grow(lanes_for(segments_to_read));
  while (lanes.size() < loops->size()) {
    add_lane();
  }
  requests = std::make_unique<source::ScanRequests>(settings.scan, segments);
  for (const auto& lane : lanes) {
    lane->parts.emplace(source::ScanContext{
        .dynamodb = lane->dynamodb.client(),
        .requests = *requests,
        .keys = table.keys,
        .object = fmt::format("table {} in {}", settings.table.name, dynamodb().region()),
        .limits = retry_limits()});
    lane->builder = make_builder(lane->random);
    if (settings.stream) {
      lane->sink =
          std::make_unique<sink::KinesisSink>(lane->kinesis->client(), *format, filled_stream,
                                              surroundings.clock, lane->random, retry_limits());
    }
  }
}

/// Asks what is to be read and what is to be filled, which shows too that both are there.
Awaitable<void> ScanRun::Impl::describe() {
  co_await connect();
  const std::string table_id =
      settings.table.arn.empty() ? settings.table.name : settings.table.arn;
  settings.scan.table = table_id;
  table = co_await source::describe_table(dynamodb(), table_id, settings.scan.index,
                                          settings.scan.consistent_read);
  if (settings.stream) {
    const batch::StreamId id = stream_id();
    co_await describe_stream(id);
    co_await list_shards();
  }
}

batch::StreamId ScanRun::Impl::stream_id() const {
  return {.name = settings.stream->name, .arn = settings.stream->arn};
}

/// A stream that does not say how its capacity is managed is a local server's: it is not paced.
bool ScanRun::Impl::paces_shards() const { return stream.mode != sink::StreamMode::unknown; }

/// Where it is of use. A run goes on without.
Awaitable<void> ScanRun::Impl::list_shards() {
  if (!paces_shards() && !settings.aggregate) {
    co_return;
  }
  const batch::StreamId id = stream_id();
  try {
    use_shards(co_await sink::list_shards(kinesis(), format->wire(), id));
  } catch (const Error& error) {
    pacing_notice =
        "the stream's shards are not paced, which needs kinesis:ListShards: " + error.message();
  }
  if (!shards && settings.aggregate) {
    // Where a record's items go is right with any map: docs/aggregation_format.md.
    shards.emplace(batch::ShardMap::evenly(std::max(1U, stream.open_shards)));
  }
}

/// Finds out on the way which wire the endpoint understands.
Awaitable<void> ScanRun::Impl::describe_stream(const batch::StreamId& id) {
  Wire wire = settings.kinesis_wire == KinesisWire::json ? Wire::json : Wire::cbor;
  bool refused = false;
  try {
    stream = co_await sink::describe_stream(kinesis(), wire, id);
  } catch (const Error& error) {
    if (settings.kinesis_wire != KinesisWire::automatic ||
        !aws::may_be_about_format(error.details().code)) {
      throw;
    }
    refused = true;
  }
  if (refused) {
    stream = co_await sink::describe_stream(kinesis(), Wire::json, id);
  }
  const bool automatic = settings.kinesis_wire == KinesisWire::automatic;
  if (refused || (automatic && stream.nonstandard_cbor)) {
    wire = Wire::json;
  }
  format = &batch::put_records_format(wire);
}

void ScanRun::Impl::use_shards(batch::ShardMap map) {
  if (paces_shards()) {
    pacing_notice = sink::pacing_text(map.shards().size(), stream.mode);
  }
  shards.emplace(std::move(map));
  shards_are_listed = true;
}

/// False when the run was stopped meanwhile.
Awaitable<bool> ScanRun::Impl::describe_unless_stopped() {
  try {
    co_await asio::co_spawn(executor, describe(),
                            asio::bind_cancellation_slot(start_up.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error& error) {
    if (!stop_requested || error.code() != asio::error::operation_aborted) {
      throw;
    }
  }
  start_up.slot().clear();
  co_return !stop_requested;
}

std::string ScanRun::Impl::destination() const {
  if (settings.stream) {
    return stream.arn.empty() ? settings.stream->name : stream.arn;
  }
  return settings.file == "-"
             ? "standard output"
             : std::filesystem::absolute(settings.file).lexically_normal().string();
}

/// All that makes the run the run that it is: resuming with another would mix two scans.
checkpoint::RunIdentity ScanRun::Impl::identity() const {
  return {{"table", table.arn.empty() ? settings.table.name : table.arn},
          {"table id", table.table_id},
          {settings.stream ? "stream" : "file", destination()},
          {"stream created", stream.created},
          {"index", settings.scan.index},
          {"consistent", settings.scan.consistent_read ? "yes" : "no"},
          {"filter", settings.scan.filter_expression},
          {"projection", settings.scan.projection_expression},
          {"names", settings.scan.attribute_names},
          {"values", settings.scan.attribute_values}};
}

std::string ScanRun::Impl::default_checkpoint() const {
  if (settings.file == "-") {
    return "none";  // nobody knows what became of the items that a pipe took
  }
  return place_in_state_home("checkpoint", setting::kCheckpoint("PATH"));
}

/// The file of this table and destination, where the user's state is kept. `what` is to be there,
/// and `option` puts it elsewhere.
std::string ScanRun::Impl::place_in_state_home(std::string_view what, const Message& option) const {
  std::string state_home = surroundings.environment("XDG_STATE_HOME");
  if (state_home.empty()) {
    const std::string home = surroundings.environment("HOME");
    if (home.empty()) {
      throw usage_error(
          fmt::format("there is no place for the {}: neither HOME nor XDG_STATE_HOME is set", what),
          "Give " + option + ".");
    }
    state_home = home + "/.local/state";
  }
  const std::string name = settings.stream
                               ? settings.stream->name
                               : std::filesystem::path(settings.file).filename().string();
  std::string key = fmt::format("{}\n{}\n{}", table.arn, destination(), settings.scan.index);
  if (!settings.part.alone()) {
    key += fmt::format("\nworker {} of {}", settings.part.worker, settings.part.workers);
  }
  return checkpoint::default_checkpoint_path(state_home, settings.table.name, name, key);
}

void ScanRun::Impl::open_stores() {
  checkpoint::CheckpointLocation location = checkpoint::parse_checkpoint_location(
      settings.checkpoint.empty() ? default_checkpoint() : settings.checkpoint);
  if (!settings.part.alone()) {
    fleet_store = checkpoint::open_fleet_store(location, store_context());
    location = checkpoint::worker_location(location, settings.part);
  }
  store = checkpoint::open_checkpoint_store(location, store_context());
  checkpoint_location = store->location();
}

/// Where workers share the run: agrees with the others on what is read. Not before the part of this
/// one is its own: two processes that take themselves for the same worker would disturb the others.
Awaitable<void> ScanRun::Impl::join_workers() {
  if (!fleet_store) {
    co_return;
  }
  FleetTerms terms;
  terms.identity = identity();
  for (checkpoint::IdentityPart& part : terms.identity) {
    if (part.name == "file") {
      part.value = "one for each worker";
    }
  }
  terms.segments = settings.segments;
  terms.choose = [this] { return chosen_segments(); };
  terms.restart = settings.restart;
  fleet.emplace(*fleet_store, settings.part, surroundings.clock, lanes.front()->random);
  agreed_segments = co_await fleet->join(std::move(terms));
}

/// Not while the run is going on.
Awaitable<void> ScanRun::Impl::leave_workers(bool complete) {
  if (!agreed_segments) {
    co_return;
  }
  using State = checkpoint::FleetMember::State;
  try {
    co_await fleet->leave(complete ? State::complete : State::left);
  } catch (const Error& error) {
    notice("the other workers do not know yet that this one has ended: " + error.message());
    co_return;
  }
  notice(fleet->text());
}

/// The state of the run that is to be resumed, or nothing if one is to begin. Throws a usage error
/// when the checkpoint is that of another run. Not before workers that share it have agreed.
std::optional<checkpoint::RunState> ScanRun::Impl::resumable(
    std::optional<checkpoint::RunState> state) const {
  if (!state || settings.restart) {
    return std::nullopt;
  }
  std::vector<std::string> different = checkpoint::differences(state->identity, identity());
  const std::optional<std::uint32_t> wanted = agreed_segments ? agreed_segments : settings.segments;
  if (wanted && *wanted != state->segments.size()) {
    different.push_back(
        fmt::format("segments: was {}, is now {}", state->segments.size(), *wanted));
  }
  if (different.empty()) {
    return state;
  }
  const bool nothing_done =
      std::ranges::all_of(state->segments, [this](const checkpoint::SegmentProgress& segment) {
        return segment.position == source::ScanPosition{} || !settings.part.has(segment.segment);
      });
  if (nothing_done) {
    return std::nullopt;  // a filter that was refused, say, and is now put right
  }
  throw usage_error(fmt::format("the checkpoint {} belongs to another run; {}", checkpoint_location,
                                fmt::join(different, "; ")),
                    "Repeat the settings of that run, begin anew with " + setting::kRestart +
                        ", or name another " + setting::kCheckpoint + ".");
}

/// By the table's size, and the cores of all workers, taken to be as many as here.
std::uint32_t ScanRun::Impl::chosen_segments() {
  const std::uint32_t workers = settings.part.workers;
  const source::SegmentChoice choice =
      source::choose_segments(table.estimated_bytes, usable_cores() * workers);
  const std::uint32_t chosen = std::max(choice.segments, workers);
  segments_notice =
      fmt::format("reading in {}, chosen {}; ", counted(chosen, "segment"), choice.reason) +
      setting::kSegments("N") + " chooses otherwise";
  return chosen;
}

checkpoint::RunState ScanRun::Impl::begin_run() {
  const std::optional<std::uint32_t> given = agreed_segments ? agreed_segments : settings.segments;
  segments = given ? *given : chosen_segments();
  file_start = settings.restart ? sink::FileStart::restart : sink::FileStart::fresh;
  return {.identity = identity(),
          .segments = checkpoint::fresh_segments(segments, settings.part),
          .token = checkpoint::new_run_token()};
}

void ScanRun::Impl::open_destination(const checkpoint::RunState& state) {
  if (settings.stream) {
    stream_limits = stream.limits;
    if (shards_are_listed && paces_shards()) {
      const auto list = [this] {
        return sink::list_shards(kinesis(), format->wire(), stream_id());
      };
      paced_shards = std::make_unique<sink::PacedShards>(executor, surroundings.clock, *shards,
                                                         stream.mode, list);
      // Batches are sent in parts anyway, and take room until their slowest shard has all: more and
      // smaller ones keep more shards busy.
      stream_limits.request_bytes = stream_limits.record_bytes;
    }
    filled_stream.name = settings.stream->name;
    filled_stream.open_shards = stream.open_shards;
    filled_stream.shards = paced_shards.get();
    filled_stream.accepted_any = items_before > 0;
  } else {
    // Each item is a line: its JSON and a line break.
    const std::uint64_t delivered_bytes = state.bytes() + state.items();
    file_sink = std::make_unique<sink::FileSink>(settings.file, file_start, delivered_bytes);
  }
  const auto to_read = std::ranges::count_if(
      state.segments, [](const auto& segment) { return !segment.position.complete; });
  open_lanes(static_cast<std::size_t>(to_read));
  filled_stream.sinks = lanes.size();
}

std::unique_ptr<batch::BatchBuilder> ScanRun::Impl::make_builder(Random& random) const {
  if (!settings.stream) {
    return std::make_unique<batch::NdjsonBuilder>();
  }
  const batch::PartitionKeys keys =
      settings.random_partition_keys ? batch::PartitionKeys(random) : batch::PartitionKeys();
  if (settings.aggregate) {
    return std::make_unique<batch::AggregatingBuilder>(*format, stream_id(), stream_limits, keys,
                                                       *shards);
  }
  return std::make_unique<batch::PutRecordsBuilder>(*format, stream_id(), stream_limits, keys);
}

/// A stream does not take every item; a file does.
void ScanRun::Impl::open_dead_letters(bool restart) {
  if (!settings.stream) {
    return;
  }
  dead_letters_location = settings.dead_letters;
  if (dead_letters_location.empty()) {
    std::filesystem::path path =
        store->file().empty() ? place_in_state_home("dead letters", setting::kDeadLetters("FILE"))
                              : store->file();
    dead_letters_location = path.replace_extension("dead-letters.ndjson").string();
  }
  dead_letters = std::make_unique<sink::DeadLetterFile>(
      dead_letters_location,
      sink::DeadLetterOrigin{.table = settings.table.name, .destination = settings.stream->name},
      restart);
}

aws::RetryLimits ScanRun::Impl::retry_limits() const {
  return settings.max_wait ? aws::waiting_at_most(*settings.max_wait) : aws::RetryLimits{};
}

void ScanRun::Impl::open_pace() {
  const double consistency = settings.scan.consistent_read ? 2 : 1;
  budget = pace::units_per_second(settings.read_rate, table.read_capacity);
  gate = std::make_unique<pace::ReadGate>(executor, surroundings.clock, budget,
                                          source::kMaxPageReadUnits * consistency);
}

Awaitable<ScanOutcome> ScanRun::Impl::run() {
  ScanOutcome outcome;
  std::exception_ptr failure;
  try {
    outcome = co_await scan();
  } catch (const checkpoint::OwnedByAnother&) {
    failure = std::current_exception();
    agreed_segments.reset();  // what the other workers know is now its successor's to say
  } catch (...) {
    failure = std::current_exception();
  }
  co_await leave_workers(!failure && outcome.status == RunStatus::complete);
  co_await release_store();
  for (identity::Identity* identity : {reader.get(), writer.get()}) {
    if (identity != nullptr) {
      identity->stop();
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  co_return outcome;
}

/// So that the next process can go on at once. All that is to be kept has been written before.
Awaitable<void> ScanRun::Impl::release_store() {
  if (!store) {
    co_return;
  }
  try {
    co_await store->release();
  } catch (const checkpoint::OwnedByAnother&) {
    co_return;  // it is free, or its successor's
  } catch (const Error& error) {
    notice("the run stays this process's for some seconds: " + error.message());
  }
}

Awaitable<ScanOutcome> ScanRun::Impl::scan() {
  if (!co_await describe_unless_stopped()) {
    co_return ScanOutcome{.status = RunStatus::interrupted};
  }
  open_pace();
  open_stores();
  std::optional<checkpoint::RunState> stored = co_await store->load();
  co_await join_workers();
  std::optional<checkpoint::RunState> state = resumable(std::move(stored));
  open_dead_letters(settings.restart);
  if (state) {
    segments = static_cast<std::uint32_t>(state->segments.size());
    dead_letters_before = state->dead_letters();
    items_before = state->items() - dead_letters_before;
    bytes_before = state->bytes();
  }
  if (state && state->complete()) {
    segments_complete_before = segments;
    co_return ScanOutcome{.status = RunStatus::complete, .nothing_to_do = true};
  }
  notice(pace::read_rate_text(settings.read_rate, table.read_capacity, settings.part.workers));
  if (!pacing_notice.empty()) {
    notice(pacing_notice);
  }
  if (state) {
    file_start = sink::FileStart::resume;
    begun = true;
    notice(fmt::format("resuming after {}, in {}; checkpoint {}", counted(items_before, "item"),
                       counted(segments, "segment"), checkpoint_location));
    open_destination(*state);
  } else {
    state = begin_run();
    if (!segments_notice.empty()) {
      notice(segments_notice);
    }
    open_destination(*state);
    co_await store->begin(*state);
    begun = true;
  }

  PipelineParts parts{.lanes = {},
                      .dead_letters = dead_letters.get(),
                      .store = *store,
                      .read_gate = gate.get(),
                      .notice = notice};
  if (fleet && budget) {
    gate->set_rate(0, surroundings.clock.now());  // until it is known what the others have
    parts.beside = [this] { return fleet->share_budget(*budget, *gate); };
  }
  for (const auto& lane : lanes) {
    parts.lanes.push_back(lane->lane_parts(file_sink.get()));
  }
  pipeline = std::make_unique<Pipeline>(executor, std::move(parts), state->segments,
                                        surroundings.limits, settings.limit);
  if (stop_requested) {
    pipeline->stop();
  }
  const RunStatus status = co_await pipeline->run();
  co_return ScanOutcome{.status = status};
}

ScanRun::ScanRun(asio::any_io_executor executor, ScanSettings settings,
                 RunSurroundings surroundings, Notice notice)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(settings),
                                   std::move(surroundings), std::move(notice))) {}

ScanRun::~ScanRun() = default;

Awaitable<ScanOutcome> ScanRun::run() { return impl_->run(); }

void ScanRun::stop() {
  impl_->stop_requested = true;
  impl_->start_up.emit(asio::cancellation_type::terminal);
  if (impl_->pipeline) {
    impl_->pipeline->stop();
  }
}

ScanProgress ScanRun::progress() const {
  ScanProgress progress{.counters = {},
                        .segments = impl_->segments,
                        .items_before = impl_->items_before,
                        .bytes_before = impl_->bytes_before,
                        .dead_letters_before = impl_->dead_letters_before,
                        .estimated_items = impl_->table.estimated_items};
  progress.counters.segments_complete = impl_->segments_complete_before;
  progress.begun = impl_->begun;
  if (impl_->pipeline) {
    progress.read_rate = impl_->budget;
    progress.counters = impl_->pipeline->counters();
  }
  // What the others read counts as complete from the first.
  progress.segments = impl_->settings.part.count_of(impl_->segments);
  if (impl_->segments > 0) {
    progress.estimated_items = progress.estimated_items * progress.segments / impl_->segments;
  }
  std::uint32_t& complete = progress.counters.segments_complete;
  complete -= std::min(complete, impl_->segments - progress.segments);
  std::vector<const aws::Client*> clients;
  for (const auto& lane : impl_->lanes) {
    progress.records_sent_again += lane->sink ? lane->sink->records_sent_again() : 0;
    clients.push_back(&lane->dynamodb.client());
    if (lane->kinesis) {
      clients.push_back(&lane->kinesis->client());
    }
  }
  if (impl_->of_checkpoint) {
    clients.push_back(&impl_->of_checkpoint->client());
  }
  for (const aws::Client* client : clients) {
    const aws::ClientCounters counters = client->counters();
    progress.throttled_requests += counters.throttles;
    progress.requests_retried += counters.retries;
  }
  return progress;
}

const std::string& ScanRun::checkpoint_location() const { return impl_->checkpoint_location; }

const std::string& ScanRun::dead_letters_location() const { return impl_->dead_letters_location; }

}  // namespace everyitem::pipeline
