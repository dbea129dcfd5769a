#include "batch/aggregating_builder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/md5.h"
#include "batch/aggregation_format.h"

namespace everyitem::batch {

namespace {

/// Beside the data of a record, in a request: its partition key and its explicit hash key.
constexpr std::size_t kKeysBytes = kPartitionKeyLength + kMaxHashKeyDigits;

/// With twice as much, a batch and its page do not fit into the processor's second-level cache;
/// with half of it, there are too few records to make their MD5s side by side. With many shards it
/// is larger, so that their records are, too.
constexpr std::size_t kLeastBatchBytes = std::size_t{512} << 10;

}  // namespace

AggregatingBuilder::AggregatingBuilder(const PutRecordsFormat& format, const StreamId& stream,
                                       PutRecordsLimits limits, PartitionKeys keys,
                                       const CurrentShards& shards)
    : format_(format),
      opening_(format.opening(stream)),
      limits_(limits),
      keys_(keys),
      current_shards_(shards) {
  look_at_shards();
}

AddResult AggregatingBuilder::add(const source::Item& item, source::PageId page) {
  return add_all(std::span(&item, 1), page).next;
}

AddedItems AggregatingBuilder::add_all(std::span<const source::Item> items, source::PageId page) {
  if (batch_.items == 0) {
    look_at_shards();
  }
  Target next = items.empty() ? Target{} : target_of(items[0]);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Target target = next;
    if (i + 1 < items.size()) {
      next = target_of(items[i + 1]);
      if (open_[next.shard] != kNone) {
        // There are too many records for the nearest cache.
        records_[open_[next.shard]].record.fetch_end();
      }
    }
    if (const AddResult result = add_to(target, items[i], page); result != AddResult::added) {
      return {.count = i, .next = result};
    }
  }
  return {.count = items.size(), .next = AddResult::added};
}

AggregatingBuilder::Target AggregatingBuilder::target_of(const source::Item& item) const {
  const std::uint64_t bits = keys_.bits(item);
  return {.bits = bits, .shard = shards_->shard_of(HashKey{bits} << 64)};
}

AddResult AggregatingBuilder::add_to(Target target, const source::Item& item, source::PageId page) {
  const std::uint64_t bits = target.bits;
  const HashKey hash_key = HashKey{bits} << 64;
  std::uint32_t& open = open_[target.shard];
  if (open != kNone) {
    AggregatedRecord& record = records_[open].record;
    const std::size_t size = record.size_with(item.json.size());
    if (size <= most_record_bytes_) {
      if (bytes_ + size - record.size() > most_bytes_) {
        return AddResult::full;
      }
      bytes_ -= record.size();
      record.add(item.json, partition_key(bits), hash_key);
      bytes_ += record.size();
      count(open, page, item.json.size());
      return AddResult::added;
    }
  }
  return add_record(item, page, bits, open);
}

AddResult AggregatingBuilder::add_record(const source::Item& item, source::PageId page,
                                         std::uint64_t bits, std::uint32_t& open) {
  if (item.json.size() + kPartitionKeyLength > limits_.record_bytes) {
    return AddResult::too_large;
  }
  const std::size_t size = AggregatedRecord().size_with(item.json.size());
  if (batch_.items > 0 && (begun_ == limits_.records || bytes_ + size + kKeysBytes > most_bytes_)) {
    return AddResult::full;
  }
  if (begun_ == records_.size()) {
    records_.emplace_back();
  }
  const auto place = static_cast<std::uint32_t>(begun_++);
  Filling& filling = records_[place];
  if (size > most_record_bytes_) {
    filling.record.hold_plain(item.json, partition_key(bits), HashKey{bits} << 64);
  } else {
    filling.record.add(item.json, partition_key(bits), HashKey{bits} << 64);
    open = place;
  }
  bytes_ += filling.record.size() + kAggregationDigestBytes + kKeysBytes;
  count(place, page, item.json.size());
  return AddResult::added;
}

std::string AggregatingBuilder::size_limit() const { return record_limit(limits_); }

RecordBatch AggregatingBuilder::seal() {
  close_records();
  PaddedBuffer& body = batch_.body;
  // Batches of one run are much alike: the body seldom has to grow.
  body.reserve(last_body_bytes_ + last_body_bytes_ / 8);
  body.append(opening_);
  for (std::uint32_t i = 0; i < begun_; ++i) {
    Filling& filling = records_[i];
    const AggregatedRecord& record = filling.record;
    if (i > 0) {
      body.append(format_.separator());
    }
    const std::size_t offset = body.size();
    format_.append_record(body, record.data(), record.partition_key(), decimal(record.hash_key()));
    batch_.records.push_back({.offset = offset, .length = body.size() - offset});
    batch_.explicit_hash_keys.push_back(record.hash_key());
    for (const RecordShare& share : filling.shares) {
      batch_.shares.push_back(share);
    }
    filling.record.clear();
    filling.shares.clear();
  }
  body.append(format_.closing());
  last_body_bytes_ = body.size();
  begun_ = 0;
  bytes_ = 0;
  std::ranges::fill(open_, kNone);
  return std::exchange(batch_, {});
}

void AggregatingBuilder::look_at_shards() {
  ShardMapAtOneTime newest = current_shards_.newest();
  if (newest == shards_) {
    return;
  }
  shards_ = std::move(newest);
  open_.assign(shards_->shards().size(), kNone);
  most_record_bytes_ = std::min(kAggregatedRecordBytes, limits_.record_bytes - kPartitionKeyLength);
  most_bytes_ = std::min(std::max(kLeastBatchBytes, open_.size() * most_record_bytes_),
                         limits_.request_bytes);
}

void AggregatingBuilder::count(std::uint32_t record, source::PageId page, std::size_t json_bytes) {
  batch_.count(page, json_bytes);
  const auto place = static_cast<std::uint32_t>(batch_.pages.size() - 1);
  std::vector<RecordShare>& shares = records_[record].shares;
  if (shares.empty() || shares.back().page != place) {
    shares.push_back({.record = record, .page = place});
  }
  ++shares.back().items;
}

/// Their digests are made all at once, which is several times as fast.
void AggregatingBuilder::close_records() {
  std::vector<AggregatedRecord*> open;
  std::vector<std::string_view> digested;
  for (std::size_t i = 0; i < begun_; ++i) {
    AggregatedRecord& record = records_[i].record;
    if (!record.is_plain()) {
      open.push_back(&record);
      digested.push_back(record.digested());
    }
  }
  std::vector<Md5> digests(open.size());
  md5_each(digested, digests);
  for (std::size_t i = 0; i < open.size(); ++i) {
    open[i]->close(digests[i]);
  }
}

}  // namespace everyitem::batch
