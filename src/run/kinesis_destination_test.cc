#include "run/kinesis_destination.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/described_end.h"
#include "support/test_cbor.h"

namespace everyitem::run {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kDescribe = "DescribeStreamSummary";
constexpr std::string_view kList = "ListShards";
constexpr std::string_view kArn = "arn:aws:kinesis:eu-west-1:1:stream/backfill";

std::string refusal(std::string_view code) {
  return http::answer(fmt::format(R"({{"__type":"{}","message":"not today"}})", code),
                      "400 Bad Request");
}

/// `mode`: how capacity is managed, as DescribeStreamSummary reports it; empty: not at all.
std::string summary(std::string_view mode, int shards = 1) {
  const std::string details =
      mode.empty() ? "" : fmt::format(R"(,"StreamModeDetails":{{"StreamMode":"{}"}})", mode);
  return fmt::format(
      R"({{"StreamDescriptionSummary":{{"StreamName":"backfill","StreamStatus":"ACTIVE",)"
      R"("StreamARN":"{}","OpenShardCount":{},"StreamCreationTimestamp":1700000000000{}}}}})",
      kArn, shards, details);
}

constexpr std::string_view kOneShard =
    R"({"Shards":[{"ShardId":"shardId-0","HashKeyRange":{"StartingHashKey":"0",)"
    R"("EndingHashKey":"340282366920938463463374607431768211455"},)"
    R"("SequenceNumberRange":{"StartingSequenceNumber":"1"}}]})";

/// A stream behind a server of the test's own, described as a run does it.
class KinesisDestinationTest : public DescribedEndTest {
 protected:
  struct Asked {
    std::string operation;
    Wire wire;
  };
  /// The whole response to a request.
  using Answer = std::function<std::string(const Asked&)>;

  KinesisDestinationTest() {
    settings_.stream = aws::ResourceName{.name = "backfill", .arn = {}, .region = {}};
  }

  /// Answers both operations on either wire.
  static Answer stream_of(std::string_view mode) {
    return [mode = std::string(mode)](const Asked& asked) {
      const std::string body =
          asked.operation == kDescribe ? summary(mode) : std::string(kOneShard);
      return http::answer(asked.wire == Wire::cbor ? to_cbor(boost::json::parse(body)) : body);
    };
  }

  std::unique_ptr<Destination> describe(Answer answer) {
    const auto serve = [this, answer = std::move(answer)](http::Peer& peer) -> Awaitable<void> {
      while (const std::optional<std::string> request = co_await peer.read_request()) {
        const std::string_view head = *request;
        const bool lists = head.find(kList) != std::string_view::npos;
        const bool cbor = head.find("x-amz-cbor") != std::string_view::npos;
        if (head.find("GetCallerIdentity") != std::string_view::npos) {
          asked_.emplace_back("GetCallerIdentity");
          const std::string caller = caller_of_account();
          co_await peer.write(caller);
          continue;
        }
        const Asked asked{.operation = std::string(lists ? kList : kDescribe),
                          .wire = cbor ? Wire::cbor : Wire::json};
        asked_.push_back(asked.operation + (cbor ? " in CBOR" : " in JSON"));
        const std::string bytes = answer(asked);
        co_await peer.write(bytes);
      }
    };
    return described<Destination>(serve, [this](RunServices& services) {
      return kinesis_destination().describe({.settings = settings_, .services = services});
    });
  }

  std::vector<std::string> asked_;
};

TEST_F(KinesisDestinationTest, CborIfUnderstood) {
  const auto destination = describe(stream_of(""));
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in CBOR"));
  EXPECT_EQ(destination->location(), "eu-west-1/1/backfill");
  EXPECT_EQ(destination->identity(),
            (checkpoint::RunIdentity{{"stream", "backfill"},
                                     {"stream's region", "eu-west-1"},
                                     {"stream's account", "1", true},
                                     {"stream created", "1700000000.000", true}}));
}

TEST_F(KinesisDestinationTest, JsonIfCborRefused) {
  for (const std::string code : {"SerializationException", "UnknownOperationException"}) {
    SCOPED_TRACE(code);
    asked_.clear();
    describe([code, stream = stream_of("")](const Asked& asked) {
      return asked.wire == Wire::cbor ? refusal(code) : stream(asked);
    });
    EXPECT_THAT(asked_,
                ElementsAre("DescribeStreamSummary in CBOR", "DescribeStreamSummary in JSON"));
    services_.reset();
  }
}

TEST_F(KinesisDestinationTest, CborFailsTwice) {
  // As moto 5.2.5 answers, and others that know no CBOR.
  for (const std::string& failure :
       {http::answer("", "500 Internal Server Error"),
        http::answer("<html>no</html>", "500 Internal Server Error", "Content-Type: text/html\r\n"),
        http::answer(R"({"__type":"InternalFailure","message":"no"})", "500 Internal Server Error"),
        http::answer("not CBOR")}) {
    SCOPED_TRACE(failure);
    asked_.clear();
    describe([&failure, stream = stream_of("")](const Asked& asked) {
      return asked.wire == Wire::cbor ? failure : stream(asked);
    });
    EXPECT_THAT(asked_,
                ElementsAre("DescribeStreamSummary in CBOR", "DescribeStreamSummary in JSON",
                            "DescribeStreamSummary in CBOR"));
    EXPECT_THAT(clock_.sleeps(), IsEmpty());
    services_.reset();
  }
}

TEST_F(KinesisDestinationTest, OneFailureKeepsCbor) {
  int failures = 0;
  describe([&failures, stream = stream_of("PROVISIONED")](const Asked& asked) {
    return failures++ == 0 ? http::answer("", "503 Service Unavailable") : stream(asked);
  });
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in CBOR", "DescribeStreamSummary in JSON",
                                  "DescribeStreamSummary in CBOR", "ListShards in CBOR"));
}

TEST_F(KinesisDestinationTest, CreatingStreamIsAwaited) {
  int asked_before = 0;
  describe([&asked_before, stream = stream_of("")](const Asked& asked) {
    std::string body = summary("");
    if (++asked_before <= 5) {
      body.replace(body.find("ACTIVE"), 6, "CREATING");
    }
    return http::answer(asked.wire == Wire::cbor ? to_cbor(boost::json::parse(body)) : body);
  });
  EXPECT_EQ(asked_.size(), 6U);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("the stream is CREATING, not ACTIVE; waiting for it")));
}

TEST_F(KinesisDestinationTest, OtherRefusalsEnd) {
  EXPECT_THROW(describe([](const Asked&) { return refusal("ResourceNotFoundException"); }), Error);
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in CBOR"));
}

TEST_F(KinesisDestinationTest, DeniedDescriptionSaidOnce) {
  settings_.stream->arn = kArn;
  settings_.stream->region = "eu-west-1";
  const auto destination = describe([](const Asked&) { return refusal("AccessDeniedException"); });
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in CBOR"));
  EXPECT_EQ(destination->location(), "eu-west-1/1/backfill");
  EXPECT_EQ(destination->identity(), (checkpoint::RunIdentity{{"stream", "backfill"},
                                                              {"stream's region", "eu-west-1"},
                                                              {"stream's account", "1", true},
                                                              {"stream created", "", true}}));
  EXPECT_THAT(texts_of(destination->notices()),
              ElementsAre(AllOf(HasSubstr("per-shard pacing is off"), HasSubstr("1 MiB"),
                                HasSubstr("AccessDeniedException"))));
}

TEST_F(KinesisDestinationTest, DeniedDescriptionTellsWire) {
  const auto destination = describe([](const Asked& asked) {
    return refusal(asked.wire == Wire::cbor ? "UnknownOperationException"
                                            : "AccessDeniedException");
  });
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in CBOR", "DescribeStreamSummary in JSON",
                                  "GetCallerIdentity"));
  EXPECT_THAT(destination->text().text(), HasSubstr("shards unknown"));
  EXPECT_EQ(destination->location(), "eu-west-1/123456789012/backfill");
  const LaneDestination lane = destination->open(home(), 1);
  lane.builder->add({.json = R"({"id":{"N":"1"}})", .hash_key = R"({"N":"1"})", .range_key = {}},
                    {});
  const batch::RecordBatch batch = lane.builder->seal();
  EXPECT_THAT(batch.body.view(), HasSubstr("\"Records\""));
}

TEST_F(KinesisDestinationTest, GivenWireIsKept) {
  settings_.kinesis_wire = KinesisWire::cbor;
  EXPECT_THROW(describe([](const Asked&) { return refusal("SerializationException"); }), Error);
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in CBOR"));
  asked_.clear();
  services_.reset();
  settings_.kinesis_wire = KinesisWire::json;
  describe(stream_of(""));
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in JSON"));
}

TEST_F(KinesisDestinationTest, PacedStreamSaysHow) {
  const auto destination = describe(stream_of("PROVISIONED"));
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in CBOR", "ListShards in CBOR"));
  EXPECT_THAT(texts_of(destination->notices()), ElementsAre(HasSubstr("1 shard")));
}

TEST_F(KinesisDestinationTest, UnlistedShardsUnpaced) {
  const auto destination = describe([stream = stream_of("PROVISIONED")](const Asked& asked) {
    return asked.operation == kList ? refusal("AccessDeniedException") : stream(asked);
  });
  EXPECT_THAT(texts_of(destination->notices()),
              ElementsAre(HasSubstr("per-shard pacing is off: ")));
}

TEST_F(KinesisDestinationTest, ModelessStreamUnpaced) {
  EXPECT_THAT(texts_of(describe(stream_of(""))->notices()), IsEmpty());
}

TEST_F(KinesisDestinationTest, UnlistedShardsAggregated) {
  settings_.aggregate = true;
  const auto destination = describe([](const Asked& asked) {
    if (asked.operation == kList) {
      return refusal("AccessDeniedException");
    }
    const std::string body = summary("", 3);
    return http::answer(asked.wire == Wire::cbor ? to_cbor(boost::json::parse(body)) : body);
  });
  const LaneDestination lane = destination->open(home(), 1);
  for (int number = 0; number < 100; ++number) {
    const std::string json = fmt::format(R"({{"id":{{"N":"{}"}}}})", number);
    const std::string key = fmt::format(R"({{"N":"{}"}})", number);
    lane.builder->add({.json = json, .hash_key = key, .range_key = {}}, {});
  }
  EXPECT_EQ(lane.builder->seal().record_count(), 3U) << "a record for each third of the hash keys";
}

TEST_F(KinesisDestinationTest, AggregatingNeedsShards) {
  settings_.aggregate = true;
  describe(stream_of(""));
  EXPECT_THAT(asked_, ElementsAre("DescribeStreamSummary in CBOR", "ListShards in CBOR"));
}

}  // namespace
}  // namespace everyitem::run
