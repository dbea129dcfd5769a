// The parts of DynamoDB, Kinesis and Parameter Store that a scan needs: a generated table to read,
// a stream to fill, tables and parameters for checkpoints; and services that identities are found
// with.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "emulator/emulated_identity.h"
#include "emulator/emulated_items.h"
#include "emulator/emulated_parameters.h"
#include "emulator/fault_plan.h"
#include "emulator/generated_table.h"
#include "emulator/identity_register.h"
#include "emulator/put_records_wire.h"
#include "emulator/received_items.h"
#include "emulator/service_reply.h"
#include "emulator/signature_check.h"
#include "emulator/stream_consumer.h"
#include "emulator/stream_shards.h"

namespace everyitem::emulator {

/// How a stream rejects a record that it can never accept.
enum class Refusal {
  entry,    ///< its entry in the response fails
  request,  ///< the whole request is rejected
};

/// The formats a stream's endpoint accepts.
enum class KinesisWires {
  both,
  json,      ///< CBOR is an unknown operation: 400 UnknownOperationException, in JSON
  json_415,  ///< CBOR is an unknown media type: 415, without a body
};

/// What DescribeStreamSummary reports about the stream's capacity.
enum class StreamMode {
  none,  ///< nothing, like old servers
  provisioned,
  on_demand,
};

struct StreamShape {
  std::uint32_t shards = 4;
  StreamMode mode = StreamMode::none;
  std::size_t shards_per_page = 1000;  ///< maximum for ListShards
  std::size_t record_bytes = 1U << 20;
  std::size_t request_bytes = 5U << 20;
  ShardLimits shard_limits = {};
  /// At this PutRecords call (from 0) every shard is split, and the stream is UPDATING for
  /// kUpdatingCalls calls.
  std::optional<std::uint64_t> split_at = {};
  /// Records with an item whose number is a multiple of this are never accepted. 0 accepts all.
  std::uint64_t refused_every = 0;
  Refusal refusal = Refusal::entry;
  KinesisWires wires = KinesisWires::both;
};

inline constexpr std::uint64_t kUpdatingCalls = 20;

/// What the services have seen, including violations of their limits.
struct ServiceCounts {
  std::map<std::string, std::uint64_t, std::less<>> requests;  ///< by operation
  std::uint64_t signatures_refused = 0;                        ///< wrong at any time
  std::uint64_t signatures_out_of_time = 0;  ///< from a clock that differs from the services'
  std::uint64_t requests_over_limits = 0;    ///< more records or bytes than PutRecords accepts
  std::uint64_t cbor_requests = 0;           ///< to Kinesis, whether or not the response was CBOR
  std::uint64_t sunk_bytes = 0;              ///< bytes sent to kSink
  double read_units = 0;                     ///< for all pages served
  std::uint64_t reads_refused = 0;           ///< because they exceed the provisioned capacity
  std::uint64_t records_throttled = 0;       ///< because their shard was full
  AggregatedCounts aggregated;
  /// By operation, the number of correctly signed requests of each access key.
  std::map<std::string, std::map<std::string, std::uint64_t>, std::less<>> callers;
  /// The number of requests of each access key after its session had expired.
  std::map<std::string, std::uint64_t, std::less<>> expired;
};

/// The X-Amz-Target that accepts any unsigned body and counts its bytes, for the benchmark's floor.
inline constexpr std::string_view kSink = "Bench.Sink";

/// The pages served per segment, as the number of the first item of each.
using PagesServed = std::map<std::uint32_t, std::set<std::uint64_t>>;

/// One event loop.
class EmulatedServices {
 public:
  /// `credentials` and all identities of IdentityRegister may call. `clock` outlives this; null:
  /// the machine's.
  EmulatedServices(TableShape table, StreamShape stream, aws::Credentials credentials,
                   const IdentityOptions& identity = {}, const Clock* clock = nullptr);

  /// Responds to a request in its own format. `fault` changes what the service does or responds;
  /// the server itself produces faults of the network. May enlarge the body for the JSON parser's
  /// padding.
  Reply answer(ReceivedRequest& request, std::optional<Fault> fault, FaultPlan& plan);

  /// The operation in a request, such as "Scan"; empty if it names none.
  static std::string operation_of(const ReceivedRequest& request);

  const GeneratedTable& table() const { return table_; }
  const ReceivedItems& received() const { return received_; }
  /// Items the stream can never accept: rejected ones, and those whose data alone is larger than a
  /// record. Equals received().missing() when all others have arrived.
  std::uint64_t undeliverable() const;
  bool can_be_taken(std::uint64_t item) const;
  const ServiceCounts& counts() const { return counts_; }
  const EmulatedItems& items() const { return items_; }
  const IdentityRegister& identities() const { return identities_; }
  /// The pages served since the last call.
  PagesServed take_pages_served() { return std::exchange(pages_served_, {}); }

  IdentityRegister::Time now() const { return clock().wall_now() + clock_offset; }

  /// The offset of the services' wall clock from their clock. Some faults change it.
  std::chrono::seconds clock_offset{0};

 private:
  const Clock& clock() const { return clock_ != nullptr ? *clock_ : machine_clock_; }
  /// Calls IdentityRegister::check, and counts the results.
  std::optional<SignatureRefusal> check_caller(const ReceivedRequest& request,
                                               const std::string& operation,
                                               std::string_view service);
  Reply answer_identity(const ReceivedRequest& request, const std::string& operation,
                        std::optional<Fault> fault);
  void move_clock(Fault fault);
  Reply describe_table(const std::string& body) const;
  Reply describe_stream(const std::string& body, Wire wire) const;
  Reply list_shards(const std::string& body, Wire wire) const;
  Reply scan(const std::string& body);
  Reply put_records(const std::string& body, Wire wire, std::optional<Fault> fault,
                    FaultPlan& plan);
  bool is_refused(std::string_view data);
  bool updating() const;
  bool may_be_read(std::chrono::steady_clock::time_point now);

  SystemClock machine_clock_;
  const Clock* clock_;
  GeneratedTable table_;
  StreamShape stream_;
  IdentityRegister identities_;
  EmulatedIdentity identity_;
  StreamShards shards_;
  ReceivedItems received_;
  EmulatedItems items_;
  EmulatedParameters parameters_;
  ServiceCounts counts_;
  StreamConsumer consumer_{shards_, received_, counts_.aggregated};
  PagesServed pages_served_;
  std::uint64_t put_calls_ = 0;
  std::optional<std::uint64_t> split_at_call_;
  std::uint64_t sequence_number_ = 0;
  /// Read units available now: at most those of one second, negative if overdrawn.
  double read_credit_ = 0;
  std::chrono::steady_clock::time_point read_credit_as_of_;
};

}  // namespace everyitem::emulator
