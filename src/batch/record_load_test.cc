#include "batch/record_load.h"

#include <string>

#include <gtest/gtest.h>

namespace everyitem::batch {
namespace {

/// A partition key of these 16 characters.
PartitionKey key_of(std::string_view text) {
  PartitionKey key{};
  std::memcpy(key.words.data(), text.data(), kPartitionKeyLength);
  return key;
}

RecordBatch batch_of(const PutRecordsFormat& format, const std::vector<std::string>& data,
                     const std::vector<HashKey>& hash_keys = {}) {
  RecordBatch batch;
  batch.body.append(format.opening({.name = "s"}));
  for (std::size_t i = 0; i < data.size(); ++i) {
    batch.body.append(i > 0 ? format.separator() : "");
    const std::size_t offset = batch.body.size();
    format.append_record(batch.body, data[i],
                         key_of(i % 2 == 0 ? "0123456789abcdef" : "fedcba9876543210"),
                         i < hash_keys.size() ? decimal(hash_keys[i]) : std::string());
    batch.records.push_back({.offset = static_cast<std::uint32_t>(offset),
                             .length = static_cast<std::uint32_t>(batch.body.size() - offset)});
  }
  batch.body.append(format.closing());
  return batch;
}

TEST(RecordLoad, HashKeyAndBytes) {
  for (const Wire wire : {Wire::json, Wire::cbor}) {
    std::vector<std::string> data;
    for (const std::size_t size : {0U, 1U, 2U, 3U, 4U, 23U, 24U, 255U, 256U, 70'000U}) {
      data.emplace_back(size, 'x');
    }
    const PutRecordsFormat& format = put_records_format(wire);
    const auto loads = record_loads(batch_of(format, data), format);
    ASSERT_EQ(loads.size(), data.size());
    for (std::size_t i = 0; i < data.size(); ++i) {
      EXPECT_EQ(loads[i].bytes, data[i].size() + 16);
      // md5sum, as decimal numbers.
      EXPECT_EQ(decimal(loads[i].hash_key), i % 2 == 0 ? "85333767196036966698723792217724685509"
                                                       : "201147948084213623534592161775867544529");
    }
  }
}

TEST(RecordLoad, ExplicitHashKeyWins) {
  for (const Wire wire : {Wire::json, Wire::cbor}) {
    const PutRecordsFormat& format = put_records_format(wire);
    const RecordBatch batch =
        batch_of(format, {"a", "bc", "def"}, {7, kLastHashKey});  // the third has none
    const auto loads = record_loads(batch, format);
    EXPECT_EQ(decimal(loads[0].hash_key), "7");
    EXPECT_EQ(decimal(loads[1].hash_key), decimal(kLastHashKey));
    EXPECT_EQ(decimal(loads[2].hash_key), "85333767196036966698723792217724685509");
    EXPECT_EQ(loads[1].bytes, 18U);
  }
}

}  // namespace
}  // namespace everyitem::batch
