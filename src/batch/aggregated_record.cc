#include "batch/aggregated_record.h"

#include <array>
#include <protozero/basic_pbf_writer.hpp>
#include <protozero/buffer_fixed.hpp>
#include <protozero/pbf_message.hpp>
#include <protozero/varint.hpp>
#include <span>
#include <stdexcept>

#include <fmt/format.h>

#include "batch/aggregation_format.h"

namespace everyitem::batch {

namespace {

using Writer = protozero::basic_pbf_writer<protozero::fixed_size_buffer_adaptor>;

constexpr protozero::pbf_tag_type tag(AggregatedField field) {
  return static_cast<protozero::pbf_tag_type>(field);
}
constexpr protozero::pbf_tag_type tag(AggregatedItemField field) {
  return static_cast<protozero::pbf_tag_type>(field);
}

/// All tags are below 16, so each takes a byte.
constexpr std::size_t kTagBytes = 1;

std::size_t length_delimited(std::size_t bytes) {
  return kTagBytes + static_cast<std::size_t>(protozero::length_of_varint(bytes)) + bytes;
}

/// Of the Record message of an item: its indexes and its data.
std::size_t item_message_bytes(std::uint64_t index, std::size_t data_bytes) {
  const std::size_t no_index_bytes = 1;  // of the explicit hash key, which is always the first
  return kTagBytes + static_cast<std::size_t>(protozero::length_of_varint(index)) + kTagBytes +
         no_index_bytes + length_delimited(data_bytes);
}

}  // namespace

void AggregatedRecord::add(std::string_view data, PartitionKey key, HashKey hash_key) {
  if (empty()) {
    partition_key_ = key;
    hash_key_ = hash_key;
  }
  const std::span<char> room = buffer_.prepare(size_with(data.size()) - buffer_.size());
  protozero::fixed_size_buffer_adaptor bytes(room.data(), room.size());
  Writer record(bytes);
  if (empty()) {
    bytes.append(kAggregationMagic.data(), kAggregationMagic.size());
    record.add_string(tag(AggregatedField::explicit_hash_key_table), decimal(hash_key_));
  }
  std::array<char, kPartitionKeyLength> key_text;
  key.write_to(key_text.data());
  record.add_string(tag(AggregatedField::partition_key_table), key_text.data(), key_text.size());
  {
    Writer item(record, tag(AggregatedField::records), item_message_bytes(items_, data.size()));
    item.add_uint64(tag(AggregatedItemField::partition_key_index), items_);
    item.add_uint64(tag(AggregatedItemField::explicit_hash_key_index), 0);
    item.add_bytes(tag(AggregatedItemField::data), data.data(), data.size());
  }
  buffer_.commit(bytes.size());
  ++items_;
}

void AggregatedRecord::hold_plain(std::string_view data, PartitionKey key, HashKey hash_key) {
  partition_key_ = key;
  hash_key_ = hash_key;
  plain_ = true;
  buffer_.append(data);
  items_ = 1;
}

std::size_t AggregatedRecord::size_with(std::size_t data_bytes) const {
  const std::size_t before =
      empty() ? kAggregationMagic.size() + length_delimited(kMaxHashKeyDigits) : buffer_.size();
  return before + length_delimited(kPartitionKeyLength) +
         length_delimited(item_message_bytes(items_, data_bytes)) + kAggregationDigestBytes;
}

std::string_view AggregatedRecord::digested() const& {
  return buffer_.view().substr(kAggregationMagic.size());
}

void AggregatedRecord::close(const Md5& digest) {
  buffer_.append({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

void AggregatedRecord::clear() {
  plain_ = false;
  buffer_.clear();
  items_ = 0;
}

std::vector<std::string> items_in(std::string_view data) {
  if (!data.starts_with(kAggregationMagic)) {
    return {std::string(data)};
  }
  if (data.size() < kAggregationMagic.size() + kAggregationDigestBytes) {
    throw std::invalid_argument("an aggregated record ends too soon");
  }
  data.remove_prefix(kAggregationMagic.size());
  data.remove_suffix(kAggregationDigestBytes);
  std::vector<std::string> items;
  try {
    protozero::pbf_message<AggregatedField> record(data.data(), data.size());
    while (record.next(AggregatedField::records, protozero::pbf_wire_type::length_delimited)) {
      protozero::pbf_message<AggregatedItemField> item(record.get_message());
      while (item.next(AggregatedItemField::data, protozero::pbf_wire_type::length_delimited)) {
        items.push_back(item.get_bytes());
      }
    }
  } catch (const protozero::exception& error) {
    throw std::invalid_argument(
        fmt::format("an aggregated record cannot be read: {}", error.what()));
  }
  return items;
}

}  // namespace everyitem::batch
