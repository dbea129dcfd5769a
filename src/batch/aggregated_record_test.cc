#include "batch/aggregated_record.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "batch/aggregation_format.h"
#include "batch/test_aggregation.h"

namespace everyitem::batch {
namespace {

constexpr PartitionKey kFirstKey = {{0x3736353433323130, 0x6665646362613938}};   // 0123456789abcdef
constexpr PartitionKey kSecondKey = {{0x3030303030303030, 0x3130303030303030}};  // 15 zeros, a 1
constexpr Md5 kDigest = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

TEST(AggregatedRecord, BytesOfTheFormat) {
  AggregatedRecord record;
  record.add("{}", kFirstKey, 42);
  record.add("{\"a\":1}", kSecondKey, 43);
  record.close(kDigest);
  const std::string expected =
      "\xf3\x89\x9a\xc2"
      "\x12\x02"
      "42"
      "\x0a\x10"
      "0123456789abcdef"
      "\x1a\x08\x08" +
      std::string(1, '\0') + "\x10" + std::string(1, '\0') +
      "\x1a\x02{}"
      "\x0a\x10"
      "0000000000000001"
      "\x1a\x0d\x08\x01\x10" +
      std::string(1, '\0') +
      "\x1a\x07{\"a\":1}"
      "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";
  EXPECT_EQ(record.data(), expected);
  EXPECT_EQ(record.items(), 2U);
  EXPECT_TRUE(record.hash_key() == 42) << "the first item's, for all items";
  EXPECT_EQ(record.partition_key().words, kFirstKey.words);
}

TEST(AggregatedRecord, DigestOfTheMessage) {
  AggregatedRecord record;
  record.add("{}", kFirstKey, 42);
  const std::string digested(record.digested());
  record.close(kDigest);
  EXPECT_EQ(record.data(), std::string(kAggregationMagic) + digested +
                               std::string(record.data().substr(record.size() - 16)));
}

TEST(AggregatedRecord, ItemsReadInOrder) {
  AggregatedRecord record;
  std::vector<std::string> items;
  for (const std::size_t size : {0U, 1U, 127U, 128U, 16'383U, 16'384U, 100'000U}) {
    items.emplace_back(size, static_cast<char>('a' + items.size()));
    const std::size_t offset = record.add(items.back(), kFirstKey, 7);
    EXPECT_EQ(record.data().substr(offset, size), items.back());
  }
  for (int i = 0; i < 300; ++i) {  // so that indexes take two bytes
    items.push_back(std::to_string(i));
    record.add(items.back(), kSecondKey, 7);
  }
  record.close(kDigest);
  EXPECT_EQ(items_in(record.data()), items);
}

TEST(AggregatedRecord, SizeBoundIsClose) {
  AggregatedRecord record;
  for (std::size_t size = 0; size < 40'000; size = size * 2 + 1) {
    for (int again = 0; again < 100; ++again) {
      const std::size_t told = record.size_with(size);
      record.add(std::string(size, 'x'), kFirstKey, kLastHashKey);
      EXPECT_LE(record.size() + kAggregationDigestBytes, told);
      EXPECT_GT(record.size() + kAggregationDigestBytes, told - 12);
    }
  }
  AggregatedRecord shorter;
  const std::size_t told = shorter.size_with(10);
  shorter.add(std::string(10, 'x'), kFirstKey, 0);
  EXPECT_GT(shorter.size() + kAggregationDigestBytes, told - 12 - 38) << "a hash key of one digit";
}

TEST(AggregatedRecord, ClearedRecordStartsOver) {
  AggregatedRecord record;
  record.add("{}", kFirstKey, 42);
  record.close(kDigest);
  const std::string before(record.data());
  record.clear();
  record.hold_plain("plain", kSecondKey, 9);
  EXPECT_TRUE(record.is_plain());
  EXPECT_EQ(items_in(record.data()), std::vector<std::string>{"plain"});
  record.clear();
  EXPECT_FALSE(record.is_plain());
  record.add("{}", kFirstKey, 42);
  record.close(kDigest);
  EXPECT_EQ(record.data(), before);
}

}  // namespace
}  // namespace everyitem::batch
