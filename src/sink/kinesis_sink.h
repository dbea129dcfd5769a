// Puts batches into a Kinesis data stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/client.h"
#include "base/clock.h"
#include "batch/put_records_format.h"
#include "sink/paced_shards.h"
#include "sink/put_records_result.h"
#include "sink/sink.h"
#include "sink/stream_description.h"

namespace everyitem::sink {

class KinesisSink final : public Sink {
 public:
  /// The client, the format of the batches, the clock and the random numbers outlive the sink.
  /// `limits`: how long to go on with what is refused. `took_some`: the stream took records of the
  /// run before. `shards` paces what is sent and outlives the sink; null: it is sent at once.
  KinesisSink(aws::Client& kinesis, const batch::PutRecordsFormat& format,
              const std::string& stream, const StreamDescription& description, Clock& clock,
              Random& random, aws::RetryLimits limits = {}, bool took_some = false,
              PacedShards* shards = nullptr);

  /// Sends the whole batch, then again and again only what failed, with backoff and jitter: for as
  /// long as something gets through, or `limits` let it. A request that is refused as not valid is
  /// sent again in halves, until it is clear which record is to blame. Where the stream refuses
  /// several records so and has never taken one, it is not the records: that is thrown.
  Awaitable<std::vector<RefusedItem>> deliver(const batch::RecordBatch& batch) override;

  std::size_t max_batches_in_flight() const override { return max_batches_in_flight_; }
  std::uint64_t records_sent_again() const override { return records_sent_again_; }

 private:
  using Indexes = RecordIndexes;  // into a batch's records, rising
  /// Records of a batch that are to be sent.
  struct Outgoing {
    Indexes pending;
    Indexes sent = {};  ///< by the last request, not yet known to be taken
  };

  Awaitable<void> send(const batch::RecordBatch& batch, Outgoing& records, ShardShare* share,
                       std::vector<RefusedItem>& refused);
  Awaitable<PutRecordsResult> put(const batch::RecordBatch& batch, const Indexes& sent,
                                  const ShardShare* share);
  void refuse(const batch::RecordBatch& batch, std::uint32_t record, const std::string& code,
              const std::string& reason, std::vector<RefusedItem>& refused) const;
  Error refusal(const PutRecordsResult& result, std::size_t refused, std::size_t records) const;

  aws::Client& kinesis_;
  const batch::PutRecordsFormat& format_;
  std::string object_;  ///< for messages
  Clock& clock_;
  Random& random_;
  aws::RetryLimits limits_;
  std::size_t max_batches_in_flight_;
  PacedShards* shards_;
  bool took_some_;  ///< the stream has taken a record of the run
  std::uint64_t records_sent_again_ = 0;
};

}  // namespace everyitem::sink
