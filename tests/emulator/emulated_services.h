// DynamoDB, Kinesis and Parameter Store as far as a scan needs them: a generated table to read, a
// stream to fill, tables and parameters to keep checkpoints in; and what identities are found with.
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

/// How a stream refuses a record that it can never take.
enum class Refusal {
  entry,    ///< its entry in the answer fails
  request,  ///< the whole request is refused
};

/// Which formats a stream's endpoint takes.
enum class KinesisWires {
  both,
  json,      ///< CBOR is an operation that it does not know: 400 UnknownOperationException, in JSON
  json_415,  ///< CBOR is a type that it does not know: 415, without a body
};

/// What DescribeStreamSummary says of the stream's capacity.
enum class StreamMode {
  none,  ///< nothing, as servers of old
  provisioned,
  on_demand,
};

struct StreamShape {
  std::uint32_t shards = 4;
  StreamMode mode = StreamMode::none;
  std::size_t shards_per_page = 1000;  ///< of ListShards, at most
  std::size_t record_bytes = 1U << 20;
  std::size_t request_bytes = 5U << 20;
  ShardLimits shard_limits = {};
  /// At this call of PutRecords, from 0, every shard is split, and the stream is UPDATING for
  /// kUpdatingCalls calls.
  std::optional<std::uint64_t> split_at = {};
  /// Records that hold an item whose number is a multiple of this are never taken. 0: all are.
  std::uint64_t refused_every = 0;
  Refusal refusal = Refusal::entry;
  KinesisWires wires = KinesisWires::both;
};

inline constexpr std::uint64_t kUpdatingCalls = 20;

/// The services' own limits, kept to as they keep to them, and what they saw.
struct ServiceCounts {
  std::map<std::string, std::uint64_t, std::less<>> requests;  ///< by operation
  std::uint64_t signatures_refused = 0;                        ///< wrong whatever the time
  std::uint64_t signatures_out_of_time = 0;  ///< of a clock that differs from the services'
  std::uint64_t requests_over_limits = 0;    ///< more records or bytes than PutRecords takes
  std::uint64_t cbor_requests = 0;           ///< of Kinesis, answered in CBOR or not
  std::uint64_t sunk_bytes = 0;              ///< of kSink
  double read_units = 0;                     ///< of all pages that were served
  std::uint64_t reads_refused = 0;           ///< as faster than what is provisioned
  std::uint64_t records_throttled = 0;       ///< as more than their shard takes
  AggregatedCounts aggregated;
  /// By operation, how often each access key called: requests that were signed right.
  std::map<std::string, std::map<std::string, std::uint64_t>, std::less<>> callers;
  /// How often each access key called after its session had ended.
  std::map<std::string, std::uint64_t, std::less<>> expired;
};

/// The X-Amz-Target that takes any body, unsigned, and counts its bytes: for the benchmark's floor.
inline constexpr std::string_view kSink = "Bench.Sink";

/// By segment, the pages that were served: the number of the item that each begins with.
using PagesServed = std::map<std::uint32_t, std::set<std::uint64_t>>;

/// One event loop.
class EmulatedServices {
 public:
  /// `credentials` and all identities of IdentityRegister may call.
  EmulatedServices(TableShape table, StreamShape stream, aws::Credentials credentials,
                   const IdentityOptions& identity = {});

  /// Answers a request, in the format that it has; `fault` is one that changes what the service
  /// does or says. Faults of the network are the server's. The body may be given more room, for the
  /// JSON parser's padding.
  Reply answer(ReceivedRequest& request, std::optional<Fault> fault, FaultPlan& plan);

  /// The operation that a request asks for: "Scan"; empty when it names none.
  static std::string operation_of(const ReceivedRequest& request);

  const ReceivedItems& received() const { return received_; }
  /// Items that the stream can never take: those that are refused, and those whose data alone is
  /// larger than a record. received().missing() is this when all others have come.
  std::uint64_t undeliverable() const;
  bool can_be_taken(std::uint64_t item) const;
  const ServiceCounts& counts() const { return counts_; }
  const IdentityRegister& identities() const { return identities_; }
  /// Those since it was called last.
  PagesServed take_pages_served() { return std::exchange(pages_served_, {}); }

  /// Added to this machine's clock, as the services see the time. Some faults change it.
  std::chrono::seconds clock_offset{0};

 private:
  IdentityRegister::Time now() const { return std::chrono::system_clock::now() + clock_offset; }
  /// What IdentityRegister::check says, counted.
  std::optional<SignatureRefusal> check_caller(const ReceivedRequest& request,
                                               const std::string& operation,
                                               std::string_view service);
  Reply answer_identity(const ReceivedRequest& request, const std::string& operation,
                        std::optional<Fault> fault);
  void move_clock(Fault fault);
  Reply describe_table() const;
  Reply describe_stream(const std::string& body, Wire wire) const;
  Reply list_shards(const std::string& body, Wire wire) const;
  Reply scan(const std::string& body);
  Reply put_records(const std::string& body, Wire wire, std::optional<Fault> fault,
                    FaultPlan& plan);
  bool is_refused(std::string_view data);
  bool updating() const;
  bool may_be_read(std::chrono::steady_clock::time_point now);

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
  /// Read units that may be read at once: those of a second at most; negative for what is owed.
  double read_credit_ = 0;
  std::chrono::steady_clock::time_point read_credit_as_of_;
};

}  // namespace everyitem::emulator
