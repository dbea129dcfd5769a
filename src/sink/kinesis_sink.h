// Puts batches into a Kinesis data stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/client.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "batch/put_records_format.h"
#include "sink/filled_stream.h"
#include "sink/put_records_result.h"
#include "sink/sink.h"

namespace everyitem::sink {

class KinesisSink final : public Sink {
 public:
  /// The client, the format of the batches, the clock and the random numbers outlive the sink.
  /// `limits`: how long to go on with what is refused.
  KinesisSink(aws::Client& kinesis, const batch::PutRecordsFormat& format, FilledStream& stream,
              Clock& clock, Random& random, aws::RetryLimits limits = {});

  /// Sends the whole batch, then again and again only what failed, with backoff and jitter: for as
  /// long as something gets through, or `limits` let it. A request that is refused as not valid is
  /// sent again in halves, until it is clear which record is to blame. Where the stream refuses
  /// several records so and has never taken one, it is not the records: that is thrown.
  Awaitable<std::vector<RefusedItem>> deliver(const batch::RecordBatch& batch) override;

  bool needs_sha256() const override { return true; }
  std::size_t max_batches_in_flight() const override;
  std::uint64_t records_sent_again() const override { return records_sent_again_.get(); }

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
                                  ShardShare* share);
  void refuse(const batch::RecordBatch& batch, std::uint32_t record, const std::string& code,
              const std::string& reason, std::vector<RefusedItem>& refused) const;
  Error refusal(const PutRecordsResult& result, std::size_t refused, std::size_t records) const;

  aws::Client& kinesis_;
  const batch::PutRecordsFormat& format_;
  FilledStream& stream_;
  std::string object_;  ///< for messages
  Clock& clock_;
  Random& random_;
  aws::RetryLimits limits_;
  Guarded<std::uint64_t> records_sent_again_;
};

}  // namespace everyitem::sink
