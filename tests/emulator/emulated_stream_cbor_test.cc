// The stream of the fault server, asked in CBOR.
#include "emulator/cbor_reader.h"
#include "emulator/cbor_writer.h"
#include "emulator/emulated_stream_fixture.h"
#include "support/mutated_text.h"

namespace everyitem::emulator {
namespace {

/// What a reader makes of a value, as JSON.
boost::json::value to_json(CborReader& reader) {
  switch (reader.kind()) {
    case CborReader::Kind::map: {
      boost::json::object object;
      reader.map([&](std::string_view name) { object[name] = to_json(reader); });
      return object;
    }
    case CborReader::Kind::array: {
      boost::json::array array;
      reader.array([&] { array.push_back(to_json(reader)); });
      return array;
    }
    case CborReader::Kind::text:
      return boost::json::string(reader.text());
    case CborReader::Kind::unsigned_number:
      return reader.unsigned_number();
    default:
      reader.null();
      return nullptr;
  }
}

boost::json::value to_json(const Reply& reply) {
  EXPECT_EQ(reply.content_type, kCborContentType);
  CborReader reader(reply.body);
  boost::json::value value = to_json(reader);
  reader.end();
  return value;
}

class EmulatedStreamInCbor : public EmulatedStream {
 protected:
  Reply put_in_cbor(const std::vector<std::uint64_t>& items,
                    std::optional<Fault> fault = std::nullopt) {
    CborWriter body;
    body.map(2).text("StreamName").text("s").text("Records").array(items.size());
    for (const std::uint64_t item : items) {
      body.map(2).text("Data").bytes(item_of(item)).text("PartitionKey").text("k");
    }
    return send("PutRecords", body.take(), kCborContentType, fault);
  }
};

TEST_F(EmulatedStreamInCbor, TakesAndAnswersCbor) {
  start({.items = 3}, {.shards = 1});
  EXPECT_EQ(to_json(put_in_cbor({0, 1, 2})),
            boost::json::parse(R"({"FailedRecordCount":0,"Records":[
                {"SequenceNumber":"1","ShardId":"shardId-000000000000"},
                {"SequenceNumber":"2","ShardId":"shardId-000000000000"},
                {"SequenceNumber":"3","ShardId":"shardId-000000000000"}]})"));
  EXPECT_EQ(services().received().missing(), 0U);
  EXPECT_EQ(services().counts().cbor_requests, 1U);
  put({0});
  EXPECT_EQ(services().counts().cbor_requests, 1U);
  EXPECT_EQ(services().received().counts().duplicates, 1U);
}

TEST_F(EmulatedStreamInCbor, ReadsJavaWriter) {
  start({.items = 1}, {.shards = 4});
  CborWriter body;
  body.open_map().text("Records").open_array().open_map();
  body.text("Data").bytes(item_of(0)).text("ExplicitHashKey");
  body.text("340282366920938463463374607431768211455").text("PartitionKey").text("k");
  body.close().close().text("StreamARN").text("arn").text("Unknown").number(1).close();
  const auto answer = to_json(send("PutRecords", body.take(), kCborContentType));
  EXPECT_EQ(answer.at("Records").at(0).at("ShardId"), "shardId-000000000003");
  EXPECT_EQ(services().received().missing(), 0U);
}

TEST_F(EmulatedStreamInCbor, DescribesItself) {
  start({}, {.shards = 4, .mode = StreamMode::provisioned});
  const std::string request = CborWriter().map(1).text("StreamName").text("s").take();
  const Reply reply = send("DescribeStreamSummary", request, kCborContentType);
  const auto in_json = ask("DescribeStreamSummary", R"({"StreamName":"s"})");
  const auto in_cbor = to_json(reply);
  for (const auto& [name, value] : in_json.at("StreamDescriptionSummary").as_object()) {
    EXPECT_EQ(in_cbor.at("StreamDescriptionSummary").at(name), value) << name;
  }
}

TEST_F(EmulatedStreamInCbor, ListsItsShards) {
  start({.items = 1}, {.shards = 3, .shards_per_page = 4, .split_at = 0});
  put({0});
  const std::string first = CborWriter().map(1).text("StreamName").text("s").take();
  const std::string second = CborWriter().map(1).text("NextToken").text("4").take();
  EXPECT_EQ(to_json(send("ListShards", first, kCborContentType)),
            ask("ListShards", R"({"StreamName":"s"})"));
  EXPECT_EQ(to_json(send("ListShards", second, kCborContentType)),
            ask("ListShards", R"({"NextToken":"4"})"));
}

TEST_F(EmulatedStreamInCbor, RefusesUnreadableBody) {
  start({.items = 1}, {});
  const std::string body = CborWriter()
                               .map(1)
                               .text("Records")
                               .array(1)
                               .map(2)
                               .text("Data")
                               .bytes(item_of(0))
                               .text("PartitionKey")
                               .text("k")
                               .take();
  for (std::size_t size = 0; size < body.size(); ++size) {
    const Reply reply = send("PutRecords", body.substr(0, size), kCborContentType);
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(to_json(reply).at("__type"), "com.amazonaws.faults#SerializationException");
  }
  const std::string text_data =
      CborWriter().map(1).text("Records").array(1).map(1).text("Data").text("e30=").take();
  EXPECT_EQ(send("PutRecords", text_data, kCborContentType).status, 400);
  EXPECT_EQ(send("PutRecords", body, kJsonContentType).status, 400);
  EXPECT_EQ(send("DescribeStreamSummary", "{}", kCborContentType).status, 400);
  EXPECT_EQ(services().received().counts().distinct, 0U);
  EXPECT_EQ(services().received().counts().unknown, 0U);
  EXPECT_EQ(send("PutRecords", body, kCborContentType).status, 200);
}

TEST_F(EmulatedStreamInCbor, AnswersWhateverComes) {
  start({.items = 3}, {});
  CborWriter body;
  body.map(2).text("StreamName").text("s").text("Records").open_array();
  for (const std::uint64_t item : {0U, 1U, 2U}) {
    body.open_map().text("PartitionKey").text("k").text("Data").bytes(item_of(item)).close();
  }
  const std::string document = body.close().take();
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Reply reply = send("PutRecords", mutated(document, seed), kCborContentType);
    EXPECT_TRUE(reply.status == 200 || reply.status == 400) << "seed " << seed;
    refused += reply.status == 400 ? 1 : 0;
  }
  EXPECT_GT(refused, 500);
  EXPECT_LT(refused, 2000);
}

TEST_F(EmulatedStreamInCbor, KeepsToItsLimits) {
  start({.items = 1}, {});
  EXPECT_EQ(to_json(put_in_cbor({})).at("__type"), "com.amazonaws.faults#ValidationException");
  EXPECT_EQ(put_in_cbor(std::vector<std::uint64_t>(501)).status, 400);
  EXPECT_EQ(services().counts().requests_over_limits, 2U);
}

TEST_F(EmulatedStreamInCbor, FaultsOfStream) {
  start({.items = 500}, {.shards = 1});
  std::vector<std::uint64_t> items(500);
  const auto results = [&](Fault fault) {
    return to_json(put_in_cbor(items, fault)).at("Records").as_array().size();
  };
  EXPECT_EQ(results(Fault::missing_results), 499U);
  EXPECT_EQ(results(Fault::all_refused), 500U);

  const auto refused = to_json(put_in_cbor(items, Fault::partial_failure));
  EXPECT_GT(refused.at("FailedRecordCount").as_uint64(), 100U);
  EXPECT_LT(refused.at("FailedRecordCount").as_uint64(), 300U);
  const auto& records = refused.at("Records").as_array();
  EXPECT_EQ(std::ranges::count_if(
                records, [](const auto& one) { return one.as_object().contains("ErrorMessage"); }),
            refused.at("FailedRecordCount").as_uint64());

  const auto uncounted = to_json(put_in_cbor(items, Fault::no_failed_count));
  EXPECT_FALSE(uncounted.as_object().contains("FailedRecordCount"));
  const auto with_nulls = to_json(put_in_cbor(items, Fault::null_error_codes));
  EXPECT_TRUE(with_nulls.at("Records").at(0).at("ErrorCode").is_null());

  const Reply garbage = put_in_cbor(items, Fault::garbage);
  EXPECT_EQ(garbage.status, 200);
  EXPECT_THROW(to_json(garbage), CborError);
  EXPECT_EQ(to_json(put_in_cbor(items, Fault::throttling)).at("__type"),
            "com.amazonaws.faults#ThrottlingException");
  EXPECT_EQ(put_in_cbor(items, Fault::unavailable_html).content_type, "text/html");
}

TEST_F(EmulatedStreamInCbor, OrSpeaksJsonAlone) {
  start({.items = 1}, {.wires = KinesisWires::json});
  const Reply refused = put_in_cbor({0});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.content_type, kJsonContentType);
  EXPECT_EQ(refused.body, R"({"__type":"UnknownOperationException"})");
  EXPECT_EQ(put_in_cbor({0}, Fault::throttling).content_type, kJsonContentType);
  EXPECT_EQ(services().received().counts().distinct, 0U);
  EXPECT_EQ(services().counts().cbor_requests, 2U);
  EXPECT_EQ(put({0}).at("FailedRecordCount").as_int64(), 0);
}

TEST_F(EmulatedStreamInCbor, RefusedAsType) {
  start({.items = 1}, {.wires = KinesisWires::json_415});
  EXPECT_EQ(put_in_cbor({0}).status, 415);
  EXPECT_EQ(put_in_cbor({0}).body, "");
}

}  // namespace
}  // namespace everyitem::emulator
