#include "batch/aggregating_builder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/md5.h"
#include "batch/aggregation_format.h"

namespace everyitem::batch {

namespace {

/// What a record takes in a request in addition to its data: partition key and explicit hash key.
constexpr std::size_t kKeysBytes = kPartitionKeyLength + kMaxHashKeyDigits;

/// At twice this size, a batch and its page do not fit into the processor's second-level cache; at
/// half of it, there are too few records to compute their MD5s side by side. With many shards a
/// batch is larger, so that each shard's record is large as well.
constexpr std::size_t kMinBatchBytes = std::size_t{512} << 10;

}  // namespace

AggregatingBuilder::AggregatingBuilder(const PutRecordsFormat& format, const StreamId& stream,
                                       PutRecordsLimits limits, PartitionKeys keys,
                                       const CurrentShards& shards, const ItemFormat* item_format)
    : format_(format),
      opening_(format.opening(stream)),
      limits_(limits),
      keys_(keys),
      current_shards_(shards),
      formatted_(item_format),
      body_holds_items_(format.verbatim() && formatted_.as_read()) {
  use_newest_shards();
}

AddResult AggregatingBuilder::add(const source::Item& item, source::PageId page) {
  if (empty()) {
    open_batch();
  }
  return add_to(target_of(item), item, page);
}

AddedItems AggregatingBuilder::add_all(const source::Items& items, source::PageId page) {
  if (empty()) {
    open_batch();
  }
  Target next = items.empty() ? Target{} : target_of(items[0]);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Target target = next;
    if (i + 1 < items.size()) {
      next = target_of(items[i + 1]);
      if (open_[next.shard] != kNone) {
        // All open records together are too large for the first-level cache.
        records_[open_[next.shard]].fetch_end();
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
  const std::string_view data = formatted_.bytes_of(item);
  std::uint32_t& open = open_[target.shard];
  if (open != kNone) {
    AggregatedRecord& record = records_[open];
    const std::size_t size = record.size_with(data.size());
    if (size <= max_record_bytes_) {
      if (bytes_ + size - record.size() > max_bytes_) {
        return AddResult::full;
      }
      bytes_ -= record.size();
      const std::size_t offset = record.add(data, partition_key(bits), hash_key);
      bytes_ += record.size();
      add_entry({.record = open, .offset = offset, .bytes = data.size()}, item, page);
      return AddResult::added;
    }
  }
  return add_record(item, data, page, bits, open);
}

AddResult AggregatingBuilder::add_record(const source::Item& item, std::string_view data,
                                         source::PageId page, std::uint64_t bits,
                                         std::uint32_t& open) {
  if (data.size() + kPartitionKeyLength > limits_.record_bytes) {
    return AddResult::too_large;
  }
  const std::size_t size = AggregatedRecord().size_with(data.size());
  if (!empty() && (begun_ == limits_.records || bytes_ + size + kKeysBytes > max_bytes_)) {
    return AddResult::full;
  }
  if (begun_ == records_.size()) {
    records_.emplace_back();
  }
  const auto index = static_cast<std::uint32_t>(begun_++);
  AggregatedRecord& record = records_[index];
  std::size_t offset = 0;
  if (size > max_record_bytes_) {
    record.hold_plain(data, partition_key(bits), HashKey{bits} << 64);
  } else {
    offset = record.add(data, partition_key(bits), HashKey{bits} << 64);
    open = index;
  }
  bytes_ += record.size() + kAggregationDigestBytes + kKeysBytes;
  add_entry({.record = index, .offset = offset, .bytes = data.size()}, item, page);
  return AddResult::added;
}

void AggregatingBuilder::add_entry(Place place, const source::Item& item, source::PageId page) {
  std::size_t offset = place.offset;
  if (!body_holds_items_) {
    offset = batch_.separate_text.size();
    batch_.separate_text.append(item.json);
  }
  if (!formatted_.as_read()) {
    count_formatted(place.bytes, batch_);
  }
  batch_.add({.record = place.record,
              .offset = static_cast<std::uint32_t>(offset),
              .length = static_cast<std::uint32_t>(item.json.size())},
             page);
}

std::string AggregatingBuilder::size_limit() const { return record_limit(limits_); }

RecordBatch AggregatingBuilder::seal() {
  close_records();
  PaddedBuffer& body = batch_.body;
  // Batches of one run are much alike: the body seldom has to grow.
  body.reserve(last_body_bytes_ + last_body_bytes_ / 8);
  body.append(opening_);
  std::vector<std::uint32_t> data_offsets(begun_);
  for (std::size_t i = 0; i < begun_; ++i) {
    AggregatedRecord& record = records_[i];
    if (i > 0) {
      body.append(format_.separator());
    }
    const std::size_t offset = body.size();
    data_offsets[i] = static_cast<std::uint32_t>(format_.append_record(
        body, record.data(), record.partition_key(), decimal(record.hash_key())));
    batch_.records.push_back({.offset = static_cast<std::uint32_t>(offset),
                              .length = static_cast<std::uint32_t>(body.size() - offset)});
    record.clear();
  }
  body.append(format_.closing());
  if (body_holds_items_) {
    for (BatchItem& item : batch_.items) {
      item.offset += data_offsets[item.record];
    }
  }
  last_body_bytes_ = body.size();
  last_items_ = batch_.items.size();
  begun_ = 0;
  bytes_ = 0;
  std::ranges::fill(open_, kNone);
  return std::exchange(batch_, {});
}

void AggregatingBuilder::open_batch() {
  use_newest_shards();
  // Batches of one run are much alike: the entries seldom have to grow.
  batch_.items.reserve(last_items_ + last_items_ / 8);
}

void AggregatingBuilder::use_newest_shards() {
  ShardMapAtOneTime newest = current_shards_.newest();
  if (newest == shards_) {
    return;
  }
  shards_ = std::move(newest);
  open_.assign(shards_->shards().size(), kNone);
  max_record_bytes_ = std::min(kAggregatedRecordBytes, limits_.record_bytes - kPartitionKeyLength);
  max_bytes_ =
      std::min(std::max(kMinBatchBytes, open_.size() * max_record_bytes_), limits_.request_bytes);
}

/// Computes the digests of all records at once, which is several times as fast.
void AggregatingBuilder::close_records() {
  std::vector<AggregatedRecord*> open;
  std::vector<std::string_view> digested;
  for (std::size_t i = 0; i < begun_; ++i) {
    AggregatedRecord& record = records_[i];
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
