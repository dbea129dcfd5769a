#include "emulator/aggregated_record.h"

#include <algorithm>
#include <array>
#include <string>

#include <simdjson.h>

namespace everyitem::emulator {

namespace {

constexpr std::string_view kMagic = "\xF3\x89\x9A\xC2";
constexpr std::size_t kDigestBytes = std::tuple_size_v<Md5>;
/// Characters; API reference, PutRecordsRequestEntry.
constexpr std::size_t kMaxPartitionKeyCharacters = 256;
constexpr std::string_view kLastHashKey = "340282366920938463463374607431768211455";

void require(bool holds, const char* otherwise) {
  if (!holds) {
    throw AggregatedRecordError(otherwise);
  }
}

/// Reads the fields of a protobuf message (developers.google.com/protocol-buffers/docs/encoding).
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  bool more() const { return !rest_.empty(); }

  /// The number of the field that comes next. Its value must be read, by what its type is.
  std::uint64_t next() {
    const std::uint64_t tag = varint();
    wire_type_ = tag & 7;
    require(tag >> 3 >= 1 && tag >> 3 < 1U << 29, "a field's number is out of range");
    return tag >> 3;
  }

  std::uint64_t number() {
    require(wire_type_ == 0, "a number has another wire type than that of numbers");
    return varint();
  }

  std::string_view bytes() {
    require(wire_type_ == 2, "a string or a message has another wire type than theirs");
    const std::uint64_t size = varint();
    require(size <= rest_.size(), "something is longer than what holds it");
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }

  std::string_view text() {
    const std::string_view value = bytes();
    require(simdjson::validate_utf8(value.data(), value.size()), "a string is not UTF-8");
    return value;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      require(!rest_.empty(), "a number is cut short");
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      require(shift < 63 || byte <= 1, "a number has more than 64 bits");
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) {
        break;
      }
    }
    return value;
  }

  std::string_view rest_;
  std::uint64_t wire_type_ = 0;
};

void check_partition_key(std::string_view key) {
  require(!key.empty(), "a partition key is empty");
  require(key.size() <= kMaxPartitionKeyCharacters ||
              std::ranges::count_if(key, [](char byte) { return (byte & 0xc0) != 0x80; }) <=
                  std::ptrdiff_t{kMaxPartitionKeyCharacters},
          "a partition key has more than 256 characters");
}

void check_explicit_hash_key(std::string_view key) {
  require(!key.empty() && key.find_first_not_of("0123456789") == std::string_view::npos,
          "an explicit hash key is not a decimal number");
  require(key == "0" || key.front() != '0', "an explicit hash key has leading zeros");
  require(key.size() < kLastHashKey.size() ||
              (key.size() == kLastHashKey.size() && key <= kLastHashKey),
          "an explicit hash key is 2^128 or more");
}

void check_tag(std::string_view message) {
  bool has_key = false;
  bool has_value = false;
  for (Fields fields(message); fields.more();) {
    const std::uint64_t field = fields.next();
    require(field == 1 || field == 2, "a tag has a field that tags have not");
    bool& has = field == 1 ? has_key : has_value;
    require(!has, "a tag has two keys or two values");
    has = true;
    fields.text();
  }
  require(has_key, "a tag has no key");
}

}  // namespace

bool is_aggregated(std::string_view data) { return data.starts_with(kMagic); }

std::string_view message_in(std::string_view data) {
  constexpr std::size_t kAround = kMagic.size() + kDigestBytes;
  return data.size() < kAround ? "" : data.substr(kMagic.size(), data.size() - kAround);
}

const std::vector<SubRecord>& AggregatedRecordReader::read(std::string_view data) {
  return read(data, md5(message_in(data)));
}

const std::vector<SubRecord>& AggregatedRecordReader::read(std::string_view data,
                                                           const Md5& digest) {
  partition_keys_.clear();
  explicit_hash_keys_.clear();
  places_.clear();
  records_.clear();
  require(is_aggregated(data), "it begins with something else than F3 89 9A C2");
  require(data.size() >= kMagic.size() + kDigestBytes, "it ends before its MD5");
  const std::string_view message = message_in(data);
  require(data.substr(kMagic.size() + message.size()) ==
              std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()),
          "its MD5 is wrong");

  for (Fields fields(message); fields.more();) {
    switch (fields.next()) {
      case 1:
        partition_keys_.push_back(fields.text());
        check_partition_key(partition_keys_.back());
        break;
      case 2:
        explicit_hash_keys_.push_back(fields.text());
        check_explicit_hash_key(explicit_hash_keys_.back());
        break;
      case 3:
        read_record(fields.bytes());
        break;
      default:
        throw AggregatedRecordError("it has a field that aggregated records have not");
    }
  }
  require(!records_.empty(), "it holds no records");
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const Place& place = places_[i];
    require(place.partition_key < partition_keys_.size(), "a partition key is not in its table");
    records_[i].partition_key = partition_keys_[place.partition_key];
    if (place.explicit_hash_key) {
      require(*place.explicit_hash_key < explicit_hash_keys_.size(),
              "an explicit hash key is not in its table");
      records_[i].explicit_hash_key = explicit_hash_keys_[*place.explicit_hash_key];
    }
  }
  return records_;
}

void AggregatedRecordReader::read_record(std::string_view message) {
  std::optional<std::uint64_t> partition_key;
  std::optional<std::uint64_t> explicit_hash_key;
  std::optional<std::string_view> data;
  for (Fields fields(message); fields.more();) {
    switch (fields.next()) {
      case 1:
        require(!partition_key, "a record has two partition keys");
        partition_key = fields.number();
        break;
      case 2:
        require(!explicit_hash_key, "a record has two explicit hash keys");
        explicit_hash_key = fields.number();
        break;
      case 3:
        require(!data, "a record has data twice");
        data = fields.bytes();
        break;
      case 4:
        check_tag(fields.bytes());
        break;
      default:
        throw AggregatedRecordError("a record has a field that records have not");
    }
  }
  require(partition_key.has_value(), "a record has no partition key");
  require(data.has_value(), "a record has no data");
  places_.push_back({*partition_key, explicit_hash_key});
  records_.push_back({.partition_key = {}, .explicit_hash_key = {}, .data = *data});
}

}  // namespace everyitem::emulator
