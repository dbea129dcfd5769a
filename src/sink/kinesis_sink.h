// Puts batches into a Kinesis data stream.
#pragma once

#include <cstdint>
#include <string>

#include "aws/client.h"
#include "base/clock.h"
#include "batch/put_records_request.h"
#include "sink/put_records_result.h"
#include "sink/sink.h"
#include "sink/stream_description.h"

namespace everyitem::sink {

class KinesisSink final : public Sink {
 public:
  /// The client, the clock and the random numbers outlive the sink.
  KinesisSink(aws::Client& kinesis, const std::string& stream, const StreamDescription& description,
              Clock& clock, Random& random);

  /// Sends the whole batch, then again and again only what failed, with backoff and jitter: for as
  /// long as the stream throttles; otherwise until kMaxFruitlessRounds in a row got nothing
  /// through.
  Awaitable<void> deliver(const batch::RecordBatch& batch) override;

  std::size_t max_batches_in_flight() const override { return max_batches_in_flight_; }
  std::uint64_t records_sent_again() const override { return records_sent_again_; }

  static constexpr int kMaxFruitlessRounds = 10;

 private:
  Awaitable<PutRecordsResult> put(std::string_view body, std::size_t records);

  aws::Client& kinesis_;
  std::string object_;  ///< for messages
  Clock& clock_;
  Random& random_;
  std::size_t max_batches_in_flight_;
  std::uint64_t records_sent_again_ = 0;
};

}  // namespace everyitem::sink
