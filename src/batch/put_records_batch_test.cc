#include "batch/put_records_batch.h"

#include <random>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "base/cbor.h"
#include "base/padded_buffer.h"
#include "batch/shard_map.h"

namespace everyitem::batch {
namespace {

const StreamId kStream{.name = "s", .arn = ""};
const PutRecordsFormat& json_format = put_records_format(Wire::json);

source::Item item(const std::string& json) { return {.json = json, .hash_key = json}; }

std::string decoded(std::string_view base64) {
  std::string out(base64.size(), '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(base64.data()),
                                     static_cast<int>(base64.size()));
  out.resize(static_cast<std::size_t>(length));
  while (!base64.empty() && base64.back() == '=') {
    base64.remove_suffix(1);
    out.pop_back();
  }
  return out;
}

/// The records' data, read with an independent JSON parser and base64 decoder.
std::vector<std::string> records_of(std::string_view body) {
  std::vector<std::string> records;
  const auto parsed = boost::json::parse(body);
  EXPECT_EQ(parsed.at("StreamName").as_string(), "s");
  for (const auto& record : parsed.at("Records").as_array()) {
    EXPECT_EQ(record.at("PartitionKey").as_string().size(), kPartitionKeyLength);
    records.push_back(decoded(record.at("Data").as_string()));
  }
  return records;
}

TEST(PutRecordsBatch, JsonByteForByte) {
  PutRecordsBuilder builder(json_format, kStream, {}, {});
  EXPECT_TRUE(builder.empty());
  const std::vector<std::string> items = {R"({"a":{"S":"é\n\"\u0000"}})", "{}", R"({ "b" : {} })"};
  for (const std::string& json : items) {
    EXPECT_EQ(builder.add(item(json), {0, 0}), AddResult::added);
  }
  const RecordBatch batch = builder.seal();
  EXPECT_EQ(records_of(batch.body.view()), items);
  EXPECT_EQ(batch.items.size(), 3U);
  EXPECT_EQ(batch.item_bytes(), items[0].size() + items[1].size() + items[2].size());
  EXPECT_TRUE(builder.empty());
}

TEST(PutRecordsBatch, CborByteForByte) {
  const PutRecordsFormat& cbor = put_records_format(Wire::cbor);
  PutRecordsBuilder builder(cbor, {.name = "s", .arn = "arn:aws:kinesis:x:1:stream/s"}, {}, {});
  std::vector<std::string> items;
  for (const std::size_t size : {2U, 23U, 24U, 255U, 256U, 65'535U, 65'536U, 1'000'000U}) {
    items.emplace_back(size, static_cast<char>('a' + items.size()));
    ASSERT_EQ(builder.add(item(items.back()), {0, 0}), AddResult::added);
  }
  const RecordBatch batch = builder.seal();
  const auto request = parse_cbor(batch.body.view());
  EXPECT_EQ(request.at("StreamName").as_string(), "s");
  EXPECT_EQ(request.at("StreamARN").as_string(), "arn:aws:kinesis:x:1:stream/s");
  const auto& records = request.at("Records").as_array();
  ASSERT_EQ(records.size(), items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ(records[i].at("Data").as_string(), items[i]);
    EXPECT_EQ(records[i].at("PartitionKey").as_string().size(), kPartitionKeyLength);
    EXPECT_EQ(batch.item_text(i), items[i]);
  }
  const PaddedBuffer again = request_for(batch, std::vector<std::uint32_t>{1, 6}, cbor);
  const auto second_request = parse_cbor(again.view());
  const auto& sent_again = second_request.at("Records").as_array();
  ASSERT_EQ(sent_again.size(), 2U);
  EXPECT_EQ(sent_again[1].at("Data").as_string(), items[6]);
  EXPECT_EQ(parse_cbor(cbor.naming({.name = "s", .arn = ""})),
            boost::json::parse(R"({"StreamName":"s"})"));
}

TEST(PutRecordsBatch, NamesTheStreamsArn) {
  PutRecordsBuilder builder(json_format, {.name = "s", .arn = "arn:aws:kinesis:x:1:stream/s"}, {},
                            {});
  builder.add(item("{}"), {0, 0});
  const RecordBatch batch = builder.seal();
  EXPECT_EQ(boost::json::parse(batch.body.view()).at("StreamARN").as_string(),
            "arn:aws:kinesis:x:1:stream/s");
}

// Nothing is written to the padding, which is all that follows the room for the first record.
TEST(PutRecordsBatch, RecordFitsItsRoom) {
  for (const Wire wire : {Wire::json, Wire::cbor}) {
    for (const std::string& hash_key : {std::string(), decimal(kLastHashKey)}) {
      PaddedBuffer body;
      put_records_format(wire).append_record(body, "{}", partition_key(7), hash_key);
      EXPECT_GE(body.capacity(), body.size() + PaddedBuffer::kPadding);
    }
  }
}

TEST(PutRecordsBatch, RecordCountLimit) {
  PutRecordsBuilder builder(json_format, kStream, {}, {});
  for (std::size_t i = 0; i < kMaxRecordsPerRequest; ++i) {
    ASSERT_EQ(builder.add(item("{}"), {0, 0}), AddResult::added);
  }
  EXPECT_EQ(builder.add(item("{}"), {0, 0}), AddResult::full);
  const RecordBatch batch = builder.seal();
  EXPECT_EQ(records_of(batch.body.view()).size(), kMaxRecordsPerRequest);
  EXPECT_EQ(builder.add(item("{}"), {0, 0}), AddResult::added);
}

TEST(PutRecordsBatch, BytesIncludePartitionKeys) {
  const std::string json = "{\"a\":\"" + std::string(92, 'x') + "\"}";
  ASSERT_EQ(json.size(), 100U);
  const std::size_t record = 100 + kPartitionKeyLength;
  PutRecordsBuilder exact(json_format, kStream, {.request_bytes = 3 * record}, {});
  PutRecordsBuilder short_by_one(json_format, kStream, {.request_bytes = 3 * record - 1}, {});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(exact.add(item(json), {0, 0}), AddResult::added);
    EXPECT_EQ(short_by_one.add(item(json), {0, 0}), AddResult::added);
  }
  EXPECT_EQ(exact.add(item(json), {0, 0}), AddResult::added);
  EXPECT_EQ(short_by_one.add(item(json), {0, 0}), AddResult::full);
}

TEST(PutRecordsBatch, OversizedItemChangesNothing) {
  PutRecordsBuilder builder(json_format, kStream, {}, {});
  builder.add(item("{}"), {0, 0});
  const std::string largest(kDefaultMaxRecordBytes - kPartitionKeyLength, 'x');
  EXPECT_EQ(builder.add(item(largest), {0, 0}), AddResult::added);
  EXPECT_EQ(builder.add(item(largest + "x"), {0, 0}), AddResult::too_large);
  const RecordBatch batch = builder.seal();
  EXPECT_EQ(records_of(batch.body.view()), (std::vector<std::string>{"{}", largest}));
}

TEST(PutRecordsBatch, EachPageOnce) {
  PutRecordsBuilder builder(json_format, kStream, {}, {});
  builder.add(item("{}"), {0, 7});
  builder.add(item("{}"), {0, 7});
  builder.add(item("{}"), {1, 0});
  const RecordBatch batch = builder.seal();
  EXPECT_EQ(batch.pages, (std::vector<BatchPage>{{{0, 7}, 2}, {{1, 0}, 1}}));
  builder.add(item("{}"), {1, 0});
  EXPECT_EQ(builder.seal().pages, (std::vector<BatchPage>{{{1, 0}, 1}}));
}

TEST(PutRecordsBatch, RequestForSomeRecords) {
  PutRecordsBuilder builder(json_format, kStream, {}, {});
  for (const std::string json : {"{\"a\":0}", "{\"a\":1}", "{\"a\":2}", "{\"a\":3}"}) {
    builder.add(item(json), {0, 0});
  }
  const RecordBatch batch = builder.seal();
  const std::vector<std::uint32_t> failed = {1, 3};
  const PaddedBuffer again = request_for(batch, failed, json_format);
  EXPECT_EQ(records_of(again.view()), (std::vector<std::string>{"{\"a\":1}", "{\"a\":3}"}));
}

TEST(PutRecordsBatch, RandomItemsWithinLimits) {
  const std::uint32_t seed = 20261123;
  std::mt19937 random(seed);
  const PutRecordsLimits limits{.records = 20, .request_bytes = 5000, .record_bytes = 2000};
  PutRecordsBuilder builder(json_format, kStream, limits, {});
  std::vector<std::string> sent;
  std::vector<std::string> received;
  const auto seal = [&] {
    std::size_t bytes = 0;
    const RecordBatch batch = builder.seal();
    const std::vector<std::string> records = records_of(batch.body.view());
    for (const std::string& record : records) {
      bytes += record.size() + kPartitionKeyLength;
      received.push_back(record);
    }
    EXPECT_LE(records.size(), limits.records);
    EXPECT_LE(bytes, limits.request_bytes);
  };
  for (int i = 0; i < 2000; ++i) {
    const std::string json(random() % 8 == 0 ? random() % 1900 : random() % 100, 'x');
    if (builder.add(item(json), {0, 0}) == AddResult::full) {
      seal();
      ASSERT_EQ(builder.add(item(json), {0, 0}), AddResult::added);
    }
    sent.push_back(json);
  }
  seal();
  EXPECT_EQ(received, sent) << "seed " << seed;
}

}  // namespace
}  // namespace everyitem::batch
