#include "emulator/aggregated_record.h"

#include <string>

#include <gmock/gmock.h>

#include "emulator/test_aggregated_record.h"
#include "support/mutated_text.h"

namespace everyitem::emulator {
namespace {

struct Expected {
  std::string partition_key;
  std::string explicit_hash_key;
  std::string data;

  friend bool operator==(const Expected&, const Expected&) = default;
};

std::vector<Expected> read(std::string_view record) {
  AggregatedRecordReader reader;
  std::vector<Expected> all;
  for (const SubRecord& one : reader.read(record)) {
    all.push_back({std::string(one.partition_key), std::string(one.explicit_hash_key),
                   std::string(one.data)});
  }
  return all;
}

/// What is wrong with it.
std::string error_of(std::string_view record) {
  try {
    read(record);
  } catch (const AggregatedRecordError& error) {
    return error.what();
  }
  return "";
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// Made by AWS's aws-kinesis-agg 4.2.8 for Node.js.
TEST(AggregatedRecord, ReadsAwsModulesRecord) {
  EXPECT_EQ(
      read(from_hex("f3899ac20a01610a0162120130122733343032383233363639323039333834363334363333"
                    "37343630373433313736383231313435351a0708001a036f6e651a09080110001a037477"
                    "6f1a0b080010011a057468726565d2c87f3a816326091beda8938632c17d")),
      (std::vector<Expected>{
          {"a", "", "one"},
          {"b", "0", "two"},
          {"a", "340282366920938463463374607431768211455", "three"},
      }));
}

const std::string kKey = bytes_field(1, "key");
const std::string kRecord = bytes_field(3, number_field(1, 0) + bytes_field(3, "data"));

TEST(AggregatedRecord, FieldsInAnyOrder) {
  const std::string record =
      bytes_field(3, bytes_field(3, "data") + number_field(2, 1) + number_field(1, 1));
  EXPECT_EQ(read(aggregated(record + bytes_field(2, "7") + kKey + bytes_field(2, "8") +
                            bytes_field(1, "other"))),
            (std::vector<Expected>{{"other", "8", "data"}}));
}

TEST(AggregatedRecord, EmptyTagsLongNumbers) {
  const std::string tag = bytes_field(4, bytes_field(1, "name") + bytes_field(2, ""));
  const std::string bare_tag = bytes_field(4, bytes_field(1, "name"));
  const std::string zero("\x08\x80\x80\x00", 4);
  EXPECT_EQ(read(aggregated(kKey + bytes_field(3, tag + zero + bytes_field(3, "") + bare_tag))),
            (std::vector<Expected>{{"key", "", ""}}));
}

TEST(AggregatedRecord, OneReaderManyRecords) {
  AggregatedRecordReader reader;
  const std::string first = aggregated(kKey + kRecord + kRecord);
  EXPECT_EQ(reader.read(first).size(), 2U);
  EXPECT_THROW(reader.read("plain"), AggregatedRecordError);
  const std::string second = aggregated(bytes_field(1, "other") + kRecord);
  ASSERT_EQ(reader.read(second).size(), 1U);
  EXPECT_EQ(reader.read(second).front().partition_key, "other");
}

TEST(AggregatedRecord, KnownByFourBytes) {
  EXPECT_TRUE(is_aggregated("\xF3\x89\x9A\xC2"));
  EXPECT_TRUE(is_aggregated(aggregated(kKey + kRecord)));
  EXPECT_FALSE(is_aggregated("\xF3\x89\x9A"));
  EXPECT_FALSE(is_aggregated(R"({"pk":{"S":"a"}})"));
  EXPECT_FALSE(is_aggregated(""));
}

TEST(AggregatedRecord, RefusesPlainToConsumers) {
  const std::string record = aggregated(kKey + kRecord);
  EXPECT_EQ(error_of(R"({"pk":{"S":"a"}})"), "it begins with something else than F3 89 9A C2");
  EXPECT_EQ(error_of(record.substr(0, 19)), "it ends before its MD5");
  EXPECT_EQ(error_of(record.substr(0, record.size() - 1)), "its MD5 is wrong");
  for (std::size_t i = 4; i < record.size(); ++i) {
    std::string changed = record;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(error_of(changed), "its MD5 is wrong") << i;
  }
}

TEST(AggregatedRecord, RefusesOtherMessages) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "it holds no records"},
      {kKey, "it holds no records"},
      {kRecord, "a partition key is not in its table"},
      {kKey + bytes_field(3, number_field(1, 1) + bytes_field(3, "d")),
       "a partition key is not in its table"},
      {kKey + bytes_field(3, number_field(1, ~0ULL) + bytes_field(3, "d")),
       "a partition key is not in its table"},
      {kKey + bytes_field(3, number_field(1, 0) + number_field(2, 0) + bytes_field(3, "d")),
       "an explicit hash key is not in its table"},
      {kKey + bytes_field(3, bytes_field(3, "d")), "a record has no partition key"},
      {kKey + bytes_field(3, number_field(1, 0)), "a record has no data"},
      {kKey + bytes_field(3, ""), "a record has no partition key"},
      {kKey + bytes_field(3, number_field(1, 0) + number_field(1, 0) + bytes_field(3, "d")),
       "a record has two partition keys"},
      {kKey + bytes_field(2, "1") +
           bytes_field(3, number_field(2, 0) + number_field(2, 0) + bytes_field(3, "d")),
       "a record has two explicit hash keys"},
      {kKey + bytes_field(3, number_field(1, 0) + bytes_field(3, "d") + bytes_field(3, "d")),
       "a record has data twice"},
      {kKey + bytes_field(3, bytes_field(1, "0") + bytes_field(3, "d")),
       "a number has another wire type than that of numbers"},
      {kKey + bytes_field(3, number_field(1, 0) + number_field(3, 0)),
       "a string or a message has another wire type than theirs"},
      {number_field(1, 0) + kRecord, "a string or a message has another wire type than theirs"},
      {kKey + std::string("\x1b\x1c"), "a string or a message has another wire type than theirs"},
      {kKey + kRecord + bytes_field(4, "x"), "it has a field that aggregated records have not"},
      {kKey + bytes_field(3, number_field(5, 0)), "a record has a field that records have not"},
      {kKey + bytes_field(3, bytes_field(4, number_field(3, 0))),
       "a tag has a field that tags have not"},
      {kKey + bytes_field(3, bytes_field(4, bytes_field(2, "v"))), "a tag has no key"},
      {kKey + bytes_field(3, bytes_field(4, bytes_field(1, "k") + bytes_field(1, "k"))),
       "a tag has two keys or two values"},
      {kKey + kRecord + bytes_field(0, ""), "a field's number is out of range"},
      {kKey + kRecord + std::string("\x80\x80\x80\x80\x20", 5), "a field's number is out of range"},
      {kKey + kRecord + "\x0a", "a number is cut short"},
      {kKey + kRecord + "\x8a", "a number is cut short"},
      {kKey + kRecord + "\x0a\x05only", "something is longer than what holds it"},
      {kKey + kRecord + "\x0a" + varint(~0ULL), "something is longer than what holds it"},
      {kKey + kRecord + "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
       "a number has more than 64 bits"},
      {kKey + kRecord + "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
       "a number has more than 64 bits"},
      // A record that reaches over its own end, though not over that of the message.
      {kKey + "\x1a\x04\x08" + std::string(1, '\0') + "\x1a\x05" + kRecord,
       "something is longer than what holds it"},
  };
  for (const auto& [message, error] : cases) {
    EXPECT_EQ(error_of(aggregated(message)), error) << testing::PrintToString(message);
  }
}

TEST(AggregatedRecord, KeysFitKinesis) {
  const auto of_key = [](std::string_view key) {
    return error_of(aggregated(bytes_field(1, key) + kRecord));
  };
  std::string accented;
  for (int i = 0; i < 256; ++i) {
    accented += "\xc3\xa9";
  }
  EXPECT_EQ(of_key(std::string(256, 'k')), "");
  EXPECT_EQ(of_key(accented), "");
  EXPECT_EQ(of_key(accented + "e"), "a partition key has more than 256 characters");
  EXPECT_EQ(of_key(std::string(257, 'k')), "a partition key has more than 256 characters");
  EXPECT_EQ(of_key(""), "a partition key is empty");
  EXPECT_EQ(of_key("\xff"), "a string is not UTF-8");

  const auto of_hash_key = [](std::string_view key) {
    return error_of(aggregated(kKey + bytes_field(2, key) + kRecord));
  };
  EXPECT_EQ(of_hash_key("0"), "");
  EXPECT_EQ(of_hash_key("340282366920938463463374607431768211455"), "");
  EXPECT_EQ(of_hash_key("99999999999999999999999999999999999999"), "");
  EXPECT_EQ(of_hash_key("340282366920938463463374607431768211456"),
            "an explicit hash key is 2^128 or more");
  EXPECT_EQ(of_hash_key("1000000000000000000000000000000000000000"),
            "an explicit hash key is 2^128 or more");
  EXPECT_EQ(of_hash_key("01"), "an explicit hash key has leading zeros");
  EXPECT_EQ(of_hash_key("00"), "an explicit hash key has leading zeros");
  for (const std::string_view no_number : {"", "-1", "+1", " 1", "1f", "1.0"}) {
    EXPECT_EQ(of_hash_key(no_number), "an explicit hash key is not a decimal number") << no_number;
  }
}

TEST(AggregatedRecord, SurvivesAccidents) {
  const std::string message =
      kKey + bytes_field(2, "17") + kRecord +
      bytes_field(3, number_field(1, 0) + number_field(2, 0) + bytes_field(3, "other") +
                         bytes_field(4, bytes_field(1, "k") + bytes_field(2, "v")));
  int read_all_the_same = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const std::string record = aggregated(mutated(message, seed));
    AggregatedRecordReader reader;
    try {
      for (const SubRecord& one : reader.read(record)) {
        ASSERT_TRUE(one.data.data() >= record.data() &&
                    one.data.data() + one.data.size() <= record.data() + record.size())
            << "seed " << seed;
      }
      ++read_all_the_same;
    } catch (const AggregatedRecordError&) {
    }
  }
  EXPECT_GT(read_all_the_same, 100) << "accidents are small";
}

}  // namespace
}  // namespace everyitem::emulator
