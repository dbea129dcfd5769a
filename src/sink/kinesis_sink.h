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
  KinesisSink(aws::Client& kinesis, const batch::PutRecordsFormat& format, FilledStream& stream,
              Clock& clock, Random& random);

  /// Sends the whole batch, then only the records that failed, with backoff and jitter, for as long
  /// as some are accepted or the client's patience lasts. A request that is refused as invalid is
  /// sent again in halves, until the records to blame are found. If the stream refuses several
  /// records as invalid and has never accepted one, the records are not to blame: throws Error.
  Awaitable<std::vector<RefusedItem>> deliver(const batch::RecordBatch& batch) override;

  bool needs_sha256() const override { return true; }
  std::size_t max_batches_in_flight() const override;
  std::uint64_t records_sent_again() const override { return records_sent_again_.get(); }

 private:
  using Indexes = RecordIndexes;  // into a batch's records, rising
  /// Records of a batch that must be sent.
  struct Outgoing {
    Indexes pending;
    Indexes sent = {};  ///< by the last request, not yet known to be accepted
  };
  /// Of a batch; all indexes are into it.
  struct Refused {
    std::vector<InvalidRecord> records;  ///< those that the stream can never take
    /// How often each record was sent before and not taken; empty while none was.
    std::vector<std::uint32_t> failures = {};
  };

  static std::vector<RefusedItem> items_of(const batch::RecordBatch& batch, Refused refused);
  static void count_failures(const batch::RecordBatch& batch, const Indexes& records,
                             Refused& refused);
  Awaitable<void> send(const batch::RecordBatch& batch, Outgoing& records, PacedBatch* paced,
                       Refused& refused);
  Awaitable<PutRecordsResult> put(const batch::RecordBatch& batch, const Indexes& sent,
                                  PacedBatch* paced, aws::Patience patience);
  Error refusal(const PutRecordsResult& result, std::size_t refused, std::size_t records) const;

  aws::Client& kinesis_;
  const batch::PutRecordsFormat& format_;
  FilledStream& stream_;
  std::string object_;  ///< for messages
  Clock& clock_;
  Random& random_;
  Guarded<std::uint64_t> records_sent_again_;
};

}  // namespace everyitem::sink
