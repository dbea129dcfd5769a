#include "sink/kinesis_sink.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::sink {

namespace {

/// A shard takes 1,000 records a second (Kinesis quotas): two full batches. A few more under way
/// than shards keep every shard busy during the round trips; more only wait in the service's queue.
std::size_t batches_in_flight(std::uint32_t open_shards) {
  return std::clamp<std::size_t>(std::size_t{2} * open_shards, 8, 64);
}

/// Waits between rounds: a shard's allowance comes back within a second.
constexpr aws::Backoff kRoundBackoff{.base = std::chrono::milliseconds(100),
                                     .cap = std::chrono::seconds(5)};

}  // namespace

KinesisSink::KinesisSink(aws::Client& kinesis, const std::string& stream,
                         const StreamDescription& description, Clock& clock, Random& random)
    : kinesis_(kinesis),
      object_(fmt::format("stream {} in {}", stream, kinesis.region())),
      clock_(clock),
      random_(random),
      max_batches_in_flight_(batches_in_flight(description.open_shards)) {}

Awaitable<void> KinesisSink::deliver(const batch::RecordBatch& batch) {
  PutRecordsResult result = co_await put(batch.body, batch.records.size());
  std::vector<std::uint32_t> pending = std::move(result.failed);
  int stalled = 0;   // rounds in a row that got nothing through
  int failures = 0;  // the last ones among them that a slower pace does not explain
  while (!pending.empty()) {
    if (!result.only_retryable || failures >= kMaxFruitlessRounds) {
      throw Error(ErrorKind::failed,
                  {.operation = "PutRecords",
                   .object = object_,
                   .code = result.code,
                   .message = fmt::format("{} of {} records of a batch were refused: {}",
                                          pending.size(), batch.items, result.message),
                   .hint = std::string(aws::hint_for(result.code))});
    }
    co_await clock_.sleep(kRoundBackoff.wait(stalled + 1, random_.uniform()));
    records_sent_again_ += pending.size();
    const std::string body = batch::request_for(batch, pending);
    result = co_await put(body, pending.size());
    const bool progress = result.failed.size() < pending.size();
    stalled = progress ? 0 : stalled + 1;
    failures = progress || result.only_throttled ? 0 : failures + 1;
    for (std::uint32_t& index : result.failed) {
      index = pending[index];
    }
    pending = std::move(result.failed);
  }
}

Awaitable<PutRecordsResult> KinesisSink::put(std::string_view body, std::size_t records) {
  PutRecordsResult result;
  const aws::Client::Accept accept = [&](const aws::HttpResponse& response) {
    result = parse_put_records_result(response.body, records);
  };
  const aws::Call call{.operation = "PutRecords", .object = object_, .body = body};
  co_await kinesis_.call(call, accept);
  co_return result;
}

}  // namespace everyitem::sink
