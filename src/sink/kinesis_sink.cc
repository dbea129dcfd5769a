#include "sink/kinesis_sink.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "aws/redaction.h"
#include "aws/service_error.h"
#include "base/error.h"
#include "base/human_format.h"

namespace everyitem::sink {

namespace {

/// A shard takes 1,000 records per second (Kinesis quotas): two full batches. Somewhat more batches
/// under way than shards keep every shard busy during the round trips; more would only wait in the
/// service's queue.
std::size_t batches_in_flight(std::uint32_t open_shards) {
  return std::clamp<std::size_t>(std::size_t{2} * open_shards, 8, 64);
}

/// Waits between requests: a shard's allowance comes back within a second.
constexpr aws::Backoff kRoundBackoff{.base = std::chrono::milliseconds(100),
                                     .cap = std::chrono::seconds(5)};

/// When a stream has refused this many records as invalid, and accepted none, they are not to
/// blame.
constexpr std::size_t kMaxRefusedAtFirst = 16;

}  // namespace

KinesisSink::KinesisSink(aws::Client& kinesis, const batch::PutRecordsFormat& format,
                         FilledStream& stream, Clock& clock, Random& random)
    : kinesis_(kinesis),
      format_(format),
      stream_(stream),
      object_(fmt::format("stream {} in {}", stream.name, kinesis.region())),
      clock_(clock),
      random_(random) {}

std::size_t KinesisSink::max_batches_in_flight() const {
  return (batches_in_flight(stream_.open_shards) + stream_.sinks - 1) / stream_.sinks;
}

/// The items of the refused records.
std::vector<RefusedItem> KinesisSink::items_of(const batch::RecordBatch& batch, Refused refused) {
  std::vector<RefusedItem> items;
  if (refused.records.empty()) {
    return items;
  }
  std::ranges::sort(refused.records, {}, &InvalidRecord::index);
  for (std::uint32_t i = 0; i < batch.items.size(); ++i) {
    const std::uint32_t record = batch.items[i].record;
    const auto found = std::ranges::lower_bound(refused.records, record, {}, &InvalidRecord::index);
    if (found != refused.records.end() && found->index == record) {
      items.push_back({.index = i,
                       .attempts = 1 + (refused.failures.empty() ? 0 : refused.failures.at(record)),
                       .code = found->code,
                       .reason = aws::without_items(found->message)});
    }
  }
  return items;
}

void KinesisSink::count_failures(const batch::RecordBatch& batch, const Indexes& records,
                                 Refused& refused) {
  refused.failures.resize(batch.records.size());
  for (const std::uint32_t record : records) {
    ++refused.failures[record];
  }
}

Awaitable<std::vector<RefusedItem>> KinesisSink::deliver(const batch::RecordBatch& batch) {
  Refused refused;
  std::vector<Indexes> requests(1);  // to be sent, from the back
  requests.front().resize(batch.records.size());
  std::iota(requests.front().begin(), requests.front().end(), 0U);
  std::optional<PacedBatch> paced;
  if (stream_.shards != nullptr) {
    paced.emplace(batch::record_loads(batch, format_));
  }
  while (!requests.empty()) {
    Outgoing records;
    records.pending = std::move(requests.back());
    requests.pop_back();
    std::optional<ErrorDetails> invalid;
    try {
      co_await send(batch, records, paced ? &*paced : nullptr, refused);
    } catch (const Error& error) {
      if (aws::classify(400, error.details().code) != aws::ErrorClass::invalid) {
        throw;
      }
      invalid = error.details();
    }
    if (!invalid) {
      continue;
    }
    if (!records.pending.empty()) {
      requests.push_back(std::move(records.pending));
    }
    const Indexes& request = records.sent;
    if (request.size() == 1) {
      refused.records.push_back(
          {.index = request.front(), .code = invalid->code, .message = invalid->message.text()});
      continue;
    }
    count_failures(batch, request, refused);
    const auto middle = request.begin() + static_cast<std::ptrdiff_t>(request.size() / 2);
    requests.emplace_back(middle, request.end());
    requests.emplace_back(request.begin(), middle);
    if (!stream_.accepted_any && refused.records.size() >= kMaxRefusedAtFirst) {
      throw Error(ErrorKind::failed, *invalid);
    }
  }
  if (!stream_.accepted_any && refused.records.size() > 1) {
    const InvalidRecord& first = refused.records.front();
    throw refusal({.code = first.code, .message = first.message}, refused.records.size(),
                  batch.records.size());
  }
  std::vector<RefusedItem> items = items_of(batch, std::move(refused));
  co_return items;
}

Awaitable<void> KinesisSink::send(const batch::RecordBatch& batch, Outgoing& records,
                                  PacedBatch* paced, Refused& refused) {
  Indexes& sent = records.sent;
  int stalled = 0;  // requests in a row of which no record was accepted
  aws::Retries retries(kinesis_.patience(), clock_.now());
  for (;;) {
    if (paced != nullptr) {
      const auto asked = clock_.now();
      sent = co_await stream_.shards->take(*paced, records.pending);
      retries.exclude(clock_.now() - asked);
    } else {
      sent = std::exchange(records.pending, {});
    }
    const aws::Patience patience = retries.left(clock_.now());
    PutRecordsResult result = co_await put(batch, sent, paced, patience);
    const std::size_t not_accepted = result.failed.size() + result.invalid.size();
    if (not_accepted < sent.size() && !stream_.accepted_any) {
      stream_.accepted_any = true;
    }
    for (InvalidRecord& record : result.invalid) {
      record.index = sent[record.index];
      refused.records.push_back(std::move(record));
    }
    if (result.failed.empty() && records.pending.empty()) {
      co_return;
    }
    if (result.failed.size() < sent.size()) {
      stalled = 0;
      retries = aws::Retries(kinesis_.patience(), clock_.now());
    }
    if (result.failed.empty()) {
      continue;
    }
    ++stalled;
    const auto error_class =
        result.only_throttled ? aws::ErrorClass::throttle : aws::ErrorClass::transient;
    if (!result.only_retryable) {
      throw refusal(result, result.failed.size(), batch.records.size());
    }
    const auto now = clock_.now();
    const auto left = retries.failed(error_class, now);
    if (!left) {
      result.message +=
          fmt::format(" (gave up after {} requests in {}: {})", stalled,
                      duration(now - retries.since(error_class)), retries.reason(error_class));
      throw refusal(result, result.failed.size(), batch.records.size());
    }
    co_await clock_.sleep(std::min(kRoundBackoff.wait(stalled, random_.uniform()), *left));
    records_sent_again_.with([&](std::uint64_t& sum) { sum += result.failed.size(); });
    for (std::uint32_t& index : result.failed) {
      index = sent[index];
    }
    count_failures(batch, result.failed, refused);
    Indexes unsent = std::exchange(records.pending, {});
    std::ranges::merge(result.failed, unsent, std::back_inserter(records.pending));
  }
}

Awaitable<PutRecordsResult> KinesisSink::put(const batch::RecordBatch& batch, const Indexes& sent,
                                             PacedBatch* paced, aws::Patience patience) {
  PutRecordsResult result;
  AcceptedBy accepted_by;
  if (paced != nullptr) {
    accepted_by = [&](std::uint32_t index, std::string_view shard_id) {
      if (index < sent.size()) {
        paced->accepted_by(sent[index], shard_id);
      }
    };
  }
  const aws::Client::Accept accept = [&](const http::Response& response) {
    result = parse_put_records_result(response.body, sent.size(), format_.wire(), accepted_by);
  };
  const bool whole = sent.size() == batch.records.size();
  const PaddedBuffer part = whole ? PaddedBuffer() : batch::request_for(batch, sent, format_);
  const aws::Call call{.operation = "PutRecords",
                       .object = object_,
                       .body = whole ? batch.body.view() : part.view(),
                       .body_sha256 = whole ? batch.sha256 : std::nullopt,
                       .wire = format_.wire(),
                       .max_answer_bytes = batch::kMaxPutRecordsAnswerBytes,
                       .patience = patience,
                       .holds_items = true};
  co_await kinesis_.call(call, accept);
  if (paced != nullptr) {
    co_await stream_.shards->settle(*paced, sent, result);
  }
  co_return result;
}

Error KinesisSink::refusal(const PutRecordsResult& result, std::size_t refused,
                           std::size_t records) const {
  return Error(ErrorKind::failed, {.operation = "PutRecords",
                                   .object = object_,
                                   .code = result.code,
                                   .message = fmt::format("{} of {} records of a batch were "
                                                          "refused: {}",
                                                          refused, records, result.message),
                                   .hint = aws::hint_for(result.code)});
}

}  // namespace everyitem::sink
