#include "batch/aggregated_record.h"

#include <array>
#include <cstring>
#include <utility>

#include <protozero/varint.hpp>

#include "batch/aggregation_format.h"

namespace everyitem::batch {

namespace {

/// The first byte of a field: its number and how its value is encoded.
template <typename Field>
constexpr char tag(Field field, protozero::pbf_wire_type type) {
  return static_cast<char>(static_cast<unsigned>(field) << 3 | static_cast<unsigned>(type));
}

constexpr auto kText = protozero::pbf_wire_type::length_delimited;
constexpr auto kNumber = protozero::pbf_wire_type::varint;

/// The constant bytes before each part of an item.
constexpr std::array kBeforeKey = {tag(AggregatedField::partition_key_table, kText),
                                   static_cast<char>(kPartitionKeyLength)};
constexpr char kBeforeItem = tag(AggregatedField::records, kText);
constexpr char kBeforeKeyIndex = tag(AggregatedItemField::partition_key_index, kNumber);
/// The explicit hash key is always the first.
constexpr std::array kBeforeData = {tag(AggregatedItemField::explicit_hash_key_index, kNumber),
                                    '\0', tag(AggregatedItemField::data, kText)};

constexpr std::size_t kMaxHeaderBytes = kAggregationMagic.size() + 2 + kMaxHashKeyDigits;

/// Lengths and indexes are below 2^28: a record is smaller.
constexpr std::size_t kMaxVarint = 4;
/// What an item takes in addition to its data: its key, the length of its message, its index, the
/// length of its data.
constexpr std::size_t kMaxItemOverhead = kBeforeKey.size() + kPartitionKeyLength + 1 + kMaxVarint +
                                         1 + kMaxVarint + kBeforeData.size() + kMaxVarint;

char* write(std::string_view text, char* to) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

template <std::size_t Size>
char* write(const std::array<char, Size>& bytes, char* to) {
  std::memcpy(to, bytes.data(), Size);
  return to + Size;
}

char* write_number(std::uint64_t number, char* to) {
  return to + protozero::write_varint(to, number);
}

std::size_t length_of(std::uint64_t number) {
  return static_cast<std::size_t>(protozero::length_of_varint(number));
}

}  // namespace

void AggregatedRecord::begin(PartitionKey key, HashKey hash_key) {
  partition_key_ = key;
  hash_key_ = hash_key;
  const std::string digits = decimal(hash_key);
  char* const begin = buffer_.prepare(kMaxHeaderBytes).data();
  char* to = write(kAggregationMagic, begin);
  *to++ = tag(AggregatedField::explicit_hash_key_table, kText);
  to = write_number(digits.size(), to);
  to = write(digits, to);
  buffer_.commit(static_cast<std::size_t>(to - begin));
}

std::size_t AggregatedRecord::add(std::string_view data, PartitionKey key, HashKey hash_key) {
  if (empty()) {
    begin(key, hash_key);
  }
  char* const begin = buffer_.prepare(kMaxItemOverhead + data.size()).data();
  char* to = write(kBeforeKey, begin);
  to = key.write_to(to);
  *to++ = kBeforeItem;
  to = write_number(
      1 + length_of(items_) + kBeforeData.size() + length_of(data.size()) + data.size(), to);
  *to++ = kBeforeKeyIndex;
  to = write_number(items_, to);
  to = write(kBeforeData, to);
  to = write_number(data.size(), to);
  const std::size_t offset = buffer_.size() + static_cast<std::size_t>(to - begin);
  to = write(data, to);
  buffer_.commit(static_cast<std::size_t>(to - begin));
  ++items_;
  return offset;
}

std::size_t AggregatedRecord::size_with(std::size_t data_bytes) const {
  return (empty() ? kMaxHeaderBytes : buffer_.size()) + kMaxItemOverhead + data_bytes +
         kAggregationDigestBytes;
}

void AggregatedRecord::hold_plain(std::string_view data, PartitionKey key, HashKey hash_key) {
  partition_key_ = key;
  hash_key_ = hash_key;
  plain_ = true;
  buffer_.append(data);
  items_ = 1;
}

std::string_view AggregatedRecord::digested() const& {
  return buffer_.view().substr(kAggregationMagic.size());
}

void AggregatedRecord::close(const Md5& digest) {
  buffer_.append({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

void AggregatedRecord::clear() {
  if (std::exchange(plain_, false)) {
    buffer_ = {};  // may be a mebibyte, and cleared records are kept
  }
  buffer_.clear();
  items_ = 0;
}

}  // namespace everyitem::batch
