#include "batch/put_records_cbor.h"

#include <array>
#include <cstring>
#include <span>

#include "base/cbor.h"

namespace everyitem::batch {

namespace {

using namespace std::string_view_literals;

/// A map of two or three members, the first of which is Data.
constexpr std::string_view kBeforeData =
    "\xa2\x64"
    "Data"sv;
constexpr std::string_view kBeforeDataOfThree =
    "\xa3\x64"
    "Data"sv;
static_assert(kBeforeData.size() == kBeforeDataOfThree.size());
/// The second member's name, and the head of a text of kPartitionKeyLength characters.
constexpr std::string_view kBeforeKey = "\x6cPartitionKey\x70"sv;
static_assert(kPartitionKeyLength == 0x10);

constexpr std::string_view kBeforeHashKey =
    "\x6f"
    "ExplicitHashKey"sv;

constexpr std::array kClosing = {kCborBreak, kCborBreak};  // of the array, of the map

char* write(std::string_view text, char* to) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

std::string unclosed(const StreamId& stream) {
  std::string text(1, kCborOpenMap);
  append_cbor_text(text, "StreamName");
  append_cbor_text(text, stream.name);
  if (!stream.arn.empty()) {
    append_cbor_text(text, "StreamARN");
    append_cbor_text(text, stream.arn);
  }
  return text;
}

}  // namespace

std::string PutRecordsCbor::naming(const StreamId& stream) const {
  return unclosed(stream) + kCborBreak;
}

std::string PutRecordsCbor::opening(const StreamId& stream) const {
  std::string text = unclosed(stream);
  append_cbor_text(text, "Records");
  return text + kCborOpenArray;
}

std::string_view PutRecordsCbor::closing() const { return {kClosing.data(), kClosing.size()}; }

std::size_t PutRecordsCbor::append_record(PaddedBuffer& body, std::string_view data,
                                          PartitionKey key,
                                          std::string_view explicit_hash_key) const {
  const bool placed = !explicit_hash_key.empty();
  const std::span<char> room = body.prepare(
      kBeforeData.size() + kMaxCborHead + data.size() + kBeforeKey.size() + kPartitionKeyLength +
      kBeforeHashKey.size() + kMaxCborHead + explicit_hash_key.size());
  char* to = write(placed ? kBeforeDataOfThree : kBeforeData, room.data());
  to = write_cbor_head(CborType::bytes, data.size(), to);
  const std::size_t data_offset = body.size() + static_cast<std::size_t>(to - room.data());
  to = write(data, to);
  to = write(kBeforeKey, to);
  to = key.write_to(to);
  if (placed) {
    to = write(kBeforeHashKey, to);
    to = write_cbor_head(CborType::text, explicit_hash_key.size(), to);
    to = write(explicit_hash_key, to);
  }
  body.commit(static_cast<std::size_t>(to - room.data()));
  return data_offset;
}

RecordParts PutRecordsCbor::parts_of(std::string_view record) const {
  record.remove_prefix(kBeforeData.size());
  std::string joined;
  CborReader reader(record);
  const std::size_t data_bytes = reader.string(joined).size();
  record.remove_prefix(record.size() - reader.bytes_left() + kBeforeKey.size());
  RecordParts parts{.data_bytes = data_bytes,
                    .partition_key = record.substr(0, kPartitionKeyLength)};
  record.remove_prefix(kPartitionKeyLength);
  if (!record.empty()) {
    record.remove_prefix(kBeforeHashKey.size());
    parts.explicit_hash_key = CborReader(record).string(joined);
  }
  return parts;
}

}  // namespace everyitem::batch
